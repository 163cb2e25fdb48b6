"""Head office's reports over many lines: the analytics of one machine, asked what its pages ask.

The lines are made by the database itself from their numbers, the same in each run; what a report says is checked
against what they add up to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tillmesh.adapters.duckdb.analytics import FILE, DuckAnalytics
from tillmesh.adapters.sqlite.database import KEY_BYTES
from tillmesh.bench.goods import START_MS
from tillmesh.bench.measuring import Row, spread, times_ms
from tillmesh.fleet.reporting import HOUR_MS
from tillmesh.kernel.errors import Conflict

LINES: Final = 5_000_000
PER_SALE: Final = 6
STORES: Final = 10
SKUS: Final = 20_000
DAYS: Final = 365
DAY_MS: Final = 86_400_000
ROUNDS: Final = 3
BEST: Final = 50
AIM_MS: Final = 2_000
# Sale n: which store, which till, when; line m of it: which product, how many, for how much.
_WHO: Final = f"'store' || (n % {STORES}), 'till' || (n // {STORES} % 3) || '.aaaaaaaa', n // {STORES * 3} + 1"
_WHEN: Final = f"? + n * {DAYS * DAY_MS} // ?"
_MINOR: Final = "100 + (n * 7 + m) % 900"
_SKU: Final = f"(n * 31 + m * 17) % {SKUS}"
_SALES: Final = (
    f"INSERT INTO sale SELECT {_WHO}, 0, {_WHEN}, "  # noqa: S608 - constants
    f"list_sum(list_transform(range({PER_SALE}), lambda m: {_MINOR})), n % 200, '' FROM range(?) s(n)"
)
_LINES: Final = (
    f"INSERT INTO line SELECT {_WHO}, m, 0, {_WHEN}, 'sku' || {_SKU}, 'Product ' || {_SKU}, 1000 * (1 + n % 3), "  # noqa: S608
    f"{_MINOR}, n % 30 FROM range(?) s(n), range({PER_SALE}) t(m)"
)


def run(place: Path, lines: int = LINES) -> list[Row]:
    """Fill a year of ten stores, then ask."""
    sales = max(1, lines // PER_SALE)
    analytics = DuckAnalytics(place / FILE, bytes(KEY_BYTES))
    net = _fill(analytics, sales)
    last = START_MS + DAYS * DAY_MS
    fortnight = last - 14 * DAY_MS
    try:
        found = analytics.days([], START_MS, last)
        if (sum(day.sales for day in found), sum(day.net_minor for day in found)) != (sales, net):
            raise Conflict(f"reports do not add up to {sales} sales of {net}", hint="A bug of ours.")
        asked: Sequence[tuple[str, Callable[[], object]]] = [
            ("all days of a year, all stores", lambda: analytics.days([], START_MS, last)),
            ("14 days by the quarter of an hour, all stores", lambda: analytics.quarters([], fortnight, last)),
            ("a year by the hour, all stores", lambda: analytics.quarters([], START_MS, last, HOUR_MS)),
            ("a year by the quarter of an hour, all stores", lambda: analytics.quarters([], START_MS, last)),
            ("best products of a year, all stores", lambda: analytics.products([], START_MS, last, BEST)),
            ("best products of 14 days, all stores", lambda: analytics.products([], fortnight, last, BEST)),
            ("best products of a year, one store", lambda: analytics.products(["store3"], START_MS, last, BEST)),
            ("one day, one store", lambda: analytics.quarters(["store3"], last - DAY_MS, last)),
        ]
        rows = []
        for what, question in asked:
            before = time.process_time()
            times = spread(times_ms(question, ROUNDS))
            cpu_ms = (time.process_time() - before) / ROUNDS * 1e3
            note = f"{sales * PER_SALE:,} lines; {cpu_ms:.0f} ms of CPU"
            rows.append(
                Row(what=what, unit="ms", spread=times, aim=f"{AIM_MS} ms", met=times.median < AIM_MS, note=note)
            )
    finally:
        analytics.close()
    return rows


def _fill(analytics: DuckAnalytics, sales: int) -> int:
    """Make the rows; give what they add up to. Events would take minutes, and no report sees the difference."""
    db = analytics._db  # noqa: SLF001 - for a benchmark nobody else needs a way in
    for query in (_SALES, _LINES):
        db.execute(query, [START_MS, sales, sales])
    (net,) = db.execute("SELECT sum(total_minor) FROM line").fetchone() or (0,)
    return int(net)
