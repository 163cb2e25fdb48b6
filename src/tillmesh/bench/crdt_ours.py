"""Our two ways of counting stock on the same work: counters in memory, and events into the till's SQLite tables."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import KEY_BYTES, one
from tillmesh.adapters.sqlite.replica import merge
from tillmesh.adapters.sqlite.store import FILE, Origin, Writer, open_database
from tillmesh.bench.crdt_work import LINES, Shift
from tillmesh.crdt import PNCounter
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.limits import SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.shop.events import (
    NAMES,
    VERSION,
    Payment,
    SaleClosed,
    SaleLine,
    StockMove,
    StockReceived,
    TaxTotal,
)
from tillmesh.sync import Push, read_frame, runs_of, write_frame
from tillmesh.till.desk import Identity
from tillmesh.till.node import Till

NOW_MS: Final = 1_795_356_000_000
STORE: Final = "bench0store0"


def actor_name(actor: int) -> str:
    """Name an actor as tills do: terminal and incarnation."""
    return f"till{actor:04d}.{actor:08d}"


class Counters:
    """A PNCounter for each SKU; replicas exchange states, of which the longer prefix of each actor counts."""

    name = "our PNCounters"

    def count(self, actor: int, shift: Shift) -> dict[int, PNCounter]:
        """Make the counters of one actor."""
        held: dict[int, PNCounter] = {}
        nothing, who = PNCounter(), actor_name(actor)
        for sale in shift:
            for sku in sale:
                held[sku] = held.get(sku, nothing).decrement(who)
        return held

    def encode(self, replica: Any) -> bytes:
        """Write every counter."""
        return msgspec.msgpack.encode({sku: counter.to_bytes() for sku, counter in replica.items()})

    def merge(self, updates: Sequence[bytes]) -> dict[int, PNCounter]:
        """Read and merge the counters of all actors."""
        merged: dict[int, PNCounter] = {}
        for update in updates:
            for sku, data in msgspec.msgpack.decode(update, type=dict[int, bytes]).items():
                counter = PNCounter.from_bytes(data)
                held = merged.get(sku)
                merged[sku] = counter if held is None else held.merge(counter)
        return merged

    def total(self, merged: Any) -> int:
        """Sum up all counters."""
        return sum(counter.value for counter in merged.values())

    def streamed(self, actor: int, shift: Shift) -> int:
        """Write the counters that a sale has changed."""
        held: dict[int, PNCounter] = {}
        size, nothing, who = 0, PNCounter(), actor_name(actor)
        for sale in shift:
            for sku in sale:
                held[sku] = held.get(sku, nothing).decrement(who)
            size += len(self.encode({sku: held[sku] for sku in sale}))
        return size


class Tables:
    """Events as they go over a link, merged by ``replica.merge`` into a database on a disk: verified, logged, durable.

    ``whole`` makes each sale the full event of a till, with lines, taxes and payment; else it carries only its moves.
    """

    def __init__(self, place: Path, *, whole: bool) -> None:
        self.name = "our SQLite, whole sales" if whole else "our SQLite, stock moves"
        self._place, self._whole = place, whole
        self._number = 0

    def count(self, actor: int, shift: Shift) -> list[Envelope]:
        """Seal the log of one actor."""
        head, events = Head(actor_name(actor)), []
        for number, sale in enumerate(shift, 1):
            body = _whole_sale(number, sale) if self._whole else _moves(sale)
            event = seal(
                STORE, head, hlc=(NOW_MS << 16) + number, kind=NAMES[type(body)], version=VERSION, body=encode(body)
            )
            events.append(event)
            head = Head(event.actor, event.seq, event.hash)
        return events

    def encode(self, replica: Any) -> bytes:
        """Write a log as frames of full batches, each with its length before it."""
        frames = [write_frame(Push(1, runs_of(batch))) for batch in _batches(replica)]
        return msgspec.msgpack.encode(frames)

    def merge(self, updates: Sequence[bytes]) -> apsw.Connection:
        """Read the frames and store each batch in a transaction of its own, with FULL."""
        self._number += 1
        folder = self._place / f"{self.name.rpartition(' ')[2]}-{self._number}"
        folder.mkdir(parents=True)
        origin = Origin(store=STORE, terminal="reader00", actor="reader00.00000000")
        writer = Writer(open_database(folder / FILE, secrets.token_bytes(KEY_BYTES)), origin)
        identity = Identity(store=STORE, terminal=origin.terminal, actor=origin.actor, series="READ")
        till = Till(identity, HybridLogicalClock(origin.actor), Head(origin.actor), 0)
        for update in updates:
            for frame in msgspec.msgpack.decode(update, type=list[bytes]):
                message = read_frame(frame)
                assert isinstance(message, Push)
                merge(writer, till, list(_unpacked(writer, message)), NOW_MS)
        return writer.db

    def total(self, merged: Any) -> int:
        """Sum up the stock, and close the database: a block makes its own."""
        found = int(one(merged, "SELECT coalesce(sum(p) - sum(n), 0) FROM stock")) // 1000
        merged.close()
        return found

    def streamed(self, actor: int, shift: Shift) -> int:
        """Write each sale as a frame of its own, as push on commit does."""
        return sum(len(write_frame(Push(1, runs_of([event])))) for event in self.count(actor, shift))


def _unpacked(writer: Writer, push: Push) -> Iterator[Envelope]:
    """Seal what a push carries on top of what is held, as a session does; ``replica.merge`` verifies it."""
    for run in push.runs:
        head = writer.ledger.head(run.actor)
        for item in run.items:
            event = seal(STORE, head, hlc=item.hlc, kind=item.type, version=item.version, body=item.body)
            head = Head(event.actor, event.seq, event.hash)
            yield event


def _batches(events: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
    for first in range(0, len(events), SYNC_EVENTS_PER_BATCH_MAX):
        yield events[first : first + SYNC_EVENTS_PER_BATCH_MAX]


def _moves(sale: Sequence[int]) -> Record:
    moves = tuple(StockMove(sku=f"sku-{sku}", quantity_milli=-1000) for sku in sale)
    return StockReceived(moves=moves, by="")


def _whole_sale(number: int, sale: Sequence[int]) -> Record:
    price = 250
    lines = tuple(
        SaleLine(
            sku=f"sku-{sku}", name=f"Product {sku}", unit="piece", quantity_milli=1000, list_price_minor=price,
            unit_price_minor=price, gross_minor=price, discount_minor=0, cart_discount_minor=0, tax_code="standard",
            rate_ppm=200_000, tax_minor=42, total_minor=price,
        )
        for sku in sale
    )  # fmt: skip
    total = price * LINES
    return SaleClosed(
        cart_id=f"cart-{number:08d}", receipt_number=f"BEN0-{number:06d}", shift_id="till0001.00000001-1",
        cashier="maya", currency="GBP", prices_include_tax=True, lines=lines,
        taxes=(TaxTotal(code="standard", rate_ppm=200_000, net_minor=total - 167, tax_minor=167),),
        payments=(Payment(method="cash", amount_minor=total),), discount_minor=0, tax_minor=167, total_minor=total,
        closed_at_ms=NOW_MS + number,
    )  # fmt: skip
