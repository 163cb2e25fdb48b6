"""Receipts, reports and slips: from an event to typed parts, and from parts to text or HTML.

``layout(ticket, header, words)`` gives a :class:`Receipt`; ``render_text`` and ``render_html`` write it, and so does
the ESC/POS encoder among the adapters, from the same lines.
"""

from __future__ import annotations

from tillmesh.shop.receipt.html import Draw, render_html
from tillmesh.shop.receipt.layout import layout
from tillmesh.shop.receipt.parts import Barcode, Kind, Part, Qr, Receipt
from tillmesh.shop.receipt.strips import COLUMNS, Strip, Symbol, strips
from tillmesh.shop.receipt.text import render_text
from tillmesh.shop.receipt.tickets import (
    Anchor,
    CashTicket,
    CloseTicket,
    Header,
    Mark,
    RefundTicket,
    ReportTicket,
    SaleTicket,
    Signed,
    Ticket,
    VoidTicket,
    header_of,
    read_anchor,
    write_anchor,
)
from tillmesh.shop.receipt.words import ENGLISH, Formats, Words

__all__ = [
    "COLUMNS",
    "ENGLISH",
    "Anchor",
    "Barcode",
    "CashTicket",
    "CloseTicket",
    "Draw",
    "Formats",
    "Header",
    "Kind",
    "Mark",
    "Part",
    "Qr",
    "Receipt",
    "RefundTicket",
    "ReportTicket",
    "SaleTicket",
    "Signed",
    "Strip",
    "Symbol",
    "Ticket",
    "VoidTicket",
    "Words",
    "header_of",
    "layout",
    "read_anchor",
    "render_html",
    "render_text",
    "strips",
    "write_anchor",
]
