"""What the two sides of a pairing say, every part of it bounded, and the keys they derive."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta, Struct

from tillmesh.adapters.lan.roster import ROSTER_BYTES_MAX
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import ACTOR_CHARS_MAX

PROTOCOL: Final = 1
TRIES_MAX: Final = 3  # A limit of ours; with six digits, three guesses in a million.
MESSAGE_BYTES_MAX: Final = ROSTER_BYTES_MAX + (64 << 10)

Actor = Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]
Nonce = Annotated[bytes, Meta(min_length=16, max_length=16)]
Element = Annotated[bytes, Meta(max_length=64)]
Tag = Annotated[bytes, Meta(min_length=32, max_length=32)]
Document = Annotated[bytes, Meta(max_length=4_096)]


class Begin(Struct, frozen=True, array_like=True, tag=1):
    """Joiner: who I am."""

    protocol: int
    actor: Actor
    nonce: Nonce


class Offer(Struct, frozen=True, array_like=True, tag=2):
    """Host: who I am, and my half."""

    store: Annotated[str, Meta(min_length=1, max_length=64)]
    actor: Actor
    nonce: Nonce
    element: Element


class Claim(Struct, frozen=True, array_like=True, tag=3):
    """Joiner: my half, and the proof that I know the code. The host counts wrong ones."""

    element: Element
    proof: Tag


class Proof(Struct, frozen=True, array_like=True, tag=4):
    """Host: the proof that I know the code."""

    proof: Tag


class Sealed(Struct, frozen=True, array_like=True, tag=5):
    """Either side: something encrypted under its own key."""

    data: Annotated[bytes, Meta(max_length=MESSAGE_BYTES_MAX)]


class Stop(Struct, frozen=True, array_like=True, tag=6):
    """Host: it ends here, and why."""

    reason: Annotated[str, Meta(max_length=40)]
    tries_left: Annotated[int, Meta(ge=0, le=TRIES_MAX)]


Message: TypeAlias = Begin | Offer | Claim | Proof | Sealed | Stop


class Request(Struct, frozen=True, array_like=True):
    """What the joiner asks for, sealed: a certificate for this key, and that its events be known by that one."""

    certificate_request: Document
    sign_public: Annotated[bytes, Meta(min_length=32, max_length=32)]
    sign_proof: Annotated[bytes, Meta(min_length=64, max_length=64)]  # over the transcript, by the signing key


class Grant(Struct, frozen=True, array_like=True):
    """What makes a terminal a till of the store, sealed."""

    authority: Document  # DER
    certificate: Document  # DER, of the joiner
    roster: Annotated[bytes, Meta(max_length=ROSTER_BYTES_MAX + 256)]
    pepper: Annotated[bytes, Meta(max_length=64)]  # PINs of the store's people check with it
    issuer_secret: Annotated[bytes, Meta(max_length=32)] = b""  # only for a till that is to be an issuer, too


Reason = Literal["wrong-code", "expired", "spent", "malformed", "order", "protocol", "refused", "stopped"]

HINTS: Final[dict[str, str]] = {
    "wrong-code": "Type the code that the other till shows now.",
    "expired": "Ask the other till for a new code.",
    "spent": "Ask the other till for a new code.",
    "protocol": "Update both tills.",
}


class PairingFailed(TillmeshError):
    """A terminal was not taken in. ``reply`` is still to be sent, if there is one."""

    status = 409
    kind = "pairing-failed"
    title = "Not paired"

    def __init__(self, reason: Reason, detail: str, *, tries_left: int = 0, reply: bytes = b"") -> None:
        super().__init__(detail, hint=HINTS.get(reason, "Start again with a new code."))
        self.reason = reason
        self.tries_left = tries_left
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Keys:
    """What both sides derive. Each key is used for one message, so a fixed nonce repeats nothing."""

    transcript: bytes
    material: bytes

    @classmethod
    def of(cls, shared: bytes, said: bytes) -> Keys:
        """Derive everything from the shared key and all that was said, byte by byte."""
        transcript = sha256(b"tillmesh pairing v1\0" + said).digest()
        return cls(transcript, HKDF(SHA256(), 128, salt=transcript, info=b"tillmesh pairing keys v1").derive(shared))

    def proof(self, side: Literal["joiner", "host"]) -> bytes:
        """Give what proves that a side knows the code."""
        return hmac.digest(self._key(0 if side == "joiner" else 1), self.transcript, "sha256")

    def seal(self, side: Literal["joiner", "host"], data: bytes) -> bytes:
        """Encrypt the one message of a side."""
        return self._cipher(side).encrypt(bytes(12), data, self.transcript)

    def open(self, side: Literal["joiner", "host"], data: bytes) -> bytes:
        """Decrypt the one message of a side."""
        try:
            return self._cipher(side).decrypt(bytes(12), data, self.transcript)
        except InvalidTag as cause:
            raise PairingFailed("malformed", "a sealed message that was changed on the way") from cause

    def _cipher(self, side: Literal["joiner", "host"]) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(self._key(2 if side == "joiner" else 3))

    def _key(self, number: int) -> bytes:
        return self.material[32 * number : 32 * number + 32]


def identities(begin: Begin, store: str, actor: str, nonce: bytes) -> tuple[bytes, bytes]:
    """Give what the exchange itself binds: each side's whole identity, in a form with one reading."""
    return msgspec.msgpack.encode(begin), msgspec.msgpack.encode((store, actor, nonce))


Kind = TypeVar("Kind")


def read_message(data: bytes) -> Message:
    """Decode what came from the other side; raises :class:`PairingFailed`."""
    message: Message = _decoded(data, Message)
    return message


def read_sealed(data: bytes, kind: type[Kind]) -> Kind:
    """Decode what was sealed; raises :class:`PairingFailed`."""
    found: Kind = _decoded(data, kind)
    return found


def write_message(message: Message) -> bytes:
    """Encode a message."""
    return msgspec.msgpack.encode(message)


def _decoded(data: bytes, kind: object) -> Any:
    if len(data) > MESSAGE_BYTES_MAX:
        raise PairingFailed("malformed", f"a message of {len(data)} bytes; the limit is {MESSAGE_BYTES_MAX}")
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise PairingFailed("malformed", f"bytes that are no message: {cause}") from cause
