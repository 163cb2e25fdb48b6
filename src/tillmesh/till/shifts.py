"""A drawer's working time: counted in, cash moved, counted out with a Z report that never changes."""

from __future__ import annotations

from collections.abc import Iterable

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.money import check_amount
from tillmesh.shop import shift as totals
from tillmesh.shop.events import KINDS, CashMoved, ShiftClosed, ShiftOpened, ShiftTotals
from tillmesh.shop.people import Action
from tillmesh.till.commands import CloseShift, MoveCash, OpenShift
from tillmesh.till.desk import Desk, checked_text
from tillmesh.till.effects import Print
from tillmesh.till.part_payments import book_open
from tillmesh.till.ports import Books, Shift


def decide(desk: Desk, command: OpenShift | MoveCash | CloseShift) -> EventId:
    """Send a command about the drawer's working time to its use case."""
    match command:
        case OpenShift():
            return open_shift(desk, command)
        case MoveCash():
            return move_cash(desk, command)
        case CloseShift():
            return close_shift(desk, command)


def open_shift(desk: Desk, command: OpenShift) -> EventId:
    """Count the drawer in; at most one shift is open per till."""
    if (shift := desk.books.current_shift()) is not None:
        raise Conflict(f"shift {shift.shift_id} is open already", hint="Close it first.")
    check_amount(command.float_minor, "the float")
    return desk.record(ShiftOpened(by=desk.who.user_id, float_minor=command.float_minor, opened_at_ms=desk.now_ms))


def move_cash(desk: Desk, command: MoveCash) -> EventId:
    """Put cash in or take it out; a supervisor's right, never more than should be there."""
    approved_by = desk.require(Action.CASH_MOVE)
    shift = desk.shift()
    check_amount(abs(command.amount_minor), "the cash amount", least=1)
    expected = shift_totals(desk.books, shift).expected_cash_minor
    if command.amount_minor < 0 and command.amount_minor + expected < 0:
        raise Conflict(
            f"{-command.amount_minor} minor units are more than the {expected} that should be in the drawer",
            hint="Check the amount.",
        )
    return desk.record(
        CashMoved(
            shift_id=shift.shift_id,
            amount_minor=command.amount_minor,
            reason=checked_text(command.reason, "reason", least=1),
            by=desk.who.user_id,
            approved_by=approved_by,
        )
    )


def close_shift(desk: Desk, command: CloseShift) -> EventId:
    """Count the drawer out: the Z report with everything the shift sold, and the perpetual total."""
    desk.require(Action.CLOSE_SHIFT)
    shift = desk.shift()
    check_amount(command.counted_minor, "the counted cash")
    book_open(desk)
    result = shift_totals(desk.books, shift, desk.bodies)
    event = desk.record(
        ShiftClosed(
            shift_id=shift.shift_id,
            z_number=last_z_number(desk.books) + 1,
            by=desk.who.user_id,
            counted_minor=command.counted_minor,
            totals=result,
            perpetual_minor=perpetual_minor(desk.books, result),
            opened_at_ms=shift.opened_ms,
            closed_at_ms=desk.now_ms,
            seen=desk.books.incarnations(),
        )
    )
    if desk.books.terminal().printer_kind != "none":
        desk.effect(Print(kind="z", ref=event))
    return event


def shift_totals(books: Books, shift: Shift, coming: Iterable[object] = ()) -> ShiftTotals:
    """Add a shift up from its events (the X report), and from those that are just being written."""
    opening = books.event(shift.shift_id)
    assert opening is not None, f"the shift {shift.shift_id} has no opening event"
    state = totals.start(decode(opening.body, ShiftOpened), books.store().currency)
    for event in books.shift_events(shift.shift_id):
        state = totals.add(state, _body(event))
    for body in coming:
        state = totals.add(state, body)
    return totals.finish(state)


def _body(event: Envelope) -> object:
    return decode(event.body, KINDS[event.type])


def last_z_number(books: Books) -> int:
    """Give the number of the last Z report; zero before the first."""
    event = books.last_close()
    return 0 if event is None else decode(event.body, ShiftClosed).z_number


def perpetual_minor(books: Books, shift: ShiftTotals) -> int:
    """Give all that this till ever sold less what it gave back: up to its last Z report, and since.

    Since then is the open shift, and what arrived late of shifts that were closed before.
    """
    event = books.last_close()
    if event is None:
        return totals.net_sales_minor(shift)
    closed = decode(event.body, ShiftClosed)
    if not closed.seen:
        return closed.perpetual_minor + totals.net_sales_minor(shift)
    return closed.perpetual_minor + books.net_minor_after(dict(closed.seen))


def late_events(books: Books, closing: Envelope) -> list[Envelope]:
    """List what arrived after the Z report of its shift was made: sold on a disk that was thought lost."""
    closed = decode(closing.body, ShiftClosed)
    return books.late_events(closed.shift_id, closing.actor, dict(closed.seen)) if closed.seen else []
