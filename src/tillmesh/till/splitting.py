"""Splitting a bill: some of what lies in a cart goes into a cart of its own, and each is paid by itself."""

from __future__ import annotations

import msgspec

from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.shop.cart import Cart, CartLine
from tillmesh.till.carts import Edited
from tillmesh.till.commands import SplitCart
from tillmesh.till.desk import Desk, checked_key
from tillmesh.till.effects import SaveCart
from tillmesh.till.offers import priced, repriced
from tillmesh.till.part_payments import refuse_unpaid
from tillmesh.till.weighing import part_of


def split_cart(desk: Desk, command: SplitCart) -> Edited:
    """Move lines, or parts of them, into a new cart, and give that one; sent again it is given again."""
    into = checked_key(command.into, "into")
    if into == command.cart_id or desk.books.requested(into) is not None:
        raise Conflict(f"cart {into[:40]!r} was paid already", hint="Start a new sale.")
    if (made := desk.books.cart(into)) is not None:
        return Edited(*made)
    found = desk.books.cart(command.cart_id)
    if found is None or not found[0].lines:
        raise Conflict("the cart is empty", hint="Add a product first.")
    cart, revision = found
    refuse_unpaid(desk, cart)
    rest, bill = split(cart, into, dict(command.parts))
    bill = repriced(desk.books, bill)
    for one in (rest, bill):
        priced(desk.books, one)  # with every amount proven to be computable
    desk.effect(SaveCart(cart=rest, revision=revision + 1))
    desk.effect(SaveCart(cart=bill, revision=1))
    return Edited(bill, 1)


def split(cart: Cart, into: str, parts: dict[str, int]) -> tuple[Cart, Cart]:
    """Give what is left of a cart and the cart with the parts; customer and coupons stay with what is left."""
    unknown = set(parts) - {line.line_id for line in cart.lines}
    if unknown or not parts:
        raise Invalid("only lines of this cart can go on another bill", hint="Reload the cart.")
    if cart.discount is not None and cart.discount.amount_minor:
        raise Conflict("a fixed discount on the whole sale can't be split", hint="Give it in percent, or afterwards.")
    kept: list[CartLine] = []
    moved: list[CartLine] = []
    for line in cart.lines:
        quantity = parts.get(line.line_id, 0)
        if quantity:
            moved.append(_part(line, quantity))
        if quantity < line.quantity_milli:
            kept.append(_part(line, line.quantity_milli - quantity))
    if not kept:
        raise Conflict("nothing would be left on the first bill", hint="Leave something, or pay it whole.")
    bill = Cart(cart_id=into, lines=tuple(moved), discount=cart.discount, age_checked=cart.age_checked)
    return msgspec.structs.replace(cart, lines=tuple(kept)), bill


def _part(line: CartLine, quantity_milli: int) -> CartLine:
    if quantity_milli == line.quantity_milli:
        return line
    if not 0 < quantity_milli < line.quantity_milli or (line.unit == "piece" and quantity_milli % 1000):
        raise Invalid(f"that much of {line.name[:40]!r} is not in the cart", hint="Reload the cart.")
    fixed_discount = line.discount is not None and line.discount.amount_minor
    if fixed_discount or line.fixed_price_minor is not None or line.loads:
        raise Conflict(f"{line.name[:40]!r} can only go on a bill whole", hint="Take all of it, or leave it.")
    return part_of(line, quantity_milli)
