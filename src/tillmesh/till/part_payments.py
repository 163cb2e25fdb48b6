"""Parts of a price that are paid before the rest: written into the cart, so that nobody is asked for them twice.

A sale that is paid in one go has none. What the card terminal took is the card desk's to remember; a gift card, points
and accounts are taken from when the sale is closed. So the parts are cash, and cards by hand.

Invariant: the drawer counts the cash of a part as put in from the moment its cart is parked, or the shift closed, until
the sale is paid or the money given back, at whichever till that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import structs

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import SALE_PAYMENTS_MAX
from tillmesh.kernel.money import check_amount
from tillmesh.shop.cart import Cart, PartPaid
from tillmesh.shop.events import CashMoved, Payment
from tillmesh.shop.tender import CARD, CASH, amount_text
from tillmesh.till.commands import CartOperation
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.effects import SaveCart
from tillmesh.till.offers import priced

KINDS: Final = (CASH, CARD)


def take_part(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    """Write down that a part was handed over; the whole rest is for whoever pays the cart."""
    payment, part_id = operation.payment, checked_key(operation.line_id, "line_id")
    desk.shift()
    if payment is None or payment.method not in KINDS or payment.card_payment or payment.token:
        raise Invalid("only cash and a card by hand are paid in part beforehand", hint="Finish the sale with the rest.")
    if any(part.part_id == part_id for part in cart.parts):
        raise Conflict("this is in the cart already", hint="Remove it first.")
    if len(cart.parts) >= SALE_PAYMENTS_MAX - 1:
        raise Conflict(f"a sale is paid in at most {SALE_PAYMENTS_MAX} parts", hint="Finish it with the next one.")
    check_amount(payment.amount_minor, "the amount", least=1)
    left = priced(desk.books, cart).total_minor - paid_minor(cart)
    if payment.amount_minor > left:
        raise Conflict(
            f"only {amount_text(max(0, left), desk.policy().currency)} is left to pay", hint="Finish the sale."
        )
    kept = Payment(
        method=payment.method,
        amount_minor=payment.amount_minor,
        reference=checked_text(payment.reference, "reference", most=24),
        last_four=checked_text(payment.last_four, "last four", most=4),
    )
    part = PartPaid(
        part_id=part_id, payment=kept, by=desk.who.user_id, terminal=desk.identity.terminal, at_ms=desk.now_ms
    )
    return structs.replace(cart, parts=(*cart.parts, part))


def give_part_back(desk: Desk, cart: Cart, operation: CartOperation) -> Cart:
    """Write down that the customer has a part back, noted in the audit log."""
    part = next((one for one in cart.parts if one.part_id == operation.line_id), None)
    if part is None:
        raise NotFound(f"no part {operation.line_id[:40]!r} of this sale is paid", hint="Reload the cart.")
    given_back(desk, cart, (part,))
    return structs.replace(cart, parts=tuple(one for one in cart.parts if one is not part))


def given_back(desk: Desk, cart: Cart, parts: Iterable[PartPaid]) -> None:
    """Let parts leave the drawer and note it."""
    for part in parts:
        unbook(desk, (part,))
        desk.audit("part_given_back", cart.cart_id, amount_text(part.payment.amount_minor, desk.policy().currency))


def paid_minor(cart: Cart) -> int:
    """Say how much of a cart is paid already."""
    return sum(part.payment.amount_minor for part in cart.parts)


def refuse_unpaid(desk: Desk, cart: Cart) -> None:
    """Raise if something of a cart is paid: it can't just be thrown away."""
    if cart.parts:
        raise Conflict(f"{_sum_text(desk, cart)} was paid for this sale already", hint="Give it back first.")


def refuse_forgotten(desk: Desk, cart: Cart, payments: Sequence[Payment]) -> None:
    """Raise if payments leave a part out that was handed over: the customer would pay it twice."""
    missing = Counter((part.payment.method, part.payment.amount_minor) for part in cart.parts)
    missing.subtract((one.method, one.amount_minor) for one in payments)
    if any(count > 0 for count in missing.values()):
        raise Conflict(
            f"{_sum_text(desk, cart)} was paid for this sale already", hint="Look at the payment anew: less is due."
        )


def _sum_text(desk: Desk, cart: Cart) -> str:
    return amount_text(paid_minor(cart), desk.policy().currency)


def book(desk: Desk, cart: Cart) -> Cart:
    """Count the cash of a cart's parts as put into the drawer, for as long as the sale is not finished."""
    fresh = [part for part in cart.parts if part.payment.method == CASH and not part.booked]
    for part in fresh:
        _move(desk, part.payment.amount_minor)
    return structs.replace(
        cart, parts=tuple(structs.replace(one, booked=one.booked or one in fresh) for one in cart.parts)
    )


def unbook(desk: Desk, parts: Iterable[PartPaid]) -> None:
    """Count it as taken out again: the sale, or whoever gave it back, moves it from now on."""
    for part in parts:
        if part.booked:
            _move(desk, -part.payment.amount_minor)


def _move(desk: Desk, amount_minor: int) -> None:
    """Move cash without the words of a person: pages say what it was in their own."""
    moved = CashMoved(shift_id=desk.shift().shift_id, amount_minor=amount_minor, reason="", by=desk.who.user_id)
    desk.record(moved)


def book_open(desk: Desk) -> None:
    """Before a shift is counted out: the drawer holds what was paid of sales that go on in the next one."""
    for cart, revision in desk.books.open_carts():
        booked = book(desk, cart)
        if booked != cart:
            desk.effect(SaveCart(cart=booked, revision=revision + 1))
