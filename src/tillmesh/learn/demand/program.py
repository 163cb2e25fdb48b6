"""Judge the forecasts on the last months of real sales. Nothing is trained: there is no bundle."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from tillmesh.edge.features import DAY_MS
from tillmesh.learn.demand.judging import judge, table
from tillmesh.learn.retail import baskets_file, invoice_file, invoice_lines, transactions

TEST_DAYS: Final = 75  # the last months; our one constant that was fitted saw only the 75 days before them
PRODUCTS_MAX: Final = 120  # of each kind, drawn from a seed
FAST_SHARE: Final = 0.5  # of days on which something was sold
SLOW_DAYS_MIN: Final = 30
STORES: Final = 20  # the grocery chain's largest; their sales are added up


def evaluate(data: Path) -> dict[str, Any]:
    """Judge fast and slow products of each source; the baskets are fetched unless they lie in the folder."""
    report = {f"gifts, {name}": found for name, found in _judged(gifts(invoice_file(data)), PRODUCTS_MAX).items()}
    sold = grocery(baskets_file(data))
    return report | {f"grocery, {name}": found for name, found in _judged(sold, PRODUCTS_MAX).items()}


def _judged(sold: dict[str, list[float]], most: int) -> dict[str, Any]:
    days = len(next(iter(sold.values())))
    active = {sku: sum(quantity > 0 for quantity in series) for sku, series in sold.items()}
    kinds = {
        "fast": [sku for sku in sorted(sold) if active[sku] >= FAST_SHARE * days],
        "slow": [sku for sku in sorted(sold) if SLOW_DAYS_MIN <= active[sku] < FAST_SHARE * days],
    }
    dice = random.Random(1)  # noqa: S311 - a draw that is to be repeated
    return {
        name: table(judge([sold[sku] for sku in dice.sample(skus, min(most, len(skus)))], days - TEST_DAYS))
        for name, skus in kinds.items()
        if skus
    }


def gifts(path: Path) -> dict[str, list[float]]:
    """Give pieces sold a day of each product of the invoice file; cancellations are no sales."""
    rows = [
        (row.code, row.at_ms // DAY_MS, float(row.quantity))
        for row in invoice_lines(path)
        if row.quantity > 0 and row.price_minor > 0 and not row.invoice.startswith("C")
    ]
    return _daily(rows)


def grocery(wheel: Path) -> dict[str, list[float]]:
    """Give pieces sold a day of each product in the largest grocery stores together."""
    lines = transactions(wheel)
    sales: dict[int, int] = defaultdict(int)
    for _, store, *_ in lines:
        sales[store] += 1
    largest = set(sorted(sales, key=lambda store: -sales[store])[:STORES])
    return _daily([(str(row[4]), row[3] // DAY_MS, float(row[5])) for row in lines if row[1] in largest])


def _daily(rows: list[tuple[str, int, float]]) -> dict[str, list[float]]:
    first, last = min(day for _, day, _ in rows), max(day for _, day, _ in rows)
    sold: dict[str, list[float]] = defaultdict(lambda: [0.0] * (last - first + 1))
    for sku, day, quantity in rows:
        sold[sku][day - first] += quantity
    return sold
