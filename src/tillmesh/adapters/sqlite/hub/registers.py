"""Merged fields of products, people, customers and settings per store, and the product rows that are read from them."""

from __future__ import annotations

from typing import Final

import apsw

from tillmesh.crdt import LWWMap
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX
from tillmesh.shop.events import Value

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
        fields = fields_of(state)
        name, department, price = fields.get("name"), fields.get("department"), fields.get("price_minor")
        # A store can write what it likes into its registers; the row holds only what has the right type.
        row = (
            store,
            key,
            name if isinstance(name, str) else key,
            price if isinstance(price, int) and abs(price) <= AMOUNT_MINOR_MAX else 0,
            department if isinstance(department, str) else "",
            fields.get("active", True) is not False,
        )
        db.execute(_PRODUCT, row)


def fields_of(state: LWWMap) -> dict[str, Value]:
    """Give fields as events carry them: what a register keeps as a tuple was written as a list."""
    return {name: _written(value) for name, value in state.items()}


def _written(value: object) -> Value:
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return value if value is None or isinstance(value, str | int) else str(value)
