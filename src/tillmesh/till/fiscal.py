"""Closing what has passed, and noting what a signature device did. Per till, opt-in, and never in the way of a sale.

Days are closed before the first receipt of a later day, in its transaction, and by the program after midnight. So a
receipt is in the day in which it was made, whatever the clocks of summer do, unless the till's clock was wrong: then it
is in the day that was open.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.money import exponent, format_decimal
from tillmesh.kernel.times import local, zone
from tillmesh.shop import fiscal
from tillmesh.shop.events import (
    KINDS,
    PeriodClosed,
    PeriodTotals,
    ReceiptSigned,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    SigningResumed,
    SigningStopped,
)
from tillmesh.till.commands import ClosePeriods, NoteSigned, NoteSigningResumed, NoteSigningStopped
from tillmesh.till.desk import Desk
from tillmesh.till.ports import Books

RECEIPTS = ("sale_closed", "sale_voided", "sale_refunded")


class DeviceSilent(TillmeshError):
    """The signature device did not sign in time."""

    status = 503
    kind = "signature-device-silent"
    title = "The signature device does not answer"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a device gives for a receipt."""

    device: str
    counter: int
    signature: str
    algorithm: str
    public_key: str
    signed_at_ms: int


class SignatureDevice(Protocol):
    """A device that signs receipts by law. ``sign`` may block, and raises :class:`DeviceSilent` when it can't."""

    serial: str

    def sign(self, data: str, now_ms: int) -> Signature:
        """Sign; the counter goes up by one."""


FiscalCommand = ClosePeriods | NoteSigned | NoteSigningStopped | NoteSigningResumed


def decide(desk: Desk, command: FiscalCommand) -> object:
    """Send a command about closes and signatures to its use case."""
    match command:
        case ClosePeriods():
            return close_elapsed(desk)
        case NoteSigned():
            return _signed(desk, command)
        case NoteSigningStopped():
            if desk.books.signing_outage() is not None:
                return None
            return desk.record(SigningStopped(
                device=command.device, reason=command.reason[:200], first=command.first, stopped_at_ms=desk.now_ms
            ))  # fmt: skip
        case NoteSigningResumed():
            outage = desk.books.signing_outage()
            if outage is None:
                return None
            return desk.record(SigningResumed(
                device=outage.device, stopped_at_ms=outage.stopped_at_ms, resumed_at_ms=desk.now_ms,
                unsigned=command.unsigned, signed_late=command.signed_late,
            ))  # fmt: skip


def roll(desk: Desk) -> None:
    """Close the days before today; called before a receipt is made."""
    if desk.store().fiscal_closes:
        close_elapsed(desk)


def close_elapsed(desk: Desk) -> list[EventId]:
    """Close every period that has passed and has receipts; nothing else is closed, and nothing twice."""
    if not desk.store().fiscal_closes:
        return []
    books, where = desk.books, zone(desk.store().time_zone)
    today = local(desk.now_ms, where).date()
    made: list[EventId] = []
    new: dict[str, list[PeriodClosed]] = {kind: [] for kind in fiscal.KINDS}
    before = books.last_period(fiscal.DAY)
    newest = books.newest_receipt_ms(dict(before.seen) if before is not None else {})
    if newest is not None and local(newest, where).date() < today:
        period = fiscal.period_of(fiscal.DAY, local(newest, where).date())
        bodies = (
            decode(event.body, KINDS[event.type])
            for event in books.receipts_after(dict(before.seen) if before is not None else {})
        )
        totals = fiscal.of_receipts(bodies, desk.policy().currency)
        _close(desk, made, new, fiscal.DAY, period, totals, seen=books.incarnations())
    for kind, part in ((fiscal.MONTH, fiscal.DAY), (fiscal.YEAR, fiscal.MONTH)):
        last = books.last_period(kind)
        waiting = [*books.periods_after(part, 0 if last is None else last.parts[1]), *new[part]]
        now = fiscal.period_of(kind, today)
        for period in sorted({one.period[: len(now)] for one in waiting}):
            held = [one for one in waiting if one.period[: len(now)] == period]
            if period < now:
                parts = held[0].number, held[-1].number
                _close(desk, made, new, kind, period, fiscal.of_periods(held), parts=parts)
    return made


def _close(
    desk: Desk, made: list[EventId], new: dict[str, list[PeriodClosed]], kind: str, period: str, totals: PeriodTotals,
    *, seen: tuple[tuple[str, int], ...] = (), parts: tuple[int, int] = (0, 0),
) -> None:  # fmt: skip
    before = new[kind][-1] if new[kind] else desk.books.last_period(kind)
    closed = PeriodClosed(
        kind=kind,
        period=period,
        number=1 if before is None else before.number + 1,
        currency=desk.policy().currency,
        totals=totals,
        perpetual_minor=(0 if before is None else before.perpetual_minor) + fiscal.net_minor(totals),
        gross_minor=(0 if before is None else before.gross_minor) + totals.sales_minor,
        seen=seen,
        parts=parts,
        by=desk.who.user_id,
        closed_at_ms=desk.now_ms,
    )
    new[kind].append(closed)
    made.append(desk.record(closed))


def to_sign(books: Books, event_id: str) -> str:
    """Give what a device signs of a receipt: its number, what it came to, and the hash that pins the log up to it."""
    event = books.event(event_id)
    assert event is not None, f"{event_id} is not there"
    body = decode(event.body, KINDS[event.type])
    assert isinstance(body, SaleClosed | SaleVoided | SaleRefunded), f"{event_id} is no receipt"
    sign = 1 if isinstance(body, SaleClosed) else -1
    currency = books.store().currency
    total = format_decimal(sign * body.total_minor, exponent(currency))
    return f"Beleg^{body.receipt_number}^{total}_{currency}^{event.hash.hex()}"


def _signed(desk: Desk, command: NoteSigned) -> EventId | None:
    if desk.books.signature(command.receipt) is not None:
        return None
    return desk.record(
        ReceiptSigned(
            receipt=command.receipt,
            device=command.device,
            counter=command.counter,
            signature=command.signature,
            algorithm=command.algorithm,
            public_key=command.public_key,
            data=command.data,
            signed_at_ms=command.signed_at_ms,
            late=command.late,
        )
    )
