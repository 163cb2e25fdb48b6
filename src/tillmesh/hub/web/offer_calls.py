"""Prices from a time on, and promotions: sent to stores beforehand, so that every till knows them when they begin.

Times are those of the clock on each store's own wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import field
from starlette.responses import Response

from tillmesh.adapters.web.bodies import JSON
from tillmesh.fleet.office import Plan, Whom
from tillmesh.fleet.people import OfficeRole
from tillmesh.fleet.ports import Reading
from tillmesh.fleet.standing import ShopRow, decimals, reached
from tillmesh.hub.following import (
    OF_MONEY,
    PRICE,
    PRICE_GONE,
    PROMOTION,
    PROMOTION_GONE,
    end_of,
    price_change,
    promotion_change,
)
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.offer_files import prices_file, promotions_file
from tillmesh.hub.web.office_calls import by, chosen_stores, names_of, pushed, stores_of
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.limits import PAGE_ROWS_MAX
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.catalogue import check_key
from tillmesh.shop.events import Change, PricesChanged, PromotionsChanged
from tillmesh.shop.offers import price_key_of
from tillmesh.shop.offers.fields import check_id

SHOWN_MAX: Final = 500


class PriceBody(msgspec.Struct):
    """A price that holds from a time on, until another time or until the next one."""

    sku: str
    price_minor: int
    begins: str = field(name="from", default="")  # nothing: at once
    until: str = ""
    stores: list[str] = []
    groups: list[str] = []


async def prices(context: Context) -> dict[str, Any] | Response:
    """List the prices that head office planned, those to come first."""
    found, shops = await _plans(context, PRICE)
    now = context.services.clock()
    shown = [_price(context, plan, shops, now) for plan in found]
    order = ("planned", "in_force", "over", "withdrawn")
    shown.sort(key=lambda one: order.index(one["state"]))
    if context.query("format") == "csv":
        return prices_file(shown, context.query("language"))
    return {"prices": shown}


async def plan_price(context: Context, body: PriceBody) -> dict[str, Any]:
    """Let a price hold from a time on, in some stores or groups, by each store's own clock."""
    sku, now = check_key(body.sku, "sku"), context.services.clock()
    given = {"sku": sku, "from": body.begins, "until": body.until, "price_minor": body.price_minor}
    named = await stores_of(context, body.stores, body.groups)

    def look(reading: Reading) -> tuple[dict[str, ShopRow], str]:
        chosen, name = {}, ""
        shops = {shop.store: shop for shop in reading.shops()}
        for store in chosen_stores(reading, named):
            fields = reading.product(store, sku)
            if fields is not None:
                chosen[store], name = shops[store], name or str(fields.get("name") or sku)
        return chosen, name

    chosen, name = await context.hub.read(look)
    if not chosen:
        raise NotFound(f"no such store has a product {sku[:60]!r}", hint="Add it first.")
    shop = _one_currency(chosen)
    changes = {store: [price_change(given, where, now)] for store, where in chosen.items()}
    who = by(context)
    written = await context.hub.change(changes, lambda part: PricesChanged(changes=part, by=who, source="headoffice"))
    shown = {
        "sku": sku,
        "name": name,
        "price_minor": body.price_minor,
        "currency": shop.currency,
        "exponent": decimals(shop.currency),
        "from": body.begins,
        "until": body.until,
    }
    places = {store: change.key for store, (change,) in changes.items()}
    await _note_plan(context, PRICE, sku, shown, places, (body.groups, body.stores), at_ms=now)
    await context.note(
        "price_planned", sku, f"{body.price_minor} from {body.begins or 'now'} at {', '.join(written)}"[:500]
    )
    return pushed(written)


async def withdraw_price(context: Context) -> dict[str, Any]:
    """Take a planned price back, wherever it was sent; what held before it holds again."""
    plan = await _by_number(context, PRICE)
    changes = {store: [Change(key=key, fields=dict(PRICE_GONE))] for store, key in plan.places.items()}
    who = by(context)
    written = await context.hub.change(changes, lambda part: PricesChanged(changes=part, by=who, source="headoffice"))
    await _end(context, plan, "price_withdrawn", str(plan.shown["sku"]))
    return pushed(written)


async def promotions(context: Context) -> dict[str, Any] | Response:
    """List the promotions that head office sent."""
    found, shops = await _plans(context, PROMOTION)
    shown = [_promotion(context, plan, shops) for plan in found]
    if context.query("format") == "csv":
        return promotions_file(shown, context.query("language"))
    return {"promotions": shown}


async def put_promotion(context: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Send a promotion to some stores or groups, or change one in all stores that have it and in these."""
    given = dict(body)
    stores, groups = names_of(given.pop("stores", [])), names_of(given.pop("groups_of_stores", []))
    promotion_id = check_id(given.pop("promotion_id", ""), "promotion_id")
    named = await stores_of(context, stores, groups)

    def look(reading: Reading) -> tuple[list[str], dict[str, ShopRow]]:
        return chosen_stores(reading, named), {shop.store: shop for shop in reading.shops()}

    wanted, shops = await context.hub.read(look)
    before = await context.hub.ask(lambda office: office.plan(PROMOTION, promotion_id))
    chosen = {store: shops[store] for store in dict.fromkeys([*wanted, *(before.places if before else ())])}
    if any(given.get(name) for name in OF_MONEY):
        _one_currency(chosen)
    changes = {store: [promotion_change(promotion_id, given, where)] for store, where in chosen.items()}
    if not changes:
        raise NotFound("no store has uploaded anything", hint="Wait for the first upload of a store.")
    who = by(context)
    written = await context.hub.change(
        changes, lambda part: PromotionsChanged(changes=part, by=who, source="headoffice")
    )
    first = next(iter(chosen.values()))
    shown = {**given, "promotion_id": promotion_id, "currency": first.currency, "exponent": decimals(first.currency)}
    places = dict.fromkeys(chosen, promotion_id)
    await _note_plan(context, PROMOTION, promotion_id, shown, places, (groups, stores), before)
    await context.note("promotion_sent", promotion_id, f"at {', '.join(written)}"[:500])
    return pushed(written)


async def end_promotion(context: Context) -> dict[str, Any]:
    """End a promotion now, in every store that has it."""
    promotion_id = context.path("promotion_id")
    plan = await context.hub.ask(lambda office: office.plan(PROMOTION, promotion_id))
    if plan is None:
        raise NotFound(f"head office has sent no promotion {promotion_id[:60]!r}", hint="Look at the list.")
    if plan.ended_ms is not None:
        raise Conflict(f"the promotion {promotion_id} has ended already", hint="Send it again to begin it anew.")
    changes = {store: [Change(key=key, fields=dict(PROMOTION_GONE))] for store, key in plan.places.items()}
    who = by(context)
    written = await context.hub.change(
        changes, lambda part: PromotionsChanged(changes=part, by=who, source="headoffice")
    )
    await _end(context, plan, "promotion_ended", promotion_id)
    return pushed(written)


def _one_currency(chosen: Mapping[str, ShopRow]) -> ShopRow:
    """Give one of the stores if all have the same currency: an amount means nothing without."""
    found = {shop.currency: shop for shop in chosen.values()}
    if len(found) != 1:
        raise Invalid(f"these stores have {', '.join(sorted(found))}", hint="Choose stores with one currency.")
    return next(iter(found.values()))


def _words(stores: list[str], groups: list[str]) -> str:
    """Say which stores were chosen, as they were."""
    return ", ".join([*groups, *stores])[:500]


async def _plans(context: Context, kind: str) -> tuple[list[Plan], dict[str, ShopRow]]:
    limit = context.limit(SHOWN_MAX, PAGE_ROWS_MAX)
    found = await context.hub.ask(lambda office: office.plans(kind, limit))
    shops = await context.hub.read(lambda reading: reading.shops())
    return found, {shop.store: shop for shop in shops}


async def _note_plan(
    context: Context, kind: str, key: str, shown: dict[str, Any], places: dict[str, str],
    chosen: tuple[list[str], list[str]], before: Plan | None = None, at_ms: int = 0,
) -> None:  # fmt: skip
    """Note a plan for the groups and stores that were ``chosen``; one that is changed stays where it was, too."""
    who, at_ms = context.who().name, at_ms or context.services.clock()
    groups, stores = chosen
    was = Whom() if before is None else before.whom
    follows = tuple(dict.fromkeys([*was.groups, *groups]))
    known = await context.hub.ask(lambda office: office.groups())
    by_group = {store for name in follows for store in known.get(name, ())}
    named = tuple(dict.fromkeys([*was.stores, *stores, *(store for store in places if store not in by_group)]))
    number, whom = None if before is None else before.id, Whom(_words(stores, groups), follows, named)
    await context.hub.ask(
        lambda office: office.put_plan(kind, key, shown, places, whom, by=who, at_ms=at_ms, number=number)
    )


async def _by_number(context: Context, kind: str) -> Plan:
    text = context.path("number")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    plan = await context.hub.ask(lambda office: office.plan_by_id(kind, number))
    if plan is None:
        raise NotFound(f"head office has planned no {kind} {text[:20]!r}", hint="Look at the list.")
    if plan.ended_ms is not None:
        raise Conflict("that was taken back already", hint="Look at the list.")
    return plan


async def _end(context: Context, plan: Plan, action: str, subject: str) -> None:
    now = context.services.clock()
    await context.hub.ask(lambda office: office.end_plan(plan.id, now))
    await context.note(action, subject, f"at {', '.join(plan.places)}"[:500])


def _price(context: Context, plan: Plan, shops: Mapping[str, ShopRow], now: int) -> dict[str, Any]:
    begins = [place[1] for key in plan.places.values() if (place := price_key_of(key)) is not None]
    over = _is_over(plan, shops, now)
    state = "withdrawn" if plan.ended_ms is not None else "over" if over else (
        "planned" if begins and min(begins) > now else "in_force"
    )  # fmt: skip
    return {**plan.shown, "id": plan.id, "state": state, **_told(context, plan, shops)}


def _is_over(plan: Plan, shops: Mapping[str, ShopRow], now: int) -> bool:
    """Say whether its end has passed on the clock of every store that has it."""
    return 0 < end_of(plan, {shops[store].time_zone for store in plan.places if store in shops}) <= now


def _promotion(context: Context, plan: Plan, shops: Mapping[str, ShopRow]) -> dict[str, Any]:
    now = context.services.clock()
    state = "ended" if plan.ended_ms is not None else "over" if _is_over(plan, shops, now) else "sent"
    return {**plan.shown, "state": state, **_told(context, plan, shops)}


def _told(context: Context, plan: Plan, shops: Mapping[str, ShopRow]) -> dict[str, Any]:
    """Say where it went, and in how many stores every till has all that head office wrote."""
    spreads = [reached(shops[store], context.hub.contact(store)) for store in plan.places if store in shops]
    return {
        "chosen": plan.whom.words,
        "stores": len(plan.places),
        "stores_with": sum(spread is not None and spread[0] == spread[1] for spread in spreads),
        "by": plan.by,
        "at": rfc3339(plan.at_ms),
    }


_BUYER: Final = OfficeRole.BUYER
_BOTH: Final = (JSON, "text/csv")
_LIST: Final = ("limit", "format", "language")
CALLS: Final = [
    Call("GET", "/prices", prices, "Planned prices", query=_LIST, gives=_BOTH),
    Call("POST", "/prices", plan_price, "Plan a price", body=PriceBody, role=_BUYER),
    Call("DELETE", "/prices/{number}", withdraw_price, "Withdraw a planned price", role=_BUYER),
    Call(
        "GET",
        "/promotions",
        promotions,
        "Promotions of head office",
        query=("limit", "format", "language"),
        gives=_BOTH,
    ),
    Call("POST", "/promotions", put_promotion, "Send or change a promotion", body=dict, role=_BUYER),
    Call("POST", "/promotions/{promotion_id}/end", end_promotion, "End a promotion", role=_BUYER),
]
