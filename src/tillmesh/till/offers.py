"""Prices and promotions as the books have them, for one customer at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import COUPON_CHARS_MAX, COUPONS_PER_CART_MAX, SALE_LINES_MAX
from tillmesh.shop.cart import Cart, CartLine, PricedCart
from tillmesh.shop.catalogue import Product, check_quantity
from tillmesh.shop.offers.evaluation import NO_OFFERS, Offers
from tillmesh.shop.offers.prices import Priced, price_for
from tillmesh.shop.offers.promotion import Promotion, holds_at
from tillmesh.shop.offers.shelf import shelf_of
from tillmesh.shop.pricing import price
from tillmesh.till.commands import WantedLine
from tillmesh.till.ports import Books
from tillmesh.till.scanning import find_scanned


def group_of(books: Books, customer_id: str) -> str:
    """Give the group that a customer belongs to, or nothing."""
    fields = books.fields("customer", customer_id) if customer_id else None
    return str((fields or {}).get("group") or "")


def price_of(books: Books, product: Product, customer_id: str, at_ms: int) -> Priced:
    """Say what a product costs a customer (nobody in particular: "") at a moment."""
    prices = books.prices(product.sku)
    if not prices.dated:
        return Priced(price_minor=product.price_minor, regular_minor=product.price_minor)
    return price_for(
        product.price_minor,
        prices,
        books.price_lists(),
        customer_id=customer_id,
        group=group_of(books, customer_id),
        at_ms=at_ms,
    )


def offers_for(books: Books, cart: Cart) -> Offers:
    """Gather what may come off a cart, and leave out what has no use left."""
    shelf = books.promotions()
    if not shelf.promotions or not cart.lines:
        return NO_OFFERS
    used_up: set[str | tuple[str, str]] = set()
    for one in shelf.promotions:
        if one.is_limited and (not one.codes or not set(one.codes).isdisjoint(cart.coupons)):
            used_up.update(_used_up(books, one, cart))
    group = group_of(books, cart.customer_id)
    return Offers(shelf=shelf, zone=books.store().time_zone, group=group, used_up=frozenset(used_up))


def _used_up(books: Books, one: Promotion, cart: Cart) -> Iterable[str | tuple[str, str]]:
    """Name a promotion, or its codes in this cart, without a use left as far as this till knows."""
    if one.uses_max and books.promotion_uses(one.promotion_id) >= one.uses_max:
        return [one.promotion_id]
    if one.customer_uses_max and cart.customer_id:
        uses = books.promotion_uses(one.promotion_id, customer_id=cart.customer_id)
        if uses >= one.customer_uses_max:
            return [one.promotion_id]
    if not one.code_uses_max:
        return []
    return [
        (one.promotion_id, code)
        for code in cart.coupons
        if code in one.codes and books.promotion_uses(one.promotion_id, code=code) >= one.code_uses_max
    ]


def priced(books: Books, cart: Cart) -> PricedCart:
    """Work out every amount of a cart with the promotions of the store."""
    return price(cart, books.store().policy(), offers_for(books, cart))


def preview(
    books: Books,
    wanted: Sequence[WantedLine],
    customer_id: str,
    coupons: Sequence[str],
    at_ms: int,
    draft: Promotion | None = None,
) -> tuple[Cart, PricedCart]:
    """Price a sample basket as if it was scanned at a moment; ``draft`` is looked at in the place of what it is of.

    Limits of uses are left out: what a promotion takes off is asked, not whether somebody has used it.
    """
    if len(wanted) > SALE_LINES_MAX:
        raise Invalid(f"a basket of {len(wanted)} lines; the limit is {SALE_LINES_MAX}", hint="Try fewer.")
    lines = []
    for number, one in enumerate(wanted):
        product, _, _ = find_scanned(books, sku=one.sku)
        costs = price_of(books, product, customer_id, at_ms)
        lines.append(
            CartLine(
                line_id=str(number),
                sku=product.sku,
                name=product.name,
                unit=product.unit,
                quantity_milli=check_quantity(product.unit, one.quantity_milli, product.name),
                list_price_minor=costs.price_minor,
                tax_code=product.tax_code,
                department=product.department,
                added_ms=at_ms,
                price_list=costs.price_list,
                regular_price_minor=costs.regular_minor,
            )
        )
    codes = tuple(dict.fromkeys(coupon_code(code) for code in coupons[:COUPONS_PER_CART_MAX]))
    cart = Cart(cart_id="preview", lines=tuple(lines), customer_id=customer_id, coupons=codes)
    shelf = books.promotions()
    if draft is not None:
        kept = (one for one in shelf.promotions if one.promotion_id != draft.promotion_id)
        shelf = shelf_of((*kept, structs.replace(draft, active=True)))
    offers = Offers(shelf=shelf, zone=books.store().time_zone, group=group_of(books, customer_id))
    return cart, price(cart, books.store().policy(), offers)


def repriced(books: Books, cart: Cart) -> Cart:
    """Give the cart with the prices of its customer, each as it was when its line came in."""
    return structs.replace(cart, lines=tuple(_repriced(books, line, cart.customer_id) for line in cart.lines))


def _repriced(books: Books, line: CartLine, customer_id: str) -> CartLine:
    product = books.product(line.sku)
    if product is None or not books.prices(line.sku).dated:
        return line
    now = price_of(books, product, customer_id, line.added_ms)
    return structs.replace(
        line, list_price_minor=now.price_minor, regular_price_minor=now.regular_minor, price_list=now.price_list
    )


def coupon_code(text: str) -> str:
    """Write a coupon code as it is kept: capitals without spaces; or raise :class:`Invalid`."""
    code = "".join(text.split()).upper()
    if not 1 <= len(code) <= COUPON_CHARS_MAX or not code.isascii() or not code.isprintable():
        raise Invalid(f"a coupon code has 1 to {COUPON_CHARS_MAX} letters and digits", hint="Type it again.")
    return code


def scanned_coupon(books: Books, barcode: str) -> str | None:
    """Give the coupon that a scanned code is, or None: a product with the same code goes first."""
    code = "".join(barcode.split()).upper()
    if not code or not books.promotions().with_code(code) or books.product_by_barcode(barcode) is not None:
        return None
    return code


def with_coupon(books: Books, cart: Cart, text: str, at_ms: int) -> Cart:
    """Put a coupon into a cart, or raise saying why it can't be used."""
    code = coupon_code(text)
    if code in cart.coupons:
        raise Conflict(f"the coupon {code} is in this sale already", hint="Each counts once.")
    if len(cart.coupons) >= COUPONS_PER_CART_MAX:
        raise Conflict(f"a sale takes at most {COUPONS_PER_CART_MAX} coupons", hint="Remove one.")
    found = books.promotions().with_code(code)
    if not found:
        raise NotFound(f"no promotion has the coupon {code}", hint="Type the code again.")
    zone = books.store().time_zone
    if not any(holds_at(one, at_ms, zone) for one in found):
        raise Conflict(f"the coupon {code} is not valid now", hint="Look at its dates and hours.")
    after = structs.replace(cart, coupons=(*cart.coupons, code))
    used_up = {gone for one in found for gone in _used_up(books, one, after)}
    if all(one.promotion_id in used_up or (one.promotion_id, code) in used_up for one in found):
        raise Conflict(f"the coupon {code} was used as often as it may be", hint="Ask the customer for another one.")
    return after


def without_coupon(cart: Cart, text: str) -> Cart:
    """Take a coupon out of a cart."""
    code = coupon_code(text)
    if code not in cart.coupons:
        raise NotFound(f"the coupon {code} is not in this sale", hint="Reload the cart.")
    return structs.replace(cart, coupons=tuple(one for one in cart.coupons if one != code))
