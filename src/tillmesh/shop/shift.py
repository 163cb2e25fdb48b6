"""What a shift sold, gave back and should have in its drawer, added up from its events.

``start`` with the opening, ``add`` each event of the shift in log order, ``finish`` to the totals of an X or Z report.
Always: cash and cards taken less returned = sales - voids - refunds + rounding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tillmesh.shop.events import (
    CashMoved,
    Payment,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    ShiftOpened,
    ShiftTotals,
    TaxTotal,
    TenderTotal,
)
from tillmesh.shop.tender import CASH, METHODS

_ORDER: Final = {method: place for place, method in enumerate(METHODS)}


@dataclass(slots=True)
class Sums:
    """A shift being added up. Mutable, so that a day of sales costs no copies; nobody else holds it."""

    currency: str
    float_minor: int
    sales: int = 0
    sales_minor: int = 0
    voids: int = 0
    voids_minor: int = 0
    refunds: int = 0
    refunds_minor: int = 0
    discount_minor: int = 0
    rounding_minor: int = 0
    tax_minor: int = 0
    moved_minor: int = 0
    tenders: dict[str, list[int]] = field(default_factory=dict)  # method -> taken, returned, count
    taxes: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # code, rate -> net, tax
    first_receipt: str = ""
    last_receipt: str = ""


def start(opened: ShiftOpened, currency: str) -> Sums:
    """Begin with what was counted in."""
    return Sums(currency=currency, float_minor=opened.float_minor)


def add(sums: Sums, body: object) -> Sums:
    """Add one event of the shift; what moves no money changes nothing."""
    match body:
        case SaleClosed():
            _sale(sums, body)
        case SaleVoided():
            sums.voids += 1
            sums.voids_minor += body.total_minor
            _give_back(sums, body)
        case SaleRefunded():
            sums.refunds += 1
            sums.refunds_minor += body.total_minor
            _give_back(sums, body)
        case CashMoved():
            sums.moved_minor += body.amount_minor
        case _:
            pass
    return sums


def finish(sums: Sums) -> ShiftTotals:
    """Give the totals, tenders and taxes in a fixed order."""
    taken, returned, _ = sums.tenders.get(CASH, (0, 0, 0))
    return ShiftTotals(
        currency=sums.currency,
        float_minor=sums.float_minor,
        sales=sums.sales,
        sales_minor=sums.sales_minor,
        voids=sums.voids,
        voids_minor=sums.voids_minor,
        refunds=sums.refunds,
        refunds_minor=sums.refunds_minor,
        discount_minor=sums.discount_minor,
        rounding_minor=sums.rounding_minor,
        tax_minor=sums.tax_minor,
        moved_minor=sums.moved_minor,
        expected_cash_minor=sums.float_minor + taken - returned + sums.moved_minor,
        tenders=tuple(
            TenderTotal(method=method, taken_minor=row[0], returned_minor=row[1], count=row[2])
            for method, row in sorted(sums.tenders.items(), key=lambda item: (_ORDER.get(item[0], 99), item[0]))
        ),
        taxes=tuple(
            TaxTotal(code=code, rate_ppm=rate, net_minor=net, tax_minor=tax)
            for (code, rate), (net, tax) in sorted(sums.taxes.items())
        ),
        first_receipt=sums.first_receipt,
        last_receipt=sums.last_receipt,
    )


def net_sales_minor(totals: ShiftTotals) -> int:
    """Sales less what was voided and refunded: what the perpetual total grows by."""
    return totals.sales_minor - totals.voids_minor - totals.refunds_minor


def variance_minor(totals: ShiftTotals, counted_minor: int) -> int:
    """Say how much more (positive) or less cash was counted than should be there."""
    return counted_minor - totals.expected_cash_minor


def _sale(sums: Sums, sale: SaleClosed) -> None:
    sums.sales += 1
    sums.sales_minor += sale.total_minor
    sums.discount_minor += sale.discount_minor
    sums.rounding_minor += sale.rounding_minor
    sums.tax_minor += sale.tax_minor
    _receipt(sums, sale.receipt_number)
    _taxes(sums, sale.taxes, 1)
    change = sale.change_minor
    for payment in sale.payments:
        row = _tender(sums, payment)
        row[0] += payment.amount_minor
        if payment.method == CASH and change:
            row[0] -= change
            change = 0


def _give_back(sums: Sums, body: SaleVoided | SaleRefunded) -> None:
    sums.rounding_minor -= body.rounding_minor
    sums.tax_minor -= body.tax_minor
    _receipt(sums, body.receipt_number)
    _taxes(sums, body.taxes, -1)
    for payment in body.payments:
        _tender(sums, payment)[1] += payment.amount_minor


def _tender(sums: Sums, payment: Payment) -> list[int]:
    row = sums.tenders.setdefault(payment.method, [0, 0, 0])
    row[2] += 1
    return row


def _taxes(sums: Sums, taxes: Iterable[TaxTotal], sign: int) -> None:
    for tax in taxes:
        row = sums.taxes.setdefault((tax.code, tax.rate_ppm), [0, 0])
        row[0] += sign * tax.net_minor
        row[1] += sign * tax.tax_minor


def _receipt(sums: Sums, number: str) -> None:
    sums.first_receipt = sums.first_receipt or number
    sums.last_receipt = number
