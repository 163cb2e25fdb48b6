"""What people and programs ask of a till. Plain values; :mod:`tillmesh.till.node` decides them."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.card_payment import CardAnswer
from tillmesh.shop.events import Approval, Change, FlagReason, Payment


class Who(Record):
    """The person at the till, and the approvals that others have just given."""

    user_id: str
    role: str
    approvals: tuple[Approval, ...] = ()


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
    """Throw a parked cart away."""

    park_id: str


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


class OpenShift(Record):
    """Count the drawer in."""

    float_minor: int


class CloseShift(Record):
    """Count the drawer out and make the Z report."""

    counted_minor: int


class MoveCash(Record):
    """Put cash in (positive) or take it out (negative)."""

    amount_minor: int
    reason: str


class OpenDrawer(Record):
    """Open the drawer without a sale."""

    reason: str


class Reprint(Record):
    """Print a receipt again, marked as a copy."""

    event: str


class ReceiveStock(Record):
    """Goods came in."""

    sku: str
    quantity_milli: int
    reason: str = ""


class AdjustStock(Record):
    """Correct stock by a signed quantity."""

    sku: str
    quantity_milli: int
    reason: str


class CountStock(Record):
    """Say what is really on the shelf."""

    sku: str
    quantity_milli: int
    reason: str = ""


class WantedGoods(Record):
    """A line of an order; without a cost the product's own counts."""

    sku: str
    quantity_milli: int
    cost_minor: int = 0


class PlaceOrder(Record):
    """Order goods from a supplier."""

    supplier: str
    lines: tuple[WantedGoods, ...]
    note: str = ""
    supplier_id: str = ""  # then the name is the record's


class ReceiveOrder(Record):
    """Book in what has come of an order; ``key`` makes a delivery count once."""

    order_id: str
    key: str
    quantities: tuple[tuple[str, int], ...]  # sku and thousandths


class CloseOrder(Record):
    """Expect nothing more of an order."""

    order_id: str
    reason: str = ""


class SendTransfer(Record):
    """Send goods to another store; the same ``key`` again is the same transfer."""

    key: str
    to_store: str
    quantities: tuple[tuple[str, int], ...]  # sku and thousandths
    note: str = ""


class ReceiveTransfer(Record):
    """Book in what has come of a transfer; ``key`` makes a delivery count once."""

    transfer_id: str
    key: str
    quantities: tuple[tuple[str, int], ...]  # sku and thousandths


class CloseTransfer(Record):
    """Expect nothing more of a transfer: what is missing is lost."""

    transfer_id: str
    reason: str


class TakeTransferBack(Record):
    """Book goods in again that head office found no store for."""

    transfer_id: str


class ResolveOversell(Record):
    """Answer an open oversell: back_order, void (of ``sale_id``, or of the sale suggested first) or adjust."""

    conflict_id: str
    sku: str
    action: str
    sale_id: str = ""
    reason: str = ""


class SettleOversells(Record):
    """Look after back-orders and doubled adjustments of this terminal, now that others were heard."""

    skus: tuple[str, ...]


class SettleMoneyConflict(Record):
    """Say how it ended that a cart was paid twice, or that too much of a sale was given back."""

    conflict_id: str
    reason: str


class FlagAct(Record):
    """Keep what the fraud score said about an act, for managers. The till itself asks for it, never people."""

    event: str
    kind: str
    person: str
    score_ppm: int
    level: str
    reasons: tuple[FlagReason, ...]
    model: str


class ReviewFlag(Record):
    """Say what a flagged act was: fine, or something to follow up."""

    flag: str
    verdict: str
    reason: str = ""


class TeachProduct(Record):
    """Keep what the network saw of a product's photos, to recognise it by."""

    sku: str
    space: str
    examples: tuple[bytes, ...]
    replaces: bool = False


class ChangeRecords(Record):
    """Change products, customers, people, settings, promotions or prices, field by field. ``entity`` names which."""

    entity: str  # product | customer | person | setting | promotion | price_list | price | gift_card
    changes: tuple[Change, ...]
    source: str = ""
    authority: int = 0  # of settings: where the store's agreement put this change; a later decision wins by it


class EraseCustomer(Record):
    """Erase a customer's personal data for ever; what was sold stays."""

    customer_id: str
    reason: str = ""


class AdjustPurse(Record):
    """Correct a purse by hand."""

    purse: str  # points | gift_card | account
    account: str
    amount: int
    reason: str


class AskCard(Record):
    """Ask the card terminal for an amount; the same ``payment_id`` again is the same payment."""

    payment_id: str
    cart_id: str
    amount_minor: int


class CardSent(Record):
    """Note that a payment is about to go to the terminal. The card desk asks for it, never people."""

    payment_id: str


class CardHeard(Record):
    """Note what the terminal said, or that it said nothing."""

    payment_id: str
    answer: CardAnswer


class CardStarted(Record):
    """Note that the program has started anew while a payment was open."""

    payment_id: str


class CardSettled(Record):
    """Say how a payment ended that the terminal says nothing about."""

    payment_id: str
    paid: bool
    approval_code: str = ""


class ReverseCard(Record):
    """Give back by the terminal what it approved and no sale has taken."""

    payment_id: str


class HandRights(Record):
    """Hand rights of a hard-limited product to another till. The tills ask each other for it, never people."""

    sku: str
    to: str  # an actor
    quantity_milli: int
    by: str = ""  # who waits for them over there; empty when that till asked by itself


class IssueRights(Record):
    """Give out the rights of a hard-limited product that nobody holds.

    In a store of several tills the store agrees first: on this ``grant``, of so many, behind this event of the till.
    """

    sku: str
    reason: str = ""
    by: str = ""  # who wanted it; empty: whoever does this
    grant: str = ""
    granted_milli: int = 0
    granted_after: int = 0


class ReleaseRights(Record):
    """Take over the rights of a till that is gone; ``accept_risk``: that some may have been sold unheard of."""

    sku: str
    holder: str  # an actor
    reason: str
    accept_risk: bool = False


class FoldActors(Record):
    """Let the columns of actors that are gone for good be one from now on; the store has agreed on it."""

    finals: tuple[tuple[str, int], ...]  # actor and the number of its last event
    epoch: int


class ClosePeriods(Record):
    """Close the days, months and years that have passed and have receipts."""


class NoteSigned(Record):
    """Keep what the signature device gave for a receipt. The till itself asks for it, never people."""

    receipt: str
    device: str
    counter: int
    signature: str
    algorithm: str
    public_key: str
    data: str
    signed_at_ms: int
    late: bool = False


class NoteSigningStopped(Record):
    """Note that the signature device does not answer, from this receipt on."""

    device: str
    reason: str
    first: str


class NoteSigningResumed(Record):
    """Note that it answers again, and what was made meanwhile."""

    unsigned: int
    signed_late: bool


class Note(Record):
    """Put something into the audit log."""

    action: str
    subject: str = ""
    detail: str = ""


Command = (
    CloseSale | PayCart | EditCart | SplitCart | ParkCart | ResumeCart | DiscardParked
    | VoidSale | RefundSale | RefundWithoutReceipt
    | OpenShift | CloseShift | MoveCash | OpenDrawer | Reprint
    | PlaceOrder | ReceiveOrder | CloseOrder
    | SendTransfer | ReceiveTransfer | CloseTransfer | TakeTransferBack
    | ReceiveStock | AdjustStock | CountStock | ResolveOversell | SettleOversells | SettleMoneyConflict
    | FlagAct | ReviewFlag
    | ClosePeriods | NoteSigned | NoteSigningStopped | NoteSigningResumed
    | AskCard | CardSent | CardHeard | CardStarted | CardSettled | ReverseCard
    | HandRights | IssueRights | ReleaseRights | FoldActors
    | TeachProduct | ChangeRecords | EraseCustomer | AdjustPurse | Note
)  # fmt: skip
