"""Read what can still be read of a damaged database, into a fresh one.

A page that verifies holds what was written there; an event counts only if it joins on to the chain that is held. So
what is taken over is right, and ends at the first that does not read. What is missing there others may know: then
what stood behind it joins on, in a second pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.archive import Archive
from tillmesh.adapters.sqlite.database import DatabaseDamaged, connect, rows, storage_errors
from tillmesh.adapters.sqlite.store import Writer
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import SYNC_EVENTS_PER_BATCH_MAX

_EVENTS: Final = (
    "SELECT seq, hlc, type, version, body, hash FROM event WHERE actor = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_SIGNED: Final = "SELECT seq, hash, signature, signed_ms FROM signed_head WHERE actor = ? AND seq <= ?"
_KEEP_SIGNED: Final = (
    "INSERT INTO signed_head (actor, seq, hash, signature, signed_ms) SELECT e.actor, e.seq, e.hash, ?3, ?4 "
    "FROM event e JOIN actor a ON a.id = e.actor WHERE a.name = ?5 AND e.seq = ?1 AND e.hash = ?2 "
    "ON CONFLICT DO NOTHING"
)
_LOCAL: Final = {
    "cart": "cart_id, revision, body, changed_ms",
    "cart_operation": "cart_id, op_id",
}


def salvage(source: Path, key: bytes, store: str, writer: Writer, *, but: str = "") -> dict[str, Head]:
    """Take over whatever joins on, of every actor but one; gives where the chains end that have grown."""
    grown: dict[str, Head] = {}
    try:
        with closing(connect(source, key, read_only=True)) as old:
            for number, name in _actors(old):
                if name == but:
                    continue
                head = _chain(old, number, writer, store, writer.head(name))
                if head is not None:
                    grown[name] = head
                    _signatures(old, number, name, head, writer)
    except DatabaseDamaged:
        return grown
    finally:
        writer.books.forget()
    return grown


def salvage_carts(source: Path, key: bytes, writer: Writer) -> None:
    """Take over the carts that were being worked on, if they can be read: all of them or none."""
    with suppress(TillmeshError), closing(connect(source, key, read_only=True)) as old, storage_errors():
        held = {table: rows(old, f"SELECT {columns} FROM {table}") for table, columns in _LOCAL.items()}  # noqa: S608
        with writer.transaction():
            for table, columns in _LOCAL.items():
                marks = ", ".join("?" * len(columns.split(",")))
                writer.db.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", held[table])  # noqa: S608
        writer.books.forget()


def receipts_apart(source: Path, key: bytes, writer: Writer, actor: str) -> list[str]:
    """List the receipts of an actor that stand in the old database alone, as far as they can be read."""
    sql = (
        "SELECT e.seq, e.hash, r.number FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "
        "JOIN actor a ON a.id = r.actor WHERE a.name = ? ORDER BY r.seq"
    )
    held = {(seq, pinned) for seq, pinned, _ in rows(writer.db, sql, (actor,))}
    with suppress(TillmeshError), closing(connect(source, key, read_only=True)) as old, storage_errors():
        return [number for seq, pinned, number in rows(old, sql, (actor,)) if (seq, pinned) not in held]
    return []


def _actors(old: apsw.Connection) -> list[tuple[int, str]]:
    with storage_errors():
        return [(number, name) for number, name in rows(old, "SELECT id, name FROM actor ORDER BY id")]


def _chain(old: apsw.Connection, number: int, writer: Writer, store: str, head: Head) -> Head | None:
    """Take over the events of one actor that join on to ``head``; gives the new end, or None if there were none."""
    begin = head
    while batch := list(_joining(old, number, store, head)):
        with writer.transaction():
            writer.ledger.append_foreign(batch)
        head = Head(batch[-1].actor, batch[-1].seq, batch[-1].hash)
    return None if head == begin else head


def _joining(old: apsw.Connection, number: int, store: str, head: Head) -> Iterator[Envelope]:
    """Read the next events, up to the first that does not read or does not join on."""
    for seq, hlc, kind, version, body, pinned in _readable(old, number, head.seq):
        event = seal(store, head, hlc=hlc, kind=kind, version=version, body=body)
        if (event.seq, event.hash) != (seq, pinned):
            return
        yield event
        head = Head(event.actor, event.seq, event.hash)


def _readable(old: apsw.Connection, number: int, after: int) -> Iterator[tuple[Any, ...]]:
    archive = Archive(old)
    with suppress(TillmeshError), storage_errors():
        for seq, hlc, kind, version, body, pinned in old.execute(_EVENTS, (number, after, SYNC_EVENTS_PER_BATCH_MAX)):
            yield seq, hlc, kind, version, archive.body(number, seq, body), pinned


def _signatures(old: apsw.Connection, number: int, name: str, head: Head, writer: Writer) -> None:
    """Take over what other tills need to believe these events from us; without it, they ask their own actor."""
    with suppress(TillmeshError), storage_errors():
        kept = [(*row, name) for row in rows(old, _SIGNED, (number, head.seq))]
        with writer.transaction():
            writer.db.executemany(_KEEP_SIGNED, kept)
