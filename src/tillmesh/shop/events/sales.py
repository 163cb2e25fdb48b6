"""Events of sales: closed, taken back, refunded, or put aside as a cart.

Amounts are minor units of the sale's currency, quantities are thousandths.
"""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.events.purses import PurseMove
from tillmesh.shop.events.stock import StockMove
from tillmesh.shop.ranges import EventName, EventNameOrNone, LineIndex, Milli, Minor, Ppm, TimeMs


class Payment(Record):
    """One tender: what was handed over. Change is given once, on the sale.

    ``reference`` is the external terminal's approval code or the gift card's number, never a card number.
    """

    method: str  # cash | card | gift_card | account
    amount_minor: Minor
    reference: str = ""
    last_four: str = ""
    token: str = ""  # what the card terminal calls the transaction: money goes back by it
    card_payment: str = ""  # the payment at this till's card terminal, by its id


class TaxTotal(Record):
    """Everything taxed at one rate: ``net + tax = gross``."""

    code: str
    rate_ppm: Ppm
    net_minor: Minor
    tax_minor: Minor


class LinePromotion(Record):
    """What one promotion took off one line: a part of its discount, or with ``on_cart`` of its cart discount."""

    promotion_id: str
    name: str  # as it was called then
    amount_minor: Minor
    on_cart: bool = False


class SalePromotion(Record):
    """What one promotion took off a whole sale: the sum of what it took off the lines."""

    promotion_id: str
    name: str
    amount_minor: Minor
    on_cart: bool = False
    code: str = ""  # of the coupon that it was for


class SaleLine(Record):
    """One line as it was charged. ``total = gross - discount - cart_discount`` (+ tax, when taxes are added).

    Both discounts hold what promotions took; ``promotions`` says how much of them, a person gave the rest.
    """

    sku: str
    name: str
    unit: str
    quantity_milli: Milli
    list_price_minor: Minor  # per unit, as the catalogue had it
    unit_price_minor: Minor  # per unit, as charged
    gross_minor: Minor
    discount_minor: Minor
    cart_discount_minor: Minor
    tax_code: str
    rate_ppm: Ppm
    tax_minor: Minor
    total_minor: Minor  # what the customer pays for the line, tax included
    barcode: str = ""
    note: str = ""
    discount_rate_ppm: Ppm = 0  # when the line discount was given in percent
    discount_reason: str = ""
    promotions: tuple[LinePromotion, ...] = ()
    price_list: str = ""  # the name of the list that the price comes from
    regular_price_minor: Minor = 0  # per unit, without any price list or dated price; 0: the list price
    loads: str = ""  # "gift_card:ACCOUNT" or "account:CUSTOMER": no goods, money that goes into a purse
    weighed: str = ""  # scale | hand | part: weighed, typed beside a scale, or computed of what it weighed
    tare_milli: Milli = 0  # the wrapping, which the quantity is without; only of what the scale weighed


class Approval(Record):
    """Somebody with the right role said yes to something the cashier may not do alone."""

    action: str
    approved_by: str


class SaleClosed(Record):
    """A paid sale. Never edited: a mistake is answered by SaleVoided or SaleRefunded.

    ``sum(payments) - change = total + rounding``; ``rounding`` is what cash without small coins added or took.
    """

    cart_id: str
    receipt_number: str
    shift_id: str
    cashier: str
    currency: str
    prices_include_tax: bool
    lines: tuple[SaleLine, ...]
    taxes: tuple[TaxTotal, ...]
    payments: tuple[Payment, ...]
    discount_minor: Minor  # all line and cart discounts together
    tax_minor: Minor
    total_minor: Minor
    rounding_minor: Minor = 0
    change_minor: Minor = 0
    customer_id: str = ""
    note: str = ""
    approvals: tuple[Approval, ...] = ()
    closed_at_ms: TimeMs = 0  # wall clock of the till; the HLC orders, this is what the receipt shows
    cart_discount_rate_ppm: Ppm = 0  # when the cart discount was given in percent
    cart_discount_reason: str = ""
    promotions: tuple[SalePromotion, ...] = ()
    purses: tuple[PurseMove, ...] = ()
    limited: tuple[str, ...] = ()  # skus of which rights of this till went too


class SaleVoided(Record):
    """A closed sale taken back whole: stock returns, every tender is given back as it came."""

    sale_id: EventName
    receipt_number: str
    shift_id: str
    by: str
    reason: str
    payments: tuple[Payment, ...]  # what was given back; change already deducted
    total_minor: Minor
    tax_minor: Minor
    approved_by: str = ""
    voided_at_ms: TimeMs = 0
    rounding_minor: Minor = 0
    taxes: tuple[TaxTotal, ...] = ()  # the sale's, so that totals per rate need no look at the sale
    moves: tuple[StockMove, ...] = ()  # what returns to the shelf: the sale may not have arrived yet
    purses: tuple[PurseMove, ...] = ()
    limited: tuple[str, ...] = ()


class RefundLine(Record):
    """Part of a sold line that came back. ``line`` is its index in the sale, -1 without a receipt."""

    line: LineIndex
    sku: str
    name: str
    unit: str
    quantity_milli: Milli
    unit_price_minor: Minor
    tax_code: str
    rate_ppm: Ppm
    tax_minor: Minor
    total_minor: Minor
    restock: bool = True


class SaleRefunded(Record):
    """Goods came back and money went out. ``sale_id`` is empty for a return without receipt.

    ``sum(payments) = total + rounding``.
    """

    sale_id: EventNameOrNone
    refund_key: str  # the caller's idempotency key
    receipt_number: str
    shift_id: str
    by: str
    reason: str
    currency: str
    lines: tuple[RefundLine, ...]
    taxes: tuple[TaxTotal, ...]
    payments: tuple[Payment, ...]
    tax_minor: Minor
    total_minor: Minor
    rounding_minor: Minor = 0
    approved_by: str = ""
    customer_id: str = ""
    refunded_at_ms: TimeMs = 0
    purses: tuple[PurseMove, ...] = ()
    limited: tuple[str, ...] = ()


class CartParked(Record):
    """A cart was put aside for any till of the store to take up. Named by this event's id (an OR-Set dot)."""

    cart_id: str
    label: str
    cart: bytes
    by: str
    parked_at_ms: TimeMs = 0


class CartResumed(Record):
    """Parked carts were taken up or thrown away: removes exactly the dots it has seen."""

    dots: tuple[str, ...]
    by: str
    discarded: bool = False
