"""What people at head office call: signing in, stores and their sales, products and prices."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from tillmesh import __version__
from tillmesh.adapters.web.bodies import JSON
from tillmesh.adapters.web.speaking import say, spoken
from tillmesh.fleet.people import OfficeRole
from tillmesh.fleet.ports import Reading, SaleView, StoreView
from tillmesh.hub.web.api import Call, Context
from tillmesh.hub.web.people import COOKIE, SESSION_MS
from tillmesh.kernel.errors import Invalid, NotFound, TillmeshError
from tillmesh.kernel.limits import PAGE_ROWS_MAX, PRODUCTS_PER_EVENT_MAX
from tillmesh.kernel.times import parse_rfc3339, rfc3339
from tillmesh.shop.catalogue import check_fields, check_key, check_new
from tillmesh.shop.events import Change
from tillmesh.shop.settings import STORE, StoreSettings
from tillmesh.till.upkeep import wanting


class SignInBody(msgspec.Struct):
    """A name and its password."""

    user: str
    password: str


class CatalogueBody(msgspec.Struct):
    """Products for some stores, and those of some groups; neither of them means all stores."""

    products: list[dict[str, Any]]
    stores: list[str] = []
    groups: list[str] = []


async def sign_in(context: Context, body: SignInBody) -> Response:
    """Sign in; the token comes in the answer and as a cookie for the page."""
    token, signed = await context.services.people.sign_in(body.user, body.password, context.services.clock())
    content = {"token": token, "user": signed.name, "role": signed.role}
    response = Response(msgspec.json.encode(content), media_type=JSON)
    response.set_cookie(COOKIE, token, max_age=SESSION_MS // 1000, httponly=True, samesite="strict")
    return response


async def session(context: Context) -> dict[str, Any]:
    """Say who is signed in."""
    return {"user": context.who().name, "role": context.who().role}


async def sign_out(context: Context) -> None:
    """Sign out."""
    await context.services.people.sign_out(context.request)


async def stores(context: Context) -> dict[str, Any]:
    """List the stores with what they have sold, and when they were heard of last."""
    found = await context.hub.read(lambda reading: reading.stores())
    return {"stores": [shown(store) for store in found]}


async def sales(context: Context) -> dict[str, Any]:
    """List a store's receipts since a time."""
    store, limit = context.path("store_id"), context.limit(200, PAGE_ROWS_MAX)
    since = context.query("since")
    since_ms = parse_rfc3339(since, "since") if since else 0
    found = await context.hub.read(lambda reading: reading.sales(require_store(reading, store), since_ms, limit))
    return {"sales": [receipt(sale) for sale in found]}


async def products(context: Context) -> dict[str, Any]:
    """List a store's products."""
    store, words, limit = context.path("store_id"), context.query("q")[:100], context.limit(100, PAGE_ROWS_MAX)
    found = await context.hub.read(lambda reading: reading.products(require_store(reading, store), words, limit))
    return {"products": list(found)}


async def add_products(context: Context, body: CatalogueBody) -> dict[str, Any]:
    """Add products to stores, or change them."""
    if not 1 <= len(body.products) <= PRODUCTS_PER_EVENT_MAX:
        raise Invalid(
            f"{len(body.products)} products; 1 to {PRODUCTS_PER_EVENT_MAX} at once", hint="Send them in parts."
        )
    named = await stores_of(context, body.stores, body.groups)
    chosen = await context.hub.read(lambda reading: {s: tax_codes(reading, s) for s in chosen_stores(reading, named)})
    changes = {}
    for store, codes in chosen.items():
        checked = [check_new(product, codes) for product in body.products]
        changes[store] = [Change(key=sku, fields=fields) for sku, fields in checked]
    written = await context.hub.change_products(changes, by(context))
    await context.note("products_added", f"{len(body.products)} products", f"at {', '.join(written)}"[:500])
    return pushed(written)


async def change_product(context: Context, body: dict[str, Any]) -> dict[str, Any]:
    """Change a product at every store that has it, or at the ``stores`` and ``groups`` named in the body."""
    sku = check_key(context.path("sku"), "sku")
    fields = dict(body)
    named = await stores_of(context, names_of(fields.pop("stores", [])), names_of(fields.pop("groups", [])))

    def look(reading: Reading) -> dict[str, set[str]]:
        wanted = chosen_stores(reading, named)
        return {store: tax_codes(reading, store) for store in wanted if reading.product(store, sku) is not None}

    chosen = await context.hub.read(look)
    if not chosen:
        raise NotFound(f"no such store has a product {sku[:60]!r}", hint="Add it first.")
    changes = {store: [Change(key=sku, fields=check_fields(fields, codes))] for store, codes in chosen.items()}
    written = await context.hub.change_products(changes, by(context))
    said = ", ".join(f"{name}={value}" for name, value in sorted(fields.items()))
    await context.note("product_changed", sku, f"{said[:300]} at {', '.join(written)[:200]}")
    return pushed(written)


async def metrics(context: Context) -> Response:
    """Give what is counted, for Prometheus."""
    now = context.services.clock()
    context.services.metrics.show_models(await context.hub.with_models(lambda models: models.counted(now)))
    with contextlib.suppress(TillmeshError):  # a database that is away has alerts of its own
        context.services.metrics.show_upkeep(await context.hub.upkeep())
    return Response(context.services.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def health(context: Context) -> dict[str, Any]:
    """Say that head office is there, and whether it can store what comes."""
    found = await concerns(context)
    return {
        "ok": context.hub.trouble is None and not found,
        "version": __version__,
        "trouble": context.hub.shown_trouble(),
        "concerns": found,
    }


async def concerns(context: Context) -> list[dict[str, str]]:
    """Name in words what somebody should look at before it hurts."""
    with contextlib.suppress(TillmeshError):  # whatever keeps it from being asked is the trouble that is shown
        found = wanting(await context.hub.upkeep())
        return [{"check": one.check, "text": say(one.text, spoken.get())} for one in found]
    return []


async def ready(context: Context) -> dict[str, Any]:
    """Say whether batches are taken now; for who shares them out among several services."""
    if context.hub.trouble is not None:
        raise context.hub.trouble
    return {"ready": True}


async def stores_of(context: Context, stores: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Give the named stores and those of the named groups; nothing named is nothing chosen, which means all."""
    if not groups:
        return list(stores)
    known = await context.hub.ask(lambda office: office.groups())
    for name in groups:
        if name not in known:
            raise NotFound(f"no group of stores is called {name[:60]!r}", hint="Look at the list of groups.")
    found = list(dict.fromkeys([*stores, *(store for name in groups for store in known[name])]))
    if not found:
        raise Invalid(f"no store is in {', '.join(groups)[:200]}", hint="Put stores into the group first.")
    return found


def names_of(value: object) -> list[str]:
    """Give a list of names back if it is one."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Invalid("stores and groups are lists of names", hint="Leave both out for all stores.")
    return value


def chosen_stores(reading: Reading, named: list[str]) -> list[str]:
    """Give the named stores, all of them if none is named, or raise NotFound for one that is not known."""
    known = [store.store for store in reading.stores()]
    for store in named:
        if store not in known:
            raise NotFound(f"no store {store[:64]!r} has uploaded anything", hint="Look at the list of stores.")
    return named or known


def require_store(reading: Reading, store: str) -> str:
    """Give the store back if it is known."""
    return chosen_stores(reading, [store])[0]


def tax_codes(reading: Reading, store: str) -> set[str]:
    """Give the tax codes that have a rate in a store."""
    rates = reading.setting(store, STORE).get("tax_rates", list(StoreSettings().tax_rates))
    return {str(rate).partition("=")[0] for rate in rates} if isinstance(rates, list) else set()


def by(context: Context) -> str:
    """Say who changes something, as it stands in the events."""
    return f"headoffice:{context.who().name}"


def pushed(written: dict[str, int]) -> dict[str, Any]:
    """Say to which stores a change is on its way."""
    return {"stores": [{"store": store, "seq": seq} for store, seq in written.items()]}


def receipt(sale: SaleView) -> dict[str, Any]:
    """Show a receipt."""
    return {**sale._asdict(), "at": rfc3339(sale.at_ms)}


def shown(store: StoreView) -> dict[str, Any]:
    """Show a store."""
    last = rfc3339(store.last_sync_ms) if store.last_sync_ms else None
    return {**store._asdict(), "fenced": list(store.fenced), "last_sync": last}


CALLS: Final = [
    Call("POST", "/session", sign_in, "Sign in", body=SignInBody, role=None),
    Call("GET", "/session", session, "Who is signed in"),
    Call("DELETE", "/session", sign_out, "Sign out"),
    Call("GET", "/health", health, "Is head office there", role=None),
    Call("GET", "/ready", ready, "Can head office store what comes", role=None),
    Call("GET", "/metrics", metrics, "What is counted", role=None),
    Call("GET", "/stores", stores, "All stores"),
    Call("GET", "/stores/{store_id}/sales", sales, "Receipts of a store", query=("since", "limit")),
    Call("GET", "/stores/{store_id}/products", products, "Products of a store", query=("q", "limit")),
    Call("POST", "/catalogue", add_products, "Add products", body=CatalogueBody, role=OfficeRole.BUYER),
    Call("PATCH", "/catalogue/{sku}", change_product, "Change a product", body=dict, role=OfficeRole.BUYER),
]
