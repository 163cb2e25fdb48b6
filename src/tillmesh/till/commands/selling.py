"""What is asked about sales and carts: sold, parked, split, taken back."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.events import Payment


class WantedLine(Record):
    """A line of a sale as the outside asks for it: product, quantity, and perhaps another price."""

    quantity_milli: int
    sku: str = ""
    barcode: str = ""
    unit_price_minor: int | None = None
    discount_minor: int = 0
    note: str = ""


class CloseSale(Record):
    """Sell these lines for these payments. The same ``cart_id`` again gives the very same sale."""

    cart_id: str
    lines: tuple[WantedLine, ...]
    payments: tuple[Payment, ...]
    customer_id: str = ""
    note: str = ""
    coupons: tuple[str, ...] = ()
    apart: bool = False  # a till that keeps a purse did not answer: take as little as tills apart may


class PayCart(Record):
    """Turn a working cart into a sale, for what was shown if ``total_minor`` says how much that was."""

    cart_id: str
    payments: tuple[Payment, ...]
    total_minor: int | None = None
    apart: bool = False  # as above


class CartOperation(Record):
    """One change of a working cart, resend-safe by ``op_id``. ``op`` names which fields count."""

    op_id: str
    op: str
    line_id: str = ""
    sku: str = ""
    barcode: str = ""
    quantity: str | int = "1"
    line_total_minor: int | None = None
    unit_price_minor: int | None = None
    percent: str = ""
    amount_minor: int = 0
    reason: str = ""
    text: str = ""
    customer_id: str = ""
    approved_by: str = ""
    approved_action: str = ""
    age_checked: int = 0  # years that the cashier has seen proof of
    weighed: str = ""  # scale: gross_g and tare_g count instead of the quantity; gone: a reading that is not held
    gross_g: int = 0
    tare_g: int = 0
    payment: Payment | None = None  # of a part that is paid before the rest


class EditCart(Record):
    """Apply operations to a working cart; a bad one is reported and stops none of the others."""

    cart_id: str
    operations: tuple[CartOperation, ...]


class SplitCart(Record):
    """Put some of a cart into a new one, ``into``: line ids with how many thousandths go there."""

    cart_id: str
    into: str
    parts: tuple[tuple[str, int], ...]


class ParkCart(Record):
    """Put a working cart aside for any till of the store."""

    cart_id: str
    label: str = ""


class ResumeCart(Record):
    """Take up a parked cart on this till."""

    park_id: str


class DiscardParked(Record):
    """Throw a parked cart away; what was paid of it goes back to the customer, if that is said."""

    park_id: str
    given_back: bool = False


class VoidSale(Record):
    """Take a closed sale back whole."""

    sale_id: str
    reason: str


class WantedRefund(Record):
    """A sold line (by index or sku) and how much of it comes back."""

    quantity_milli: int
    line: int = -1
    sku: str = ""
    restock: bool = True
    unit_price_minor: int | None = None  # only without a receipt


class RefundSale(Record):
    """Give money back for part of a sale; without payments, to the original tenders."""

    sale_id: str
    lines: tuple[WantedRefund, ...]
    reason: str
    payments: tuple[Payment, ...] = ()
    refund_key: str = ""


class RefundWithoutReceipt(Record):
    """Take goods back that no known sale explains."""

    lines: tuple[WantedRefund, ...]
    reason: str
    payments: tuple[Payment, ...]
    refund_key: str = ""
    customer_id: str = ""
