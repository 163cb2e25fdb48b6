"""Finding products: words by prefix through the full-text index, codes exactly, and the whole catalogue at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.database import rows

_WORD: Final = re.compile(r"\w+", re.UNICODE)
WORDS_MAX: Final = 8


def search(db: apsw.Connection, text: str, *, department: str = "", limit: int = 50) -> list[str]:
    """Give the skus of active products that match all words by prefix; favourites and short names first."""
    words = _WORD.findall(text)[:WORDS_MAX]
    where, bindings = ["p.active"], []
    source = "product p"
    if words:
        source = "product_search s JOIN product p ON p.id = s.rowid"
        where.append("s.product_search MATCH ?")
        bindings.append(" ".join(f'"{word}"*' for word in words))
    if department:
        where.append("p.department = ?")
        bindings.append(department)
    sql = (
        f"SELECT p.sku FROM {source} WHERE {' AND '.join(where)} "  # noqa: S608 - parts from above
        "ORDER BY p.favourite DESC, length(p.name), p.name LIMIT ?"
    )
    return [sku for (sku,) in db.execute(sql, (*bindings, limit))]


def departments(db: apsw.Connection) -> list[dict[str, Any]]:
    """List the departments of active products with their number of products."""
    sql = "SELECT department, count(*) FROM product WHERE active AND department <> '' GROUP BY 1 ORDER BY 2 DESC, 1"
    return [{"name": name, "count": count} for name, count in db.execute(sql)]


COLUMNS: Final = (
    "sku",
    "name",
    "price_minor",
    "unit",
    "tax_code",
    "department",
    "barcodes",
    "favourite",
    "track_stock",
)


def catalogue(db: apsw.Connection, priced_now: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Give all active products as columns: the page keeps them to search and scan without asking.

    ``priced_now`` are the products that cost everybody something else than their own price.
    """
    sql = f"SELECT {', '.join(COLUMNS)} FROM product WHERE active ORDER BY favourite DESC, name, sku"  # noqa: S608
    found = rows(db, sql)
    if priced_now:
        found = [_priced(row, priced_now) for row in found]
    columns = zip(*found, strict=True) if found else [()] * len(COLUMNS)
    named = {name: list(column) for name, column in zip(COLUMNS, columns, strict=True)}
    return {"count": len(found), "columns": named, "variants": _variants(db), "images": _images(db)}


def _variants(db: apsw.Connection) -> dict[str, list[Any]]:
    """Give the few products that have variants or are one: sku -> the product it is a variant of, and the options."""
    sql = "SELECT sku, parent, options FROM product WHERE active AND options <> ''"
    return {sku: [parent, options.split("\n")] for sku, parent, options in rows(db, sql)}


def _images(db: apsw.Connection) -> dict[str, str]:
    """Give the pictures of the products that have one, by sku."""
    return dict(rows(db, "SELECT sku, image FROM product WHERE image <> '' AND active"))


def _priced(row: tuple[Any, ...], now: Mapping[str, int]) -> tuple[Any, ...]:
    sku, name, price, *rest = row
    return (sku, name, now.get(sku, price), *rest)


def catalogue_version(db: apsw.Connection, priced_now: Mapping[str, int] | None = None) -> str:
    """Name the state of the catalogue: it changes whenever a product event was applied, however late it came.

    And whenever a dated price for everybody begins or ends.
    """
    count, last = rows(db, "SELECT count(*), coalesce(max(hlc), 0) FROM event WHERE type = 'products_changed'")[0]
    if not priced_now:
        return f"{count}.{last}"
    return f"{count}.{last}.{sha256(repr(sorted(priced_now.items())).encode()).hexdigest()[:16]}"
