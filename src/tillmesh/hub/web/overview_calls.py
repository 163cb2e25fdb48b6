"""What the pages of head office open with: how every store stands, and one store from near by."""

from __future__ import annotations

from typing import Any, Final

from tillmesh.fleet.ports import Reading
from tillmesh.fleet.standing import Contact, ShopRow, Takings, behind, decimals, tills, today, unsent
from tillmesh.hub.running import NEWS_MS
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.office_calls import concerns, receipt
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import PAGE_ROWS_MAX
from tillmesh.kernel.times import rfc3339

ONLINE_MS: Final = NEWS_MS + 10_000  # a leader in reach asks for news again and again
LATEST: Final = 50


async def overview(context: Context) -> dict[str, Any]:
    """Say how every store stands: who was heard of, how much is behind, what was taken today."""
    now_ms, contact = context.services.clock(), context.hub.contact

    def look(reading: Reading) -> list[dict[str, Any]]:
        return [_standing(reading, shop, contact(shop.store), now_ms) for shop in reading.shops()]

    return {
        "stores": await context.hub.read(look),
        "trouble": context.hub.shown_trouble(),
        "concerns": await concerns(context),
    }


async def store(context: Context) -> dict[str, Any]:
    """Show one store: how it stands, and each of its tills."""
    store_id, now_ms = context.path("store_id"), context.services.clock()
    contact = context.hub.contact(store_id)

    def look(reading: Reading) -> dict[str, Any]:
        shop = next((shop for shop in reading.shops() if shop.store == store_id), None)
        if shop is None:
            raise NotFound(f"no store {store_id[:64]!r} has uploaded anything", hint="Look at the list of stores.")
        return {**_standing(reading, shop, contact, now_ms), "tills": _tills(reading, shop, now_ms)}

    return await context.hub.read(look)


async def latest(context: Context) -> dict[str, Any]:
    """List the newest receipts of a store."""
    store_id, limit = context.path("store_id"), context.limit(LATEST, PAGE_ROWS_MAX)

    def look(reading: Reading) -> list[dict[str, Any]]:
        return [
            {**receipt(sale), "terminal_name": till_name(reading, store_id, sale.terminal)}
            for sale in reading.latest(store_id, limit)
        ]

    return {"sales": await context.hub.read(look)}


def till_name(reading: Reading, store_id: str, terminal: str) -> str:
    """Give the name of a till as its store has it."""
    return str(reading.setting(store_id, terminal).get("name") or terminal)


def _standing(reading: Reading, shop: ShopRow, contact: Contact, now_ms: int) -> dict[str, Any]:
    day = today(shop.time_zone, now_ms)
    last_ms = max(contact.heard_ms, shop.last_sync_ms)
    return {
        "store": shop.store,
        "name": shop.name,
        "currency": shop.currency,
        "exponent": decimals(shop.currency),
        "time_zone": shop.time_zone,
        "online": bool(contact.heard_ms) and now_ms - contact.heard_ms <= ONLINE_MS,
        "silent_ms": max(0, now_ms - last_ms) if last_ms else None,
        "term": shop.term,
        "leader": till_name(reading, shop.store, terminal_of(shop.sender)) if shop.sender else "",
        "till_count": len(tills(shop)),
        "events": sum(shop.heads.values()),
        "behind": behind(shop, contact),
        "unsent": unsent(shop, contact),
        "fenced": [till_name(reading, shop.store, terminal_of(actor)) for actor in shop.fenced],
        "uncounted": sum(shop.uncounted.values()),
        "today": _sums(reading.takings(shop.store, day.first_ms, day.now_ms)),
        "week_before": _sums(reading.takings(shop.store, day.before_first_ms, day.before_now_ms)),
    }


def _tills(reading: Reading, shop: ShopRow, now_ms: int) -> list[dict[str, Any]]:
    taken = reading.takings_by_till(shop.store, today(shop.time_zone, now_ms).first_ms, now_ms)
    return [
        {
            "terminal": terminal,
            "name": till_name(reading, shop.store, terminal),
            "uploads": terminal == terminal_of(shop.sender),
            "fenced": any(terminal_of(actor) == terminal for actor in shop.fenced),
            "uncounted": sum(count for actor, count in shop.uncounted.items() if terminal_of(actor) == terminal),
            "events": events,
            "last_event": rfc3339(last_ms),
            "today": _sums(taken.get(terminal, Takings())),
        }
        for terminal, (events, last_ms) in sorted(tills(shop).items())
    ]


def _sums(takings: Takings) -> dict[str, int]:
    return takings._asdict()


CALLS: Final = [
    Call("GET", "/overview", overview, "How every store stands"),
    Call("GET", "/stores/{store_id}", store, "How one store stands"),
    Call("GET", "/stores/{store_id}/latest", latest, "The newest receipts of a store", query=("limit",)),
]
