"""The encrypted envelope of a nexo message, as Adyen documents it ("Protect local communications").

PBKDF2-HMAC-SHA1, 4,000 rounds, salt ``AdyenNexoV1Salt``, makes 80 bytes of the passphrase: 32 for HMAC-SHA256, 32 for
AES-256-CBC, 16 for the initialisation vector, which is XORed with the nonce of each message. The MAC is over the plain
text. The header travels in clear and stands in the plain text again: both must agree, or somebody swapped it.
"""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import pbkdf2_hmac, sha256
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

SALT: Final = b"AdyenNexoV1Salt"
ROUNDS: Final = 4_000
NONCE_BYTES: Final = 16
VERSION: Final = 1
Json = dict[str, Any]
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class NotGenuine(ValueError):
    """An envelope that does not open with this key, or whose header says something else than its text."""


@dataclass(frozen=True, slots=True)
class Key:
    """The key that till and terminal share, as it is set up in Adyen's customer area."""

    identifier: str
    version: int
    passphrase: str


def wrap(kind: str, message: Json, key: Key, nonce: bytes) -> Json:
    """Encrypt a message; ``kind`` is SaleToPOIRequest or SaleToPOIResponse."""
    mac_key, cipher_key, vector = _derived(key.passphrase)
    plain = _encode({kind: message})
    padder = PKCS7(AES.block_size).padder()
    encryptor = Cipher(AES(cipher_key), CBC(_xor(vector, nonce))).encryptor()
    blob = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    trailer = {
        "AdyenCryptoVersion": VERSION,
        "KeyIdentifier": key.identifier,
        "KeyVersion": key.version,
        "Nonce": _text(nonce),
        "Hmac": _text(hmac.digest(mac_key, plain, sha256)),
    }
    return {kind: {"MessageHeader": message["MessageHeader"], "NexoBlob": _text(blob), "SecurityTrailer": trailer}}


def unwrap(kind: str, envelope: Json, key: Key) -> Json:
    """Decrypt and verify a message, or raise :class:`NotGenuine`."""
    mac_key, cipher_key, vector = _derived(key.passphrase)
    try:
        outer = envelope[kind]
        trailer = outer["SecurityTrailer"]
        nonce, mac = base64.b64decode(trailer["Nonce"], validate=True), base64.b64decode(trailer["Hmac"], validate=True)
        blob = base64.b64decode(outer["NexoBlob"], validate=True)
        if len(nonce) != NONCE_BYTES or trailer["AdyenCryptoVersion"] != VERSION:
            raise NotGenuine("a nonce or version that is not known")
        decryptor = Cipher(AES(cipher_key), CBC(_xor(vector, nonce))).decryptor()
        unpadder = PKCS7(AES.block_size).unpadder()
        plain = unpadder.update(decryptor.update(blob) + decryptor.finalize()) + unpadder.finalize()
        if not hmac.compare_digest(hmac.digest(mac_key, plain, sha256), mac):
            raise NotGenuine("the message authentication code is wrong")
        message: Json = json.loads(plain, parse_float=Decimal)[kind]
        if message["MessageHeader"] != outer["MessageHeader"]:
            raise NotGenuine("the header in clear is not the one inside")
    except (KeyError, TypeError, ValueError) as cause:
        raise NotGenuine(f"not a nexo envelope of this key: {cause}") from cause
    return message


@lru_cache(maxsize=4)
def _derived(passphrase: str) -> tuple[bytes, bytes, bytes]:
    made = pbkdf2_hmac("sha1", passphrase.encode(), SALT, ROUNDS, 80)
    return made[:32], made[32:64], made[64:]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
