"""Promotions, price lists and dated prices as one connection sees them, and how often a promotion was used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import apsw

from tillmesh.adapters.sqlite import registers
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.limits import PRICE_LISTS_MAX, PROMOTIONS_MAX
from tillmesh.shop.events import Value
from tillmesh.shop.offers.prices import DatedPrice, PriceList, Prices, list_from_fields, price_for
from tillmesh.shop.offers.promotion import Promotion, from_fields
from tillmesh.shop.offers.shelf import Shelf, shelf_of

PRICES_CACHED_MAX: Final = 5_000
_KEYS: Final = "SELECT key FROM register WHERE entity = ? ORDER BY key LIMIT ?"
_DATED: Final = (
    "SELECT price_list, from_ms, until_ms, price_minor FROM price WHERE sku = ? ORDER BY price_list, from_ms"
)
_USES: Final = (
    "SELECT count(*) FROM promotion_use u WHERE u.promotion = ? AND (? = '' OR u.customer_id = ?) "
    "AND (? = '' OR u.code = ?) AND NOT EXISTS "
    "(SELECT 1 FROM receipt v WHERE v.sale_actor = u.actor AND v.sale_seq = u.seq AND v.kind = 2)"
)
_OVERUSED: Final = (
    "SELECT u.promotion, u.code, u.customer_id, count(*) FROM promotion_use u WHERE NOT EXISTS "
    "(SELECT 1 FROM receipt v WHERE v.sale_actor = u.actor AND v.sale_seq = u.seq AND v.kind = 2) "
    "GROUP BY u.promotion, u.code, u.customer_id ORDER BY 1, 2, 3"
)
_TURNED: Final = (
    "SELECT DISTINCT sku FROM price WHERE from_ms > ? AND from_ms <= ? OR until_ms > ? AND until_ms <= ? ORDER BY sku"
)
_TURNS_NEXT: Final = (
    "SELECT min(at_ms) FROM (SELECT min(from_ms) AS at_ms FROM price WHERE from_ms > ? "
    "UNION ALL SELECT min(until_ms) FROM price WHERE until_ms > ?)"
)
_NOTHING: Final = Prices()


class OfferBook:
    """What was read of offers since something changed; thrown away as a whole then."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._shelf: Shelf | None = None
        self._lists: tuple[PriceList, ...] | None = None
        self._prices: dict[str, Prices] = {}
        self._any_dated: bool | None = None

    def shelf(self) -> Shelf:
        """Give the promotions in the order of evaluation."""
        if self._shelf is None:
            self._shelf = shelf_of(promotions(self._db))
        return self._shelf

    def lists(self) -> tuple[PriceList, ...]:
        """Give the price lists, ordered by id."""
        if self._lists is None:
            found = _registers(self._db, "price_list", PRICE_LISTS_MAX)
            self._lists = tuple(list_from_fields(key, fields) for key, fields in found)
        return self._lists

    def prices(self, sku: str) -> Prices:
        """Give the dated prices of a product, and when its own price was written."""
        if self._any_dated is None:
            self._any_dated = one(self._db, "SELECT 1 FROM price LIMIT 1") is not None
        if not self._any_dated:
            return _NOTHING
        known = self._prices.get(sku)
        if known is None:
            if len(self._prices) >= PRICES_CACHED_MAX:
                self._prices.clear()
            known = self._prices[sku] = self._load(sku)
        return known

    def _load(self, sku: str) -> Prices:
        dated = tuple(
            DatedPrice(price_list=name, from_ms=begin, until_ms=end, price_minor=price)
            for name, begin, end, price in self._db.execute(_DATED, (sku,))
        )
        if not dated:
            return _NOTHING
        written = registers.written_at(self._db, "product", sku, "price_minor")
        return Prices(set_ms=physical_ms(written), dated=dated)


def priced_for_all(db: apsw.Connection, book: OfferBook, at_ms: int) -> dict[str, int]:
    """Give the products that cost everybody something else at a moment than their own price, with that price."""
    everyone = [one.list_id for one in book.lists() if one.everyone and one.active]
    marks = ", ".join("?" * (len(everyone) + 1))
    sql = (
        "SELECT DISTINCT p.sku, o.price_minor FROM price p JOIN product o ON o.sku = p.sku "  # noqa: S608 - only marks
        f"WHERE p.price_list IN ({marks}) ORDER BY p.sku"
    )
    found = {}
    for sku, own in rows(db, sql, ("", *everyone)):
        now = price_for(own, book.prices(sku), book.lists(), customer_id="", group="", at_ms=at_ms).price_minor
        if now != own:
            found[sku] = now
    return found


def turned(db: apsw.Connection, after_ms: int, now_ms: int) -> list[str]:
    """List the products of which a planned price began or ended after one moment and up to another."""
    return [sku for (sku,) in rows(db, _TURNED, (after_ms, now_ms, after_ms, now_ms))]


def turns_next(db: apsw.Connection, after_ms: int) -> int | None:
    """Say when the next planned price begins or ends after a moment."""
    found: int | None = one(db, _TURNS_NEXT, (after_ms, after_ms))
    return found


def promotions(db: apsw.Connection) -> Iterator[Promotion]:
    """Iterate all promotions that could be used, active or not, ordered by id."""
    for key, fields in _registers(db, "promotion", 4 * PROMOTIONS_MAX):
        if (found := from_fields(key, fields)) is not None:
            yield found


def _registers(db: apsw.Connection, entity: str, most: int) -> Iterator[tuple[str, dict[str, Value]]]:
    for (key,) in rows(db, _KEYS, (entity, most)):
        yield key, registers.fields(db, entity, key) or {}


def uses(db: apsw.Connection, promotion_id: str, *, customer_id: str = "", code: str = "") -> int:
    """Count the sales that a promotion was used in and that were not voided: all, of a customer, or of a code."""
    return int(one(db, _USES, (promotion_id, customer_id, customer_id, code, code)))


def all_uses(db: apsw.Connection) -> list[tuple[str, str, str, int]]:
    """Count the uses of every promotion: its id, the code, the customer, how many sales."""
    return [(promotion, code, customer, count) for promotion, code, customer, count in rows(db, _OVERUSED)]
