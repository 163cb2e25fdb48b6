"""Promotions, price lists and dated prices: shown, changed, tried on a sample basket, as CSV in and out."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from tillmesh.adapters.sqlite import offers
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import rows
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import PAGE_ROWS_MAX
from tillmesh.kernel.money import exponent
from tillmesh.kernel.quantity import parse_quantity
from tillmesh.shop.events import Change
from tillmesh.shop.offers.fields import (
    check_id,
    check_promotion,
    list_fields,
    price_fields,
    promotion_fields,
    read_moment,
    show_list,
    show_moment,
    show_promotion,
)
from tillmesh.shop.offers.files import Sheet, read_prices, read_promotions, write_prices, write_promotions
from tillmesh.shop.offers.prices import FOR_ALL, PriceList, price_key
from tillmesh.shop.offers.promotion import IN_SETS, Promotion, holds_at, state_of
from tillmesh.shop.people import Role
from tillmesh.shop.product_rows import text_lines
from tillmesh.terminal.web.api import CSV, Call, Context
from tillmesh.till import views
from tillmesh.till.commands import ChangeRecords, WantedLine
from tillmesh.till.offers import preview

Fields = dict[str, Any]
CHANGES_MAX = 500
EVERYBODY = "everybody"  # in the address: dated prices that belong to no list
_PRICES = "SELECT sku, price_list, from_ms, until_ms, price_minor FROM price ORDER BY sku, price_list, from_ms LIMIT ?"


class PreviewLine(msgspec.Struct):
    """A line of a sample basket."""

    sku: str
    quantity: str | int = "1"


class PreviewBody(msgspec.Struct):
    """A sample basket, and perhaps a promotion that is not saved yet."""

    lines: list[PreviewLine]
    customer_id: str = ""
    coupons: list[str] = []
    at_ms: int = 0  # 0: now
    at: str = ""  # the same as the clock on the shop's wall shows it
    promotion: Fields | None = None
    promotion_id: str = ""


class PricesBody(msgspec.Struct):
    """Dated prices: sku, price_list, from, until, price_minor each; a price of null takes one back."""

    prices: list[Fields]


def _promotion(db: Any, books: Books, promotion_id: str, now_ms: int) -> dict[str, Any]:
    found = next((one for one in offers.promotions(db) if one.promotion_id == promotion_id), None)
    if found is None:
        raise NotFound(f"no promotion {promotion_id[:40]!r}", hint="Reload the list.")
    return _shown(books, found, now_ms)


def _shown(books: Books, one: Promotion, now_ms: int) -> dict[str, Any]:
    zone = books.store().time_zone
    return show_promotion(one, zone) | {
        "uses": books.promotion_uses(one.promotion_id),
        "stage": _stage(one),
        "state": state_of(one, now_ms),
        "holds_now": one.active and holds_at(one, now_ms, zone),
    }


def _stage(one: Promotion) -> str:
    if one.exclusive:
        return "exclusive"
    return "cart" if one.on_cart else "set" if one.kind in IN_SETS else "line"


async def list_promotions(context: Context) -> Any:
    """List promotions in the order in which they are looked at, those that are switched off last."""
    now_ms = context.now_ms()

    def query(db: Any, books: Books) -> dict[str, Any]:
        place = {one.promotion_id: at for at, one in enumerate(books.promotions().promotions)}
        found = sorted(offers.promotions(db), key=lambda one: place.get(one.promotion_id, len(place)))
        return {"promotions": [_shown(books, one, now_ms) for one in found], "overused": _overused(db, found)}

    return await context.driver.read(query)


def _overused(db: Any, found: list[Promotion]) -> list[dict[str, Any]]:
    """List what was used more often than it may be: tills that did not hear each other can't count together."""
    used = offers.all_uses(db)
    over = []
    for one in found:
        mine = [row for row in used if row[0] == one.promotion_id]
        counts: list[tuple[str, str, int, int]] = [("", "", sum(row[3] for row in mine), one.uses_max)]
        codes = sorted({code for _, code, _, _ in mine if code})
        customers = sorted({who for _, _, who, _ in mine if who})
        counts += [(code, "", sum(row[3] for row in mine if row[1] == code), one.code_uses_max) for code in codes]
        counts += [("", who, sum(row[3] for row in mine if row[2] == who), one.customer_uses_max) for who in customers]
        over += [
            {
                "promotion_id": one.promotion_id,
                "name": one.name,
                "code": code,
                "customer_id": who,
                "uses": n,
                "limit": most,
            }
            for code, who, n, most in counts
            if 0 < most < n
        ]
    return over


async def create_promotion(context: Context, body: Fields) -> tuple[int, Any]:
    """Add a promotion."""
    given = body.pop("promotion_id", "") or context.new_id()
    return 201, await _write_promotion(context, check_id(given, "promotion_id"), body, {})


async def patch_promotion(context: Context, body: Fields) -> Any:
    """Change some fields of a promotion."""
    key = context.path("promotion_id")
    held = await context.driver.look(lambda books: books.fields("promotion", key))
    if held is None:
        raise NotFound(f"no promotion {key[:40]!r}", hint="Reload the list.")
    body.pop("promotion_id", None)
    return await _write_promotion(context, key, body, held)


async def _write_promotion(context: Context, key: str, body: Fields, held: Any) -> dict[str, Any]:
    zone = (await context.driver.look(lambda books: books.store())).time_zone
    fields = promotion_fields(body, zone)
    check_promotion(key, {**held, **fields})
    if not held and "name" not in fields:
        raise Invalid("a promotion needs a name", hint="It stands on the receipt.")
    await context.do(ChangeRecords(entity="promotion", changes=(Change(key=key, fields=fields),)))
    now_ms = context.now_ms()
    return await context.driver.read(lambda db, books: _promotion(db, books, key, now_ms))


async def preview_promotions(context: Context, body: PreviewBody) -> Any:
    """Price a sample basket, with a promotion that is not saved yet if one is given; nothing is recorded."""
    lines = tuple(WantedLine(sku=one.sku, quantity_milli=parse_quantity(one.quantity)) for one in body.lines)

    def query(books: Books) -> dict[str, Any]:
        draft = None
        if body.promotion is not None:
            held = (books.fields("promotion", body.promotion_id) if body.promotion_id else None) or {}
            given = {key: value for key, value in body.promotion.items() if key != "promotion_id"}
            fields = promotion_fields(given, books.store().time_zone)
            draft = check_promotion(body.promotion_id or "~draft", {**held, **fields})
        at_ms = body.at_ms or read_moment("at", body.at, books.store().time_zone) or context.now_ms()
        cart, priced = preview(books, lines, body.customer_id, tuple(body.coupons), at_ms, draft)
        return views.priced_cart(books, cart, priced)

    return await context.driver.look(query)


async def list_price_lists(context: Context) -> Any:
    """List price lists, and the groups that customers are in."""

    def query(books: Books) -> dict[str, Any]:
        groups = {str(fields.get("group") or "") for _, fields in books.records("customer")} - {""}
        return {"price_lists": [show_list(one) for one in books.price_lists()], "groups": sorted(groups)}

    return await context.driver.look(query)


async def create_price_list(context: Context, body: Fields) -> tuple[int, Any]:
    """Add a price list."""
    key = check_id(body.pop("price_list", "") or context.new_id(), "price_list")
    if "name" not in body:
        raise Invalid("a price list needs a name", hint="It stands on the receipt.")
    return 201, await _write_list(context, key, body)


async def patch_price_list(context: Context, body: Fields) -> Any:
    """Change some fields of a price list."""
    key = context.path("price_list")
    if await context.driver.look(lambda books: books.fields("price_list", key)) is None:
        raise NotFound(f"no price list {key[:40]!r}", hint="Reload the list.")
    body.pop("price_list", None)
    return await _write_list(context, key, body)


async def _write_list(context: Context, key: str, body: Fields) -> dict[str, Any]:
    changes = (Change(key=key, fields=list_fields(body)),)
    await context.do(ChangeRecords(entity="price_list", changes=changes))

    def query(books: Books) -> PriceList:
        return next(one for one in books.price_lists() if one.list_id == key)

    return show_list(await context.driver.look(query))


async def list_prices(context: Context) -> Any:
    """List dated prices and those of lists: of one product, of one list (``everybody``: of none), or all."""
    sku, limit = context.query("sku")[:100], context.limit(PAGE_ROWS_MAX, PAGE_ROWS_MAX)
    wanted = context.query("price_list")[:100]
    price_list = FOR_ALL if wanted == EVERYBODY else wanted

    def is_wanted(row: Any) -> bool:
        return (not sku or row[0] == sku) and (not wanted or row[1] == price_list)

    def query(db: Any, books: Books) -> dict[str, Any]:
        zone = books.store().time_zone
        found = [row for row in rows(db, _PRICES, (PAGE_ROWS_MAX * 100,)) if is_wanted(row)]
        return {"prices": [_price(books, zone, row) for row in found[:limit]], "count": len(found)}

    return await context.driver.read(query)


def _price(books: Books, zone: str, row: Any) -> dict[str, Any]:
    sku, price_list, begin, end, price = row
    product = books.product(sku)
    return {
        "sku": sku,
        "name": sku if product is None else product.name,
        "price_list": price_list,
        "from": show_moment(begin, zone),
        "until": show_moment(end, zone),
        "from_ms": begin,
        "until_ms": end,
        "price_minor": price,
        "own_price_minor": None if product is None else product.price_minor,
    }


async def write_prices_of(context: Context, body: PricesBody) -> Any:
    """Add, change or take back dated prices and those of lists."""
    if not 1 <= len(body.prices) <= CHANGES_MAX:
        raise Invalid(f"{len(body.prices)} prices; 1 to {CHANGES_MAX} are allowed", hint="Send them in parts.")

    def query(books: Books) -> tuple[Change, ...]:
        return tuple(_price_change(books, one) for one in body.prices)

    await context.do(ChangeRecords(entity="price", changes=await context.driver.look(query)))
    return await list_prices(context)


def _price_change(books: Books, given: Fields) -> Change:
    price_list, sku, begin, fields = price_fields(given, books.store().time_zone)
    if books.product(sku) is None:
        raise NotFound(f"no product {sku[:40]!r}", hint="Search by name, or add the product.")
    if price_list and books.fields("price_list", price_list) is None:
        raise NotFound(f"no price list {price_list[:40]!r}", hint="Add the list first.")
    return Change(key=price_key(price_list, begin, sku), fields=fields)


# Files.


async def export_promotions(context: Context) -> Response:
    """Give all promotions as CSV, in the columns that the import understands."""

    def query(db: Any, books: Books) -> str:
        return write_promotions(offers.promotions(db), books.store().time_zone)

    return _csv(await context.driver.read(query), "promotions.csv")


async def export_prices(context: Context) -> Response:
    """Give all dated prices and those of lists as CSV."""

    def query(db: Any, books: Books) -> str:
        store = books.store()
        return write_prices(rows(db, _PRICES, (PAGE_ROWS_MAX * 100,)), store.time_zone, exponent(store.currency))

    return _csv(await context.driver.read(query), "prices.csv")


def _csv(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


async def import_promotions(context: Context, body: bytes) -> Any:
    """Import promotions from CSV: all of it or, with errors, nothing; ``dry_run=1`` only says what would happen."""

    def query(books: Books) -> Sheet:
        return read_promotions(
            text_lines([body]), books.store().time_zone, lambda key: books.fields("promotion", key) or {}
        )

    return await _import(context, "promotion", await context.driver.look(query))


async def import_prices(context: Context, body: bytes) -> Any:
    """Import dated prices and those of lists from CSV: all of it or, with errors, nothing."""

    def query(books: Books) -> Sheet:
        store = books.store()

        def check(given: Fields) -> Change:
            return _price_change(books, given)

        held = lambda key: books.fields("price", key) or {}  # noqa: E731 - read as the other one
        return read_prices(text_lines([body]), exponent(store.currency), check, held)

    return await _import(context, "price", await context.driver.look(query))


async def _import(context: Context, entity: str, sheet: Sheet) -> Any:
    dry_run = context.query("dry_run") in {"1", "true"}
    if not (dry_run or sheet.errors):
        for at in range(0, len(sheet.changes), CHANGES_MAX):
            part = tuple(sheet.changes[at : at + CHANGES_MAX])
            await context.do(ChangeRecords(entity=entity, changes=part, source="import"))
    return {
        "rows": sheet.rows,
        "changed": len(sheet.changes),
        "unchanged": sheet.rows - len(sheet.changes) - len(sheet.errors),
        "errors": [{"line": line, "message": message} for line, message in sheet.errors],
        "dry_run": dry_run,
        "imported": not (dry_run or sheet.errors),
    }


MANAGER = Role.MANAGER
CALLS = [
    Call("GET", "/promotions", list_promotions, "List promotions"),
    Call("POST", "/promotions", create_promotion, "Add a promotion", Fields, role=MANAGER, status=201),
    Call("POST", "/promotions/preview", preview_promotions, "Try promotions on a sample basket", PreviewBody),
    Call("GET", "/promotions/export", export_promotions, "Export promotions as CSV", role=MANAGER, gives=(CSV,)),
    Call(
        "POST", "/promotions/import", import_promotions, "Import promotions from CSV", bytes, role=MANAGER,
        query=("dry_run",), media=CSV,
    ),
    Call("PATCH", "/promotions/{promotion_id}", patch_promotion, "Change a promotion", Fields, role=MANAGER),
    Call("GET", "/price-lists", list_price_lists, "List price lists"),
    Call("POST", "/price-lists", create_price_list, "Add a price list", Fields, role=MANAGER, status=201),
    Call("PATCH", "/price-lists/{price_list}", patch_price_list, "Change a price list", Fields, role=MANAGER),
    Call("GET", "/prices", list_prices, "List dated prices and those of lists", query=("sku", "price_list", "limit")),
    Call("POST", "/prices", write_prices_of, "Change dated prices and those of lists", PricesBody, role=MANAGER),
    Call("GET", "/prices/export", export_prices, "Export prices as CSV", role=MANAGER, gives=(CSV,)),
    Call(
        "POST", "/prices/import", import_prices, "Import prices from CSV", bytes, role=MANAGER, query=("dry_run",),
        media=CSV,
    ),
]  # fmt: skip
