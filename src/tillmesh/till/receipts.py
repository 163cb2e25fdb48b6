"""From an event to its ticket: looks up the few names that the event only refers to."""

from __future__ import annotations

from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import physical_ms
from tillmesh.shop.events import KINDS, CashMoved, SaleClosed, SaleRefunded, SaleVoided, ShiftClosed, ShiftOpened
from tillmesh.shop.receipt import (
    Anchor,
    CashTicket,
    CloseTicket,
    RefundTicket,
    ReportTicket,
    SaleTicket,
    Signed,
    Ticket,
    VoidTicket,
)
from tillmesh.till.ports import Books, Shift
from tillmesh.till.shifts import shift_totals


def find_ticket(books: Books, event_id: str) -> Ticket | None:
    """Give what to print for an event: a sale, void, refund, cash move or closed shift; None for any other."""
    event = books.event(event_id)
    if event is None:
        return None
    body = decode(event.body, KINDS[event.type]) if event.type in KINDS else None
    return _ticket(books, event, body)


def _ticket(books: Books, event: Envelope, body: Record | None) -> Ticket | None:
    anchor = Anchor(event.id, event.hash)
    match body:
        case SaleClosed():
            return _sale(books, body, anchor)
        case SaleVoided():
            return _void(books, body, anchor)
        case SaleRefunded():
            return _refund(books, body, anchor)
        case ShiftClosed():
            return CloseTicket(body, person_name(books, body.by), anchor)
        case CashMoved():
            by, approved_by = person_name(books, body.by), person_name(books, body.approved_by)
            return CashTicket(body, books.store().currency, physical_ms(event.hlc), by, approved_by)
        case _:
            return None


def _sale(books: Books, sale: SaleClosed, anchor: Anchor) -> SaleTicket:
    customer = books.fields("customer", sale.customer_id) if sale.customer_id else None
    voided = any(answer.type == "sale_voided" for answer in books.answers(anchor.event_id))
    name = str((customer or {}).get("name") or "")
    cashier = person_name(books, sale.cashier)
    return SaleTicket(sale, anchor, cashier, customer=name, voided=voided, signed=_signed(books, anchor))


def _void(books: Books, void: SaleVoided, anchor: Anchor) -> VoidTicket | None:
    sold = books.event(void.sale_id)
    if sold is None:
        return None
    names = (person_name(books, void.by), person_name(books, void.approved_by))
    return VoidTicket(void, decode(sold.body, SaleClosed), anchor, *names, signed=_signed(books, anchor))


def _refund(books: Books, refund: SaleRefunded, anchor: Anchor) -> RefundTicket:
    names = (person_name(books, refund.by), person_name(books, refund.approved_by))
    sold = books.event(refund.sale_id) if refund.sale_id else None
    if sold is None:
        return RefundTicket(refund, anchor, *names, signed=_signed(books, anchor))
    sale = decode(sold.body, SaleClosed)
    return RefundTicket(
        refund, anchor, *names, sold_receipt=sale.receipt_number, sold_at_ms=sale.closed_at_ms,
        signed=_signed(books, anchor),
    )  # fmt: skip


def _signed(books: Books, anchor: Anchor) -> Signed | None:
    """Give the signature of a receipt; a till with a device says so when there is none."""
    found = books.signature(anchor.event_id)
    return None if found is None and books.terminal().signature_device == "none" else Signed(found)


def interim_ticket(books: Books, shift: Shift, *, by: str, now_ms: int) -> ReportTicket:
    """Give the X report of an open shift as it is now; ``by`` is a user id."""
    opening = books.event(shift.shift_id)
    opened_ms = decode(opening.body, ShiftOpened).opened_at_ms if opening is not None else shift.opened_ms
    return ReportTicket(shift_totals(books, shift), opened_ms, now_ms, person_name(books, by))


def person_name(books: Books, user_id: str) -> str:
    """Give the name of a person, or the id of somebody this till has not heard of."""
    if not user_id:
        return ""
    fields = books.fields("person", user_id) or {}
    return str(fields.get("name") or user_id)
