"""The shop as one connection sees it: the read side that decisions and pages look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite import registers
from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.ledger import request_key
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import GENESIS, Envelope
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.ids import parse_event_id
from tillmesh.shop.cart import Cart
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import KINDS, SaleClosed, SaleRefunded, Value
from tillmesh.shop.settings import STORE, StoreSettings, TerminalSettings
from tillmesh.till.ports import Parked, Shift

_EVENT: Final = "SELECT actor, seq, hlc, type, version, body, hash FROM event"
_PRODUCT: Final = f"SELECT {registers.PRODUCT_COLUMNS} FROM product"  # noqa: S608
_SHIFT: Final = "SELECT shift_id, opened_ms, closed_seq, z_number FROM shift"
PRODUCTS_CACHED_MAX: Final = 5_000  # about 5 MB


class Books:
    """Reads of one connection; inside a transaction all of them see the same moment."""

    def __init__(self, db: apsw.Connection, terminal: str, actor: str) -> None:
        self._db = db
        self.terminal_id = terminal
        self._actor = actor
        self.actors = Actors(db)
        self._products: dict[str, Product] = {}
        self._settings: tuple[StoreSettings, TerminalSettings] | None = None
        self._shift: Shift | None = None  # the open one; None also while nobody has looked

    def forget(self) -> None:
        """Drop what was cached: registers changed, or a transaction that changed them was rolled back."""
        self._products.clear()
        self._settings = None
        self._shift = None

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

    def stock_milli(self, sku: str) -> int:
        """Give the stock of a product over all actors."""
        sql = "SELECT coalesce(sum(p), 0) - coalesce(sum(n), 0) FROM stock WHERE sku = ?"
        return int(self._db.execute(sql, (sku,)).fetchone()[0])

    def stock_columns(self, sku: str) -> dict[str, tuple[int, int]]:
        """Give the PN-counter of a product: per actor what it added and what it took."""
        sql = "SELECT a.name, p, n FROM stock s JOIN actor a ON a.id = s.actor WHERE sku = ? ORDER BY a.name"
        return {name: (p, n) for name, p, n in self._db.execute(sql, (sku,))}

    def vector(self) -> tuple[tuple[str, int], ...]:
        """Give the version vector, ordered by actor."""
        sql = "SELECT a.name, v.seq FROM version_vector v JOIN actor a ON a.id = v.actor ORDER BY a.name"
        return tuple(self._db.execute(sql))

    def fields(self, entity: str, key: str) -> dict[str, Value] | None:
        """Give the merged fields of a register."""
        return registers.fields(self._db, entity, key)

    def store(self) -> StoreSettings:
        """Give the settings of the store."""
        return self._load_settings()[0]

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

    def event(self, event_id: str) -> Envelope | None:
        """Find an event by its id; a malformed id is simply unknown."""
        try:
            name, seq = parse_event_id(event_id)
        except Invalid:
            return None
        actor = self.actors.find(name)
        if actor is None:
            return None
        return next(self._events(f"{_EVENT} WHERE actor = ? AND seq = ?", (actor, seq)), None)

    def _events(self, sql: str, bindings: Any) -> Iterator[Envelope]:
        for actor, seq, hlc, kind, version, body, pinned in self._db.execute(sql, bindings):
            yield Envelope(self.actors.name(actor), seq, hlc, kind, version, body, GENESIS, pinned)

    def requested(self, key: str) -> Envelope | None:
        """Find the sale or refund ("refund:" + key) that answered this idempotency key."""
        sql = "SELECT actor, seq FROM receipt WHERE request = ?"
        for actor, seq in self._db.execute(sql, (request_key(key),)).fetchall():
            event = next(self._events(f"{_EVENT} WHERE actor = ? AND seq = ?", (actor, seq)))
            if _key_of(event) == key:
                return event
        return None

    def answers(self, sale_id: str) -> tuple[Envelope, ...]:
        """List the refunds and the void of a sale, oldest first."""
        name, seq = parse_event_id(sale_id)
        actor = self.actors.find(name)
        sql = (
            "SELECT e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash FROM receipt r JOIN event e "
            "ON e.actor = r.actor AND e.seq = r.seq WHERE r.sale_actor = ? AND r.sale_seq = ? ORDER BY e.hlc, e.actor"
        )
        return tuple(self._events(sql, (actor, seq))) if actor is not None else ()

    def current_shift(self) -> Shift | None:
        """Give the newest shift of this terminal if it is open; a former incarnation's shift counts as well."""
        if self._shift is not None:
            return self._shift
        sql = (
            f"{_SHIFT} s JOIN actor a ON a.id = s.actor WHERE a.name LIKE ? || '.%' AND s.closed_seq IS NULL "
            "ORDER BY s.opened_ms DESC LIMIT 1"
        )
        row = self._db.execute(sql, (self.terminal_id,)).fetchone()
        self._shift = None if row is None else Shift(shift_id=row[0], opened_ms=row[1], open=True)
        return self._shift

    def shift_events(self, shift_id: str) -> Iterator[Envelope]:
        """Iterate the sales, refunds, voids and cash moves of a shift, in log order of each actor.

        Invariant: everything of a shift stands behind its opening, in the logs of that terminal's incarnations.
        """
        name, seq = parse_event_id(shift_id)
        actor = self.actors.find(name)
        if actor is None:
            return
        sql = f"{_EVENT} WHERE actor = ? AND seq > ? AND type IN {_IN_SHIFT} ORDER BY seq"
        for event in self._events(sql, (actor, seq)):
            if _shift_of(event) == shift_id:
                yield event

    def last_close(self) -> Envelope | None:
        """Give the newest ShiftClosed of this terminal."""
        sql = (
            "SELECT e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash FROM shift s JOIN actor a ON a.id = s.actor "
            "JOIN event e ON e.actor = s.closed_actor AND e.seq = s.closed_seq WHERE a.name LIKE ? || '.%' "
            "ORDER BY s.z_number DESC LIMIT 1"
        )
        return next(self._events(sql, (self.terminal_id,)), None)

    def cart(self, cart_id: str) -> tuple[Cart, int] | None:
        """Give a working cart and its revision."""
        row = self._db.execute("SELECT body, revision FROM cart WHERE cart_id = ?", (cart_id,)).fetchone()
        return None if row is None else (decode(row[0], Cart), row[1])

    def operations_seen(self, cart_id: str, op_ids: Iterable[str]) -> set[str]:
        """Say which operations the cart has taken in already."""
        sql = "SELECT 1 FROM cart_operation WHERE cart_id = ? AND op_id = ?"
        return {op for op in op_ids if self._db.execute(sql, (cart_id, op)).fetchone()}

    def parked(self, dot: str) -> Parked | None:
        """Find a parked cart by its dot."""
        row = self._db.execute("SELECT removed FROM parked WHERE dot = ?", (dot,)).fetchone()
        return None if row is None else Parked(dot=dot, removed=bool(row[0]), event=self.event(dot))


_IN_SHIFT: Final = "('sale_closed', 'sale_refunded', 'sale_voided', 'cash_moved')"


def _shift_of(event: Envelope) -> str:
    return str(getattr(decode(event.body, KINDS[event.type]), "shift_id", ""))


def _key_of(event: Envelope) -> str:
    """Give the idempotency key that an event answered."""
    match event.type:
        case "sale_closed":
            return decode(event.body, SaleClosed).cart_id
        case "sale_refunded":
            return "refund:" + decode(event.body, SaleRefunded).refund_key
        case _:
            return ""
