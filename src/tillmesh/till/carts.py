"""Working carts: local to the till, edited by resend-safe operations, parked for any till of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from tillmesh.kernel.codec import decode, encode
from tillmesh.kernel.errors import Conflict, Invalid, NotFound, TillmeshError
from tillmesh.kernel.limits import SALE_LINES_MAX
from tillmesh.kernel.money import check_amount, parse_decimal
from tillmesh.kernel.quantity import parse_quantity
from tillmesh.shop.cart import Cart, CartLine, Discount, PricedCart, one_of
from tillmesh.shop.events import Approval, CartParked, CartResumed
from tillmesh.shop.people import LEAST, Action, covers
from tillmesh.till.ages import age_proven, refuse
from tillmesh.till.checkout import WHOLE_CART, cart_line, discounts_over_limit, paid_already
from tillmesh.till.commands import CartOperation, DiscardParked, EditCart, ParkCart, ResumeCart, Who
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.effects import DropCart, SaveCart
from tillmesh.till.offers import price_of, priced, repriced, scanned_coupon, with_coupon, without_coupon
from tillmesh.till.part_payments import book, give_part_back, given_back, refuse_unpaid, take_part
from tillmesh.till.ports import Parked
from tillmesh.till.purses import with_gift_card, with_payoff
from tillmesh.till.scanning import find_scanned, times
from tillmesh.till.weighing import quantity_of, typed_over


class Edited(msgspec.Struct, frozen=True):
    """A cart after its operations, and what it came to then if it was worked out."""

    cart: Cart
    revision: int
    rejected: tuple[tuple[str, TillmeshError], ...] = ()
    sums: PricedCart | None = None


def decide(desk: Desk, command: EditCart | ParkCart | ResumeCart | DiscardParked) -> Edited | str | None:
    """Send a command about a working or parked cart to its use case."""
    match command:
        case EditCart():
            return edit_cart(desk, command)
        case ParkCart():
            return park_cart(desk, command)
        case ResumeCart():
            return resume_cart(desk, command)
        case DiscardParked():
            discard_parked(desk, command)
            return None


def edit_cart(desk: Desk, command: EditCart) -> Edited:
    """Apply operations in order, each once; one that fails is reported and the others go on."""
    cart_id = checked_key(command.cart_id, "cart_id")
    if desk.books.requested(cart_id) is not None:
        raise Conflict(f"cart {cart_id[:40]!r} was paid already", hint="Start a new sale.")
    cart, revision = desk.books.cart(cart_id) or (Cart(cart_id=cart_id), 0)
    seen = desk.books.operations_seen(cart_id, [operation.op_id for operation in command.operations])
    rejected: list[tuple[str, TillmeshError]] = []
    applied: list[str] = []
    sums: PricedCart | None = None
    who = desk.who
    for operation in command.operations:
        if operation.op_id in seen:
            continue
        desk.who = _approved_for(who, operation)
        try:
            cart, sums = _apply(desk, cart, operation)
        except TillmeshError as error:
            rejected.append((operation.op_id, error))
            continue
        seen.add(operation.op_id)
        applied.append(operation.op_id)
    desk.who = who
    if applied or revision == 0:
        revision += 1
        desk.effect(SaveCart(cart=cart, revision=revision, op_ids=tuple(applied)))
    return Edited(cart, revision, tuple(rejected), sums)


def _approved_for(who: Who, operation: CartOperation) -> Who:
    """Let an approval that came with one operation count for no other."""
    if not operation.approved_by:
        return who
    approval = Approval(action=operation.approved_action, approved_by=operation.approved_by)
    return Who(user_id=who.user_id, role=who.role, approvals=(approval,))


def _apply(desk: Desk, cart: Cart, operation: CartOperation) -> tuple[Cart, PricedCart]:
    """Give the cart after one operation and what it comes to: every amount is proven to be computable."""
    checked_key(operation.op_id, "op_id")
    handler = _OPERATIONS.get(operation.op)
    if handler is None:
        raise Invalid(f"{operation.op[:40]!r} is not a cart operation", hint=f"Use one of {', '.join(_OPERATIONS)}.")
    changed = handler(desk, cart, operation)
    return changed, priced(desk.books, changed)


def _add(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    line_id = checked_key(operation.line_id, "line_id")
    if any(line.line_id == line_id for line in cart.lines):
        raise Conflict(f"line {line_id[:40]!r} is in the cart already", hint="Use set_quantity.")
    if len(cart.lines) >= SALE_LINES_MAX:
        raise Conflict(f"a cart holds at most {SALE_LINES_MAX} lines", hint="Close this sale and open another.")
    if (coupon := scanned_coupon(desk.books, operation.barcode)) is not None:
        return with_coupon(desk.books, cart, coupon, desk.now_ms)
    product, carried, fixed = find_scanned(desk.books, sku=operation.sku, barcode=operation.barcode)
    age = age_proven(desk, cart, product, operation.age_checked)
    found = quantity_of(desk, product, operation, labelled=carried is not None or fixed is not None)
    if fixed is None and operation.line_total_minor is not None:
        raise Invalid("only an in-store barcode carries a line total", hint="Send the barcode as it was scanned.")
    quantity = times(found.quantity_milli, carried, fixed)
    line = cart_line(
        product,
        price_of(desk.books, product, cart.customer_id, desk.now_ms),
        line_id=line_id,
        quantity_milli=quantity,
        fixed_price_minor=fixed,
        barcode=operation.barcode,
        added_ms=desk.now_ms,
    )
    line = msgspec.structs.replace(line, weighed=found.weighed, tare_milli=found.tare_milli)
    return msgspec.structs.replace(cart, lines=(*cart.lines, line), age_checked=age)


def _set_quantity(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    quantity = parse_quantity(operation.quantity)

    def change(line: CartLine) -> CartLine:
        if line.unit == "piece" and quantity % 1000:
            raise Invalid(f"{line.name[:40]!r} is sold in whole pieces", hint="Use a whole number.")
        if line.fixed_price_minor is not None:
            raise Conflict("the amount of this line comes from its label", hint="Remove it and scan another label.")
        if quantity > line.quantity_milli:
            return typed_over(desk.books, _more(desk, line, quantity))
        if quantity == line.quantity_milli:
            return line
        return typed_over(desk.books, msgspec.structs.replace(line, quantity_milli=quantity))

    return _with_line(cart, operation.line_id, change)


def _more(desk: Desk, line: CartLine, quantity: int) -> CartLine:
    """Raise a quantity; a price or percentage that was approved for fewer needs its approval again."""
    by, discount = line.price_approved_by, line.discount
    if by:
        by = desk.require(Action.PRICE_OVERRIDE) or desk.who.user_id
    if discount is not None and discount.rate_ppm and discount.approved_by:
        again = desk.require(Action.DISCOUNT) or desk.who.user_id
        discount = msgspec.structs.replace(discount, approved_by=again)
    return msgspec.structs.replace(line, quantity_milli=quantity, price_approved_by=by, discount=discount)


def _remove(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:  # noqa: ARG001
    _find(cart, operation.line_id)
    return msgspec.structs.replace(cart, lines=tuple(x for x in cart.lines if x.line_id != operation.line_id))


def _set_price(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    unit_price = operation.unit_price_minor
    if unit_price is not None:
        check_amount(unit_price, "the unit price")

    def change(line: CartLine) -> CartLine:
        if line.loads:
            raise Conflict("what only moves money has no discount", hint="Change the amount instead.")
        if unit_price is None or unit_price == line.list_price_minor:
            return msgspec.structs.replace(line, unit_price_minor=None, price_approved_by="")
        approver = desk.require(Action.PRICE_OVERRIDE) or desk.who.user_id
        return msgspec.structs.replace(line, unit_price_minor=unit_price, price_approved_by=approver)

    return _with_line(cart, operation.line_id, change)


def _discount_line(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    discount = _discount(operation)
    if _find(cart, operation.line_id).loads:
        raise Conflict("what only moves money has no discount", hint="Change the amount instead.")

    def given(discount: Discount | None) -> Cart:
        return _with_line(cart, operation.line_id, lambda line: msgspec.structs.replace(line, discount=discount))

    return _approved(desk, given(discount), operation.line_id, discount, given)


def _discount_cart(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    discount = _discount(operation)

    def given(discount: Discount | None) -> Cart:
        return msgspec.structs.replace(cart, discount=discount)

    return _approved(desk, given(discount), WHOLE_CART, discount, given)


def _approved(
    desk: Desk, cart: Cart, place: str, discount: Discount | None, given: Callable[[Discount | None], Cart]
) -> Cart:
    """Remember on a discount who approved it, so that paying later asks nobody again."""
    if discount is None:
        return cart
    if covers(desk.who.role, LEAST[Action.DISCOUNT]):
        by = desk.who.user_id
    elif {place, WHOLE_CART} & {where for where, one in discounts_over_limit(desk, cart) if not one.approved_by}:
        by = desk.require(Action.DISCOUNT)
    else:
        return cart
    return given(msgspec.structs.replace(discount, approved_by=by))


def _discount(operation: CartOperation) -> Discount | None:
    """Read a discount from an operation; percent or amount of zero means none."""
    reason = checked_text(operation.reason, "reason")
    if operation.percent:
        rate = parse_decimal(operation.percent, 4, "percent")
        if not 0 <= rate <= 1_000_000:
            raise Invalid(f"{operation.percent[:20]} percent is outside 0 to 100", hint="Check the percentage.")
        return Discount(rate_ppm=rate, reason=reason) if rate else None
    amount = check_amount(operation.amount_minor, "the discount")
    return Discount(amount_minor=amount, reason=reason) if amount else None


def _note(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:  # noqa: ARG001
    text = checked_text(operation.text, "note")
    if not operation.line_id:
        return msgspec.structs.replace(cart, note=text)
    return _with_line(cart, operation.line_id, lambda line: msgspec.structs.replace(line, note=text))


def _customer(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    desk.check_customer(operation.customer_id)
    return repriced(desk.books, msgspec.structs.replace(cart, customer_id=operation.customer_id))


def _coupon(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    return with_coupon(desk.books, cart, operation.text, desk.now_ms)


def _remove_coupon(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:  # noqa: ARG001
    return without_coupon(cart, operation.text)


def _age_refused(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    refuse(desk, find_scanned(desk.books, sku=operation.sku, barcode=operation.barcode)[0])
    return cart


def _clear(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:  # noqa: ARG001
    refuse_unpaid(desk, cart)
    if cart.lines:
        desk.audit("cart_cleared", cart.cart_id, f"lines: {len(cart.lines)}")
    return Cart(cart_id=cart.cart_id)


_OPERATIONS: Final[dict[str, Callable[[Desk, Cart, CartOperation], Cart]]] = {
    "add": _add,
    "set_quantity": _set_quantity,
    "remove": _remove,
    "set_price": _set_price,
    "discount_line": _discount_line,
    "discount_cart": _discount_cart,
    "note": _note,
    "customer": _customer,
    "coupon": _coupon,
    "remove_coupon": _remove_coupon,
    "gift_card": with_gift_card,
    "pay_off": with_payoff,
    "age_refused": _age_refused,
    "take_part": take_part,
    "give_part_back": give_part_back,
    "clear": _clear,
}


def _find(cart: Cart, line_id: str) -> CartLine:
    for line in cart.lines:
        if line.line_id == line_id:
            return line
    raise NotFound(f"no line {line_id[:40]!r} in this cart", hint="Reload the cart.")


def _with_line(cart: Cart, line_id: str, change: Callable[[CartLine], CartLine]) -> Cart:
    _find(cart, line_id)
    return msgspec.structs.replace(cart, lines=tuple(change(x) if x.line_id == line_id else x for x in cart.lines))


def park_cart(desk: Desk, command: ParkCart) -> str:
    """Put a working cart aside and give its park id."""
    found = desk.books.cart(command.cart_id)
    if found is None or not found[0].lines:
        raise Conflict("there is nothing to park", hint="Add a product first.")
    cart = book(desk, found[0])
    label = checked_text(command.label, "label", most=60)
    park_id = desk.record(
        CartParked(cart_id=cart.cart_id, label=label, cart=encode(cart), by=desk.who.user_id, parked_at_ms=desk.now_ms)
    )
    desk.effect(DropCart(cart_id=cart.cart_id))
    return park_id


def resume_cart(desk: Desk, command: ResumeCart) -> Edited:
    """Take a parked cart up on this till as a working cart.

    Two tills that could not hear each other may have taken it up, changed it and parked it again: all of that comes
    back as one cart, with each line once.
    """
    cart_id = _parked_body(desk, command.park_id).cart_id
    if (paid := desk.books.requested(cart_id)) is not None:
        raise Conflict(paid_already(paid), hint="Throw it away, or ring up what is missing as a new sale.")
    versions = desk.books.parked_versions(cart_id)
    cart = one_of([decode(_body_of(version).cart, Cart) for version in versions])
    if len(cart.lines) > SALE_LINES_MAX:
        raise Conflict(f"a cart holds at most {SALE_LINES_MAX} lines", hint="Throw one of the parked carts away.")
    working, revision = desk.books.cart(cart_id) or (cart, 0)
    if revision and working.lines:
        raise Conflict("this cart is open on this till", hint="Finish or clear it first.")
    desk.record(CartResumed(dots=tuple(version.dot for version in versions), by=desk.who.user_id))
    desk.effect(SaveCart(cart=cart, revision=revision + 1))
    return Edited(cart, revision + 1)


def discard_parked(desk: Desk, command: DiscardParked) -> None:
    """Throw a parked cart away; a supervisor's right, noted in the audit log with who approved it."""
    approved_by = desk.require(Action.DISCARD_PARKED)
    parked = _parked_body(desk, command.park_id)
    cart = decode(parked.cart, Cart)
    if command.given_back:
        given_back(desk, cart, cart.parts)
    elif desk.books.requested(cart.cart_id) is None:
        refuse_unpaid(desk, cart)
    desk.record(CartResumed(dots=(command.park_id,), by=desk.who.user_id, discarded=True))
    desk.audit("parked_discarded", command.park_id, parked.label, approved_by)


def _parked_body(desk: Desk, park_id: str) -> CartParked:
    parked: Parked | None = desk.books.parked(park_id)
    if parked is None or parked.event is None:
        raise NotFound(f"no parked cart {park_id[:60]!r}", hint="Reload the list.")
    if parked.removed:
        raise Conflict("this cart was taken up already", hint="Ask at the other tills.")
    return _body_of(parked)


def _body_of(parked: Parked) -> CartParked:
    assert parked.event is not None, "what is listed as parked has its event"
    return decode(parked.event.body, CartParked)
