"""The sale path beside what the disk and SQLite cost anyway: one event row with the same body, committed with FULL.

Ours is everything between the command and the answer: prices, taxes, payments, the sealed event, all projections and
indexes, the encrypted pages, the sync and the anchor. The peers are bare: one prepared INSERT in a transaction.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import apsw

from tillmesh.adapters.host.settling import settle_memory
from tillmesh.adapters.sqlite.database import connect
from tillmesh.bench.goods import MANAGER, START_MS, in_cash, invented, stock_shelves
from tillmesh.bench.measuring import Row, cpu_us, ratio, spread
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.till.commands import CloseSale, WantedLine

PRODUCTS: Final = 5_000
BLOCK: Final = 100  # sales; about 0.2 s
BLOCKS: Final = 12
LINES: Final = (1, 6, 20)
RAW: Final = "raw SQLite, FULL, one row"
ENCRYPTED: Final = "the same, encrypted"
_TABLE: Final = (
    "CREATE TABLE event (actor INTEGER, seq INTEGER, hlc INTEGER, type TEXT, version INTEGER, body BLOB, hash BLOB, "
    "PRIMARY KEY (actor, seq)) WITHOUT ROWID"
)
_INSERT: Final = "INSERT INTO event VALUES (1, ?, ?, 'sale_closed', 1, ?, ?)"


def run(place: Path, *, blocks: int = BLOCKS, block: int = BLOCK) -> list[Row]:
    """Measure sales of 1, 6 and 20 lines."""
    opened = open_terminal(place / "till")
    stock_shelves(opened, list(invented(PRODUCTS)))
    for change in invented(PRODUCTS):
        opened.writer.books.product(change.key)  # as in a till that has been open for an hour
    rows: list[Row] = []
    raw, sealed = _plain(place / "raw.db"), _encrypted(place / "sealed.db")
    settle_memory()
    try:
        for lines in LINES:
            rows += _of_size(_Sales(opened, lines), {RAW: raw, ENCRYPTED: sealed}, lines, blocks, block)
    finally:
        for peer in (raw, sealed):
            peer.close()
        opened.close()
    return rows


class _Timed:
    """CPU per block and wall time per operation."""

    def __init__(self) -> None:
        self.cpu_us: list[float] = []
        self.wall_ms: list[float] = []

    def block(self, work: Iterator[Callable[[], object]], count: int) -> None:
        """Run ``count`` operations; preparing them is not timed."""
        ready = [next(work) for _ in range(count)]
        clock, wall = time.perf_counter_ns, self.wall_ms
        begun = time.process_time_ns()
        for operation in ready:
            start = clock()
            operation()
            wall.append((clock() - start) / 1e6)
        self.cpu_us.append((time.process_time_ns() - begun) / count / 1e3)


class _Sales:
    """Sales of random products, as the till makes them."""

    def __init__(self, opened: Opened, lines: int) -> None:
        self._opened = opened
        self._skus = [change.key for change in invented(PRODUCTS)]
        self._lines = lines
        self._rng = Random(lines)  # noqa: S311 - shoppers need no secrets
        self.body = b""
        self.commands = self._wanted()

    def __iter__(self) -> Iterator[Callable[[], object]]:
        for sale in self.commands:
            yield lambda sale=sale: self._sell(sale)  # type: ignore[misc]

    def _wanted(self) -> Iterator[CloseSale]:
        number = 0
        while True:
            number += 1
            lines = tuple(
                WantedLine(sku=self._rng.choice(self._skus), quantity_milli=1_000 * self._rng.randint(1, 3))
                for _ in range(self._lines)
            )
            payments = (in_cash(self._opened.writer.books, lines),)
            yield CloseSale(cart_id=f"bench-{self._lines}-{number}", lines=lines, payments=payments)

    def decide_only(self, count: int) -> float:
        """Give the CPU of a decision (prices, event, hash) when no disk and no other program comes between, in us."""
        opened, sales = self._opened, [next(self.commands) for _ in range(count)]

        def decide() -> None:
            for sale in sales:
                opened.till.decide(MANAGER, sale, opened.writer.books, START_MS)

        return cpu_us(decide, count)

    def _sell(self, sale: CloseSale) -> None:
        opened = self._opened
        # The clock of the driver: one more call, and part of the path.
        outcome = opened.writer.execute(opened.till, MANAGER, sale, time.time_ns() // 1_000_000)
        opened.anchor.remember(outcome.head, opened.till.receipts)
        self.body = outcome.events[0].body


def _of_size(sales: _Sales, peers: dict[str, apsw.Connection], lines: int, blocks: int, block: int) -> list[Row]:
    """Alternate blocks of sales and of each peer."""
    ours, work = _Timed(), iter(sales)
    _Timed().block(work, block)  # statements prepared, pages cached, body known
    theirs = {name: _Timed() for name in peers}
    works = {name: _inserts(db, sales.body, lines) for name, db in peers.items()}
    for name in peers:
        _Timed().block(works[name], block)
    alone = []
    for _ in range(blocks):
        alone.append(sales.decide_only(block))
        ours.block(work, block)
        for name, timed in theirs.items():
            timed.block(works[name], block)
    what = f"sale of {lines} line{'s' if lines > 1 else ''}"
    cpu = [ratio(name, ours.cpu_us, timed.cpu_us) for name, timed in theirs.items()]
    wall = spread(ours.wall_ms)
    rows = [
        Row(what=f"{what}: CPU", unit="us", spread=spread(ours.cpu_us), ratio=one,
            aim="at most 2 times raw" if one.peer == RAW else "",
            met=one.median <= 2 if one.peer == RAW else None)
        for one in cpu
    ]  # fmt: skip
    rows.append(Row(what=f"{what}: latency", unit="ms", spread=wall, aim="p99 below 20 ms", met=wall.p99 < 20,
                    note=f"event body of {len(sales.body)} bytes"))  # fmt: skip
    rows.append(Row(what=f"{what}: its decision alone, without a disk between", unit="us", spread=spread(alone)))
    rows += [
        Row(what=f"{name}, same body: {kind}", unit=unit, spread=spread(samples))
        for name, timed in theirs.items()
        for kind, unit, samples in (("CPU", "us", timed.cpu_us), ("latency", "ms", timed.wall_ms))
    ]
    return rows


def _plain(path: Path) -> apsw.Connection:
    """Open SQLite as the raw limit: write-ahead log, FULL, no cipher, nothing else."""
    db = apsw.Connection(str(path))
    db.execute("PRAGMA journal_mode=WAL").fetchall()
    db.execute("PRAGMA synchronous=FULL")
    db.execute(_TABLE)
    return db


def _encrypted(path: Path) -> apsw.Connection:
    """Open a bare database with our own cipher and settings."""
    db = connect(path, secrets.token_bytes(32))
    db.execute(_TABLE)
    return db


def _inserts(db: apsw.Connection, body: bytes, series: int) -> Iterator[Callable[[], object]]:
    pinned = bytes(32)

    def insert(seq: int) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.execute(_INSERT, (seq, START_MS, body, pinned))
        db.execute("COMMIT")

    for number in range(series << 32, (series + 1) << 32):
        yield lambda number=number: insert(number)  # type: ignore[misc]
