"""What the till itself reports after a replay, in the shape of :mod:`.expected`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import apsw

from tillmesh.adapters.sqlite import reporting
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.listings import stock_levels
from tillmesh.adapters.sqlite.store import log
from tillmesh.bench.replay.planning import day_of
from tillmesh.kernel.codec import decode
from tillmesh.shop.events import SaleClosed, SaleRefunded, ShiftClosed, ShiftTotals

Report = dict[str, Any]
DAYS_PER_LIST = 300


def reported(db: apsw.Connection, books: Books, days: Sequence[str], x_reports: Sequence[ShiftTotals]) -> Report:
    """Ask for every report there is."""
    zs: dict[str, ShiftClosed] = {}
    for event in books.closings():
        closed = decode(event.body, ShiftClosed)
        zs[day_of(closed.opened_at_ms)] = closed
    found: Report = {}
    for day, x in zip(days, x_reports, strict=True):
        shown = reporting.day(db, books, date.fromisoformat(day))
        found[day] = {"z": _closed(zs[day]) if day in zs else {}, "x": _totals(x), "day": _day(shown)}
    return {
        "days": found,
        "stock": {sku: int(level) for sku, level in sorted(stock_levels(db).items()) if level != "0"},
        **_sums(db),
        "all": _all(db, books, days),
    }


def _totals(totals: ShiftTotals) -> Report:
    never = (totals.voids, totals.discount_minor, totals.rounding_minor, totals.moved_minor)
    assert never == (0, 0, 0, 0), never
    return {
        "sales": totals.sales,
        "sales_minor": totals.sales_minor,
        "refunds": totals.refunds,
        "refunds_minor": totals.refunds_minor,
        "tax_minor": totals.tax_minor,
        "expected_cash_minor": totals.expected_cash_minor,
        "tenders": {one.method: [one.taken_minor, one.returned_minor] for one in totals.tenders},
        "counts": {one.method: one.count for one in sorted(totals.tenders, key=lambda one: one.method)},
        "taxes": {_rate(one.rate_ppm): [one.net_minor, one.tax_minor] for one in totals.taxes},
    }


def _closed(closed: ShiftClosed) -> Report:
    return {
        **_totals(closed.totals),
        "z_number": closed.z_number,
        "counted_minor": closed.counted_minor,
        "perpetual_minor": closed.perpetual_minor,
    }


def _day(shown: Report) -> Report:
    return {
        "sales": shown["sales"],
        "total_minor": shown["total_minor"],
        "refunds_minor": shown["refunds_minor"],
        "tax_minor": shown["tax_minor"],
        "items": shown["items"],
        "hours": {str(one["hour"]): [one["sales"], one["total_minor"]] for one in shown["hours"] if one["sales"]},
        "products": {one["sku"]: [one["quantity"], one["total_minor"]] for one in shown["products"]},
        "tenders": {one["method"]: [one["taken_minor"], one["returned_minor"]] for one in shown["tenders"]},
        "taxes": {_rate(one["rate_ppm"]): [one["net_minor"], one["tax_minor"]] for one in shown["taxes"]},
    }


def _all(db: apsw.Connection, books: Books, days: Sequence[str]) -> Report:
    """Add up the list of days; the number of refunds comes from the receipts."""
    rows: list[Report] = []
    first, last = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
    for start in range(first.toordinal(), last.toordinal() + 1, DAYS_PER_LIST):
        upto = min(last, date.fromordinal(start + DAYS_PER_LIST - 1))
        rows += reporting.days(db, books, date.fromordinal(start), upto)
    (refunds,) = db.execute("SELECT count(*) FROM receipt WHERE kind = 1").fetchone() or (0,)
    back = sum(row["refunds_minor"] for row in rows)
    return {
        "sales": sum(row["sales"] for row in rows),
        "sales_minor": sum(row["total_minor"] for row in rows) + back,
        "refunds": refunds,
        "refunds_minor": back,
        "tax_minor": sum(row["tax_minor"] for row in rows),
    }


def _sums(db: apsw.Connection) -> Report:
    """Sum the log itself by product and by customer."""
    products: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    customers: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for event in log(db):
        if event.type == "sale_closed":
            sale = decode(event.body, SaleClosed)
            row = customers[sale.customer_id]
            row[0] += 1
            row[1] += sale.total_minor
            for line in sale.lines:
                _add(products[line.sku], line.quantity_milli, line.total_minor)
        elif event.type == "sale_refunded":
            refund = decode(event.body, SaleRefunded)
            customers[refund.customer_id][2] += refund.total_minor
            for back in refund.lines:
                _add(products[back.sku], -back.quantity_milli, -back.total_minor)
    return {
        "products": {sku: [row[0] // 1_000, row[1]] for sku, row in sorted(products.items()) if any(row)},
        "customers": dict(sorted(customers.items())),
    }


def _add(row: list[int], quantity_milli: int, total_minor: int) -> None:
    row[0] += quantity_milli
    row[1] += total_minor


def _rate(rate_ppm: int) -> str:
    return f"{rate_ppm / 10_000:g}"
