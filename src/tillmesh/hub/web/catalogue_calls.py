"""Products over all stores: what each store charges, and how far a change has come on its way to the tills."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from tillmesh.fleet.ports import Reading
from tillmesh.fleet.standing import CatalogueRow, Contact, ShopRow, decimals, reached, unsent
from tillmesh.hub.web.api import Call, Context
from tillmesh.kernel.errors import NotFound
from tillmesh.shop.catalogue import check_key
from tillmesh.shop.pictures import read_reference

FOUND_MAX: Final = 200
PICTURES_LOOKED_MAX: Final = 3  # stores that are asked how they name a product's picture; guess: most have the same


async def products(context: Context) -> dict[str, Any]:
    """List products with the prices that stores charge."""
    words, limit = context.query("q")[:100].strip(), context.limit(100, FOUND_MAX)

    def look(reading: Reading) -> list[dict[str, Any]]:
        rows, shops = reading.catalogue(words, limit), {shop.store: shop for shop in reading.shops()}
        by_sku = [(sku, list(each)) for sku, each in groupby(rows, key=lambda row: row.sku)]
        return [_product(sku, each, shops, _picture(reading, sku, each)) for sku, each in by_sku]

    found = await context.hub.read(look)
    return {"products": found, "more": len(found) == limit}


async def product(context: Context) -> dict[str, Any]:
    """Show a product: its price in every store, and how many tills of each have all that head office wrote."""
    sku = check_key(context.path("sku"), "sku")

    def look(reading: Reading) -> tuple[list[CatalogueRow], list[ShopRow]]:
        return reading.charged(sku), reading.shops()

    rows, shops = await context.hub.read(look)
    if not rows:
        raise NotFound(f"no store has a product {sku[:60]!r}", hint="Add it first.")
    by_store = {row.store: row for row in rows}
    return {
        "sku": sku,
        "name": rows[0].name,
        "department": rows[0].department,
        "stores": [
            _charged(shop, by_store[shop.store], context.hub.contact(shop.store))
            for shop in shops
            if shop.store in by_store
        ],
    }


def _charged(shop: ShopRow, row: CatalogueRow, contact: Contact) -> dict[str, Any]:
    spread = reached(shop, contact)
    return {
        "store": shop.store,
        "name": shop.name,
        "price_minor": row.price_minor,
        "active": row.active,
        "currency": shop.currency,
        "exponent": decimals(shop.currency),
        "unsent": unsent(shop, contact),
        "tills_with": None if spread is None else spread[0],
        "till_count": None if spread is None else spread[1],
    }


def _picture(reading: Reading, sku: str, rows: list[CatalogueRow]) -> dict[str, str] | None:
    """Name the picture of a product, and a store that has it: of the first few stores the first that names one."""
    for row in rows[:PICTURES_LOOKED_MAX]:
        named = read_reference(str((reading.product(row.store, sku) or {}).get("image", "")))
        if named is not None:
            return {"store": row.store, "sha256": named.sha256}
    return None


def _product(
    sku: str, rows: list[CatalogueRow], shops: dict[str, ShopRow], picture: dict[str, str] | None
) -> dict[str, Any]:
    prices: dict[tuple[str, int], int] = {}
    for row in rows:
        key = (shops[row.store].currency, row.price_minor)
        prices[key] = prices.get(key, 0) + 1
    return {
        "sku": sku,
        "name": rows[0].name,
        "department": rows[0].department,
        "active": any(row.active for row in rows),
        "picture": picture,
        "stores": len(rows),
        "prices": [
            {"currency": currency, "exponent": decimals(currency), "price_minor": price, "stores": count}
            for (currency, price), count in sorted(prices.items(), key=lambda one: (-one[1], one[0]))
        ],
    }


CALLS: Final = [
    Call("GET", "/products", products, "Products over all stores", query=("q", "limit")),
    Call("GET", "/products/{sku}", product, "A product in every store"),
]
