"""Keys of simulated tills: real signatures, from keys that follow from the actor's name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.kernel.envelope import Head
from tillmesh.sim.shop import STORE
from tillmesh.sync.signatures import head_message

KEYS_KEPT: Final = 64


@lru_cache(KEYS_KEPT)
def _key(actor: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"simulated key of {actor}".encode()).digest())


@lru_cache(KEYS_KEPT)
def public_key(actor: str) -> bytes:
    """Give the public key of an actor (32 bytes)."""
    return _key(actor).public_key().public_bytes_raw()


class SimSignatures:
    """Signs heads as the actors that one till is and was."""

    def __init__(self, actors: Iterable[str]) -> None:
        self.actors = frozenset(actors)

    def signs(self, actor: str) -> bool:
        """Say whether the key of an actor is here."""
        return actor in self.actors

    def sign(self, head: Head) -> bytes:
        """Sign a head that stands in the log here."""
        return _key(head.actor).sign(head_message(STORE, head))
