"""Questions to the master database in PostgreSQL, on a connection of their own that only reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tillmesh.adapters.postgres.database import Connection, Database, one, plain, rows
from tillmesh.adapters.postgres.registers import load
from tillmesh.crdt import LWWMap
from tillmesh.fleet.merged import fields_of
from tillmesh.fleet.ports import SaleView, StoreView
from tillmesh.fleet.shown import ActorRow, StoreRow, catalogue_row, sale_view, shop_row, store_view
from tillmesh.fleet.standing import CatalogueRow, ShopRow, Takings
from tillmesh.shop.events import Value
from tillmesh.shop.settings import STORE

_ID: Final = "(SELECT id FROM store WHERE name = %s)"
_SALES: Final = (
    "SELECT a.name, t.seq, t.kind, t.at_ms, t.number, t.person, t.currency, t.total_minor, t.tax_minor, t.answers "  # noqa: S608
    f"FROM sale t JOIN actor a ON a.id = t.actor WHERE t.store = {_ID} "
)
_SINCE: Final = _SALES + "AND t.at_ms >= %s ORDER BY t.at_ms, a.name, t.seq LIMIT %s"
_LATEST: Final = _SALES + "ORDER BY t.at_ms DESC, a.name, t.seq LIMIT %s"
_PRODUCTS: Final = (
    f"SELECT sku, name, price_minor, department, active FROM product WHERE store = {_ID} "  # noqa: S608 - a constant
    "AND (strpos(lower(name), lower(%s)) > 0 OR strpos(sku, %s) > 0) ORDER BY sku LIMIT %s"
)
_STOCK: Final = f"SELECT coalesce(sum(p - n), 0)::bigint FROM stock WHERE store = {_ID} AND sku = %s"  # noqa: S608
_SHOPS: Final = "SELECT id, name, term, sender, last_sync_ms, sales, revenue_minor FROM store ORDER BY name"
_ACTORS: Final = "SELECT store, name, seq, hlc, aside FROM actor"
_SUMS: Final = (
    "coalesce(sum(CASE WHEN t.kind = 0 THEN 1 ELSE 0 END), 0)::bigint, "
    "coalesce(sum(CASE WHEN t.kind = 0 THEN t.total_minor ELSE -t.total_minor END), 0)::bigint, "
    "coalesce(sum(CASE WHEN t.kind = 0 THEN t.tax_minor ELSE -t.tax_minor END), 0)::bigint"
)
_SPAN: Final = f"WHERE t.store = {_ID} AND t.at_ms >= %s AND t.at_ms < %s"
_TAKINGS: Final = f"SELECT {_SUMS} FROM sale t {_SPAN}"  # noqa: S608 - constants
_BY_TILL: Final = (
    f"SELECT split_part(a.name, '.', 1) AS till, {_SUMS} FROM sale t JOIN actor a ON a.id = t.actor {_SPAN} "  # noqa: S608
    "GROUP BY till"
)
_CATALOGUE: Final = (
    "SELECT p.sku, s.name, p.name, p.price_minor, p.department, p.active FROM product p JOIN store s ON s.id = p.store "
    "WHERE p.sku IN (SELECT DISTINCT sku FROM product WHERE strpos(lower(name), lower(%s)) > 0 OR strpos(sku, %s) > 0 "
    "ORDER BY sku LIMIT %s) ORDER BY p.sku, s.name"
)
_CHARGED: Final = (
    "SELECT p.sku, s.name, p.name, p.price_minor, p.department, p.active FROM product p JOIN store s ON s.id = p.store "
    "WHERE p.sku = %s ORDER BY s.name"
)


class PostgresReading:
    """One connection; one thread at a time."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._database = Database(dsn, schema)

    def stores(self) -> list[StoreView]:
        """List every store, by id."""
        with self._database.using() as db:
            actors, fenced, shown = _actors(db), _fenced(db), _settings(db)
            return [
                store_view(StoreRow(*row), shown.get(row[0], {}), actors.get(number, []), fenced.get(row[0], ()))
                for number, *row in rows(db, _SHOPS)
            ]

    def sales(self, store: str, since_ms: int, limit: int) -> list[SaleView]:
        """List receipts since a time, oldest first."""
        return [sale_view(row) for row in self._ask(_SINCE, (store, since_ms, limit))]

    def latest(self, store: str, limit: int) -> list[SaleView]:
        """List the newest receipts, newest first."""
        return [sale_view(row) for row in self._ask(_LATEST, (store, limit))]

    def products(self, store: str, query: str, limit: int) -> list[Mapping[str, object]]:
        """List products whose sku or name holds the words."""
        names = ("sku", "name", "price_minor", "department", "active")
        return [
            {**dict(zip(names, row, strict=True)), "active": bool(row[4])}
            for row in self._ask(_PRODUCTS, (store, *[plain(query)] * 2, limit))
        ]

    def product(self, store: str, sku: str) -> Mapping[str, object] | None:
        """Give the merged fields of a product, or None."""
        return self._fields(store, "product", sku)

    def setting(self, store: str, key: str) -> Mapping[str, object]:
        """Give the merged fields of a setting; empty if there are none."""
        return self._fields(store, "setting", key) or {}

    def stock_milli(self, store: str, sku: str) -> int:
        """Give the stock of a product over all tills."""
        with self._database.using() as db:
            return int(one(db, _STOCK, (store, sku)))

    def shops(self) -> list[ShopRow]:
        """List every store, by id, without its sums."""
        with self._database.using() as db:
            actors, fenced, shown = _actors(db), _fenced(db), _settings(db)
            return [
                shop_row(StoreRow(*row), shown.get(row[0], {}), actors.get(number, []), fenced.get(row[0], ()))
                for number, *row in rows(db, _SHOPS)
            ]

    def catalogue(self, query: str, limit: int) -> list[CatalogueRow]:
        """List the products of all stores whose sku or name holds the words."""
        return [catalogue_row(row) for row in self._ask(_CATALOGUE, (*[plain(query)] * 2, limit))]

    def charged(self, sku: str) -> list[CatalogueRow]:
        """Give a product as every store has it."""
        return [catalogue_row(row) for row in self._ask(_CHARGED, (sku,))]

    def takings(self, store: str, first_ms: int, last_ms: int) -> Takings:
        """Add up the receipts of a store in [first, last)."""
        return Takings(*self._ask(_TAKINGS, (store, first_ms, last_ms))[0])

    def takings_by_till(self, store: str, first_ms: int, last_ms: int) -> Mapping[str, Takings]:
        """Add up the receipts of each till of a store in [first, last)."""
        return {till: Takings(*sums) for till, *sums in self._ask(_BY_TILL, (store, first_ms, last_ms))}

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _ask(self, query: str, bindings: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._database.using() as db:
            return rows(db, query, bindings)

    def _fields(self, store: str, entity: str, key: str) -> dict[str, Value] | None:
        with self._database.using() as db:
            state = load(db, store, entity, key)
            return None if state is None else fields_of(state)


def _actors(db: Connection) -> dict[int, list[ActorRow]]:
    found: dict[int, list[ActorRow]] = {}
    for store, *row in rows(db, _ACTORS):
        found.setdefault(store, []).append(ActorRow(*row))
    return found


def _fenced(db: Connection) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for store, actor in rows(db, "SELECT store, actor FROM fence ORDER BY store, actor"):
        found[store] = (*found.get(store, ()), actor)
    return found


def _settings(db: Connection) -> dict[str, dict[str, Value]]:
    """Give every store's own settings."""
    query = (
        "SELECT s.name, r.state FROM store s JOIN register r ON r.store = s.id "
        "WHERE r.entity = 'setting' AND r.key = %s"
    )
    return {name: fields_of(LWWMap.from_bytes(bytes(state))) for name, state in rows(db, query, (STORE,))}
