"""Taking in what stores upload, on real servers, beside the same rows as bare ``INSERT ... SELECT unnest``.

The whole path: an uploaded batch as bytes, judged against what is held, into Kafka, added up in PostgreSQL, answered.
Not in it: TLS and HTTP. CPU is that of this process and of all of PostgreSQL's; Kafka's is a row of its own. The peers
get their columns ready-made: one row per event with its body (the smallest thing that is idempotent at all), all rows
that ours writes, and the same content with a row for each event, line and payment.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from tillmesh.adapters.host.settling import settle_memory
from tillmesh.adapters.kafka.log import KafkaEventLog
from tillmesh.adapters.postgres.columns import Insert, columns_of, teach
from tillmesh.adapters.postgres.database import Database
from tillmesh.adapters.postgres.master import STEPS, PostgresMaster, documents, stretches
from tillmesh.bench.measuring import Row, ratio, spread
from tillmesh.fleet.projecting import Rows, project
from tillmesh.fleet.syncing import SyncService
from tillmesh.hub.program import YOUNG_OBJECTS_MAX
from tillmesh.hub.stack.kafka import Kafka
from tillmesh.hub.stack.postgres import Postgres
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.hlc import pack
from tillmesh.shop.events import NAMES, Payment, SaleClosed, SaleLine
from tillmesh.sync.messages import Mark, runs_of
from tillmesh.sync.upload import Batch, read_batch, write_answer, write_batch

BLOCKS: Final = 12
BATCHES: Final = 10  # per block, one of each store
EVENTS: Final = 500  # per batch
LINES: Final = 3
START_MS: Final = 1_781_049_600_000
OFFICE: Final = "headoffice.aaaaaaaa"
SHARE: Final = 0.6
SCHEMA: Final = "bench"
EACH: Final = "one row per event"
SAME: Final = "the same rows"
SPREAD: Final = "a row for each event, receipt, line and payment"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_TABLES: Final = """
CREATE TABLE raw_event (store bigint, actor bigint, seq bigint, hlc bigint, type text, body bytea, hash bytea,
  PRIMARY KEY (store, actor, seq));
CREATE TABLE raw_head (store bigint, actor bigint, seq bigint, hash bytea, PRIMARY KEY (store, actor, seq));
CREATE TABLE raw_sale (LIKE sale INCLUDING DEFAULTS, PRIMARY KEY (store, at_ms, actor, seq));
CREATE TABLE raw_plain AS SELECT * FROM sale LIMIT 0;
ALTER TABLE raw_plain DROP COLUMN lines, DROP COLUMN payments, ADD PRIMARY KEY (store, at_ms, actor, seq);
CREATE TABLE raw_line AS SELECT * FROM line LIMIT 0;
ALTER TABLE raw_line ADD PRIMARY KEY (store, at_ms, actor, seq, line);
CREATE TABLE raw_payment AS SELECT * FROM payment LIMIT 0;
ALTER TABLE raw_payment ADD PRIMARY KEY (store, at_ms, actor, seq, payment);
CREATE TABLE raw_stretch (LIKE stretch INCLUDING STORAGE, PRIMARY KEY (store, actor, first));
CREATE TABLE raw_stock (LIKE stock INCLUDING DEFAULTS, PRIMARY KEY (store, sku, actor)) WITH (fillfactor = 70);
CREATE TABLE raw_stock_too (LIKE stock INCLUDING DEFAULTS, PRIMARY KEY (store, sku, actor)) WITH (fillfactor = 70);
"""
_EVENT: Final = Insert("raw_event", "nnntbb")
_ADD: Final = "ON CONFLICT (store, sku, actor) DO UPDATE SET p = k.p + excluded.p, n = k.n + excluded.n"
_ROWS: Final = {
    "head": Insert("raw_head", "nnb"),
    "plain": Insert("raw_plain", "nnnnttttnnnnt"),
    "line": Insert("raw_line", "nnnnnttnnn"),
    "payment": Insert("raw_payment", "nnnnntn"),
    "stock_too": Insert("raw_stock_too AS k", "tnnn", _ADD),
}
_DOCUMENTS: Final = {
    "stretch": Insert("raw_stretch", "nnb"),
    "sale": Insert("raw_sale", "nnnnttttnnnntww"),
    "stock": Insert("raw_stock AS k", "tnnn", _ADD),
}
Statement: TypeAlias = tuple[str, list[Any]]


class Stores:
    """Stores that sell: each block gives one batch of each."""

    def __init__(self) -> None:
        self._rng = Random(7)  # noqa: S311 - shoppers need no secrets
        self._heads = {f"store{number}": Head("tilla.aaaaaaaa") for number in range(BATCHES)}
        self._at_ms = START_MS

    def block(self) -> list[tuple[str, list[Envelope]]]:
        """Give the events of one batch of each store."""
        return [(store, self._events(store)) for store in self._heads]

    def _events(self, store: str) -> list[Envelope]:
        head, events = self._heads[store], []
        for _ in range(EVENTS):
            self._at_ms += 40
            body = encode(self._sale(head.seq + 1))
            event = seal(store, head, hlc=pack(self._at_ms), kind=NAMES[SaleClosed], version=1, body=body)
            events.append(event)
            head = Head(event.actor, event.seq, event.hash)
        self._heads[store] = head
        return events

    def _sale(self, number: int) -> SaleClosed:
        lines = tuple(self._line() for _ in range(LINES))
        total = sum(line.total_minor for line in lines)
        return SaleClosed(
            cart_id=f"k3m7qx2p4f9a2c77{number}", receipt_number=f"4F9A-{number:06}", shift_id="k3m7qx2p.4f9a2c77-10",
            cashier="mary", currency="EUR", prices_include_tax=True, lines=lines, taxes=(),
            payments=(Payment(method="cash", amount_minor=total),), discount_minor=0,
            tax_minor=sum(line.tax_minor for line in lines), total_minor=total, closed_at_ms=self._at_ms,
        )  # fmt: skip

    def _line(self) -> SaleLine:
        price, sku = self._rng.randrange(50, 900), f"{self._rng.randrange(4_000_000_000_000, 4_000_000_005_000)}"
        return SaleLine(
            sku=sku, name=f"Product {sku}", unit="piece", quantity_milli=1_000, list_price_minor=price,
            unit_price_minor=price, gross_minor=price, discount_minor=0, cart_discount_minor=0, tax_code="A",
            rate_ppm=200_000, tax_minor=price // 6, total_minor=price,
        )  # fmt: skip


class Meter:
    """CPU of this process and of PostgreSQL, per event of a block."""

    def __init__(self, postgres: int) -> None:
        self._postgres = postgres
        self.own_us: list[float] = []
        self.whole_us: list[float] = []

    def block(self, work: Callable[[], object], count: int) -> None:
        """Measure one block of ``count`` events."""
        own, theirs = time.process_time_ns(), tree_ticks(self._postgres)
        work()
        own_us = (time.process_time_ns() - own) / 1e3 / count
        self.own_us.append(own_us)
        self.whole_us.append(own_us + (tree_ticks(self._postgres) - theirs) * 1e6 / _TICKS / count)


def run(*, blocks: int = BLOCKS) -> list[Row]:
    """Measure; the servers are started for it and stopped after it."""
    with _servers() as (postgres, kafka):
        assert postgres.pid is not None
        assert kafka.pid is not None
        log = KafkaEventLog(kafka.servers, "bench", partitions=4, replicas=1)
        master = PostgresMaster(postgres.dsn, SCHEMA)
        raw = Database(postgres.dsn, SCHEMA, STEPS, teach)
        try:
            service = SyncService(log, master, OFFICE, lambda _store, _head: b"s" * 64, mint=lambda: OFFICE)
            return _measured(service, raw, (postgres.pid, kafka.pid), blocks)
        finally:
            raw.close()
            log.close()
            master.close()


def _measured(service: SyncService, raw: Database, pids: tuple[int, int], blocks: int) -> list[Row]:
    stores, count = Stores(), BATCHES * EVENTS
    ours, each, same, apart = (Meter(pids[0]) for _ in range(4))
    warm = stores.block()  # tables made, statements prepared, Java awake
    _take(service, [_frame(store, events) for store, events in warm])
    with raw.using() as db:
        db.execute(_TABLES)
    settle_memory(YOUNG_OBJECTS_MAX)
    before = tree_ticks(pids[1])
    for number in range(blocks):
        made = stores.block()
        frames = [_frame(store, events) for store, events in made]
        rows_each = [_event_columns(at, events) for at, (_, events) in enumerate(made)]
        rows_same = [_document_columns(at, events) for at, (_, events) in enumerate(made)]
        rows_apart = [_all_columns(at, events) for at, (_, events) in enumerate(made)]
        turns: list[tuple[Meter, Callable[[], object]]] = [
            (ours, partial(_take, service, frames)),
            (each, partial(_insert, raw, rows_each)),
            (same, partial(_insert, raw, rows_same)),
            (apart, partial(_insert, raw, rows_apart)),
        ]
        for meter, work in turns[number % 4 :] + turns[: number % 4]:  # nobody always comes after the same one
            meter.block(work, count)
    kafka_us = (tree_ticks(pids[1]) - before) * 1e6 / _TICKS / (blocks * count)
    return _rows(ours, {EACH: each, SAME: same, SPREAD: apart}, kafka_us)


def _take(service: SyncService, frames: Sequence[bytes]) -> None:
    for frame in frames:
        write_answer(service.take(read_batch(frame), START_MS))


def _frame(store: str, events: Sequence[Envelope]) -> bytes:
    last = events[-1]
    heads = {last.actor: Mark(last.seq, last.hash)}
    return write_batch(Batch(store, 1, last.actor, heads, runs_of(events)))


def _event_columns(store: int, events: Sequence[Envelope]) -> list[Statement]:
    """Give one row per event, as columns."""
    rows = [(1, e.seq, e.hlc, e.type, e.body, e.hash) for e in events]
    return [(_EVENT.query, _EVENT.bindings(store, columns_of(rows)))]


def _document_columns(store: int, events: Sequence[Envelope]) -> list[Statement]:
    """Give all rows that a batch adds up to as ours writes them, as columns."""
    found = project(events)
    sales = [(r.at_ms, 1, r.seq, int(r.kind), *r[4:]) for r in found.sales]
    columns: dict[str, list[Any]] = {
        "stretch": columns_of((1, first, hashes) for _, first, hashes in stretches(events)),
        "sale": [*columns_of(sales), *documents(found)],
        "stock": columns_of(_moved(found)),
    }
    return [(_DOCUMENTS[name].query, _DOCUMENTS[name].bindings(store, many)) for name, many in columns.items()]


def _moved(found: Rows) -> list[tuple[str, int, int, int]]:
    moved: dict[str, int] = {}
    for move in found.moves:
        moved[move.sku] = moved.get(move.sku, 0) + move.minus_milli
    return [(sku, 1, 0, moved[sku]) for sku in sorted(moved)]


def _all_columns(store: int, events: Sequence[Envelope]) -> list[Statement]:
    """Give all that a batch adds up to with a row for each thing, as columns."""
    found = project(events)
    when = {(row.actor, row.seq): row.at_ms for row in found.sales}
    rows: dict[str, list[tuple[Any, ...]]] = {
        "head": [(1, e.seq, e.hash) for e in events],
        "plain": [(r.at_ms, 1, r.seq, int(r.kind), *r[4:]) for r in found.sales],
        "line": [(r.at_ms, 1, r.seq, r.line, int(r.kind), *r[5:]) for r in found.lines],
        "payment": [(when[r.actor, r.seq], 1, r.seq, r.payment, int(r.kind), *r[4:]) for r in found.payments],
        "stock_too": _moved(found),
    }
    return [(_ROWS[name].query, _ROWS[name].bindings(store, columns_of(many))) for name, many in rows.items()]


def _insert(raw: Database, batches: Sequence[Sequence[Statement]]) -> None:
    """Insert each batch in a transaction of its own."""
    with raw.using() as db:
        for statements in batches:
            with db.pipeline(), db.transaction():
                for query, bindings in statements:
                    db.execute(query, bindings)


def _rows(ours: Meter, peers: Mapping[str, Meter], kafka_us: float) -> list[Row]:
    whole, alone = spread(ours.whole_us), spread(ours.own_us)
    bare, same = (ratio(name, ours.whole_us, peers[name].whole_us) for name in (EACH, SAME))
    rows = [
        Row(what="whole path: CPU of service and PostgreSQL per event", unit="us", spread=whole, ratio=bare,
            aim="at least 60 % of raw", met=bare.median <= 1 / SHARE, note=_per_s(whole.median)),
        Row(what="whole path, beside all its rows inserted bare", unit="us", spread=whole,
            ratio=same, aim="at least 60 % of raw", met=same.median <= 1 / SHARE),
        Row(what="of it the service alone", unit="us", spread=alone, note=_per_s(alone.median)),
        Row(what="Kafka beside it", unit="us", spread=spread([kafka_us])),
    ]  # fmt: skip
    for name, meter in peers.items():
        found = spread(meter.whole_us)
        rows.append(Row(what=f"raw INSERT ... unnest: {name}", unit="us", spread=found, note=_per_s(found.median)))
    return rows


def _per_s(us: float) -> str:
    return f"{1e6 / us:,.0f} events per CPU-second, sales of {LINES} lines"


def tree_ticks(pid: int) -> int:
    """Give the CPU of a process and its children, those that have ended too, in clock ticks."""
    total = _ticks(pid, ended=True)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(_fields(stat)[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            total += _ticks(int(stat.parent.name), ended=False)
    return total


def _ticks(pid: int, *, ended: bool) -> int:
    try:
        fields = _fields(Path(f"/proc/{pid}/stat"))
    except (OSError, ValueError):
        return 0
    return sum(int(field) for field in fields[11 : 15 if ended else 13])


def _fields(stat: Path) -> list[str]:
    text = stat.read_text("ascii", "replace")
    return text[text.rindex(")") + 2 :].split()


@contextmanager
def _servers() -> Iterator[tuple[Postgres, Kafka]]:
    """Start PostgreSQL and Kafka where the one's own user can enter; nothing of them is left."""
    place = Path(tempfile.mkdtemp(prefix="tillmesh-bench-", dir="/var/tmp"))  # on the disk, not in memory
    place.chmod(0o755)
    ports = [_free_port() for _ in range(3)]
    postgres = Postgres(place / "postgres", ports[0], buffers="256MB")
    kafka = Kafka(place / "kafka", ports[1], ports[2])
    try:
        postgres.up()
        kafka.up()
        yield postgres, kafka
    finally:
        kafka.kill()
        postgres.kill()
        shutil.rmtree(place, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
