"""What may be had so many times only: a promotion with a limit of uses, and the code of a new gift card.

Like a purse, each is kept by one till of the store, which lets carts have it one after the other when they are paid.
"""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.cart import Cart
from tillmesh.shop.offers.promotion import Promotion
from tillmesh.shop.purses import GIFT_CARD
from tillmesh.till.offers import priced
from tillmesh.till.ports import Books

PROMOTION: Final = "promotion"
NEW_CARD: Final = "new_card"


class Turn(Record):
    """What a cart wants to have once: a promotion, with its coupon and customer if they are counted, or a new card."""

    kind: str
    name: str  # of the promotion, or the card's account
    code: str = ""
    customer_id: str = ""


def limited(books: Books) -> list[Promotion]:
    """List the promotions that count their uses."""
    return [one for one in books.promotions().promotions if one.is_limited]


def turns_of(books: Books, cart: Cart) -> list[Turn]:
    """Give what a cart has to have its turn for; a cart without anything limited is not even priced."""
    accounts = [line.loads.removeprefix(f"{GIFT_CARD}:") for line in cart.lines if line.issues]
    turns = [Turn(kind=NEW_CARD, name=account) for account in accounts]
    meant = {
        one.promotion_id: one for one in limited(books) if not one.codes or not set(one.codes).isdisjoint(cart.coupons)
    }
    if meant and cart.lines:
        used = (one for one in priced(books, cart).promotions if one.promotion_id in meant)
        turns += [_turn(meant[one.promotion_id], one.code, cart.customer_id) for one in used]
    return turns


def _turn(one: Promotion, code: str, customer_id: str) -> Turn:
    return Turn(
        kind=PROMOTION,
        name=one.promotion_id,
        code=code if one.code_uses_max else "",
        customer_id=customer_id if one.customer_uses_max else "",
    )


def left_of(books: Books, turn: Turn) -> list[tuple[str, int]]:
    """Say how many carts may still have it as far as this till knows, for each of its limits; nothing: no limit."""
    if turn.kind == NEW_CARD:
        return [(turn.name, int(books.fields(GIFT_CARD, turn.name) is None))]
    one = next((one for one in limited(books) if one.promotion_id == turn.name), None)
    if one is None:
        return []
    left = []
    if one.uses_max:
        left.append((turn.name, one.uses_max - books.promotion_uses(turn.name)))
    if one.code_uses_max and turn.code:
        uses = books.promotion_uses(turn.name, code=turn.code)
        left.append((f"{turn.name}\0code\0{turn.code}", one.code_uses_max - uses))
    if one.customer_uses_max and turn.customer_id:
        uses = books.promotion_uses(turn.name, customer_id=turn.customer_id)
        left.append((f"{turn.name}\0customer\0{turn.customer_id}", one.customer_uses_max - uses))
    return left
