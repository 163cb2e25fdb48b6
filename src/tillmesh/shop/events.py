"""What happened in the shop: facts in the past tense, frozen, whole, and kept for ever.

Each class is the body of one event type. Fields are appended with defaults, never renamed, removed or reordered: a
body is stored as a msgpack array. Amounts are minor units of the sale's currency, quantities are thousandths, times
are taken from the event's HLC.
"""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.fiscal_events import PeriodClosed, ReceiptSigned, SigningResumed, SigningStopped
from tillmesh.shop.fold_events import FOLD_KINDS
from tillmesh.shop.order_events import GoodsOrdered, OrderClosed
from tillmesh.shop.oversell_events import OversellResolved, OversellSettled, Proposed
from tillmesh.shop.personal import CustomerErased
from tillmesh.shop.ranges import Count, EventName, EventNameOrNone, LineIndex, Milli, Minor, Ppm, TimeMs, Total
from tillmesh.shop.register_events import (
    ENTITIES,
    Change,
    CustomersChanged,
    CustomersSealed,
    GiftCardsChanged,
    PeopleChanged,
    PriceListsChanged,
    PricesChanged,
    ProductsChanged,
    PromotionsChanged,
    RegistersChanged,
    SettingsChanged,
    SuppliersChanged,
    Value,
    counted,
)
from tillmesh.shop.review_events import ActFlagged, FlagReason, FlagReviewed, MoneyConflictSettled, ProductLearnt
from tillmesh.shop.rights_events import RIGHTS_KINDS
from tillmesh.shop.transfer_events import TRANSFER_KINDS

# Registers have a module of their own; whoever reads events reads both.
__all__ = [
    "ENTITIES",
    "ActFlagged",
    "Change",
    "CustomerErased",
    "CustomersChanged",
    "CustomersSealed",
    "FlagReason",
    "FlagReviewed",
    "GiftCardsChanged",
    "MoneyConflictSettled",
    "OversellResolved",
    "OversellSettled",
    "PeopleChanged",
    "PeriodClosed",
    "PriceListsChanged",
    "PricesChanged",
    "ProductLearnt",
    "ProductsChanged",
    "PromotionsChanged",
    "Proposed",
    "ReceiptSigned",
    "RegistersChanged",
    "SettingsChanged",
    "SigningResumed",
    "SigningStopped",
    "Value",
    "counted",
]


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


class PurseMove(Record):
    """What an event puts into a purse (positive) or takes out of it: points, a gift card, what a customer owes."""

    purse: str  # points | gift_card | account
    account: str  # customer id, or the hash of a card's code
    amount: Minor  # minor units; points for points


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


class ShiftOpened(Record):
    """A drawer was counted in. The shift is named by this event's id."""

    by: str
    float_minor: Minor
    opened_at_ms: TimeMs = 0


class CashMoved(Record):
    """Cash put into the drawer (positive) or taken out of it (negative) that is no sale."""

    shift_id: str
    amount_minor: Minor
    reason: str
    by: str
    approved_by: str = ""


class TenderTotal(Record):
    """All movements of one tender: taken in sales, given back, and the difference."""

    method: str
    taken_minor: Total
    returned_minor: Total
    count: Count = 0


class ShiftTotals(Record):
    """What an X or Z report says about one shift. Sums of events, nothing else.

    ``expected cash = float + cash taken - cash returned + moved``.
    """

    currency: str
    float_minor: Total
    sales: Count
    sales_minor: Total
    voids: Count
    voids_minor: Total
    refunds: Count
    refunds_minor: Total
    discount_minor: Total
    rounding_minor: Total
    tax_minor: Total
    moved_minor: Total
    expected_cash_minor: Total
    tenders: tuple[TenderTotal, ...]
    taxes: tuple[TaxTotal, ...]
    first_receipt: str = ""
    last_receipt: str = ""


class ShiftClosed(Record):
    """The drawer was counted out; the Z report is this event and never changes.

    ``seen`` says how far the logs of this terminal's incarnations were known: what comes later is an amendment.
    """

    shift_id: EventName
    z_number: Count
    by: str
    counted_minor: Total
    totals: ShiftTotals
    perpetual_minor: Total  # all sales minus voids and refunds of this till since its first day
    opened_at_ms: TimeMs = 0
    closed_at_ms: TimeMs = 0
    seen: tuple[tuple[str, Count], ...] = ()  # actor and seq; empty before it was kept, then nothing counts as late


class StockMove(Record):
    """A signed change of one product's stock."""

    sku: str
    quantity_milli: Milli


class StockReceived(Record):
    """Goods came in, perhaps against an order; the same ``key`` for the same order is the same delivery."""

    moves: tuple[StockMove, ...]
    by: str
    reason: str = ""
    order_id: str = ""  # the GoodsOrdered
    key: str = ""
    limited: tuple[str, ...] = ()


class StockAdjusted(Record):
    """Stock was corrected with a reason: broken, stolen, found. ``approved_by`` when somebody's approval allowed it."""

    moves: tuple[StockMove, ...]
    by: str
    reason: str
    approved_by: str = ""
    limited: tuple[str, ...] = ()


class StockCounted(Record):
    """Somebody counted the shelf. ``correction = counted - value at vector``, so sales not yet heard of still apply."""

    sku: str
    counted_milli: Milli
    correction_milli: Milli
    vector: tuple[tuple[str, Count], ...]
    by: str
    reason: str = ""
    approved_by: str = ""
    limited: tuple[str, ...] = ()


class PursesAdjusted(Record):
    """A manager corrected purses by hand: points as a courtesy, a card that was overdrawn, a debt written off."""

    purses: tuple[PurseMove, ...]
    by: str
    reason: str
    adjusted_at_ms: TimeMs = 0


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


class Audited(Record):
    """Something a manager may want to know later: drawer opened, receipt reprinted, wrong PINs, import."""

    action: str
    subject: str
    detail: str
    by: str
    approved_by: str = ""


# Stored for ever: the name of each event type and its version.
KINDS: Final[dict[str, type[Record]]] = {
    "sale_closed": SaleClosed,
    "sale_voided": SaleVoided,
    "sale_refunded": SaleRefunded,
    "shift_opened": ShiftOpened,
    "cash_moved": CashMoved,
    "shift_closed": ShiftClosed,
    "stock_received": StockReceived,
    "stock_adjusted": StockAdjusted,
    "goods_ordered": GoodsOrdered,
    "order_closed": OrderClosed,
    "stock_counted": StockCounted,
    "products_changed": ProductsChanged,
    "customers_changed": CustomersChanged,
    "customers_sealed": CustomersSealed,
    "customer_erased": CustomerErased,
    "people_changed": PeopleChanged,
    "settings_changed": SettingsChanged,
    "promotions_changed": PromotionsChanged,
    "price_lists_changed": PriceListsChanged,
    "prices_changed": PricesChanged,
    "gift_cards_changed": GiftCardsChanged,
    "suppliers_changed": SuppliersChanged,
    "purses_adjusted": PursesAdjusted,
    "cart_parked": CartParked,
    "cart_resumed": CartResumed,
    "audited": Audited,
    "oversell_resolved": OversellResolved,
    "oversell_settled": OversellSettled,
    "money_conflict_settled": MoneyConflictSettled,
    "act_flagged": ActFlagged,
    "flag_reviewed": FlagReviewed,
    "product_learnt": ProductLearnt,
    **TRANSFER_KINDS,
    **RIGHTS_KINDS,
    **FOLD_KINDS,
    "period_closed": PeriodClosed,
    "receipt_signed": ReceiptSigned,
    "signing_stopped": SigningStopped,
    "signing_resumed": SigningResumed,
}
NAMES: Final[dict[type[Record], str]] = {kind: name for name, kind in KINDS.items()}
VERSION: Final = 1


def known(name: str, version: int) -> type[Record] | None:
    """Give what an event of this type and version is read as, or None if a newer program wrote it."""
    return KINDS.get(name) if version <= VERSION else None
