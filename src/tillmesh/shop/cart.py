"""A cart while it is being filled: plain values, priced by :mod:`tillmesh.shop.pricing`.

Invariant: a cart holds what the cashier did (products, quantities, overrides, discounts), never a computed amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tillmesh.kernel.codec import Record
from tillmesh.kernel.limits import COUPONS_PER_CART_MAX
from tillmesh.shop.events import LinePromotion, Payment, SalePromotion, TaxTotal
from tillmesh.shop.ranges import Milli, Minor, Ppm, TimeMs, Years


class Discount(Record):
    """A reduction in percent of the amount (``rate_ppm``) or as a fixed amount; exactly one of them is not zero."""

    rate_ppm: Ppm = 0
    amount_minor: Minor = 0
    reason: str = ""
    approved_by: str = ""


class CartLine(Record):
    """One product in the cart. ``line_id`` is chosen by whoever adds it and stays."""

    line_id: str
    sku: str
    name: str
    unit: str  # piece | kg | g | l | m | hour
    quantity_milli: Milli
    list_price_minor: Minor
    tax_code: str
    unit_price_minor: Minor | None = None  # an override, when not None
    fixed_price_minor: Minor | None = None  # a price embedded in a barcode: the line's amount whatever the quantity
    price_approved_by: str = ""
    discount: Discount | None = None
    barcode: str = ""
    note: str = ""
    department: str = ""
    added_ms: TimeMs = 0  # when it came into the cart, by the till's clock: prices and promotions of that moment hold
    price_list: str = ""  # the name of the list that the list price comes from
    regular_price_minor: Minor = 0  # what it costs without any list or dated price; 0: the list price
    loads: str = ""  # as in SaleLine: no goods, money that goes into a purse
    pin_tag: str = ""  # of a gift card that is issued with a PIN
    weighed: str = ""  # as in SaleLine
    tare_milli: Milli = 0  # as in SaleLine
    issues: bool = False  # a gift card that nobody knew when it came into the cart


class PartPaid(Record):
    """A part of the price that was handed over before the rest. ``part_id`` is chosen by whoever takes it."""

    part_id: str
    payment: Payment
    by: str
    terminal: str  # where it was taken: cash lies in that drawer
    at_ms: TimeMs
    booked: bool = False  # that drawer counts it as cash put in


class Cart(Record):
    """What one customer is buying. ``cart_id`` is the idempotency key of the sale it becomes."""

    cart_id: str
    lines: tuple[CartLine, ...] = ()
    discount: Discount | None = None
    customer_id: str = ""
    note: str = ""
    coupons: tuple[str, ...] = ()  # codes as they were typed or scanned, in capitals, each once
    age_checked: Years = 0  # years that somebody has seen proof of, for this customer
    parts: tuple[PartPaid, ...] = ()


def one_of(versions: Sequence[Cart]) -> Cart:
    """Make one cart of versions of it that were changed apart, oldest first: each line once, the newest word counts."""
    first, *later = versions
    lines = {line.line_id: line for line in first.lines}
    parts = {part.part_id: part for part in first.parts}
    discount, customer_id, note, coupons = first.discount, first.customer_id, first.note, first.coupons
    for version in later:
        lines |= {line.line_id: line for line in version.lines}
        parts |= {part.part_id: part for part in version.parts}
        discount = version.discount or discount
        customer_id, note = version.customer_id or customer_id, version.note or note
        coupons = tuple(dict.fromkeys((*coupons, *version.coupons)))[:COUPONS_PER_CART_MAX]
    return Cart(
        cart_id=first.cart_id,
        lines=tuple(lines.values()),
        discount=discount,
        customer_id=customer_id,
        note=note,
        coupons=coupons,
        age_checked=max(version.age_checked for version in versions),
        parts=tuple(parts.values()),
    )


class Policy(Record):
    """How the shop computes money: fixed per store, printed on receipts, stored with every sale.

    ``tax_rounding``: "line" rounds the tax of each line, "total" rounds once per rate. ``cash_step_minor`` is the
    smallest coin in use. Source of the difference: GB HMRC VAT Notice 700 section 17.5 allows either.
    """

    currency: str = "EUR"
    prices_include_tax: bool = True
    tax_rounding: Literal["line", "total"] = "total"
    rounding: str = "half_up"  # tillmesh.kernel.money.Rounding
    cash_step_minor: int = 1
    cash_rounding: str = "half_up"
    tax_rates_ppm: dict[str, int] = {}  # tax code -> rate


class PricedLine(Record):
    """A cart line with its amounts; the fields mean the same as in SaleLine."""

    line: CartLine
    unit_price_minor: int
    gross_minor: int
    discount_minor: int
    cart_discount_minor: int
    rate_ppm: int
    tax_minor: int
    total_minor: int
    promotions: tuple[LinePromotion, ...] = ()


class PricedCart(Record):
    """A cart with every amount the customer will see."""

    lines: tuple[PricedLine, ...]
    taxes: tuple[TaxTotal, ...]
    gross_minor: int  # before any discount
    discount_minor: int  # line and cart discounts, promotions among them
    tax_minor: int
    total_minor: int  # to pay, before cash rounding
    promotions: tuple[SalePromotion, ...] = ()
