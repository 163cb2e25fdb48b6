"""What there is to print: an event of the shop with the few names that the event only refers to."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

import msgspec

from tillmesh.kernel.ids import parse_event_id
from tillmesh.shop.events import (
    CashMoved,
    ReceiptSigned,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    ShiftClosed,
    ShiftTotals,
)
from tillmesh.shop.settings import StoreSettings, TerminalSettings


class Mark(IntEnum):
    """How sure we are that no other paper says the same. Stored in ``print_job.copy``: never renumber."""

    ORIGINAL = 0
    COPY = 1  # Somebody asked for it again.
    POSSIBLE_DUPLICATE = 2  # A first print was interrupted; nobody knows what came out.


class Header(msgspec.Struct, frozen=True):
    """What every paper of the shop begins and ends with."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    till: str = ""  # the till's name, for people
    footer: tuple[str, ...] = ()


def header_of(store: StoreSettings, terminal: TerminalSettings) -> Header:
    """Make the head and foot of this till's papers from the settings."""
    return Header(
        name=store.name,
        address=store.address,
        tax_id=store.tax_id,
        till=terminal.name,
        footer=tuple(store.receipt_footer.splitlines()),
    )


class Anchor(msgspec.Struct, frozen=True):
    """An event and the hash that pins it and everything before it; the customer carries it away."""

    event_id: str
    hash: bytes


class Signed(msgspec.Struct, frozen=True):
    """The signature of a receipt, or the notice that there is none."""

    signature: ReceiptSigned | None = None  # None: the device is out of order


class SaleTicket(msgspec.Struct, frozen=True):
    """A sale; ``cashier`` and ``customer`` are names, not ids."""

    sale: SaleClosed
    anchor: Anchor
    cashier: str
    customer: str = ""
    voided: bool = False  # by now
    signed: Signed | None = None  # None: no device signs here


class VoidTicket(msgspec.Struct, frozen=True):
    """A sale taken back whole."""

    void: SaleVoided
    sale: SaleClosed
    anchor: Anchor
    cashier: str
    approved_by: str = ""
    signed: Signed | None = None  # None: no device signs here


class RefundTicket(msgspec.Struct, frozen=True):
    """Goods that came back; ``sold_receipt`` is empty for a return without receipt."""

    refund: SaleRefunded
    anchor: Anchor
    cashier: str
    approved_by: str = ""
    sold_receipt: str = ""
    sold_at_ms: int = 0
    signed: Signed | None = None  # None: no device signs here


class ReportTicket(msgspec.Struct, frozen=True):
    """An X report: the totals of an open shift as they are now."""

    totals: ShiftTotals
    opened_at_ms: int
    at_ms: int
    by: str


class CloseTicket(msgspec.Struct, frozen=True):
    """A Z report: the closed shift, as it was counted out."""

    closed: ShiftClosed
    by: str
    anchor: Anchor | None = None


class CashTicket(msgspec.Struct, frozen=True):
    """A slip for cash that went into or out of the drawer and is no sale."""

    moved: CashMoved
    currency: str
    at_ms: int
    by: str
    approved_by: str = ""


Ticket = SaleTicket | VoidTicket | RefundTicket | ReportTicket | CloseTicket | CashTicket

ANCHOR_HEX: Final = 32  # 128 bits: two logs prepared to share one would cost 2**64 hashes (birthday bound).
_ANCHOR = re.compile(rf"tillmesh:1:([^:]{{3,60}}):([0-9a-f]{{{ANCHOR_HEX}}})")


def write_anchor(anchor: Anchor) -> str:
    """Write the text of the QR code: a format version, the event and the beginning of its hash."""
    return f"tillmesh:1:{anchor.event_id}:{anchor.hash.hex()[:ANCHOR_HEX]}"


def read_anchor(text: str) -> Anchor | None:
    """Read what :func:`write_anchor` wrote, or None; the hash is its first 16 bytes. Raises Invalid for a bad id."""
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        return None
    parse_event_id(found[1])
    return Anchor(found[1], bytes.fromhex(found[2]))
