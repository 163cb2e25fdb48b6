"""The sales of the last weeks by day and product, read once and kept, and the forecasts that were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Final

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.demand import sold_on
from tillmesh.edge.demand import Forecast, forecast
from tillmesh.kernel.limits import DEMAND_DAYS_MAX, DEMAND_PRODUCTS_MAX, PAGE_ROWS_MAX
from tillmesh.kernel.times import local, zone
from tillmesh.shop.catalogue import Product
from tillmesh.terminal.driver import Driver
from tillmesh.till import ordering

HISTORY_DAYS: Final = 126
LATE_DAYS: Final = 3  # sales of these days may still come in from other tills
FRESH_MS: Final = 60_000
AT_ONCE: Final = 50  # products between which the event loop has its turn


class Demand:
    """Daily sales of one till's shop. Lives on the event loop; nothing is read before somebody asks."""

    def __init__(self, driver: Driver, clock: Callable[[], int]) -> None:
        self._driver = driver
        self._clock = clock
        self._days: dict[date, dict[str, int]] = {}
        self._today = date.min
        self._read_ms = 0
        self._found: dict[tuple[str, str], Forecast] = {}
        self._reading = asyncio.Lock()

    async def of(self, sku: str, *, days: int, lead_days: int, review_days: int) -> dict[str, Any] | None:
        """Forecast one product, or give None if it is not known."""
        known = await self._driver.look(lambda books: (books.product(sku), books.stock_milli(sku)))
        product, stock_milli = known
        if product is None:
            return None
        history = await self._history()
        found = forecast(ordering.series(history, sku, product.unit), max(days, lead_days + review_days))
        shown = ordering.shown(
            product, found, stock_milli=stock_milli, today=self._today, lead_days=lead_days, review_days=review_days
        )
        return {**shown, "forecast": shown["forecast"][:days]}

    async def orders(self, *, lead_days: int, review_days: int) -> dict[str, Any]:
        """List the products whose stock may not last until a delivery that is ordered now, the most urgent first."""
        history = await self._history()
        totals: dict[str, int] = {}
        for day in history:
            for sku, milli in day.items():
                totals[sku] = totals.get(sku, 0) + milli
        newest = sorted(totals, key=lambda sku: (-totals[sku], sku))[:DEMAND_PRODUCTS_MAX]
        found: list[dict[str, Any]] = []
        for at in range(0, len(newest), AT_ONCE):
            part = newest[at : at + AT_ONCE]
            found += await self._driver.look(
                lambda books, part=part: self._soon(books, history, part, lead_days, review_days)  # type: ignore[misc]
            )
        found.sort(key=lambda one: (one["lasts_days"], -one["per_day"], one["sku"]))
        return {
            "orders": found[:PAGE_ROWS_MAX],
            "looked_at": len(newest),
            "lead_days": lead_days,
            "review_days": review_days,
            "as_of": self._today.isoformat(),
        }

    def _soon(
        self, books: Books, history: list[dict[str, int]], skus: Iterable[str], lead_days: int, review_days: int
    ) -> list[dict[str, Any]]:
        products = [product for sku in skus if (product := books.product(sku)) is not None]
        counted = [product for product in products if product.active and product.track_stock]
        stocks = books.stocks_milli([product.sku for product in counted])
        shown = []
        for product in counted:
            found = self._forecast(history, product, lead_days + review_days)
            one = ordering.suggested(
                product, found, stock_milli=stocks[product.sku], lead_days=lead_days, review_days=review_days
            )
            if one["order_soon"]:
                shown.append(
                    {"sku": product.sku, "name": product.name, "unit": product.unit,
                     "department": product.department, **one}
                )  # fmt: skip
        return shown

    def _forecast(self, history: list[dict[str, int]], product: Product, ahead: int) -> Forecast:
        key = (product.sku, f"{product.unit}/{ahead}")
        if key not in self._found:
            self._found[key] = forecast(ordering.series(history, product.sku, product.unit), ahead)
        return self._found[key]

    async def _history(self) -> list[dict[str, int]]:
        """Give the days up to yesterday, oldest first."""
        async with self._reading:
            now_ms = self._clock()
            today = await self._driver.look(lambda books: local(now_ms, zone(books.store().time_zone)).date())
            if today != self._today:
                self._days.clear()
                self._found.clear()
                self._today, self._read_ms = today, 0
            wanted = [today - timedelta(days=back) for back in range(HISTORY_DAYS, 0, -1)]
            is_fresh = now_ms - self._read_ms < FRESH_MS
            for day in wanted:
                is_late = (today - day).days <= LATE_DAYS
                if day in self._days and (is_fresh or not is_late):
                    continue
                sold = await self._driver.look(lambda books, day=day: sold_on(books, day))  # type: ignore[misc]
                if self._days.get(day) not in (None, sold):
                    self._found.clear()
                self._days[day] = sold
            if not is_fresh:
                self._read_ms = now_ms
            return [self._days[day] for day in wanted]


assert HISTORY_DAYS <= DEMAND_DAYS_MAX
