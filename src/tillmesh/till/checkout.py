"""From lines and payments to a closed sale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import structs

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import COUPONS_PER_CART_MAX, SALE_LINES_MAX
from tillmesh.kernel.money import PPM, check_amount
from tillmesh.shop.cart import Cart, CartLine, Discount, PricedCart
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import Approval, Payment, SaleClosed
from tillmesh.shop.offers.prices import Priced
from tillmesh.shop.people import Action
from tillmesh.shop.pricing import by_promotions, price, to_sale_lines
from tillmesh.shop.tender import CASH, amount_text, settle
from tillmesh.till import card_payments, fiscal
from tillmesh.till.commands import CloseSale, PayCart, WantedLine
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.effects import DropCart, Print
from tillmesh.till.offers import coupon_code, offers_for, price_of, priced
from tillmesh.till.part_payments import refuse_forgotten, refuse_unpaid, unbook
from tillmesh.till.ports import Books
from tillmesh.till.purses import issue_cards, known_payments, moves_of
from tillmesh.till.scanning import find_scanned, times
from tillmesh.till.weighing import typed


class TotalChanged(Conflict):
    """Offers came in, or a coupon was used up elsewhere, since the total was shown: nobody pays what nobody saw."""

    kind = "total-changed"

    def __init__(self, shown_minor: int, total_minor: int, currency: str) -> None:
        was, now = amount_text(shown_minor, currency), amount_text(total_minor, currency)
        super().__init__(f"offers have changed: {was} was shown, {now} is to pay", hint="Tell the customer first.")


def close_sale(desk: Desk, command: CloseSale) -> EventId:
    """Sell lines for payments; the same cart id again gives the sale that is there."""
    cart_id = checked_key(command.cart_id, "cart_id")
    if (before := desk.books.requested(cart_id)) is not None:
        return before.id
    if (open_cart := desk.books.cart(cart_id)) is not None:
        refuse_unpaid(desk, open_cart[0])
    cart = wanted_cart(desk.books, command, desk.now_ms)
    _heed(desk, command)
    return _close(desk, cart, command.payments)


def wanted_cart(books: Books, command: CloseSale, now_ms: int) -> Cart:
    """Give the cart that a sale in one call would have been."""
    if not 1 <= len(command.lines) <= SALE_LINES_MAX:
        raise Invalid(f"a sale of {len(command.lines)} lines; allowed are 1 to {SALE_LINES_MAX}", hint="Add a product.")
    customer_id = command.customer_id
    return Cart(
        cart_id=command.cart_id.strip(),
        lines=tuple(_wanted(books, one, str(place), customer_id, now_ms) for place, one in enumerate(command.lines, 1)),
        customer_id=customer_id,
        note=checked_text(command.note, "note"),
        coupons=tuple(dict.fromkeys(coupon_code(code) for code in command.coupons[:COUPONS_PER_CART_MAX])),
    )


def _heed(desk: Desk, command: CloseSale | PayCart) -> None:
    """Be as careful with purses as a till that hears nobody, if the till that keeps one did not answer."""
    if command.apart:
        desk.company = structs.replace(desk.company, heard=())


def pay_cart(desk: Desk, command: PayCart) -> EventId:
    """Turn a working cart into a sale; paying it again gives the sale that is there.

    A cart that lies open here and was paid on another till is refused: that sale says nothing about this money.
    """
    found = desk.books.cart(command.cart_id)
    if (before := desk.books.requested(command.cart_id)) is not None:
        if found is not None and found[0].lines:
            raise Conflict(paid_already(before), hint="Give the money back and clear the cart.")
        return before.id
    if found is None:
        raise NotFound(f"no cart {command.cart_id[:40]!r} on this till", hint="Add a product first.")
    cart, _ = found
    if not cart.lines:
        raise Conflict("the cart is empty", hint="Add a product first.")
    refuse_forgotten(desk, cart, command.payments)
    unbook(desk, cart.parts)
    _heed(desk, command)
    return _close(desk, cart, command.payments, shown_minor=command.total_minor)


def paid_already(sale: Envelope) -> str:
    """Say that a cart was paid, and with which receipt."""
    return f"this cart was paid already, with receipt {decode(sale.body, SaleClosed).receipt_number}"


def _close(desk: Desk, cart: Cart, payments: Sequence[Payment], *, shown_minor: int | None = None) -> EventId:
    shift, store = desk.shift(), desk.store()
    fiscal.roll(desk)
    policy = store.policy()
    desk.check_customer(cart.customer_id)
    approvals = check_concessions(desk, cart)
    charged = price(cart, policy, offers_for(desk.books, cart))
    if shown_minor is not None and shown_minor != charged.total_minor:
        raise TotalChanged(shown_minor, charged.total_minor, policy.currency)
    check_methods(payments, store.pay_methods)
    known = card_payments.known(desk, cart.cart_id, known_payments(desk, payments))
    settled = settle(charged.total_minor, known, policy)
    lines = to_sale_lines(charged)
    moves = moves_of(desk, cart, charged.total_minor, lines, settled.payments)
    sale = SaleClosed(
        cart_id=cart.cart_id,
        receipt_number=desk.next_receipt(),
        shift_id=shift.shift_id,
        cashier=desk.who.user_id,
        currency=policy.currency,
        prices_include_tax=policy.prices_include_tax,
        lines=lines,
        taxes=charged.taxes,
        payments=settled.payments,
        discount_minor=charged.discount_minor,
        tax_minor=charged.tax_minor,
        total_minor=charged.total_minor,
        rounding_minor=settled.rounding_minor,
        change_minor=settled.change_minor,
        customer_id=cart.customer_id,
        note=cart.note,
        approvals=approvals,
        closed_at_ms=desk.now_ms,
        cart_discount_rate_ppm=0 if cart.discount is None else cart.discount.rate_ppm,
        cart_discount_reason="" if cart.discount is None else cart.discount.reason,
        promotions=charged.promotions,
        purses=moves,
    )
    sale_id = desk.record(sale)
    card_payments.take(desk, settled.payments, sale_id)
    issue_cards(desk, cart)
    desk.effect(DropCart(cart_id=cart.cart_id))
    _hand_over(desk, sale, sale_id)
    return sale_id


def _hand_over(desk: Desk, sale: SaleClosed, sale_id: EventId) -> None:
    """Queue what follows a sale: the drawer at once when cash moved, then the receipt."""
    terminal = desk.books.terminal()
    if terminal.printer_kind == "none":
        return
    if terminal.open_drawer and any(payment.method == CASH for payment in sale.payments):
        desk.effect(Print(kind="drawer", ref=sale_id))
    if terminal.print_receipts:
        desk.effect(Print(kind="sale", ref=sale_id))


def check_methods(payments: Sequence[Payment], allowed: Collection[str]) -> None:
    """Raise :class:`Invalid` if a payment is made in a way that is not allowed."""
    for payment in payments:
        if payment.method not in allowed:
            raise Invalid(
                f"{payment.method[:40]!r} is not a way to pay in this store", hint=f"Use {' or '.join(allowed)}."
            )


def check_concessions(desk: Desk, cart: Cart) -> tuple[Approval, ...]:
    """Make sure that every price override and every discount over the cashier's limit is somebody's right to give."""
    given: dict[tuple[str, str], Approval] = {}

    def note(action: Action, approved_by: str) -> None:
        approver = approved_by or desk.require(action)
        if approver:
            given[action, approver] = Approval(action=action, approved_by=approver)

    for line in cart.lines:
        if line.unit_price_minor is not None and line.unit_price_minor != line.list_price_minor:
            note(Action.PRICE_OVERRIDE, line.price_approved_by)
    for _, discount in discounts_over_limit(desk, cart):
        note(Action.DISCOUNT, discount.approved_by)
    return tuple(given.values())


WHOLE_CART: Final = ""  # the place of the discount on everything; the others are line ids


def discounts_over_limit(desk: Desk, cart: Cart) -> list[tuple[str, Discount]]:
    """List the discounts that are more than a cashier may give alone, with their places."""
    if cart.discount is None and not any(line.discount for line in cart.lines):
        return []
    limit = desk.store().discount_limit_ppm
    return [
        (place, discount)
        for place, discount, off, base in _discounts(cart, priced(desk.books, cart))
        if off * PPM > limit * base
    ]


def _discounts(cart: Cart, priced: PricedCart) -> list[tuple[str, Discount, int, int]]:
    """List each discount that a person gave with its place, what it takes off and what it is taken off from."""
    found = [
        (row.line.line_id, row.line.discount, row.discount_minor, row.gross_minor)
        for row in priced.lines
        if row.line.discount is not None
    ]
    if cart.discount is not None:
        promoted = sum(by_promotions(row.promotions, on_cart=True) for row in priced.lines)
        off = sum(row.cart_discount_minor for row in priced.lines) - promoted
        base = priced.gross_minor - sum(row.discount_minor for row in priced.lines) - promoted
        found.append((WHOLE_CART, cart.discount, off, base))
        # Two discounts within the limit must not come to more than the limit together.
        alone = sum(off_line for _, discount, off_line, _ in found[:-1] if not discount.approved_by)
        found.append((WHOLE_CART, cart.discount, off + alone, base + alone))
    return found


def _wanted(books: Books, wanted: WantedLine, line_id: str, customer_id: str, now_ms: int) -> CartLine:
    product, quantity, fixed = find_scanned(books, sku=wanted.sku, barcode=wanted.barcode)
    discount = None
    if wanted.discount_minor:
        check_amount(wanted.discount_minor, "the discount")
        discount = Discount(amount_minor=wanted.discount_minor)
    if wanted.unit_price_minor is not None:
        check_amount(wanted.unit_price_minor, "the unit price")
    costs = price_of(books, product, customer_id, now_ms)
    line = cart_line(
        product,
        costs,
        line_id=line_id,
        quantity_milli=times(wanted.quantity_milli, quantity, fixed),
        added_ms=now_ms,
        fixed_price_minor=fixed,
        barcode=wanted.barcode,
    )
    return structs.replace(
        line,
        unit_price_minor=None if wanted.unit_price_minor == costs.price_minor else wanted.unit_price_minor,
        discount=discount,
        note=checked_text(wanted.note, "note"),
        weighed=typed(books, product.unit, labelled=quantity is not None or fixed is not None),
    )


def cart_line(
    product: Product,
    costs: Priced,
    *,
    line_id: str,
    quantity_milli: int,
    added_ms: int,
    fixed_price_minor: int | None = None,
    barcode: str = "",
) -> CartLine:
    """Make a cart line of a product, refusing parts of what is sold in pieces."""
    if product.unit == "piece" and quantity_milli % 1000:
        raise Invalid(
            f"{product.name[:40]!r} is sold in whole pieces, not {quantity_milli / 1000:g}", hint="Use a whole number."
        )
    return CartLine(
        line_id=line_id,
        sku=product.sku,
        name=product.name,
        unit=product.unit,
        quantity_milli=quantity_milli,
        list_price_minor=costs.price_minor,
        tax_code=product.tax_code,
        fixed_price_minor=fixed_price_minor,
        barcode=barcode,
        department=product.department,
        added_ms=added_ms,
        price_list=costs.price_list,
        regular_price_minor=costs.regular_minor,
    )
