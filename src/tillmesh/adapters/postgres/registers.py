"""Merged fields of products, people, customers and settings per store, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tillmesh.adapters.postgres.columns import Insert, Texts, columns_of
from tillmesh.adapters.postgres.database import Connection
from tillmesh.crdt import LWWMap
from tillmesh.fleet.merged import product_of
from tillmesh.fleet.projecting import WriteRow
from tillmesh.shop.registers import join

_LOAD: Final = (
    "SELECT r.entity, r.key, r.state FROM register r "
    "JOIN unnest(%s::text[], %s::text[]) AS w (entity, key) ON r.entity = w.entity AND r.key = w.key "
    "WHERE r.store = %s"
)
_SAVE: Final = Insert("register", "ttb", "ON CONFLICT (store, entity, key) DO UPDATE SET state = excluded.state")
_PRODUCT: Final = Insert(
    "product",
    "ttntn",
    "ON CONFLICT (store, sku) DO UPDATE SET name = excluded.name, price_minor = excluded.price_minor, "
    "department = excluded.department, active = excluded.active",
)


def load(db: Connection, store: str, entity: str, key: str) -> LWWMap | None:
    """Give one register of a store, or None if it was never written."""
    query = (
        "SELECT state FROM register WHERE store = (SELECT id FROM store WHERE name = %s) AND entity = %s AND key = %s"
    )
    row = db.execute(query, (store, entity, key)).fetchone()
    return None if row is None else LWWMap.from_bytes(bytes(row[0]))


def merge(db: Connection, store: int, written: Iterable[WriteRow]) -> None:
    """Merge what events wrote into the registers of a store, and the product rows that are read from them."""
    new: dict[tuple[str, str], LWWMap] = {}
    for row in written:
        new[row.entity, row.key] = join(row.entity, new.get((row.entity, row.key)), row.written)
    if not new:
        return
    keys = sorted(new)
    found = db.execute(_LOAD, (*map(Texts, zip(*keys, strict=True)), store))
    for entity, key, state in found.fetchall():
        new[entity, key] = join(entity, LWWMap.from_bytes(bytes(state)), new[entity, key])
    _SAVE.run(db, store, columns_of((*at, new[at].to_bytes()) for at in keys))
    products = (product_of(key, new[entity, key]) for entity, key in keys if entity == "product")
    _PRODUCT.run(db, store, columns_of(products))
