"""Sign the end of the own chain now and then: whoever holds the head can prove the whole log before it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.host.keys import signing_key
from tillmesh.adapters.sqlite.database import write
from tillmesh.kernel.envelope import Head
from tillmesh.sync.signatures import head_message
from tillmesh.terminal.bootstrap import Opened

KEPT_MAX: Final = 64  # signatures at hand, so that a head is signed once and not for each peer


class Signatures:
    """Signs heads with the keys that are in the data directory: of this actor, and of those this terminal was before.

    Safe on several threads: at worst a head is signed twice, and both signatures are the same.
    """

    def __init__(self, data_dir: Path, store: str) -> None:
        self._store = store
        self._keys: dict[str, Ed25519PrivateKey] = {
            path.stem: signing_key(data_dir, path.stem, create=False) for path in (data_dir / "keys").glob("*.sign")
        }
        self._kept: dict[Head, bytes] = {}

    @property
    def actors(self) -> frozenset[str]:
        """The actors whose keys are here."""
        return frozenset(self._keys)

    def signs(self, actor: str) -> bool:
        """Say whether the key of an actor is here."""
        return actor in self._keys

    def sign(self, head: Head) -> bytes:
        """Sign a head that stands in the log here."""
        signature = self._kept.get(head)
        if signature is None:
            signature = self._keys[head.actor].sign(head_message(self._store, head))
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[head] = signature
        return signature


def sign_heads(opened: Opened, db: apsw.Connection, now_ms: int) -> None:
    """Store a signature of the own head; it vouches for the whole chain, so it replaces the one before."""
    head = opened.till.head
    if head.seq == 0:
        return
    key = signing_key(opened.data_dir, head.actor)
    signature = key.sign(head_message(opened.origin.store, head))
    with write(db):
        db.execute(
            "INSERT INTO signed_head (actor, seq, hash, signature, signed_ms) "
            "SELECT id, ?, ?, ?, ? FROM actor WHERE name = ? ON CONFLICT DO NOTHING",
            (head.seq, head.hash, signature, now_ms, head.actor),
        )
        db.execute(
            "DELETE FROM signed_head WHERE actor = (SELECT id FROM actor WHERE name = ?) AND seq < ?",
            (head.actor, head.seq),
        )
