"""Reports over all stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tillmesh.fleet.ports import StoreView
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.office_calls import chosen_stores, shown
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import PAGE_ROWS_MAX
from tillmesh.kernel.times import EPOCH, local, parse_day, zone

DAYS_MAX: Final = 3_700
DAY_MS: Final = 86_400_000


async def days(context: Context) -> dict[str, Any]:
    """Add up net sales per store and day (UTC)."""
    stores, first_ms, last_ms = await _asked(context)
    found = await context.hub.report(lambda analytics: analytics.days(stores, first_ms, last_ms))
    return {"days": [row._asdict() for row in found]}


async def products(context: Context) -> dict[str, Any]:
    """List the products that brought in most."""
    stores, first_ms, last_ms = await _asked(context)
    limit = context.limit(50, PAGE_ROWS_MAX)
    found = await context.hub.report(lambda analytics: analytics.products(stores, first_ms, last_ms, limit))
    return {"products": [row._asdict() for row in found]}


async def health(context: Context) -> dict[str, Any]:
    """Say of every store when it was heard of, who uploads, and what is wrong."""
    found = await context.hub.read(lambda reading: reading.stores())
    now = context.services.clock()
    return {"stores": [{**shown(store), "silent_ms": _silent(store, now)} for store in found]}


def _silent(store: StoreView, now: int) -> int | None:
    return max(0, now - store.last_sync_ms) if store.last_sync_ms else None


async def _asked(context: Context) -> tuple[list[str], int, int]:
    """Read ``stores`` (comma), ``from`` and ``to`` (days, both included; the last 30 unless given)."""
    today = local(context.services.clock(), zone("UTC")).date()
    last = parse_day(context.query("to"), "to") if context.query("to") else today
    first = parse_day(context.query("from"), "from") if context.query("from") else last - timedelta(days=29)
    if not 0 <= (last - first).days <= DAYS_MAX:
        raise Invalid(f"{first} to {last} is no span of 1 to {DAYS_MAX} days", hint="Choose other days.")
    named = [store for store in context.query("stores").split(",") if store]
    stores = await context.hub.read(lambda reading: chosen_stores(reading, named)) if named else []
    first_ms = (first - EPOCH.date()).days * DAY_MS
    return stores, first_ms, ((last - EPOCH.date()).days + 1) * DAY_MS


CALLS: Final = [
    Call("GET", "/reports/days", days, "Net sales per store and day", query=("from", "to", "stores")),
    Call(
        "GET", "/reports/products", products, "Products that brought in most", query=("from", "to", "stores", "limit")
    ),
    Call("GET", "/reports/stores", health, "How the stores are"),
]
