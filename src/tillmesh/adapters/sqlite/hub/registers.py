"""Merged fields of products, people, customers and settings per store, and the product rows that are read from them."""

from __future__ import annotations

from typing import Final

import apsw

from tillmesh.crdt import LWWMap
from tillmesh.fleet.merged import product_of

_SAVE: Final = (
    "INSERT INTO register (store, entity, key, state) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (store, entity, key) DO UPDATE SET state = excluded.state"
)
_PRODUCT: Final = (
    "INSERT INTO product (store, sku, name, price_minor, department, active) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (store, sku) DO UPDATE SET name = excluded.name, price_minor = excluded.price_minor, "
    "department = excluded.department, active = excluded.active"
)


def load(db: apsw.Connection, store: int, entity: str, key: str) -> LWWMap | None:
    """Give one register, or None if it was never written."""
    row = db.execute(
        "SELECT state FROM register WHERE store = ? AND entity = ? AND key = ?", (store, entity, key)
    ).fetchone()
    return None if row is None else LWWMap.from_bytes(row[0])


def save(db: apsw.Connection, store: int, entity: str, key: str, state: LWWMap) -> None:
    """Store one register, and the product row that it is read as."""
    db.execute(_SAVE, (store, entity, key, state.to_bytes()))
    if entity == "product":
        db.execute(_PRODUCT, (store, *product_of(key, state)))
