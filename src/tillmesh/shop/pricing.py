"""The price of a cart, in the one order that receipts, reports and refunds all follow.

1. Gross of a line: unit price (an override, or the list price) times quantity, rounded once; or the fixed price.
2. Line discount: percentage rounded once, or an amount; never more than the gross.
3. Promotions, in the order of docs/reference/promotions.md: those on lines as line discounts, those on the cart as
   cart discounts.
4. Cart discount: percentage of what is left, rounded once, or an amount; spread over the lines by largest remainder.
5. Tax: inside the amount or on top of it; rounded by line, or once per rate and handed back to the lines.

Plain integers only: this runs on every scan and once more, inside the commit, for every sale.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import structs

from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, SALE_LINES_MAX
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.cart import Cart, CartLine, Policy, PricedCart, PricedLine
from tillmesh.shop.discounts import reduction, spread
from tillmesh.shop.events import LinePromotion, SaleLine, SalePromotion, TaxTotal
from tillmesh.shop.offers.evaluation import NO_OFFERS, Offers, Taken, take_off
from tillmesh.shop.rounding import Divide, divider
from tillmesh.shop.tax import rate_of, taxes_by_line, taxes_by_total


def price(cart: Cart, policy: Policy, offers: Offers = NO_OFFERS) -> PricedCart:
    """Work out every amount of a cart; pure, so the same cart, policy and offers always give the same amounts."""
    lines = cart.lines
    if len(lines) > SALE_LINES_MAX:
        raise TooLarge(f"a cart of {len(lines)} lines; the limit is {SALE_LINES_MAX}", hint="Split the sale.")
    divide = divider(policy.rounding)
    gross, rates, codes = [], [], []
    discounted = False
    for line in lines:
        gross.append(_gross(line, divide))
        codes.append(line.tax_code)
        rates.append(rate_of(policy, line.tax_code))
        if line.discount is not None:
            discounted = True
    off_line: Sequence[int] = [0] * len(lines)
    off_cart = off_line
    left = gross
    if discounted:
        off_line = [
            0 if line.discount is None else reduction(line.discount, amount, divide)
            for line, amount in zip(lines, gross, strict=True)
        ]
        left = [amount - off for amount, off in zip(left, off_line, strict=True)]
    taken: Sequence[Taken] = ()
    if offers.shelf.promotions:
        left = list(left)
        if taken := take_off(cart, offers, left, divide):
            off_line, off_cart = _with_promotions(taken, off_line, off_cart)
    if cart.discount is not None:
        parts = spread(cart.discount, [0 if line.loads else x for line, x in zip(lines, left, strict=True)], divide)
        left = [amount - off for amount, off in zip(left, parts, strict=True)]
        off_cart = [before + off for before, off in zip(off_cart, parts, strict=True)]
    if policy.tax_rounding == "line":
        taxes = taxes_by_line(left, rates, policy, divide)
    else:
        taxes = taxes_by_total(left, codes, policy, divide)
    priced = _priced(lines, gross, off_line, off_cart, rates, taxes, policy.prices_include_tax)
    return _explained(priced, taken) if taken else priced


def _with_promotions(
    taken: Sequence[Taken], off_line: Sequence[int], off_cart: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Add what promotions take to the discounts of the lines."""
    on_lines, on_cart = list(off_line), list(off_cart)
    for one in taken:
        column = on_cart if one.promotion.on_cart else on_lines
        for i, amount in one.amounts.items():
            column[i] += amount
    return on_lines, on_cart


def _explained(priced: PricedCart, taken: Sequence[Taken]) -> PricedCart:
    """Say on each line and on the whole which promotion took how much."""
    of_line: dict[int, list[LinePromotion]] = {}
    whole = []
    for one in taken:
        promotion = one.promotion
        who, name, on_cart = promotion.promotion_id, promotion.name, promotion.on_cart
        for i, amount in one.amounts.items():
            part = LinePromotion(promotion_id=who, name=name, amount_minor=amount, on_cart=on_cart)
            of_line.setdefault(i, []).append(part)
        off = sum(one.amounts.values())
        whole.append(SalePromotion(promotion_id=who, name=name, amount_minor=off, on_cart=on_cart, code=one.code))
    lines = [
        structs.replace(row, promotions=tuple(of_line[i])) if i in of_line else row
        for i, row in enumerate(priced.lines)
    ]
    return structs.replace(priced, lines=tuple(lines), promotions=tuple(whole))


def by_promotions(promotions: Iterable[LinePromotion], *, on_cart: bool = False) -> int:
    """Sum up what promotions took of a line's discount, or of its cart discount; the rest a person gave."""
    return sum([one.amount_minor for one in promotions if one.on_cart == on_cart])


def to_sale_lines(priced: PricedCart) -> tuple[SaleLine, ...]:
    """Write the priced lines as they are kept in the sale for ever."""
    return tuple([_sale_line(row) for row in priced.lines])


def _sale_line(row: PricedLine) -> SaleLine:
    line, discount = row.line, row.line.discount
    return SaleLine(
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity_milli=line.quantity_milli,
        list_price_minor=line.list_price_minor,
        unit_price_minor=row.unit_price_minor,
        gross_minor=row.gross_minor,
        discount_minor=row.discount_minor,
        cart_discount_minor=row.cart_discount_minor,
        tax_code=line.tax_code,
        rate_ppm=row.rate_ppm,
        tax_minor=row.tax_minor,
        total_minor=row.total_minor,
        barcode=line.barcode,
        note=line.note,
        discount_rate_ppm=0 if discount is None else discount.rate_ppm,
        discount_reason="" if discount is None else discount.reason,
        promotions=row.promotions,
        price_list=line.price_list,
        regular_price_minor=line.regular_price_minor,
        loads=line.loads,
        weighed=line.weighed,
        tare_milli=line.tare_milli,
    )


def _gross(line: CartLine, divide: Divide) -> int:
    """Unit price times quantity; a fixed price (from a barcode) is the amount whatever the quantity."""
    amount = line.fixed_price_minor
    if amount is None:
        unit = line.list_price_minor if line.unit_price_minor is None else line.unit_price_minor
        quantity = line.quantity_milli
        # Whole pieces need no rounding, and are what nearly every line is.
        amount = unit * (quantity // ONE) if quantity % ONE == 0 else divide(unit * quantity, ONE)
    if not 0 <= amount <= AMOUNT_MINOR_MAX:
        raise Invalid(
            f"line {line.line_id[:40]!r} ({line.name[:40]}) comes to {amount} minor units; "
            f"allowed are 0 to {AMOUNT_MINOR_MAX}",
            hint="Check its price and quantity.",
        )
    return amount


def _priced(
    lines: Sequence[CartLine],
    gross: Sequence[int],
    off_line: Sequence[int],
    off_cart: Sequence[int],
    rates: Sequence[int],
    taxes: Sequence[int],
    included: bool,
) -> PricedCart:
    """Put the columns together, line by line, with their sums."""
    rows = []
    sums: dict[tuple[str, int], list[int]] = {}  # as `sum_taxes`, in the same walk: every scan prices the whole cart
    in_all = 0
    for line, amount, off, share, rate, tax in zip(lines, gross, off_line, off_cart, rates, taxes, strict=True):
        total = amount - off - share if included else amount - off - share + tax
        in_all += total
        key = (line.tax_code, rate)
        if (both := sums.get(key)) is None:
            sums[key] = [total - tax, tax]
        else:
            both[0] += total - tax
            both[1] += tax
        override = line.unit_price_minor
        rows.append(
            PricedLine(
                line=line,
                unit_price_minor=line.list_price_minor if override is None else override,
                gross_minor=amount,
                discount_minor=off,
                cart_discount_minor=share,
                rate_ppm=rate,
                tax_minor=tax,
                total_minor=total,
            )
        )
    return PricedCart(
        lines=tuple(rows),
        taxes=tuple(
            [
                TaxTotal(code=code, rate_ppm=rate, net_minor=net, tax_minor=tax)
                for (code, rate), (net, tax) in sums.items()
            ]
        ),
        gross_minor=sum(gross),
        discount_minor=sum(off_line) + sum(off_cart),
        tax_minor=sum(taxes),
        total_minor=in_all,
    )
