"""Give a new till of the store everything that the others hold: which way is the fastest, and what does it cost?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.database import rows, write
from tillmesh.adapters.sqlite.ledger import INSERT_EVENT, SET_HEAD, log
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.adapters.sqlite.store import FILE, Reader
from tillmesh.bench.goods import MANAGER, START_MS, in_cash, invented, stock_shelves
from tillmesh.bench.measuring import Row, spread
from tillmesh.kernel.envelope import Envelope, Head, check_link, seal
from tillmesh.sync import read_frame, write_frame
from tillmesh.sync.messages import Push, Span, runs_of
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.till.commands import CloseSale, Command, WantedLine, Who

EVENTS: Final = 100_000
_PRODUCTS: Final = 2_000
_AT_ONCE: Final = 1_000
_COPIED: Final = (
    "actor", "event", "version_vector", "stock_column", "stock_tail", "register", "product", "barcode", "receipt",
    "shift", "parked", "audit",
)  # fmt: skip
Way = Callable[[Opened, Reader], int]


def run(place: Path, *, events: int) -> list[Row]:
    """Measure each way on a donor with so many events, into a fresh till with every write synced."""
    donor = place / "donor"
    with closing(open_terminal(donor)) as opened:
        _trade(opened, events)
        opened.writer.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with closing(opened.reader()) as reader:
            size = (donor / FILE).stat().st_size
            should = str(reader.read(state_hash)["hash"])
            found = [_measured(name, way, opened, reader, place / "new", should) for name, way in WAYS.items()]
    donor_size = Row(what="database of the donor", unit="MB", spread=spread([size / 1e6]))
    return [donor_size, *(row for pair in found for row in pair)]


def _trade(opened: Opened, events: int) -> None:
    opened.writer.db.execute("PRAGMA synchronous=OFF")
    goods = list(invented(_PRODUCTS))
    stock_shelves(opened, goods)
    draw, skus = Random(1), [change.key for change in goods]  # noqa: S311 - shoppers need no secrets
    number = opened.till.head.seq
    while number < events:
        wanted: list[tuple[Who, Command]] = []
        for _ in range(min(_AT_ONCE, events - number)):
            number += 1
            lines = tuple(WantedLine(sku=draw.choice(skus), quantity_milli=1_000) for _ in range(draw.randint(1, 3)))
            paid = (in_cash(opened.writer.books, lines),)
            wanted.append((MANAGER, CloseSale(cart_id=f"cart-{number}", lines=lines, payments=paid)))
        opened.writer.execute_all(opened.till, wanted, START_MS + number * 1_000)


def _measured(name: str, way: Way, donor: Opened, reader: Reader, place: Path, should: str) -> list[Row]:
    shutil.rmtree(place, ignore_errors=True)
    with closing(open_terminal(place, store=donor.origin.store)) as opened:
        wall, cpu = time.perf_counter(), time.process_time()
        sent = way(opened, reader)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        opened.writer.books.forget()
        is_same = str(state_hash(opened.writer.db, opened.writer.books)["hash"]) == should
    note = "the same state" if is_same else "ANOTHER STATE"
    return [
        Row(what=f"{name}: until it is there", unit="s", spread=spread([wall]), note=note),
        Row(what=f"{name}: CPU", unit="s", spread=spread([cpu])),
        Row(what=f"{name}: sent", unit="MB", spread=spread([sent / 1e6])),
    ]


def _frames(reader: Reader, store: str) -> Iterator[tuple[list[Envelope], int]]:
    """Read, pack, unpack and seal the whole log in batches, as two ends of a link do; gives events and bytes."""
    for actor, end in reader.read(lambda db, _: replica.heads(db)).items():
        held = Head(actor)
        while held.seq < end.seq:
            spans = (Span(actor, held.seq + 1, end.seq),)
            events = reader.read(lambda _, books, spans=spans: replica.load(books, spans))  # type: ignore[misc]
            frame = write_frame(Push(1, runs_of(events)))
            said = read_frame(frame)
            assert isinstance(said, Push)
            sealed = []
            for item in said.runs[0].items:
                event = seal(store, held, hlc=item.hlc, kind=item.type, version=item.version, body=item.body)
                held = Head(event.actor, event.seq, event.hash)
                sealed.append(event)
            assert held.hash == said.runs[0].hash, "the chain does not verify"
            yield sealed, len(frame)


def _in_batches(opened: Opened, reader: Reader) -> int:
    """Store and project each batch in a transaction of its own."""
    size = 0
    for events, sent in _frames(reader, opened.origin.store):
        replica.merge(opened.writer, opened.till, events, START_MS)
        size += sent
    return size


def _bulk(opened: Opened, reader: Reader) -> int:
    """Store each batch in a transaction of its own, and project everything in one at the end."""
    size, writer = 0, opened.writer
    for events, sent in _frames(reader, opened.origin.store):
        with writer.transaction():
            actor = writer.books.actors.id(events[0].actor)
            stored = [(actor, each.seq, each.hlc, each.type, each.version, each.body, each.hash) for each in events]
            writer.db.executemany(INSERT_EVENT, stored)
            writer.db.execute(SET_HEAD, (actor, events[-1].seq, events[-1].hash))
        size += sent
    with writer.transaction():
        writer.ledger.rebuild()
    return size


def _copy(opened: Opened, reader: Reader) -> int:
    """Copy the shared tables row by row and walk the chains once; what is projected is believed. Not packed."""
    db, size = opened.writer.db, 0
    with write(db):
        for table in _COPIED:
            held = rows(reader.db, f"SELECT * FROM {table}")  # noqa: S608 - names from the constant above
            marks = ",".join("?" * len(held[0])) if held else ""
            if held:
                db.executemany(f"INSERT INTO {table} VALUES ({marks})", held)  # noqa: S608
            size += sum(len(value) if isinstance(value, bytes | str) else 8 for row in held for value in row)
    heads: dict[str, Head] = {}
    for event in log(db):
        heads[event.actor] = check_link(opened.origin.store, heads.get(event.actor, Head(event.actor)), event)
    return size


WAYS: Final[dict[str, Way]] = {"in batches": _in_batches, "bulk, then project": _bulk, "copied tables": _copy}
