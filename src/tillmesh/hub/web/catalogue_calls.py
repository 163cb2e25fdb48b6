"""Products over all stores: what each store charges, and how far a change has come on its way to the tills."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from tillmesh.fleet.ports import Reading
from tillmesh.fleet.standing import CatalogueRow, Contact, ShopRow, decimals, reached, unsent
from tillmesh.hub.web.api import Call, Context
from tillmesh.kernel.errors import NotFound
from tillmesh.shop.catalogue import check_key

FOUND_MAX: Final = 200


async def products(context: Context) -> dict[str, Any]:
    """List products with the prices that stores charge."""
    words, limit = context.query("q")[:100].strip(), context.limit(100, FOUND_MAX)

    def look(reading: Reading) -> tuple[list[CatalogueRow], dict[str, ShopRow]]:
        return reading.catalogue(words, limit), {shop.store: shop for shop in reading.shops()}

    rows, shops = await context.hub.read(look)
    found = [_product(sku, list(each), shops) for sku, each in groupby(rows, key=lambda row: row.sku)]
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


def _product(sku: str, rows: list[CatalogueRow], shops: dict[str, ShopRow]) -> dict[str, Any]:
    prices: dict[tuple[str, int], int] = {}
    for row in rows:
        key = (shops[row.store].currency, row.price_minor)
        prices[key] = prices.get(key, 0) + 1
    return {
        "sku": sku,
        "name": rows[0].name,
        "department": rows[0].department,
        "active": any(row.active for row in rows),
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
