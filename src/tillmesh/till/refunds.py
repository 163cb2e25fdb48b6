"""Money and goods going back: voids, refunds of a known sale, returns without a receipt."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import SALE_LINES_MAX
from tillmesh.kernel.money import check_amount
from tillmesh.shop import purses
from tillmesh.shop.cart import CartLine
from tillmesh.shop.events import Payment, SaleClosed, SaleRefunded, SaleVoided
from tillmesh.shop.giveback import GiveBack, tenders, tenders_without_receipt, undo
from tillmesh.shop.people import Action
from tillmesh.shop.refund import Answer, RefundQuote, Wanted, quote, quote_without_receipt
from tillmesh.shop.tender import CASH
from tillmesh.till import card_payments, fiscal
from tillmesh.till.checkout import cart_line, check_methods
from tillmesh.till.commands import RefundSale, RefundWithoutReceipt, VoidSale, WantedRefund
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.effects import Print
from tillmesh.till.offers import price_of
from tillmesh.till.ports import Books
from tillmesh.till.purses import refuse_loads, refuse_spent_loads


def load_sale(books: Books, sale_id: str) -> SaleClosed:
    """Find a sale by its id, or raise :class:`NotFound`."""
    event = books.event(sale_id)
    if event is None or event.type != "sale_closed":
        raise NotFound(f"no sale {sale_id[:60]!r} on this till", hint="Look it up in the list of sales.")
    return decode(event.body, SaleClosed)


def load_answers(books: Books, sale_id: str) -> tuple[Answer, ...]:
    """Give the refunds and the void of a sale, oldest first."""
    return tuple(
        decode(event.body, SaleVoided) if event.type == "sale_voided" else decode(event.body, SaleRefunded)
        for event in books.answers(sale_id)
    )


def quote_refund(books: Books, sale_id: str, lines: Sequence[WantedRefund]) -> RefundQuote:
    """Say what a refund would come to; nothing is recorded."""
    return quote(load_sale(books, sale_id), load_answers(books, sale_id), [_wanted(line) for line in lines])


def quote_tenders(books: Books, sale_id: str, total_minor: int) -> tuple[Payment, ...]:
    """Say to which tenders a refund would go if nobody chooses others."""
    sale, answers = load_sale(books, sale_id), load_answers(books, sale_id)
    return tenders(sale, answers, total_minor, books.store().policy()).payments


def decide(desk: Desk, command: VoidSale | RefundSale | RefundWithoutReceipt) -> EventId:
    """Send a command that gives money back to its use case."""
    match command:
        case VoidSale():
            return void_sale(desk, command)
        case RefundSale():
            return refund_sale(desk, command)
        case RefundWithoutReceipt():
            return refund_without_receipt(desk, command)


def void_sale(desk: Desk, command: VoidSale) -> EventId:
    """Take a closed sale back whole, each tender as it came; a supervisor's right."""
    sale = load_sale(desk.books, command.sale_id)
    for event in desk.books.answers(command.sale_id):
        if event.type == "sale_voided":
            return event.id  # Asked for again: the same void.
    approved_by = desk.require(Action.VOID)
    undone = undo(sale, load_answers(desk.books, command.sale_id))
    refuse_spent_loads(desk.books, sale)
    fiscal.roll(desk)
    void_id = desk.record(
        SaleVoided(
            sale_id=command.sale_id,
            receipt_number=desk.next_receipt(),
            shift_id=desk.shift().shift_id,
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason", least=1),
            payments=undone.payments,
            total_minor=undone.total_minor,
            tax_minor=undone.tax_minor,
            approved_by=approved_by,
            voided_at_ms=desk.now_ms,
            rounding_minor=undone.rounding_minor,
            taxes=undone.taxes,
            moves=undone.moves,
            purses=purses.undone(sale),
        )
    )
    _hand_back(desk, "void", void_id, undone.payments)
    return void_id


def refund_sale(desk: Desk, command: RefundSale) -> EventId:
    """Give money back for part of a sale, never more than was sold; the same key again gives the same refund."""
    key = _key(desk, command.refund_key)
    if (before := desk.books.requested("refund:" + key)) is not None:
        return _same(before, command.sale_id)
    sale = load_sale(desk.books, command.sale_id)
    answers = load_answers(desk.books, command.sale_id)
    worth = quote(sale, answers, [_wanted(line) for line in command.lines])
    approved_by = _may_refund(desk, worth.total_minor)
    check_methods(command.payments, {*desk.store().pay_methods, *(paid.method for paid in sale.payments)})
    refuse_loads(sale, [line.line for line in worth.lines])
    back = tenders(sale, answers, worth.total_minor, desk.policy(), command.payments)
    back = structs.replace(back, purses=purses.given_back(sale, answers, worth.total_minor, back.payments))
    return _refunded(desk, command.sale_id, key, command.reason, worth, back, approved_by, sale.customer_id)


def refund_without_receipt(desk: Desk, command: RefundWithoutReceipt) -> EventId:
    """Take goods back that no known sale explains; a manager's right."""
    key = _key(desk, command.refund_key)
    if (before := desk.books.requested("refund:" + key)) is not None:
        return _same(before, "")
    approved_by = desk.require(Action.REFUND_WITHOUT_RECEIPT)
    if not 1 <= len(command.lines) <= SALE_LINES_MAX:
        raise Invalid(f"a return of {len(command.lines)} lines; 1 to {SALE_LINES_MAX} are allowed", hint="Scan it.")
    check_methods(command.payments, desk.store().pay_methods)
    desk.check_customer(command.customer_id)
    policy = desk.policy()
    worth = quote_without_receipt([(_goods(desk, line), line.restock) for line in command.lines], policy)
    back = tenders_without_receipt(worth.total_minor, policy, command.payments)
    return _refunded(desk, "", key, command.reason, worth, back, approved_by, command.customer_id)


def _same(before: Envelope, sale_id: str) -> EventId:
    """Give the refund that was asked for again; a key that another sale has used says nothing about this one."""
    if decode(before.body, SaleRefunded).sale_id != sale_id:
        raise Conflict("this refund_key belongs to another refund", hint="Make up a new key for each refund.")
    return before.id


def _may_refund(desk: Desk, total_minor: int) -> str:
    """Let a refund up to the store's limit pass without approval."""
    if total_minor <= desk.store().refund_limit_minor:
        return ""
    return desk.require(Action.REFUND)


def _refunded(
    desk: Desk,
    sale_id: str,
    key: str,
    reason: str,
    worth: RefundQuote,
    back: GiveBack,
    approved_by: str,
    customer_id: str,
) -> EventId:
    fiscal.roll(desk)
    refund_id = desk.record(
        SaleRefunded(
            sale_id=sale_id,
            refund_key=key,
            receipt_number=desk.next_receipt(),
            shift_id=desk.shift().shift_id,
            by=desk.who.user_id,
            reason=checked_text(reason, "reason", least=1),
            currency=desk.store().currency,
            lines=worth.lines,
            taxes=worth.taxes,
            payments=back.payments,
            tax_minor=worth.tax_minor,
            total_minor=worth.total_minor,
            rounding_minor=back.rounding_minor,
            approved_by=approved_by,
            customer_id=customer_id,
            refunded_at_ms=desk.now_ms,
            purses=back.purses,
        )
    )
    _hand_back(desk, "refund", refund_id, back.payments)
    return refund_id


def _hand_back(desk: Desk, kind: str, event: EventId, payments: Sequence[Payment]) -> None:
    """Queue the drawer (at once, when cash goes out) and the slip."""
    card_payments.give_back(desk, payments, event)
    terminal = desk.books.terminal()
    if terminal.printer_kind == "none":
        return
    if terminal.open_drawer and any(payment.method == CASH for payment in payments):
        desk.effect(Print(kind="drawer", ref=event))
    desk.effect(Print(kind=kind, ref=event))


def _key(desk: Desk, given: str) -> str:
    """Give the caller's idempotency key, or one that nobody else can have."""
    if given:
        return checked_key(given, "refund_key")
    return f"{desk.identity.actor}-{desk.seq + 1}"


def _wanted(line: WantedRefund) -> Wanted:
    return Wanted(quantity_milli=line.quantity_milli, line=line.line, sku=line.sku, restock=line.restock)


def _goods(desk: Desk, line: WantedRefund) -> CartLine:
    product = desk.books.product(line.sku) or desk.books.product_by_barcode(line.sku)
    if product is None:
        raise NotFound(f"no product {line.sku[:40]!r}", hint="Search by name.")
    if line.unit_price_minor is not None:
        check_amount(line.unit_price_minor, "the unit price")
    if line.quantity_milli <= 0:
        raise Conflict("a return needs a quantity above zero", hint="Pick how much came back.")
    costs = price_of(desk.books, product, "", desk.now_ms)
    goods = cart_line(product, costs, line_id=line.sku, quantity_milli=line.quantity_milli, added_ms=desk.now_ms)
    return structs.replace(goods, unit_price_minor=line.unit_price_minor)
