"""Taking goods back: which part of a sold line, for how much money and tax, to which tender.

The parts of a line always sum to the line: each part is what the line is worth up to and including it, less what was
given back before. Money is split half up by quantity and tax by the money, so no part has more tax than money.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import SALE_LINES_MAX
from tillmesh.kernel.money import divide
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop.cart import Cart, CartLine, Policy
from tillmesh.shop.events import RefundLine, SaleClosed, SaleLine, SaleRefunded, SaleVoided, TaxTotal
from tillmesh.shop.pricing import price
from tillmesh.shop.tax import sum_taxes

Answer: TypeAlias = SaleRefunded | SaleVoided  # what can follow a sale


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A sold line, by its index or by sku, and how much of it comes back."""

    quantity_milli: int
    line: int = -1
    sku: str = ""
    restock: bool = True


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What of one sold line came back so far."""

    quantity_milli: int = 0
    total_minor: int = 0
    tax_minor: int = 0


class RefundQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What a return is worth; the fields mean the same as in SaleRefunded."""

    lines: tuple[RefundLine, ...]
    taxes: tuple[TaxTotal, ...]
    tax_minor: int
    total_minor: int


def came_back(sale: SaleClosed, answers: Sequence[Answer]) -> list[Came]:
    """Sum up what came back of each line; everything, once the sale was voided."""
    if any(isinstance(answer, SaleVoided) for answer in answers):
        return [_all(line) for line in sale.lines]
    came = [Came() for _ in sale.lines]
    for answer in answers:
        if isinstance(answer, SaleRefunded):
            for back in answer.lines:
                if 0 <= back.line < len(came):
                    came[back.line] = _plus(came[back.line], back)
    return came


def state(sale: SaleClosed, answers: Sequence[Answer]) -> str:
    """Say what became of a sale: closed, voided, part_refunded or refunded."""
    if any(isinstance(answer, SaleVoided) for answer in answers):
        return "voided"
    if not answers:
        return "closed"
    pairs = zip(sale.lines, came_back(sale, answers), strict=True)
    return "refunded" if all(came.quantity_milli >= line.quantity_milli for line, came in pairs) else "part_refunded"


def quote(sale: SaleClosed, answers: Sequence[Answer], wanted: Sequence[Wanted]) -> RefundQuote:
    """Work out a refund, or raise :class:`Conflict` with sold, already returned and asked if it is too much."""
    refuse_voided(sale, answers)
    if not 1 <= len(wanted) <= SALE_LINES_MAX:
        raise Invalid(
            f"a refund of {len(wanted)} lines; allowed are 1 to {SALE_LINES_MAX}", hint="Pick what came back."
        )
    came = came_back(sale, answers)
    lines: list[RefundLine] = []
    for want in wanted:
        for index, quantity in _places(sale, came, want):
            back = _part(index, sale.lines[index], came[index], quantity, restock=want.restock)
            came[index] = _plus(came[index], back)
            lines.append(back)
    return _sum(lines)


def quote_without_receipt(goods: Sequence[tuple[CartLine, bool]], policy: Policy) -> RefundQuote:
    """Work out a return that no known sale explains: the price of the goods today, or the overridden price.

    ``goods`` are lines and whether they go back on the shelf.
    """
    if not goods:
        raise Invalid("a return of nothing", hint="Scan what came back.")
    priced = price(Cart(cart_id="", lines=tuple(line for line, _ in goods)), policy)
    return _sum(
        [
            RefundLine(
                line=-1,
                sku=row.line.sku,
                name=row.line.name,
                unit=row.line.unit,
                quantity_milli=row.line.quantity_milli,
                unit_price_minor=row.unit_price_minor,
                tax_code=row.line.tax_code,
                rate_ppm=row.rate_ppm,
                tax_minor=row.tax_minor,
                total_minor=row.total_minor,
                restock=restock,
            )
            for row, (_, restock) in zip(priced.lines, goods, strict=True)
        ]
    )


def refuse_voided(sale: SaleClosed, answers: Sequence[Answer]) -> None:
    """Raise :class:`Conflict` if the sale was voided."""
    for answer in answers:
        if isinstance(answer, SaleVoided):
            raise Conflict(
                f"receipt {sale.receipt_number} was voided with {answer.receipt_number}", hint="Nothing is left of it."
            )


_NOTHING_LEFT: Final = "Check the receipt: it may have been returned at another till."


def _places(sale: SaleClosed, came: Sequence[Came], want: Wanted) -> list[tuple[int, int]]:
    """Say from which sold lines the quantity comes: the one that is named, or all of the sku, first to last."""
    if want.quantity_milli <= 0:
        raise Invalid("a refund needs a quantity above zero", hint="Pick how much came back.")
    indices = _indices(sale, want)
    if sale.lines[indices[0]].unit == "piece" and want.quantity_milli % 1000:
        raise Invalid(f"{sale.lines[indices[0]].name[:40]!r} comes back in whole pieces", hint="Use a whole number.")
    places, missing = [], want.quantity_milli
    for index in indices:
        part = min(missing, sale.lines[index].quantity_milli - came[index].quantity_milli)
        if part > 0:
            places.append((index, part))
            missing -= part
    if missing:
        sold = sum(sale.lines[index].quantity_milli for index in indices)
        back = sum(came[index].quantity_milli for index in indices)
        raise Conflict(
            f"{sale.lines[indices[0]].name[:60]!r}: sold {format_quantity(sold)}, "
            f"already returned {format_quantity(back)}, asked for {format_quantity(want.quantity_milli)}",
            hint=_NOTHING_LEFT,
        )
    return places


def _indices(sale: SaleClosed, want: Wanted) -> list[int]:
    if want.sku:
        indices = [index for index, line in enumerate(sale.lines) if line.sku == want.sku]
    else:
        indices = [want.line] if 0 <= want.line < len(sale.lines) else []
    if not indices:
        what = f"sku {want.sku[:40]!r}" if want.sku else f"line {want.line}"
        raise NotFound(
            f"receipt {sale.receipt_number} has no {what}", hint=f"Its lines are 0 to {len(sale.lines) - 1}."
        )
    return indices


def _part(index: int, sold: SaleLine, came: Came, quantity_milli: int, *, restock: bool) -> RefundLine:
    """Value a part of a line as the step from what came back before to what will have come back."""
    upto = divide(sold.total_minor * (came.quantity_milli + quantity_milli), sold.quantity_milli)
    # Two tills that refunded apart may have given a cent more than the split says: never ask for it back.
    total = max(0, min(upto, sold.total_minor) - came.total_minor)
    given = came.total_minor + total
    tax_upto = divide(sold.tax_minor * given, sold.total_minor) if sold.total_minor else 0
    return RefundLine(
        line=index,
        sku=sold.sku,
        name=sold.name,
        unit=sold.unit,
        quantity_milli=quantity_milli,
        unit_price_minor=sold.unit_price_minor,
        tax_code=sold.tax_code,
        rate_ppm=sold.rate_ppm,
        tax_minor=min(total, max(0, tax_upto - came.tax_minor)),
        total_minor=total,
        restock=restock,
    )


def _plus(came: Came, back: RefundLine) -> Came:
    return Came(
        quantity_milli=came.quantity_milli + back.quantity_milli,
        total_minor=came.total_minor + back.total_minor,
        tax_minor=came.tax_minor + back.tax_minor,
    )


def _all(line: SaleLine) -> Came:
    return Came(quantity_milli=line.quantity_milli, total_minor=line.total_minor, tax_minor=line.tax_minor)


def _sum(lines: Sequence[RefundLine]) -> RefundQuote:
    return RefundQuote(
        lines=tuple(lines),
        taxes=sum_taxes([(line.tax_code, line.rate_ppm, line.tax_minor, line.total_minor) for line in lines]),
        tax_minor=sum(line.tax_minor for line in lines),
        total_minor=sum(line.total_minor for line in lines),
    )
