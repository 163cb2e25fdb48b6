"""Who wrote an event: a signature of the head it leads to, by the actor's own key, whoever passes it on.

The hash chain pins everything before a head, so one signature vouches for the whole run that ends there. An event
counts only with such a signature: a till can repeat what another one said, never make it up.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from tillmesh.kernel.envelope import Head


class SignedHead(Struct, frozen=True, array_like=True):
    """The end of an actor's chain at some time, and the actor's signature of it."""

    head: Head
    signature: bytes


class Verdict(Enum):
    """What a signature proves."""

    SIGNED = "signed"
    FORGED = "forged"
    UNKNOWN = "unknown"  # the key of this actor is not known here, yet


class Notary(Protocol):
    """Says whether a head was signed by its own actor."""

    def judge(self, signed: SignedHead) -> Verdict:
        """Check one signature."""
        ...


class KeyNotary:
    """Checks against the keys that ``key_of`` knows: 32 bytes, or None for an actor that nobody has introduced."""

    def __init__(self, store: str, key_of: Callable[[str], bytes | None]) -> None:
        self._store = store
        self._key_of = key_of

    def judge(self, signed: SignedHead) -> Verdict:
        """Check one signature."""
        public = self._key_of(signed.head.actor)
        if public is None:
            return Verdict.UNKNOWN
        try:
            key = Ed25519PublicKey.from_public_bytes(public)
            key.verify(signed.signature, head_message(self._store, signed.head))
        except (InvalidSignature, ValueError):
            return Verdict.FORGED
        return Verdict.SIGNED


def head_message(store: str, head: Head) -> bytes:
    """Give the bytes that are signed for a head."""
    return b"tillmesh head v1\0" + f"{store}\0{head.actor}\0{head.seq}\0".encode() + head.hash
