"""The master database in PostgreSQL: what the log adds up to, each entry in one transaction.

Several sync services may write beside each other: an entry is applied under the lock of its store's row, so events that
another service applied meanwhile are seen as held. Rows go in column by column, a few statements for a whole batch.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import Final

import msgspec
from psycopg.errors import CheckViolation

from tillmesh.adapters.postgres.columns import Insert, columns_of, teach
from tillmesh.adapters.postgres.database import HOLDERS, SERVICES, Connection, Database, one, rows
from tillmesh.adapters.postgres.registers import merge
from tillmesh.fleet.hashed import HASHED, PROJECTED
from tillmesh.fleet.ports import Away, Entry, Held, Occupied, Position
from tillmesh.fleet.projecting import Kind, Rows, fits, project
from tillmesh.fleet.syncing import fresh
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.ids import is_office

STEPS: Final = files("tillmesh.adapters.postgres") / "master"
_json: Final = msgspec.json.Encoder()
PATIENCE_S: Final = 5.0  # with others who have the database open, before it is given up to be alone
WEEK_MS: Final = 604_800_000
WEEKS_BACK: Final = 106  # a week's rows lie together if head office hears of them within two years;
WEEKS_AHEAD: Final = 1  # what is later or earlier is a wrong clock, and must not make tables without end
_STORE: Final = (
    "INSERT INTO store AS s (name, generation, term, sender, last_sync_ms) VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (name) DO UPDATE SET "
    "sender = CASE WHEN (excluded.generation, excluded.term) >= (s.generation, s.term) AND excluded.sender <> '' "
    "THEN excluded.sender ELSE s.sender END, "
    "term = CASE WHEN (excluded.generation, excluded.term) > (s.generation, s.term) THEN excluded.term "
    "ELSE s.term END, "
    "generation = greatest(s.generation, excluded.generation), "
    "last_sync_ms = greatest(s.last_sync_ms, excluded.last_sync_ms) "
    "RETURNING id"
)
_ACTORS: Final = "SELECT a.name, a.seq, a.weight FROM actor a WHERE a.store = (SELECT id FROM store WHERE name = %s)"
_HELD: Final = (
    "SELECT s.generation, s.term, a.name, a.seq, a.hash, a.hlc FROM store s LEFT JOIN actor a ON a.store = s.id "
    "WHERE s.name = %s"
)
_HEADS: Final = Insert(
    "actor AS a (store, name, seq, hash, hlc, weight, aside)",
    "tnbnnn",
    "ON CONFLICT (store, name) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, "
    "hlc = greatest(a.hlc, excluded.hlc), weight = a.weight + excluded.weight, aside = a.aside + excluded.aside "
    "RETURNING name, id",
)
_POSITION: Final = (
    "INSERT INTO position AS p (part, entry) SELECT * FROM unnest(%s::text[], %s::bigint[]) "
    "ON CONFLICT (part) DO UPDATE SET entry = greatest(p.entry, excluded.entry)"
)
_HASH: Final = (
    "SELECT substring(e.hashes FROM ((%s - e.first) * 32 + 1)::int FOR 32) FROM stretch e "
    "WHERE e.store = (SELECT id FROM store WHERE name = %s) "
    "AND e.actor = (SELECT a.id FROM actor a JOIN store s ON s.id = a.store WHERE s.name = %s AND a.name = %s) "
    "AND e.first <= %s ORDER BY e.first DESC LIMIT 1"
)
_OUTBOX: Final = (
    "SELECT a.name, o.seq, o.hlc, o.type, o.version, o.body, o.prev_hash, o.hash FROM outbox o "
    "JOIN actor a ON a.id = o.actor JOIN store s ON s.id = a.store "
    "WHERE s.name = %s AND o.store = s.id AND a.name = %s AND o.seq > %s ORDER BY o.seq LIMIT %s"
)
_SAID: Final = (
    "SELECT o.body FROM outbox o WHERE o.store = (SELECT id FROM store WHERE name = %s) AND o.type = %s "
    "ORDER BY o.hlc DESC LIMIT %s"
)
_STRETCH: Final = Insert("stretch", "nnb")
_SENT: Final = Insert("outbox", "nnntnbbb")
_SALE: Final = Insert("sale", "nnnnttttnnnntww")
_HASH_BYTES: Final = 32
_RECEIPT: Final = itemgetter(0, 1)  # of a line or payment: actor and number of the event
_OF_LINE: Final = itemgetter(slice(5, None))
_OF_PAYMENT: Final = itemgetter(slice(4, None))
# Lines and payments lie in the rows of sales, and hashes of events in stretches: 0003_documents.sql.
_EMPTIED: Final = ("stretch", *(name for name in PROJECTED if name not in {"event", "line", "payment"}))
_THERE: Final = (
    "SELECT application_name, host(client_addr) FROM pg_stat_activity "  # noqa: S608 - a constant
    f"WHERE pid IN (SELECT l.pid {HOLDERS}) ORDER BY 1, 2"
)
_STOCK: Final = Insert(
    "stock AS k",
    "tnnn",
    "ON CONFLICT (store, sku, actor) DO UPDATE SET p = k.p + excluded.p, n = k.n + excluded.n",
)
_TOTALS: Final = "UPDATE store SET sales = sales + %s, revenue_minor = revenue_minor + %s WHERE id = %s"


class PostgresMaster:
    """One thread at a time; any number of these, in any number of processes, on one database."""

    def __init__(self, dsn: str, schema: str, patience_s: float = PATIENCE_S) -> None:
        self._database = Database(dsn, schema, STEPS, teach)
        self._patience_s = patience_s
        self._parts: dict[str, int] = {}  # of stores
        self._weeks: set[tuple[int, int]] = set()  # part and week that are known to have a table

    def position(self) -> Position:
        """Say up to where the log was applied."""
        with self._database.using() as db:
            return dict(rows(db, "SELECT part, entry FROM position"))

    def held(self, store: str) -> Held:
        """Say what is held of a store."""
        with self._database.using() as db, db.pipeline():
            heads = db.execute(_HELD, (store,))
            fenced = db.execute("SELECT actor, detail FROM fence WHERE store = %s", (store,))
            found = heads.fetchall()
            return Held(
                heads={name: Head(name, seq, pinned) for *_, name, seq, pinned, _ in found if name is not None},
                generation=found[0][0] if found else 0,
                term=found[0][1] if found else 0,
                clock=max((hlc or 0 for *_, hlc in found), default=0),
                fenced=dict(fenced.fetchall()),
            )

    def hash_of(self, store: str, actor: str, seq: int) -> bytes | None:
        """Give the hash of an event that was applied, or None."""
        with self._database.using() as db:
            found = one(db, _HASH, (seq, store, store, actor, seq))
            return bytes(found) if found is not None and len(found) == _HASH_BYTES else None

    def apply(self, position: Position, entry: Entry) -> None:
        """Apply an entry and note its place, in one transaction."""
        # What head office writes itself is no word from the store.
        heard = ("", 0) if is_office(entry.sender) else (entry.sender, entry.at_ms)
        whole = project(entry.events)
        with self._database.using() as db:
            self._make_room(db, entry, whole)
            with db.pipeline(), db.transaction():
                locked = db.execute(_STORE, (entry.store, entry.generation, entry.term, *heard))
                known = db.execute(_ACTORS, (entry.store,)).fetchall()
                (store,) = locked.fetchone() or (0,)
                held = Held(heads={name: Head(name, seq) for name, seq, _ in known})
                events = fresh(held, entry.events)
                if events:
                    carried = {name: weight for name, _, weight in known}
                    same = len(events) == len(entry.events) and fits(whole, carried)
                    found = whole if same else project(events, carried)
                    self._insert(db, store, events, found)
                db.execute(_POSITION, (list(position), list(position.values())))

    def fence(self, store: str, actor: str, detail: str, at_ms: int) -> None:
        """Note that nothing of an actor is taken any more."""
        with self._database.using() as db:
            db.execute(
                "INSERT INTO fence (store, actor, detail, at_ms) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (store, actor, detail, at_ms),
            )

    def outbox(self, store: str, has: Mapping[str, int], events_max: int, bytes_max: int) -> list[Envelope]:
        """List head office's own events for a store behind what the store has; always at least one if there is one."""
        found: list[Envelope] = []
        size = 0
        with self._database.using() as db:
            for name, seq, _ in sorted(rows(db, _ACTORS, (store,))):
                if not is_office(name) or seq <= has.get(name, 0):
                    continue
                for row in rows(db, _OUTBOX, (store, name, has.get(name, 0), events_max - len(found))):
                    size += len(row[5])
                    if found and size > bytes_max:
                        return found
                    found.append(Envelope(*row))
        return found

    def said(self, store: str, kind: str, limit: int) -> list[bytes]:
        """Give the bodies of head office's own events of one type for a store, the newest first."""
        with self._database.using() as db:
            return [bytes(body) for (body,) in rows(db, _SAID, (store, kind, limit))]

    def digest(self) -> str:
        """Give the hash of everything that was projected."""
        total = sha256()
        with self._database.using() as db, db.transaction():
            for name, query in HASHED.items():
                columns = query[: query.index(" FROM")].count(",") + 1
                order = ", ".join(str(number) for number in range(1, columns + 1))
                total.update(name.encode())
                with db.cursor(f"digest_{name}") as cursor:  # on the server: this may be all sales of all stores
                    cursor.execute(f"{query} ORDER BY {order}")
                    for row in cursor:
                        total.update(repr(row).encode())
        return total.hexdigest()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other service away meanwhile; raises :class:`Occupied` with who is there.

        The lock is this connection's: if it breaks, whatever was to be done alone ends with :class:`Away`.
        """
        end = time.monotonic() + self._patience_s
        with self._database.using() as db:
            while not one(db, f"SELECT pg_try_advisory_lock{SERVICES}"):
                if time.monotonic() < end:  # a program that has just ended, PostgreSQL notices a moment later
                    time.sleep(0.1)
                    continue
                there = ", ".join(f"{name} from {address or 'this machine'}" for name, address in rows(db, _THERE))
                raise Occupied(
                    f"the master database is in use by {there or 'somebody who has just left'}",
                    hint="Stop head office and all its sync services first, on every machine.",
                )
        try:
            yield
        finally:
            with contextlib.suppress(Away), self._database.using() as db:
                db.execute(f"SELECT pg_advisory_unlock{SERVICES}")

    def begin_anew(self) -> None:
        """Forget everything that was projected."""
        with self._database.using() as db:
            db.execute(f"TRUNCATE {', '.join(_EMPTIED)}")
        self._parts.clear()

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()

    def _make_room(self, db: Connection, entry: Entry, found: Rows) -> None:
        """Give weeks that this entry sells in tables of their own, before anything is locked."""
        heard = entry.at_ms // WEEK_MS
        weeks = {
            sale.at_ms // WEEK_MS
            for sale in found.sales
            if heard - WEEKS_BACK <= sale.at_ms // WEEK_MS <= heard + WEEKS_AHEAD
        }
        if not weeks:
            return
        part = self._parts.get(entry.store)
        if part is None:
            one(db, _STORE, (entry.store, 0, 0, "", 0))
            part = int(one(db, "SELECT part_of(id) FROM store WHERE name = %s", (entry.store,)))
            self._parts[entry.store] = part
        for week in sorted(weeks):
            if (part, week) not in self._weeks:
                with contextlib.suppress(CheckViolation):  # its rows lie among the others already, there they stay
                    db.execute("SELECT make_week(%s::int, %s::bigint)", (part, week))
                self._weeks.add((part, week))

    def _insert(self, db: Connection, store: int, events: Sequence[Envelope], found: Rows) -> None:
        last = {event.actor: event for event in events}
        ends = columns_of((e.actor, e.seq, e.hash, e.hlc, *found.of(e.actor)) for e in last.values())
        moved = db.execute(_HEADS.query, _HEADS.bindings(store, ends))
        actors: dict[str, int] = dict(moved.fetchall())
        _STRETCH.run(db, store, columns_of((actors[name], first, hashes) for name, first, hashes in stretches(events)))
        sent = [e for e in events if is_office(e.actor)]
        _SENT.run(
            db,
            store,
            columns_of((actors[e.actor], e.seq, e.hlc, e.type, e.version, e.body, e.prev_hash, e.hash) for e in sent),
        )
        self._project(db, store, actors, found)

    def _project(self, db: Connection, store: int, actors: Mapping[str, int], found: Rows) -> None:
        if found.sales:
            net = sum(r.total_minor if r.kind == Kind.SALE else -r.total_minor for r in found.sales)
            db.execute(_TOTALS, (sum(r.kind == Kind.SALE for r in found.sales), net, store))
            actor, seq, kind, at_ms, *rest = columns_of(found.sales)
            inside = documents(found)
            _SALE.run(db, store, [at_ms, [actors[name] for name in actor], seq, kind, *rest, *inside])
        moved: dict[tuple[str, int], list[int]] = {}
        for name, sku, plus, minus in found.moves:
            sums = moved.setdefault((sku, actors[name]), [0, 0])
            sums[0] += plus
            sums[1] += minus
        _STOCK.run(db, store, columns_of((*key, *moved[key]) for key in sorted(moved)))
        merge(db, store, found.writes)


def stretches(events: Sequence[Envelope]) -> Iterator[tuple[str, int, bytes]]:
    """Give of each stretch of one actor's log its actor, its first event, and the hashes of all of them in a row."""
    first: Envelope | None = None
    hashes: list[bytes] = []
    for event in events:
        if first is None or (event.actor, event.seq) != (first.actor, first.seq + len(hashes)):
            if first is not None:
                yield first.actor, first.seq, b"".join(hashes)
            first, hashes = event, []
        hashes.append(event.hash)
    if first is not None:
        yield first.actor, first.seq, b"".join(hashes)


def documents(found: Rows) -> tuple[list[bytes], list[bytes]]:
    """Give the lines and the payments of each receipt, as the JSON that stands in its row."""
    receipts = [sale[:2] for sale in found.sales]
    lines = {receipt: [*map(_OF_LINE, of)] for receipt, of in groupby(found.lines, _RECEIPT)}
    payments = {receipt: [*map(_OF_PAYMENT, of)] for receipt, of in groupby(found.payments, _RECEIPT)}
    encode = _json.encode
    return [encode(lines.get(each, ())) for each in receipts], [encode(payments.get(each, ())) for each in receipts]
