"""How the stores stand: questions that are asked every few seconds, so none of them adds up a store's whole past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import apsw

from tillmesh.adapters.sqlite.database import rows
from tillmesh.adapters.sqlite.hub.registers import load
from tillmesh.fleet.merged import fields_of
from tillmesh.fleet.shown import ActorRow, StoreRow, catalogue_row, shop_row
from tillmesh.fleet.standing import CatalogueRow, ShopRow, Takings
from tillmesh.shop.events import Value
from tillmesh.shop.settings import STORE

_STORES: Final = "SELECT id, name, term, sender, last_sync_ms FROM store ORDER BY name"
_TAKINGS: Final = (
    "SELECT coalesce(sum(kind = 0), 0), coalesce(sum(CASE kind WHEN 0 THEN total_minor ELSE -total_minor END), 0), "
    "coalesce(sum(CASE kind WHEN 0 THEN tax_minor ELSE -tax_minor END), 0) FROM sale "
    "WHERE store = (SELECT id FROM store WHERE name = ?) AND at_ms >= ? AND at_ms < ?"
)
_BY_TILL: Final = (
    "SELECT substr(a.name, 1, instr(a.name, '.') - 1) AS till, sum(t.kind = 0), "
    "sum(CASE t.kind WHEN 0 THEN t.total_minor ELSE -t.total_minor END), "
    "sum(CASE t.kind WHEN 0 THEN t.tax_minor ELSE -t.tax_minor END) FROM sale t JOIN actor a ON a.id = t.actor "
    "WHERE t.store = (SELECT id FROM store WHERE name = ?) AND t.at_ms >= ? AND t.at_ms < ? GROUP BY till"
)
_CATALOGUE: Final = (
    "SELECT p.sku, s.name, p.name, p.price_minor, p.department, p.active FROM product p JOIN store s ON s.id = p.store "
    "WHERE p.sku IN (SELECT DISTINCT sku FROM product WHERE instr(lower(name), lower(?)) OR instr(sku, ?) "
    "ORDER BY sku LIMIT ?) ORDER BY p.sku, s.name"
)
_CHARGED: Final = (
    "SELECT p.sku, s.name, p.name, p.price_minor, p.department, p.active FROM product p JOIN store s ON s.id = p.store "
    "WHERE p.sku = ? ORDER BY s.name"
)


class Standing:
    """Mixed into the reading connection."""

    _db: apsw.Connection

    def shops(self) -> list[ShopRow]:
        """List every store, by id, without its sums."""
        return [shop_row(StoreRow(*row), *self._of(number, row[0])) for number, *row in rows(self._db, _STORES)]

    def catalogue(self, query: str, limit: int) -> list[CatalogueRow]:
        """List the products of all stores whose sku or name holds the words."""
        return [catalogue_row(row) for row in rows(self._db, _CATALOGUE, (query, query, limit))]

    def charged(self, sku: str) -> list[CatalogueRow]:
        """Give a product as every store has it."""
        return [catalogue_row(row) for row in rows(self._db, _CHARGED, (sku,))]

    def takings(self, store: str, first_ms: int, last_ms: int) -> Takings:
        """Add up the receipts of a store in [first, last)."""
        return Takings(*rows(self._db, _TAKINGS, (store, first_ms, last_ms))[0])

    def takings_by_till(self, store: str, first_ms: int, last_ms: int) -> Mapping[str, Takings]:
        """Add up the receipts of each till of a store in [first, last)."""
        return {till: Takings(*sums) for till, *sums in rows(self._db, _BY_TILL, (store, first_ms, last_ms))}

    def _of(self, number: int, store: str) -> tuple[dict[str, Value], list[ActorRow], list[str]]:
        """Give a store's own settings, its actors, and who of them was fenced off."""
        state = load(self._db, number, "setting", STORE)
        actors = rows(self._db, "SELECT name, seq, hlc, aside FROM actor WHERE store = ?", (number,))
        fenced = rows(self._db, "SELECT actor FROM fence WHERE store = ? ORDER BY actor", (store,))
        settings = {} if state is None else fields_of(state)
        return settings, [ActorRow(*row) for row in actors], [actor for (actor,) in fenced]
