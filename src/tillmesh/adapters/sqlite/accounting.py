"""What tills wrote down that belongs into the books, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

import apsw
from msgspec import structs

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import rows
from tillmesh.adapters.sqlite.listings import body_of
from tillmesh.adapters.sqlite.log_reader import EVENT
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import COUNTER_BITS, physical_ms
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.times import day_bounds, local, zone
from tillmesh.shop.accounting import Happening
from tillmesh.shop.accounting_writing import unheard as unheard_of
from tillmesh.shop.events import ShiftClosed
from tillmesh.shop.reading import receipt_ms
from tillmesh.till.ports import Shift
from tillmesh.till.shifts import late_events, shift_totals

_RECEIPTS: Final = (
    f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
    "WHERE r.at_ms >= ? AND r.at_ms < ? ORDER BY r.at_ms, r.actor, r.seq"
)
# Everything else that moves money stands in the audit log, by time.
_OTHERS: Final = (
    f"SELECT {EVENT} FROM audit a JOIN event e ON e.actor = a.actor AND e.seq = a.seq WHERE a.hlc >= ? AND a.hlc < ? "  # noqa: S608
    "AND e.type IN ('cash_moved', 'shift_opened', 'shift_closed', 'purses_adjusted') ORDER BY a.hlc, a.actor, a.seq"
)
_LAST_CLOSE: Final = (
    f"SELECT {EVENT} FROM shift s JOIN actor n ON n.id = s.actor "  # noqa: S608
    "JOIN event e ON e.actor = s.closed_actor AND e.seq = s.closed_seq "
    "WHERE n.name LIKE ? || '.%' AND e.hlc < ? ORDER BY e.hlc DESC LIMIT 1"
)
_NEWEST: Final = (
    "SELECT n.name, e.hlc FROM version_vector v JOIN actor n ON n.id = v.actor "
    "JOIN event e ON e.actor = v.actor AND e.seq = v.seq"
)


def happenings(books: Books, first: date, last: date) -> Iterator[Happening]:
    """Iterate what belongs into the books of these days, each by the clock on the shop's wall."""
    where = zone(books.store().time_zone)
    begin, after = day_bounds(first, where)[0], day_bounds(last, where)[1]
    for event in books.events(_RECEIPTS, (begin, after)):
        body = body_of(event)
        yield Happening(terminal_of(event.actor), local(receipt_ms(body), where).date(), body)
    for event in books.events(_OTHERS, (begin << COUNTER_BITS, after << COUNTER_BITS)):
        day = local(physical_ms(event.hlc), where).date()
        yield Happening(terminal_of(event.actor), day, _as_known_now(books, event))


def _as_known_now(books: Books, event: Envelope) -> object:
    """Give a body; a shift with what joined it after it was closed."""
    body = body_of(event)
    if isinstance(body, ShiftClosed) and late_events(books, event):
        shift = Shift(shift_id=body.shift_id, opened_ms=body.opened_at_ms, open=False)
        return structs.replace(body, totals=shift_totals(books, shift))
    return body


def counted_before(db: apsw.Connection, books: Books, first: date) -> dict[str, int]:
    """Say what lay in each till's drawer when its last shift before a day ended."""
    begin = day_bounds(first, zone(books.store().time_zone))[0]
    tills = {terminal_of(name) for name, _ in rows(db, _NEWEST)}
    found: dict[str, int] = {}
    for till in tills:
        for event in books.events(_LAST_CLOSE, (till, begin << COUNTER_BITS)):
            found[till] = decode(event.body, ShiftClosed).counted_minor
    return found


def unheard(db: apsw.Connection, books: Books, last: date) -> list[str]:
    """List tills that worked in the days before the end of a day and were not heard of since: some may be missing."""
    newest: dict[str, int] = {}
    for name, hlc in rows(db, _NEWEST):
        till = terminal_of(name)
        newest[till] = max(newest.get(till, 0), physical_ms(hlc))
    return unheard_of(newest, last, books.store().time_zone)
