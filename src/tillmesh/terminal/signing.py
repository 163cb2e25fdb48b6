"""Sign the end of the own chain now and then: whoever holds the head can prove the whole log before it."""

from __future__ import annotations

import apsw

from tillmesh.adapters.host.keys import signing_key
from tillmesh.adapters.sqlite.database import write
from tillmesh.kernel.envelope import Head
from tillmesh.terminal.bootstrap import Opened


def head_message(store: str, head: Head) -> bytes:
    """Give the bytes that are signed for a head."""
    return b"tillmesh head v1\0" + f"{store}\0{head.actor}\0{head.seq}\0".encode() + head.hash


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
