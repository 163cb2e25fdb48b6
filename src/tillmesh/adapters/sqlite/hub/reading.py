"""Questions to the master database, on a connection of their own that only reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.hub.master import open_master
from tillmesh.adapters.sqlite.hub.registers import load
from tillmesh.adapters.sqlite.hub.standing import Standing
from tillmesh.fleet.merged import fields_of
from tillmesh.fleet.ports import SaleView, StoreView
from tillmesh.fleet.shown import StoreRow, sale_view, store_view
from tillmesh.shop.events import Value

_SALES: Final = (
    "SELECT a.name, t.seq, t.kind, t.at_ms, t.number, t.person, t.currency, t.total_minor, t.tax_minor, t.answers "
    "FROM sale t JOIN store s ON s.id = t.store JOIN actor a ON a.id = t.actor "
    "WHERE s.name = ? AND t.at_ms >= ? ORDER BY t.at_ms, a.name, t.seq LIMIT ?"
)
_LATEST: Final = _SALES.replace(
    "AND t.at_ms >= ? ORDER BY t.at_ms, a.name, t.seq", "ORDER BY t.at_ms DESC, a.name, t.seq"
)
_PRODUCTS: Final = (
    "SELECT p.sku, p.name, p.price_minor, p.department, p.active FROM product p JOIN store s ON s.id = p.store "
    "WHERE s.name = ? AND (instr(lower(p.name), lower(?)) OR instr(p.sku, ?)) ORDER BY p.sku LIMIT ?"
)
_STOCK: Final = (
    "SELECT coalesce(sum(t.p - t.n), 0) FROM stock t JOIN store s ON s.id = t.store WHERE s.name = ? AND t.sku = ?"
)


class SqliteReading(Standing):
    """One connection; one thread at a time."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._db = open_master(path, key, read_only=True)

    def stores(self) -> list[StoreView]:
        """List every store, by id."""
        sql = "SELECT id, name, term, sender, last_sync_ms, sales, revenue_minor FROM store ORDER BY name"
        return [store_view(StoreRow(*row), *self._of(number, row[0])) for number, *row in rows(self._db, sql)]

    def sales(self, store: str, since_ms: int, limit: int) -> list[SaleView]:
        """List receipts since a time, oldest first."""
        return [sale_view(row) for row in rows(self._db, _SALES, (store, since_ms, limit))]

    def latest(self, store: str, limit: int) -> list[SaleView]:
        """List the newest receipts, newest first."""
        return [sale_view(row) for row in rows(self._db, _LATEST, (store, limit))]

    def products(self, store: str, query: str, limit: int) -> list[Mapping[str, object]]:
        """List products whose sku or name holds the words."""
        names = ("sku", "name", "price_minor", "department", "active")
        return [
            {**dict(zip(names, row, strict=True)), "active": bool(row[4])}
            for row in rows(self._db, _PRODUCTS, (store, query, query, limit))
        ]

    def product(self, store: str, sku: str) -> Mapping[str, object] | None:
        """Give the merged fields of a product, or None."""
        return self._fields(store, "product", sku)

    def setting(self, store: str, key: str) -> Mapping[str, object]:
        """Give the merged fields of a setting; empty if there are none."""
        return self._fields(store, "setting", key) or {}

    def stock_milli(self, store: str, sku: str) -> int:
        """Give the stock of a product over all tills."""
        return int(one(self._db, _STOCK, (store, sku)))

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _fields(self, store: str, entity: str, key: str) -> dict[str, Value] | None:
        number = one(self._db, "SELECT id FROM store WHERE name = ?", (store,))
        state = None if number is None else load(self._db, number, entity, key)
        return None if state is None else fields_of(state)
