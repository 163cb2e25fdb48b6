"""What was planned for a group of stores follows its members: who joins gets it, who leaves loses it.

A store has an offer as long as it is in one of the offer's groups or was chosen by its own name. What was planned for
all stores, or before head office noted groups, follows nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from tillmesh.fleet.office import Office, Plan
from tillmesh.fleet.ports import Reading
from tillmesh.fleet.standing import ShopRow
from tillmesh.hub.running import Hub, now_ms
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.events import Change, PricesChanged, PromotionsChanged, Value
from tillmesh.shop.offers import price_key
from tillmesh.shop.offers.fields import check_promotion, price_fields, promotion_fields

log = logging.getLogger(__name__)
FOLLOW_S: Final = 600.0
PRICE: Final = "price"
PROMOTION: Final = "promotion"
OF_MONEY: Final = ("amount_minor", "minimum_minor", "most_minor")
PRICE_GONE: Final[Mapping[str, Value]] = {"price_minor": None, "until_ms": 0}
PROMOTION_GONE: Final[Mapping[str, Value]] = {"active": False}
_OURS: Final = ("promotion_id", "currency", "exponent")  # what a noted promotion holds beside the fields of tills


class Moved(NamedTuple):
    """What became of offers: stores that got one or lost one, and those that could not get one."""

    joined: int = 0
    left: int = 0
    without: int = 0


def price_change(given: Mapping[str, Any], shop: ShopRow, at_ms: int) -> Change:
    """Give the change that lets a planned price hold in a store, by its own clock; at once means ``at_ms``."""
    _, sku, begin, fields = price_fields(given, shop.time_zone)
    return Change(key=price_key("", begin or at_ms, sku), fields=fields)


def promotion_change(promotion_id: str, given: Mapping[str, Any], shop: ShopRow) -> Change:
    """Give the change that brings a promotion to a store."""
    fields = {"active": True, **promotion_fields(given, shop.time_zone)}
    check_promotion(promotion_id, fields)
    return Change(key=promotion_id, fields=fields)


def end_of(plan: Plan, zones: Collection[str]) -> int:
    """Give when a plan ends on the last of some clocks; 0 if it never does."""
    until = str(plan.shown.get("until") or "")
    if not until:
        return 0
    given = {"sku": "x", "from": "", "until": until, "price_minor": 1}
    ends = [end for zone in zones if isinstance(end := price_fields(given, zone)[3]["until_ms"], int)]
    return max(ends, default=0)


async def follow(hub: Hub, at_ms: int, by: str) -> Moved:
    """Bring every offer to the stores that are in its groups by now, and take it back from those that are not.

    May be repeated at any time: what is where it belongs is left alone.
    """
    total = Moved()
    known = await hub.ask(lambda office: office.groups())
    for plan in await hub.ask(lambda office: office.following()):
        moved = await _settle(hub, plan, known, at_ms, by)
        total = Moved(*(one + other for one, other in zip(total, moved, strict=True)))
    return total


async def keep_following(hub: Hub) -> None:
    """Look now and then whether every offer is where it belongs: a start in the middle, a product that came later."""
    while True:
        try:
            await follow(hub, now_ms(), "headoffice:system")
        except TillmeshError as cause:
            log.warning("offers do not follow their groups yet: %s", cause.detail)
        await asyncio.sleep(FOLLOW_S)


async def _settle(hub: Hub, plan: Plan, known: Mapping[str, list[str]], at_ms: int, by: str) -> Moved:
    wanted = {*plan.whom.stores, *(store for name in plan.whom.groups for store in known.get(name, ()))}
    joining, leaving = sorted(wanted - set(plan.places)), sorted(set(plan.places) - wanted)
    if not joining and not leaving:
        return Moved()

    def look(reading: Reading) -> dict[str, Change]:
        shops = {shop.store: shop for shop in reading.shops()}
        return {
            store: change
            for store in joining
            if store in shops and (change := _brought(reading, plan, shops[store], at_ms)) is not None
        }

    brought = await hub.read(look)
    gone = PRICE_GONE if plan.kind == PRICE else PROMOTION_GONE
    changes = {store: [change] for store, change in brought.items()}
    changes |= {store: [Change(key=plan.places[store], fields=dict(gone))] for store in leaving}
    if not changes:
        return Moved(without=len(joining))
    kind = PricesChanged if plan.kind == PRICE else PromotionsChanged
    await hub.change(changes, lambda part: kind(changes=part, by=by, source="headoffice"))
    places = {store: key for store, key in plan.places.items() if store in wanted}
    places |= {store: change.key for store, change in brought.items()}

    def note(office: Office) -> None:
        office.move_plan(plan.id, places)
        said = [f"to {', '.join(brought)}"] * bool(brought) + [f"from {', '.join(leaving)}"] * bool(leaving)
        office.audit(at_ms, by.removeprefix("headoffice:"), "offer_followed", plan.key, "; ".join(said)[:500])

    await hub.ask(note)
    return Moved(len(brought), len(leaving), len(joining) - len(brought))


def _brought(reading: Reading, plan: Plan, shop: ShopRow, at_ms: int) -> Change | None:
    """Give what brings a plan to a store that joined, or None: it is over there, or means nothing there."""
    if 0 < end_of(plan, [shop.time_zone]) <= at_ms:
        return None
    if plan.kind == PRICE:
        known = reading.product(shop.store, str(plan.shown["sku"])) is not None
        given = {name: plan.shown[name] for name in ("sku", "from", "until", "price_minor")}
        fits = known and shop.currency == plan.shown["currency"]
        return price_change(given, shop, plan.at_ms) if fits else None
    given = {name: value for name, value in plan.shown.items() if name not in _OURS}
    if any(given.get(name) for name in OF_MONEY) and shop.currency != plan.shown["currency"]:
        return None
    return promotion_change(plan.key, given, shop)
