"""What a day sold: sums over its sales, refunds and voids, by hour, product, department, person, tender and rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.money import Rounding, divide
from tillmesh.kernel.quantity import ONE, format_quantity
from tillmesh.shop.events import Payment, SaleClosed, SaleRefunded, SaleVoided, TaxTotal
from tillmesh.shop.settings import VOUCHER
from tillmesh.shop.tender import CASH

TOP_PRODUCTS = 20


@dataclass(slots=True)
class Day:
    """A day being added up. Voided sales count as sold and as taken back, as on the Z report."""

    sales: int = 0
    total_minor: int = 0  # sales - voids - refunds
    sales_minor: int = 0
    refunds_minor: int = 0
    voids_minor: int = 0
    tax_minor: int = 0
    discount_minor: int = 0
    rounding_minor: int = 0
    items_milli: int = 0
    hours: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(24)])
    products: dict[str, list[Any]] = field(default_factory=dict)
    tills: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    nets: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # sku -> sold less given back, without tax
    cashiers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    tenders: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    taxes: dict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))


def add(day: Day, body: object, at: datetime, voided: SaleClosed | None = None, till: str = "") -> None:
    """Add one event of the day; ``at`` is its local time, ``voided`` the sale that a void takes back, if known."""
    match body:
        case SaleClosed():
            _sale(day, body, at)
            _till(day, till, 1, body.total_minor)
        case SaleRefunded():
            day.refunds_minor += body.total_minor
            _till(day, till, 0, -body.total_minor)
            _back(day, body.total_minor, body.tax_minor, body.rounding_minor, body.payments, body.taxes)
            for line in body.lines:
                _product(day, line.sku, line.name, -line.quantity_milli, -line.total_minor, -line.tax_minor)
        case SaleVoided():
            day.voids_minor += body.total_minor
            _till(day, till, 0, -body.total_minor)
            _back(day, body.total_minor, body.tax_minor, body.rounding_minor, body.payments, body.taxes)
            for sold in () if voided is None else voided.lines:
                _product(day, sold.sku, sold.name, -sold.quantity_milli, -sold.total_minor, -sold.tax_minor)
        case _:
            pass


def _sale(day: Day, sale: SaleClosed, at: datetime) -> None:
    day.sales += 1
    day.sales_minor += sale.total_minor
    day.total_minor += sale.total_minor
    day.tax_minor += sale.tax_minor
    day.discount_minor += sale.discount_minor
    day.rounding_minor += sale.rounding_minor
    hour = day.hours[at.hour]
    hour[0] += 1
    hour[1] += sale.total_minor
    cashier = day.cashiers[sale.cashier]
    cashier[0] += 1
    cashier[1] += sale.total_minor
    for line in sale.lines:
        day.items_milli += line.quantity_milli if line.unit == "piece" else 1000
        _product(day, line.sku, line.name, line.quantity_milli, line.total_minor, line.tax_minor)
    change = sale.change_minor
    for payment in sale.payments:
        row = day.tenders[payment.method]
        row[0] += payment.amount_minor - (change if payment.method == CASH else 0)
        row[2] += 1
        change = 0 if payment.method == CASH else change
    _taxes(day, sale.taxes, 1)


def _back(
    day: Day,
    total: int,
    tax: int,
    rounding: int,
    payments: tuple[Payment, ...],
    taxes: tuple[TaxTotal, ...],
) -> None:
    day.total_minor -= total
    day.tax_minor -= tax
    day.rounding_minor -= rounding
    for payment in payments:
        day.tenders[payment.method][1] += payment.amount_minor
    _taxes(day, taxes, -1)


def _taxes(day: Day, taxes: tuple[TaxTotal, ...], sign: int) -> None:
    for one in taxes:
        row = day.taxes[one.code, one.rate_ppm]
        row[0] += sign * one.net_minor
        row[1] += sign * one.tax_minor


def _till(day: Day, till: str, sales: int, total_minor: int) -> None:
    row = day.tills[till]
    row[0] += sales
    row[1] += total_minor


def margin_minor(day: Day, cost_of: Mapping[str, int]) -> dict[str, int]:
    """Give what each product brought in without tax, less today's cost; products without one are left out."""
    return {
        sku: day.nets[sku] - divide(quantity * cost_of[sku], ONE, Rounding.HALF_UP)
        for sku, (_, quantity, _) in day.products.items()
        if cost_of.get(sku)
    }


def _product(day: Day, sku: str, name: str, quantity_milli: int, total_minor: int, tax_minor: int) -> None:
    day.nets[sku] += total_minor - tax_minor
    row = day.products.setdefault(sku, [name, 0, 0])
    row[1] += quantity_milli
    row[2] += total_minor


def shown(
    day: Day,
    department_of: dict[str, str],
    products_max: int | None = TOP_PRODUCTS,
    cost_of: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, Any]:
    """Give the sums as JSON-ready values; products are grouped by today's departments."""
    margins = margin_minor(day, cost_of)
    return {
        **_sums(day),
        "hours": [{"hour": hour, "sales": row[0], "total_minor": row[1]} for hour, row in enumerate(day.hours)],
        "departments": _departments(day, department_of),
        "products": _best(day, margins, products_max),
        "margin_minor": sum(margins.values()) if margins else None,
        "margin_net_minor": sum(day.nets[sku] for sku in margins),  # what was sold of these products, without tax
        "tills": _ranked(day.tills, "terminal_id"),
        "cashiers": _ranked(day.cashiers, "user_id"),
        "tenders": [
            {"method": name, "taken_minor": row[0], "returned_minor": row[1], "net_minor": row[0] - row[1],
             "count": row[2]}
            for name, row in sorted(day.tenders.items())
        ],
        "taxes": [
            {"code": code, "rate_ppm": rate, "net_minor": row[0], "tax_minor": row[1]}
            for (code, rate), row in sorted(day.taxes.items())
        ],
    }  # fmt: skip


def _sums(day: Day) -> dict[str, Any]:
    return {
        "total_minor": day.total_minor,
        "tax_minor": day.tax_minor,
        "vouchers_minor": sum(row[0] for (code, _), row in day.taxes.items() if code == VOUCHER),  # within the total
        "sales": day.sales,
        "sales_minor": day.sales_minor,
        "refunds_minor": day.refunds_minor,
        "voids_minor": day.voids_minor,
        "discount_minor": day.discount_minor,
        "rounding_minor": day.rounding_minor,
        "items": format_quantity(day.items_milli),
        "average_minor": (2 * day.sales_minor + day.sales) // (2 * day.sales) if day.sales else 0,
    }


def _departments(day: Day, department_of: Mapping[str, str]) -> list[dict[str, Any]]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for sku, (_, quantity, total) in day.products.items():
        row = sums[department_of.get(sku) or "Other"]
        row[0] += quantity
        row[1] += total
    return [{"name": name, "quantity": format_quantity(row[0]), "total_minor": row[1]} for name, row in _by_total(sums)]


def _best(day: Day, margins: Mapping[str, int], products_max: int | None) -> list[dict[str, Any]]:
    best = sorted(day.products.items(), key=lambda item: (-item[1][2], item[0]))[:products_max]
    return [
        {"sku": sku, "name": name, "quantity": format_quantity(quantity), "total_minor": total,
         "margin_minor": margins.get(sku)}
        for sku, (name, quantity, total) in best
    ]  # fmt: skip


def _ranked(rows: Mapping[str, list[int]], name: str) -> list[dict[str, Any]]:
    """Give who sold how often and for how much, the one that sold most first."""
    return [{name: who, "sales": row[0], "total_minor": row[1]} for who, row in _by_total(rows)]


def _by_total(rows: Mapping[str, list[int]]) -> list[tuple[str, list[int]]]:
    return sorted(rows.items(), key=lambda item: (-item[1][1], item[0]))


PERIODS: Final = ("day", "month", "quarter")


def by_period(days: Sequence[Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Add days up to months or quarters, named like 2026-11 and 2026-Q4; the first and last may be parts of one."""
    if kind not in PERIODS:
        raise Invalid(f"{kind[:20]!r} is no way to group days", hint=f"Use one of {', '.join(PERIODS)}.")
    found: dict[str, dict[str, Any]] = {}
    for day in days:
        year, month = day["date"][:4], day["date"][5:7]
        name = {"day": day["date"], "month": f"{year}-{month}", "quarter": f"{year}-Q{(int(month) + 2) // 3}"}[kind]
        row = found.setdefault(name, {"date": name})
        for key, value in day.items():
            if key != "date":
                row[key] = row.get(key, 0) + value
    return list(found.values())
