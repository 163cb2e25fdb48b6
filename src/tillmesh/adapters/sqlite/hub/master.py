"""The master database of one machine: what the log adds up to, as tables, each entry in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.database import connect, migrate, one, rows, settle, storage_errors, write
from tillmesh.adapters.sqlite.hub import registers
from tillmesh.crdt import LWWMap
from tillmesh.fleet.hashed import HASHED, PROJECTED
from tillmesh.fleet.ports import Entry, Held, Position
from tillmesh.fleet.projecting import Kind, Rows, project
from tillmesh.fleet.syncing import fresh
from tillmesh.kernel.envelope import GENESIS, Envelope, Head
from tillmesh.kernel.ids import is_office
from tillmesh.shop.registers import join

FILE: Final = "master.db"
STEPS: Final = files("tillmesh.adapters.sqlite.hub") / "master"
_STORE: Final = (
    "INSERT INTO store (name, generation, term, sender, last_sync_ms) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET sender = CASE WHEN (excluded.generation, excluded.term) >= (generation, term) "
    "AND excluded.sender <> '' THEN excluded.sender ELSE sender END, "
    "term = CASE WHEN (excluded.generation, excluded.term) > (generation, term) THEN excluded.term ELSE term END, "
    "generation = max(generation, excluded.generation), "
    "last_sync_ms = max(last_sync_ms, excluded.last_sync_ms) RETURNING id"
)
_HEAD: Final = (
    "INSERT INTO actor (store, name, seq, hash, hlc, weight, aside) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (store, name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, hlc = max(hlc, excluded.hlc), "
    "weight = weight + excluded.weight, aside = aside + excluded.aside RETURNING id"
)
_POSITION: Final = (
    "INSERT INTO position (part, entry) VALUES (?, ?) ON CONFLICT (part) "
    "DO UPDATE SET entry = max(entry, excluded.entry)"
)
_CLOCK: Final = "SELECT max(a.hlc) FROM actor a JOIN store s ON s.id = a.store WHERE s.name = ?"
_HASH: Final = (
    "SELECT e.hash FROM event e JOIN actor a ON a.id = e.actor JOIN store s ON s.id = a.store "
    "WHERE s.name = ? AND a.name = ? AND e.seq = ?"
)
_OUTBOX: Final = (
    "SELECT a.name, o.seq, o.hlc, o.type, o.version, o.body, o.prev_hash, o.hash FROM outbox o "
    "JOIN actor a ON a.id = o.actor JOIN store s ON s.id = a.store WHERE s.name = ? AND a.name = ? AND o.seq > ? "
    "ORDER BY o.seq LIMIT ?"
)
_SAID: Final = (
    "SELECT o.body FROM outbox o JOIN actor a ON a.id = o.actor JOIN store s ON s.id = a.store "
    "WHERE s.name = ? AND o.type = ? ORDER BY o.hlc DESC LIMIT ?"
)
_STOCK: Final = (
    "INSERT INTO stock (store, sku, actor, p, n) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (store, sku, actor) DO UPDATE SET p = p + excluded.p, n = n + excluded.n"
)
_TOTALS: Final = "UPDATE store SET sales = sales + ?, revenue_minor = revenue_minor + ? WHERE id = ?"
_EVENT: Final = "INSERT INTO event (actor, seq, hash) VALUES (?, ?, ?)"
_SENT: Final = (
    "INSERT INTO outbox (actor, seq, hlc, type, version, body, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_SALE: Final = "INSERT INTO sale VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LINE: Final = "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PAYMENT: Final = "INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?, ?)"


def open_master(path: Path, key: bytes, *, read_only: bool = False) -> apsw.Connection:
    """Open the file, bringing its tables up to date unless it is only read."""
    db = connect(path, key, read_only=read_only)
    if not read_only:
        settle(db)
        with storage_errors():
            migrate(db, STEPS)
    return db


class SqliteMaster:
    """One writer; questions are answered beside it, by :class:`~tillmesh.adapters.sqlite.hub.reading.SqliteReading`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._db = open_master(path, key)

    def position(self) -> Position:
        """Say up to where the log was applied."""
        return dict(rows(self._db, "SELECT part, entry FROM position"))

    def held(self, store: str) -> Held:
        """Say what is held of a store."""
        heads = rows(
            self._db,
            "SELECT a.name, a.seq, a.hash FROM actor a JOIN store s ON s.id = a.store WHERE s.name = ?",
            (store,),
        )
        found = rows(self._db, "SELECT generation, term FROM store WHERE name = ?", (store,))
        generation, term = found[0] if found else (0, 0)
        return Held(
            heads={name: Head(name, seq, pinned) for name, seq, pinned in heads},
            term=term,
            clock=int(one(self._db, _CLOCK, (store,)) or 0),
            fenced=dict(rows(self._db, "SELECT actor, detail FROM fence WHERE store = ?", (store,))),
            generation=generation,
        )

    def hash_of(self, store: str, actor: str, seq: int) -> bytes | None:
        """Give the hash of an event that was applied, or None."""
        found = one(self._db, _HASH, (store, actor, seq))
        return None if found is None else bytes(found)

    def apply(self, position: Position, entry: Entry) -> None:
        """Apply an entry and note its place, in one transaction."""
        with write(self._db) as db:
            events = fresh(self.held(entry.store), entry.events)  # under the lock: others write, too
            # What head office writes itself is no word from the store.
            heard = ("", 0) if is_office(entry.sender) else (entry.sender, entry.at_ms)
            store = int(one(db, _STORE, (entry.store, entry.generation, entry.term, *heard)))
            carried = dict(rows(db, "SELECT name, weight FROM actor WHERE store = ?", (store,)))
            found = project(events, carried)
            actors = self._heads(store, events, found)
            db.executemany(_EVENT, [(actors[e.actor], e.seq, e.hash) for e in events])
            db.executemany(
                _SENT,
                [
                    (actors[e.actor], e.seq, e.hlc, e.type, e.version, e.body, e.prev_hash, e.hash)
                    for e in events
                    if is_office(e.actor)
                ],
            )
            self._project(store, actors, found)
            db.executemany(_POSITION, list(position.items()))

    def fence(self, store: str, actor: str, detail: str, at_ms: int) -> None:
        """Note that nothing of an actor is taken any more."""
        with write(self._db) as db:
            db.execute(
                "INSERT INTO fence (store, actor, detail, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (store, actor, detail, at_ms),
            )

    def outbox(self, store: str, has: Mapping[str, int], events_max: int, bytes_max: int) -> list[Envelope]:
        """List head office's own events for a store behind what the store has; always at least one if there is one."""
        found: list[Envelope] = []
        size = 0
        sql = "SELECT a.name, a.seq FROM actor a JOIN store s ON s.id = a.store WHERE s.name = ? ORDER BY a.name"
        for name, seq in rows(self._db, sql, (store,)):
            if not is_office(name) or seq <= has.get(name, 0):
                continue
            for row in rows(self._db, _OUTBOX, (store, name, has.get(name, 0), events_max - len(found))):
                size += len(row[5])
                if found and size > bytes_max:
                    return found
                found.append(Envelope(*row))
        return found

    def said(self, store: str, kind: str, limit: int) -> list[bytes]:
        """Give the bodies of head office's own events of one type for a store, the newest first."""
        return [body for (body,) in rows(self._db, _SAID, (store, kind, limit))]

    def digest(self) -> str:
        """Give the hash of everything that was projected."""
        total = sha256()
        for name, sql in HASHED.items():
            columns = sql[: sql.index(" FROM")].count(",") + 1
            order = ", ".join(str(number) for number in range(1, columns + 1))
            total.update(name.encode())
            for row in self._db.execute(f"{sql} ORDER BY {order}"):
                total.update(repr(row).encode())
        return total.hexdigest()

    def alone(self) -> AbstractContextManager[None]:
        """Do nothing: who opens the data directory keeps others out."""
        return nullcontext()

    def begin_anew(self) -> None:
        """Forget everything that was projected."""
        with write(self._db) as db:
            for table in PROJECTED:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from a constant

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _heads(self, store: int, events: list[Envelope], found: Rows) -> dict[str, int]:
        """Move the heads, and give the row numbers of the actors."""
        last = {event.actor: event for event in events}
        return {
            name: int(one(self._db, _HEAD, (store, name, event.seq, event.hash, event.hlc, *found.of(name))))
            for name, event in last.items()
        }

    def _project(self, store: int, actors: Mapping[str, int], found: Rows) -> None:
        db = self._db
        db.executemany(_SALE, [(store, r.at_ms, actors[r.actor], r.seq, r.kind, *r[4:]) for r in found.sales])
        lines: list[tuple[Any, ...]] = [
            (store, actors[r.actor], r.seq, r.line, r.kind, r.sku, r.name, r.quantity_milli, r.total_minor, r.tax_minor)
            for r in found.lines
        ]
        if found.sales:
            net = sum(r.total_minor if r.kind == Kind.SALE else -r.total_minor for r in found.sales)
            db.execute(_TOTALS, (sum(r.kind == Kind.SALE for r in found.sales), net, store))
        db.executemany(_LINE, lines)
        db.executemany(_PAYMENT, [(store, actors[r.actor], *r[1:]) for r in found.payments])
        db.executemany(_STOCK, [(store, r.sku, actors[r.actor], r.plus_milli, r.minus_milli) for r in found.moves])
        written: dict[tuple[str, str], LWWMap] = {}
        for row in found.writes:
            held = written.get((row.entity, row.key)) or registers.load(db, store, row.entity, row.key)
            written[row.entity, row.key] = join(row.entity, held, row.written)
        for (entity, key), state in written.items():
            registers.save(db, store, entity, key, state)


assert len(GENESIS) == 32  # the width of every hash in these tables
