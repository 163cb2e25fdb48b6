"""From a ticket to a receipt: the one way in, for every kind of paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from tillmesh.shop.receipt.frame import closing, opening
from tillmesh.shop.receipt.parts import Kind, Part, Receipt
from tillmesh.shop.receipt.reports import cash_parts, x_parts, z_parts
from tillmesh.shop.receipt.sales import refund_parts, sale_parts, void_parts
from tillmesh.shop.receipt.tickets import (
    CashTicket,
    CloseTicket,
    Header,
    Mark,
    RefundTicket,
    ReportTicket,
    SaleTicket,
    Ticket,
    VoidTicket,
)
from tillmesh.shop.receipt.words import Words

_FOR_CUSTOMERS: Final = frozenset({"sale", "refund", "void"})  # only they are thanked


def layout(
    ticket: Ticket, header: Header, words: Words, *, mark: Mark = Mark.ORIGINAL, training: bool = False
) -> Receipt:
    """Lay a ticket out as a receipt; it does not know yet what it will be printed on."""
    kind, number, content = _content(ticket, header, words)
    return Receipt(
        kind=kind,
        number=number,
        language=words.formats.language,
        parts=(
            *opening(header, words, mark, training=training),
            *content,
            *closing(header.footer if kind in _FOR_CUSTOMERS else (), words, mark, training=training),
        ),
    )


def _content(ticket: Ticket, header: Header, words: Words) -> tuple[Kind, str, Iterator[Part]]:
    match ticket:
        case SaleTicket():
            return "sale", ticket.sale.receipt_number, sale_parts(ticket, header, words)
        case VoidTicket():
            return "void", ticket.void.receipt_number, void_parts(ticket, header, words)
        case RefundTicket():
            return "refund", ticket.refund.receipt_number, refund_parts(ticket, header, words)
        case ReportTicket():
            return "x", "", x_parts(ticket, header, words)
        case CloseTicket():
            return "z", str(ticket.closed.z_number), z_parts(ticket, header, words)
        case CashTicket():
            return "slip", "", cash_parts(ticket, header, words)
    assert_never(ticket)
