"""The price of a cart, in the one order that receipts, reports and refunds all follow.

1. Gross of a line: unit price (an override, or the list price) times quantity, rounded once; or the fixed price.
2. Line discount: percentage rounded once, or an amount; never more than the gross.
3. Promotions: here, as further amounts off single lines, when they come.
4. Cart discount: percentage of what is left, rounded once, or an amount; spread over the lines by largest remainder.
5. Tax: inside the amount or on top of it; rounded by line, or once per rate and handed back to the lines.

Plain integers only: this runs on every scan and once more, inside the commit, for every sale.
"""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, SALE_LINES_MAX
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.cart import Cart, CartLine, Policy, PricedCart, PricedLine
from tillmesh.shop.discounts import reduction, spread
from tillmesh.shop.events import SaleLine, TaxTotal
from tillmesh.shop.rounding import Divide, divider
from tillmesh.shop.tax import rate_of, taxes_by_line, taxes_by_total


def price(cart: Cart, policy: Policy) -> PricedCart:
    """Work out every amount of a cart; pure, so the same cart and policy always give the same amounts."""
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
    if cart.discount is not None:
        off_cart = spread(cart.discount, left, divide)
        left = [amount - off for amount, off in zip(left, off_cart, strict=True)]
    if policy.tax_rounding == "line":
        taxes = taxes_by_line(left, rates, policy, divide)
    else:
        taxes = taxes_by_total(left, codes, policy, divide)
    return _priced(lines, gross, off_line, off_cart, rates, taxes, policy.prices_include_tax)


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
