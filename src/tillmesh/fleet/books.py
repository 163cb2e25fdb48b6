"""The books of a store for some days, made from its log at head office: what any of its tills would write. Pure.

Head office has no tables of shifts and taxes; it reads the store's log from the beginning, and again from there in the
rare case that something came in for a shift after it was counted out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import structs

from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import is_office, parse_event_id, terminal_of
from tillmesh.kernel.times import day_bounds, local
from tillmesh.shop import shift as totals
from tillmesh.shop.accounting import Booking, Happening, book
from tillmesh.shop.events import (
    CashMoved,
    PursesAdjusted,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    ShiftClosed,
    ShiftOpened,
)
from tillmesh.shop.reading import read_event, receipt_ms

_RECEIPTS: Final = frozenset(("sale_closed", "sale_refunded", "sale_voided"))
_MONEY: Final = _RECEIPTS | {"cash_moved", "shift_opened", "shift_closed", "purses_adjusted"}


class Placed(NamedTuple):
    """An event of the days in question; sorted, they are in the order in which a till books them."""

    at: int
    actor: str
    seq: int
    body: object


class StoreBooks:
    """Takes in a store's log, in the order of each actor; an event that comes again changes nothing."""

    def __init__(self, first: date, last: date, where: ZoneInfo, currency: str) -> None:
        self._where, self._currency = where, currency
        self._begin, self._after = day_bounds(first, where)[0], day_bounds(last, where)[1]
        self._heads: dict[str, int] = {}
        self._receipts: list[Placed] = []
        self._others: list[Placed] = []  # by the clock that orders
        self._closed: dict[str, tuple[int, str, int]] = {}  # shift -> when it was counted out, by whom, what
        self._openings: dict[str, ShiftOpened] = {}
        self._worked: dict[str, dict[str, int]] = {}  # shift -> how far each actor's log belongs to it
        self._amending: dict[str, totals.Sums] = {}  # shifts that are added up anew

    def take(self, events: Iterable[Envelope]) -> None:
        """Take in a stretch of the log."""
        for event in self._new(events):
            body = read_event(event)
            if event.type in _RECEIPTS:
                self._receipt(event, body)
            elif body is not None:
                self._other(event, body)

    def amended(self) -> bool:
        """Say whether the log has to be read once more: something belongs to a shift that came after its count."""
        late = {closed.shift_id for placed, closed in self._closings() if self._is_late(placed, closed)}
        self._amending = {
            shift: totals.start(self._openings[shift], self._currency) for shift in late if shift in self._openings
        }
        self._heads = {}
        return bool(self._amending)

    def take_again(self, events: Iterable[Envelope]) -> None:
        """Take in a stretch once more, for the shifts that are added up anew."""
        for event in self._new(events):
            body = read_event(event)
            shift = str(getattr(body, "shift_id", ""))
            if shift in self._amending and isinstance(body, SaleClosed | SaleRefunded | SaleVoided | CashMoved):
                opener, seq = parse_event_id(shift)
                if terminal_of(opener) == terminal_of(event.actor) and (event.actor != opener or event.seq > seq):
                    totals.add(self._amending[shift], body)

    def bookings(self) -> list[Booking]:
        """Book the days, once the whole log was taken in."""
        return book(self._happenings(), self._counted_before())

    def _counted_before(self) -> dict[str, int]:
        """Say what lay in each till's drawer when its last shift before the first day ended."""
        newest: dict[str, tuple[int, int]] = {}
        for shift, (hlc, _, counted) in self._closed.items():
            if physical_ms(hlc) < self._begin:
                till = terminal_of(shift)
                newest[till] = max(newest.get(till, (0, 0)), (hlc, counted))
        return {till: counted for till, (_, counted) in newest.items()}

    def _new(self, events: Iterable[Envelope]) -> Iterator[Envelope]:
        for event in events:
            if event.seq > self._heads.get(event.actor, 0):
                self._heads[event.actor] = event.seq
                if event.type in _MONEY and not is_office(event.actor):
                    yield event

    def _receipt(self, event: Envelope, body: object) -> None:
        if not isinstance(body, SaleClosed | SaleRefunded | SaleVoided):
            return
        self._works(event, body.shift_id)
        at_ms = receipt_ms(body)
        if self._begin <= at_ms < self._after:
            self._receipts.append(Placed(at_ms, event.actor, event.seq, body))

    def _other(self, event: Envelope, body: object) -> None:
        at_ms = physical_ms(event.hlc)
        match body:
            case ShiftOpened():
                self._openings[event.id] = body
            case CashMoved():
                self._works(event, body.shift_id)
            case ShiftClosed():
                this = (event.hlc, event.actor, body.counted_minor)
                # Of two, by a till and by its copy, the first by clock and actor counts.
                self._closed[body.shift_id] = min(this, self._closed.get(body.shift_id, this))
            case _:
                pass
        booked = isinstance(body, ShiftOpened | CashMoved | ShiftClosed | PursesAdjusted)
        if booked and self._begin <= at_ms < self._after:
            self._others.append(Placed(event.hlc, event.actor, event.seq, body))

    def _works(self, event: Envelope, shift: str) -> None:
        self._worked.setdefault(shift, {})[event.actor] = event.seq

    def _closings(self) -> Iterator[tuple[Placed, ShiftClosed]]:
        return ((one, one.body) for one in self._others if isinstance(one.body, ShiftClosed))

    def _is_late(self, closing: Placed, closed: ShiftClosed) -> bool:
        """Say whether another incarnation of the till worked in the shift without the closer having heard of it."""
        seen, till = dict(closed.seen), terminal_of(closing.actor)
        return bool(seen) and any(
            actor != closing.actor and terminal_of(actor) == till and seq > seen.get(actor, 0)
            for actor, seq in self._worked.get(closed.shift_id, {}).items()
        )

    def _happenings(self) -> Iterator[Happening]:
        for one in sorted(self._receipts, key=lambda placed: placed[:3]):
            yield Happening(terminal_of(one.actor), local(one.at, self._where).date(), one.body)
        for one in sorted(self._others, key=lambda placed: placed[:3]):
            day = local(physical_ms(one.at), self._where).date()
            yield Happening(terminal_of(one.actor), day, self._as_known_now(one.body))

    def _as_known_now(self, body: object) -> object:
        if isinstance(body, ShiftClosed) and body.shift_id in self._amending:
            return structs.replace(body, totals=totals.finish(self._amending[body.shift_id]))
        return body
