"""The event log as one append-only file of SQLite; an entry is one transaction, on disk before it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Final

from tillmesh.adapters.sqlite.database import connect, migrate, rows, settle, storage_errors, write
from tillmesh.fleet.ports import Entry, Position, Stretch
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.limits import LOG_PAGE_BODIES_BYTES, LOG_PAGE_ENTRIES_MAX
from tillmesh.sync.signatures import SignedHead

FILE: Final = "events.db"
PART: Final = "log"  # there is one part
STEPS: Final = files("tillmesh.adapters.sqlite.hub") / "log"
_ENTRY: Final = "INSERT INTO entry (store, term, sender, at_ms, generation) VALUES (?, ?, ?, ?, ?) RETURNING id"
_EVENT: Final = (
    "INSERT INTO event (actor, seq, entry, hlc, type, version, body, prev_hash, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_SIGNED: Final = "INSERT INTO signed (entry, actor, seq, hash, signature) VALUES (?, ?, ?, ?, ?)"
_SIGNATURES: Final = (
    "SELECT s.entry, a.name, s.seq, s.hash, s.signature FROM signed s JOIN actor a ON a.id = s.actor "
    "WHERE s.entry > ? AND s.entry <= ? ORDER BY s.entry, a.name, s.seq"
)
_ACTOR: Final = "SELECT id FROM actor WHERE store = ? AND name = ?"
_REPLAY: Final = (
    "SELECT n.id, n.store, n.term, n.sender, n.at_ms, n.generation, "
    "a.name, e.seq, e.hlc, e.type, e.version, e.body, e.prev_hash, e.hash "
    "FROM entry n LEFT JOIN event e ON e.entry = n.id LEFT JOIN actor a ON a.id = e.actor "
    "WHERE n.id > ? AND n.id <= ? ORDER BY n.id, e.actor, e.seq"
)
_NEXT_OF_STORE: Final = "SELECT id FROM entry WHERE id > ? AND store = ? ORDER BY id LIMIT ?"
_SIZE: Final = "SELECT coalesce(sum(length(body)), 0) FROM event WHERE entry = ?"
_ONE: Final = (
    "SELECT a.name, e.seq, e.hlc, e.type, e.version, e.body, e.prev_hash, e.hash FROM event e "
    "JOIN actor a ON a.id = e.actor WHERE e.entry = ? ORDER BY e.actor, e.seq"
)
ENTRIES_AT_ONCE: Final = 50


class SqliteEventLog:
    """One writer. Replaying reads in portions, so that appending may go on meanwhile."""

    def __init__(self, path: Path, key: bytes, *, read_only: bool = False) -> None:
        self._db = connect(path, key, read_only=read_only)
        if not read_only:
            settle(self._db)
            with storage_errors():
                migrate(self._db, STEPS)
        self._actors: dict[tuple[str, str], int] = {}

    def append(self, entry: Entry) -> Position:
        """Store an entry durably and give its place."""
        try:
            with write(self._db) as db:
                said = (entry.store, entry.term, entry.sender, entry.at_ms, entry.generation)
                (number,) = next(iter(rows(db, _ENTRY, said)))
                db.executemany(
                    _EVENT,
                    [
                        (self._actor(entry.store, e.actor), e.seq, number, e.hlc, e.type, e.version, e.body,
                         e.prev_hash, e.hash)
                        for e in entry.events
                    ],
                )  # fmt: skip
                db.executemany(
                    _SIGNED,
                    [
                        (
                            number,
                            self._actor(entry.store, each.head.actor),
                            each.head.seq,
                            each.head.hash,
                            each.signature,
                        )
                        for each in entry.signed
                    ],
                )
        except BaseException:
            self._actors.clear()
            raise
        return {PART: number}

    def replay(self, after: Position) -> Iterator[tuple[Position, Entry]]:
        """Iterate the entries behind a position, oldest first."""
        at = after.get(PART, 0)
        while True:
            with storage_errors():
                found = rows(self._db, _REPLAY, (at, at + ENTRIES_AT_ONCE))
                if not found and not rows(self._db, "SELECT 1 FROM entry WHERE id > ? LIMIT 1", (at,)):
                    return
            signed: dict[int, list[SignedHead]] = {}
            for entry, name, seq, pinned, signature in rows(self._db, _SIGNATURES, (at, at + ENTRIES_AT_ONCE)):
                signed.setdefault(entry, []).append(SignedHead(Head(name, seq, pinned), signature))
            for (number, store, term, sender, at_ms, generation), events in groupby(found, key=lambda row: row[:6]):
                carried = tuple(Envelope(*row[6:]) for row in events if row[6] is not None)
                under = tuple(signed.get(number, ()))
                yield {PART: number}, Entry(store, term, sender, at_ms, carried, under, generation)
            at += ENTRIES_AT_ONCE

    def of_store(self, store: str, after: Position) -> Stretch:
        """Read on behind a place for one store."""
        at, size = after.get(PART, 0), 0
        found: list[Entry] = []
        with storage_errors():
            numbers = [number for (number,) in rows(self._db, _NEXT_OF_STORE, (at, store, LOG_PAGE_ENTRIES_MAX + 1))]
            whole = len(numbers) <= LOG_PAGE_ENTRIES_MAX
            for number in numbers[:LOG_PAGE_ENTRIES_MAX]:
                size += int(rows(self._db, _SIZE, (number,))[0][0])
                if found and size > LOG_PAGE_BODIES_BYTES:
                    return Stretch({PART: at}, tuple(found), whole=False)
                found.append(self._entry(number))
                at = number
        return Stretch({PART: at}, tuple(found), whole)

    def _entry(self, number: int) -> Entry:
        ((store, term, sender, at_ms, generation),) = rows(
            self._db, "SELECT store, term, sender, at_ms, generation FROM entry WHERE id = ?", (number,)
        )
        signed = [
            SignedHead(Head(name, seq, pinned), signature)
            for _, name, seq, pinned, signature in rows(self._db, _SIGNATURES, (number - 1, number))
        ]
        events = tuple(Envelope(*row) for row in rows(self._db, _ONE, (number,)))
        return Entry(store, term, sender, at_ms, events, tuple(signed), generation)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _actor(self, store: str, name: str) -> int:
        known = self._actors.get((store, name))
        if known is None:
            self._db.execute("INSERT INTO actor (store, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (store, name))
            known = int(rows(self._db, _ACTOR, (store, name))[0][0])
            self._actors[store, name] = known
        return known
