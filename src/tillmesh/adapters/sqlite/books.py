"""The shop as one connection sees it: the read side that decisions and pages look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import apsw

from tillmesh.adapters.sqlite import money_twice, offers, purses, registers
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.goods_books import GoodsBooks
from tillmesh.adapters.sqlite.log_reader import EVENT
from tillmesh.adapters.sqlite.offers import OfferBook
from tillmesh.adapters.sqlite.request_keys import key_of
from tillmesh.adapters.sqlite.subject_keys import SubjectKeys
from tillmesh.adapters.sqlite.terminal_books import TerminalBooks
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.limits import MONEY_ANSWERS_MAX, MONEY_CONFLICTS_MAX
from tillmesh.shop.cart import Cart
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import CartParked, Value
from tillmesh.shop.offers.prices import PriceList, Prices
from tillmesh.shop.offers.shelf import Shelf
from tillmesh.shop.personal import CUSTOMER
from tillmesh.shop.settings import STORE, StoreSettings, TerminalSettings
from tillmesh.till.ports import Parked

_PRODUCT: Final = f"SELECT {registers.PRODUCT_COLUMNS} FROM product"  # noqa: S608
PRODUCTS_CACHED_MAX: Final = 5_000  # about 5 MB


class Books(GoodsBooks, TerminalBooks):
    """Reads of one connection; inside a transaction all of them see the same moment."""

    def __init__(self, db: apsw.Connection, terminal: str, keys: SubjectKeys | None = None) -> None:
        super().__init__(db, terminal)
        self._keys = keys
        self._products: dict[str, Product] = {}
        self._settings: tuple[StoreSettings, TerminalSettings] | None = None
        self._offers = OfferBook(db)

    def forget(self) -> None:
        """Drop what was cached: registers changed, or a transaction that changed them was rolled back."""
        self.actors.forget()
        self._products.clear()
        self._settings = None
        self._shift = None
        self._offers = OfferBook(self._db)

    def promotions(self) -> Shelf:
        """Give all promotions of the store, in the order in which they are looked at."""
        return self._offers.shelf()

    def price_lists(self) -> tuple[PriceList, ...]:
        """List the price lists of the store, ordered by id."""
        return self._offers.lists()

    def prices(self, sku: str) -> Prices:
        """Give what is known about the price of a product beside its own."""
        return self._offers.prices(sku)

    def priced_for_all(self, at_ms: int) -> dict[str, int]:
        """Give the products that cost everybody something else at a moment than their own price, with that price."""
        return offers.priced_for_all(self._db, self._offers, at_ms)

    def purse(self, purse: str, account: str) -> int:
        """Give what is in a purse: the sum of all moves in the log."""
        return purses.balance(self._db, purse, account)

    def purse_spent_unheard(self, purse: str, account: str, actor: str, others: Collection[str]) -> int:
        """Give what an actor took out of a purse in events that not all of these terminals are known to hold."""
        found = self.actors.find(actor)
        return 0 if found is None else purses.spent_unheard(self._db, purse, account, found, others)

    def promotion_uses(self, promotion_id: str, *, customer_id: str = "", code: str = "") -> int:
        """Count the sales that a promotion was used in and that were not voided."""
        return offers.uses(self._db, promotion_id, customer_id=customer_id, code=code)

    def product(self, sku: str) -> Product | None:
        """Find a product by its sku."""
        known = self._products.get(sku)
        if known is None:
            row = self._db.execute(f"{_PRODUCT} WHERE sku = ?", (sku,)).fetchone()
            if row is None:
                return None
            known = registers.product_of(row)
            if len(self._products) >= PRODUCTS_CACHED_MAX:
                self._products.clear()
            self._products[sku] = known
        return known

    def product_by_barcode(self, barcode: str) -> Product | None:
        """Find a product by one of its barcodes: an active one first, then by sku."""
        skus = [sku for (sku,) in self._db.execute("SELECT sku FROM barcode WHERE barcode = ?", (barcode,))]
        found = [product for sku in sorted(skus) if (product := self.product(sku)) is not None]
        return next((product for product in found if product.active), found[0] if found else None)

    def carts_paid_again(self) -> Iterator[list[Envelope]]:
        """Iterate the sales of each cart that has more than one, oldest first."""
        for request in money_twice.requests_again(self._db, MONEY_CONFLICTS_MAX):
            carts: dict[str, list[Envelope]] = {}
            for event in self.events(money_twice.SALES_OF, (request,)):
                carts.setdefault(key_of(event), []).append(event)
            yield from (sales for sales in carts.values() if len(sales) > 1)

    def sales_answered_again(self) -> list[str]:
        """List the sales that more than one refund or void answers."""
        return money_twice.answered_again(self._db, self.actors, MONEY_ANSWERS_MAX)

    def money_settled(self) -> Iterator[Envelope]:
        """Iterate what managers said about money that was taken or given back twice."""
        return self.events(money_twice.SETTLED)

    def fields(self, entity: str, key: str) -> dict[str, Value] | None:
        """Give the merged fields of a register."""
        found = registers.fields(self._db, entity, key)
        if found is not None and entity == CUSTOMER and self._keys is not None:
            return self._keys.opened(key, found)
        return found

    def newest_write(self, entity: str, key: str) -> tuple[int, int]:
        """Give the highest authority and the latest timestamp that a register was written with."""
        return registers.newest_write(self._db, entity, key)

    def records(self, entity: str) -> Iterator[tuple[str, dict[str, Value]]]:
        """Iterate all registers of an entity with their merged fields, ordered by key."""
        for (key,) in rows(self._db, "SELECT key FROM register WHERE entity = ? ORDER BY key", (entity,)):
            yield key, self.fields(entity, key) or {}

    def tax_codes(self) -> set[str]:
        """List the tax codes that active products carry, and what lies in working and parked carts."""
        codes = {code for (code,) in rows(self._db, "SELECT DISTINCT tax_code FROM product WHERE active")}
        carts = [body for (body,) in rows(self._db, "SELECT body FROM cart")]
        carts += [decode(event.body, CartParked).cart for event in self.events(OPEN_PARKED)]
        return codes | {line.tax_code for body in carts for line in decode(body, Cart).lines if not line.loads}

    def has_sales(self) -> bool:
        """Say whether anything was ever sold."""
        return one(self._db, "SELECT 1 FROM receipt LIMIT 1") is not None

    def store(self) -> StoreSettings:
        """Give the settings of the store."""
        return self._load_settings()[0]

    def settings_authority(self) -> int:
        """Give the place in the store's agreement of the newest decision about its settings that is an event here."""
        return self.newest_write("setting", STORE)[0]

    def terminal(self) -> TerminalSettings:
        """Give the settings of this terminal."""
        return self._load_settings()[1]

    def _load_settings(self) -> tuple[StoreSettings, TerminalSettings]:
        if self._settings is None:
            self._settings = (
                StoreSettings.of(self.fields("setting", STORE) or {}),
                TerminalSettings.of(self.fields("setting", self.terminal_id) or {}),
            )
        return self._settings

    def cart(self, cart_id: str) -> tuple[Cart, int] | None:
        """Give a working cart and its revision."""
        row = self._db.execute("SELECT body, revision FROM cart WHERE cart_id = ?", (cart_id,)).fetchone()
        return None if row is None else (decode(row[0], Cart), row[1])

    def open_carts(self) -> Iterator[tuple[Cart, int]]:
        """Iterate the working carts with their revisions, the one that was touched last first."""
        for body, revision in rows(self._db, "SELECT body, revision FROM cart ORDER BY changed_ms DESC, cart_id"):
            yield decode(body, Cart), revision

    def operations_seen(self, cart_id: str, op_ids: Iterable[str]) -> set[str]:
        """Say which operations the cart has taken in already."""
        sql = "SELECT 1 FROM cart_operation WHERE cart_id = ? AND op_id = ?"
        return {op for op in op_ids if self._db.execute(sql, (cart_id, op)).fetchone()}

    def parked(self, dot: str) -> Parked | None:
        """Find a parked cart by its dot."""
        row = self._db.execute("SELECT removed FROM parked WHERE dot = ?", (dot,)).fetchone()
        return None if row is None else Parked(dot=dot, removed=bool(row[0]), event=self.event(dot))

    def parked_versions(self, cart_id: str) -> list[Parked]:
        """List what lies parked of one cart, oldest first: more than once if two tills parked it apart."""
        return [
            Parked(dot=event.id, removed=False, event=event)
            for event in self.events(OPEN_PARKED)
            if decode(event.body, CartParked).cart_id == cart_id
        ]


OPEN_PARKED: Final = (
    f"SELECT {EVENT} FROM parked p JOIN event e ON e.actor = p.actor AND e.seq = p.seq "  # noqa: S608
    "WHERE p.removed = 0 ORDER BY e.hlc, p.dot"
)
