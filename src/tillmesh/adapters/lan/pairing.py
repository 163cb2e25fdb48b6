"""Take a terminal into the store with a code that is read from one screen and typed on another.

Sans I/O: messages and time in, messages out. The host is a till of the store and shows the code; the joiner is new.
Both prove that they know the code before anything of value travels, and what travels is encrypted under the key that
came out of it. The transcript holds both identities, the store and fresh nonces: nothing can be swapped or replayed.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Final, Literal, assert_never

import msgspec

from tillmesh.adapters.lan.pairing_messages import (
    PROTOCOL,
    TRIES_MAX,
    Begin,
    Claim,
    Grant,
    Keys,
    Message,
    Offer,
    PairingFailed,
    Proof,
    Reason,
    Request,
    Sealed,
    Stop,
    identities,
    read_message,
    read_sealed,
    write_message,
)
from tillmesh.adapters.lan.pake import CodeExchange
from tillmesh.kernel.errors import TillmeshError

CODE_DIGITS: Final = 6
CODE_DIGITS_MAX: Final = 8
CODE_MS: Final = 120_000
RUNS_MAX: Final = 20  # Beginnings that prove nothing also learn nothing; this only ends nonsense.
ENDED: Final = frozenset({"expired", "spent"})


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this to the other side."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """The host's driver decides: issue and :meth:`Host.grant`, or let it lapse."""

    actor: str
    request: Request
    transcript: bytes


def new_code() -> str:
    """Draw a code."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def read_code(typed: str) -> str:
    """Read a code as people type it, with spaces or a dash."""
    code = "".join(typed.split()).replace("-", "")
    if not (code.isascii() and code.isdigit() and CODE_DIGITS <= len(code) <= CODE_DIGITS_MAX):
        raise PairingFailed("wrong-code", f"a code has {CODE_DIGITS} digits", tries_left=TRIES_MAX)
    return code


class Host:
    """The till that shows the code.

    Invariant: a code is good for one joiner, TRIES_MAX wrong proofs and CODE_MS, whatever comes first.
    """

    def __init__(self, *, store: str, actor: str, code: str, now_ms: int) -> None:
        self._store, self._actor = store, actor
        self._code = read_code(code)
        self._ends_ms = now_ms + CODE_MS
        self._runs = 0
        self._run: _HostRun | None = None
        self._keys: Keys | None = None
        self._joining = ""
        self.tries_left = TRIES_MAX
        self.state: Literal["waiting", "proving", "proved", "asked", "done", "spent"] = "waiting"

    def receive(self, data: bytes, now_ms: int) -> Reply | Asked:
        """Take in a message of the joiner; raises :class:`PairingFailed` with what is still to be said."""
        if self.state in {"done", "spent"}:
            raise self._stop("spent", "this code has been used up")
        if now_ms >= self._ends_ms:
            raise self._stop("expired", f"this code was good for {CODE_MS // 1000} seconds", spent=True)
        message: Message = read_message(data)
        match message:
            case Begin():
                return self._begin(message, data)
            case Claim():
                return self._claim(message)
            case Sealed():
                return self._asked(message)
            case Offer() | Proof() | Stop():
                raise self._stop("order", f"a {type(message).__name__.lower()} is not for the host")
        assert_never(message)

    def grant(self, grant: Grant) -> bytes:
        """Seal what the driver has decided to give; the code is used up."""
        assert self.state == "asked"
        assert self._keys is not None
        self.state = "done"
        return write_message(Sealed(self._keys.seal("host", msgspec.msgpack.encode(grant))))

    def refuse(self) -> bytes:
        """Say that the driver will not grant what was asked; the code is used up."""
        return self._stop("refused", "the request was refused", spent=True).reply

    def _begin(self, begin: Begin, data: bytes) -> Reply:
        """Start a run; one that was under way is forgotten. Once somebody has proved the code, it is theirs."""
        if self.state not in {"waiting", "proving"}:
            raise self._stop("order", "a beginning while another terminal is being paired")
        self._runs += 1
        if self._runs > RUNS_MAX:
            raise self._stop("spent", f"more than {RUNS_MAX} attempts with one code", spent=True)
        if begin.protocol != PROTOCOL:
            raise self._stop("protocol", f"this till pairs with protocol {PROTOCOL}, not {begin.protocol}")
        nonce = secrets.token_bytes(16)
        joiner, host = identities(begin, self._store, self._actor, nonce)
        exchange = CodeExchange("host", self._code, joiner, host)
        offer = write_message(Offer(self._store, self._actor, nonce, exchange.element))
        self._run = _HostRun(begin.actor, exchange, data + offer)
        self.state = "proving"
        return Reply(offer)

    def _claim(self, claim: Claim) -> Reply:
        """Check the joiner's proof first: whoever does not know the code gets nothing to try codes on."""
        run, self._run = self._run, None
        if run is None or self.state != "proving":
            raise self._stop("order", "a proof without a beginning")
        self._joining = run.actor
        try:
            keys = Keys.of(run.exchange.finish(claim.element), run.said + claim.element)
        except TillmeshError as cause:
            raise self._wrong() from cause
        if not hmac.compare_digest(keys.proof("joiner"), claim.proof):
            raise self._wrong()
        self._keys, self.state = keys, "proved"
        return Reply(write_message(Proof(keys.proof("host"))))

    def _asked(self, sealed: Sealed) -> Asked:
        if self._keys is None or self.state != "proved":
            raise self._stop("order", "a request before any proof")
        request = read_sealed(self._keys.open("joiner", sealed.data), Request)
        self.state = "asked"
        return Asked(self._joining, request, self._keys.transcript)

    def _wrong(self) -> PairingFailed:
        self.tries_left -= 1
        self.state = "waiting"
        return self._stop("wrong-code", "the other terminal typed another code", spent=self.tries_left == 0)

    def _stop(self, reason: Reason, detail: str, *, spent: bool = False) -> PairingFailed:
        if spent:
            self.state, self.tries_left, self._run, self._keys = "spent", 0, None, None
        reply = write_message(Stop(reason, self.tries_left))
        return PairingFailed(reason, detail, tries_left=self.tries_left, reply=reply)


class Joiner:
    """The new terminal, for one try of a typed code."""

    def __init__(self, *, actor: str, code: str, now_ms: int) -> None:
        self._code = read_code(code)
        self._ends_ms = now_ms + CODE_MS
        self._begin = Begin(PROTOCOL, actor, secrets.token_bytes(16))
        self._keys: Keys | None = None
        self._host = ("", "")
        self.state: Literal["new", "begun", "claimed", "proved", "asking", "done", "failed"] = "new"

    def start(self) -> bytes:
        """Give the first message."""
        assert self.state == "new"
        self.state = "begun"
        return write_message(self._begin)

    @property
    def host(self) -> tuple[str, str]:
        """Store and actor of the till that knows the code; empty before it has proved that."""
        return self._host if self.state in {"proved", "asking", "done"} else ("", "")

    @property
    def transcript(self) -> bytes:
        """What a signing key signs to prove that it belongs to this terminal."""
        assert self._keys is not None
        return self._keys.transcript

    def receive(self, data: bytes, now_ms: int) -> Reply | Grant | None:
        """Take in a message of the host: None says that :meth:`ask` is next, a Grant that it is done."""
        try:
            return self._receive(data, now_ms)
        except PairingFailed:
            self.state = "failed"
            raise

    def ask(self, request: Request) -> bytes:
        """Seal the request for a host that has proved to know the code."""
        assert self.state == "proved"
        assert self._keys is not None
        self.state = "asking"
        return write_message(Sealed(self._keys.seal("joiner", msgspec.msgpack.encode(request))))

    def _receive(self, data: bytes, now_ms: int) -> Reply | Grant | None:
        if now_ms >= self._ends_ms:
            raise PairingFailed("expired", f"the code was good for {CODE_MS // 1000} seconds")
        message = read_message(data)
        match message, self.state:
            case Offer(), "begun":
                return self._claim(message, data)
            case Proof(), "claimed":
                self._proved(message)
                return None
            case Sealed(), "asking":
                assert self._keys is not None
                grant = read_sealed(self._keys.open("host", message.data), Grant)
                self.state = "done"
                return grant
            case Stop(), _:
                raise _stopped(message)
            case _:
                raise PairingFailed("order", f"the other till said {type(message).__name__.lower()} out of turn")

    def _claim(self, offer: Offer, data: bytes) -> Reply:
        joiner, host = identities(self._begin, offer.store, offer.actor, offer.nonce)
        exchange = CodeExchange("joiner", self._code, joiner, host)
        try:
            key = exchange.finish(offer.element)
        except TillmeshError as cause:
            raise PairingFailed("malformed", cause.detail) from cause
        self._keys = Keys.of(key, write_message(self._begin) + data + exchange.element)
        self._host = (offer.store, offer.actor)
        self.state = "claimed"
        return Reply(write_message(Claim(exchange.element, self._keys.proof("joiner"))))

    def _proved(self, proof: Proof) -> None:
        assert self._keys is not None
        if not hmac.compare_digest(self._keys.proof("host"), proof.proof):
            raise PairingFailed("wrong-code", "the other till does not know the code: is it the right one?")
        self.state = "proved"


@dataclass(frozen=True, slots=True)
class _HostRun:
    actor: str
    exchange: CodeExchange
    said: bytes


def _stopped(stop: Stop) -> PairingFailed:
    if stop.reason == "wrong-code":
        return PairingFailed("wrong-code", "that is not the code on the other till", tries_left=stop.tries_left)
    if stop.reason in ENDED:
        return PairingFailed("spent", "that code is no longer good")
    return PairingFailed("stopped", f"the other till ended it ({stop.reason})", tries_left=stop.tries_left)
