"""Closes of days, months and years: which period a moment is in, and what a period comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from tillmesh.shop.events import PeriodClosed, PeriodTotals, RateTotal, TenderSum
from tillmesh.shop.shift import Sums, add, finish

DAY, MONTH, YEAR = "day", "month", "year"
KINDS: Final = (DAY, MONTH, YEAR)
_CHARS: Final = {DAY: 10, MONTH: 7, YEAR: 4}  # of an ISO date


def period_of(kind: str, when: date) -> str:
    """Name the period that a day on the shop's wall is in; names sort as time does."""
    return when.isoformat()[: _CHARS[kind]]


def of_receipts(bodies: Iterable[object], currency: str) -> PeriodTotals:
    """Add receipts up."""
    sums = Sums(currency=currency, float_minor=0)
    for body in bodies:
        add(sums, body)
    found = finish(sums)
    return PeriodTotals(
        sales=found.sales,
        sales_minor=found.sales_minor,
        voids=found.voids,
        voids_minor=found.voids_minor,
        refunds=found.refunds,
        refunds_minor=found.refunds_minor,
        discount_minor=found.discount_minor,
        rounding_minor=found.rounding_minor,
        tax_minor=found.tax_minor,
        rates=tuple(RateTotal(code=t.code, rate_ppm=t.rate_ppm, net_minor=t.net_minor, tax_minor=t.tax_minor)
                    for t in found.taxes),
        tenders=tuple(TenderSum(method=t.method, taken_minor=t.taken_minor, returned_minor=t.returned_minor)
                      for t in found.tenders),
        first_receipt=found.first_receipt,
        last_receipt=found.last_receipt,
    )  # fmt: skip


def of_periods(parts: Sequence[PeriodClosed]) -> PeriodTotals:
    """Add periods up, oldest first."""
    rates: dict[tuple[str, int], list[int]] = {}
    tenders: dict[str, list[int]] = {}
    for part in parts:
        for rate in part.totals.rates:
            row = rates.setdefault((rate.code, rate.rate_ppm), [0, 0])
            row[0] += rate.net_minor
            row[1] += rate.tax_minor
        for tender in part.totals.tenders:
            sums = tenders.setdefault(tender.method, [0, 0])
            sums[0] += tender.taken_minor
            sums[1] += tender.returned_minor
    all_totals = [part.totals for part in parts]
    receipts = [one for one in all_totals if one.first_receipt]
    return PeriodTotals(
        **{name: sum(getattr(one, name) for one in all_totals) for name in _SUMMED},
        rates=tuple(RateTotal(code=code, rate_ppm=rate, net_minor=net, tax_minor=tax)
                    for (code, rate), (net, tax) in sorted(rates.items())),
        tenders=tuple(TenderSum(method=method, taken_minor=taken, returned_minor=back)
                      for method, (taken, back) in sorted(tenders.items())),
        first_receipt=receipts[0].first_receipt if receipts else "",
        last_receipt=receipts[-1].last_receipt if receipts else "",
    )  # fmt: skip


_SUMMED: Final = (
    "sales", "sales_minor", "voids", "voids_minor", "refunds", "refunds_minor", "discount_minor", "rounding_minor",
    "tax_minor",
)  # fmt: skip


def net_minor(totals: PeriodTotals) -> int:
    """Give what the perpetual total grows by."""
    return totals.sales_minor - totals.voids_minor - totals.refunds_minor
