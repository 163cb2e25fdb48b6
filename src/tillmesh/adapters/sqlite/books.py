"""The shop as one connection sees it: the read side that decisions and pages look at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite import (
    card_payments,
    escrow,
    fiscal,
    folding,
    money_twice,
    offers,
    oversold,
    purses,
    registers,
    shifts,
)
from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.archive import Archive
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.ledger import request_key
from tillmesh.adapters.sqlite.offers import OfferBook
from tillmesh.adapters.sqlite.stock_tail import levels
from tillmesh.adapters.sqlite.subject_keys import SubjectKeys
from tillmesh.crdt import BoundedCounter
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import GENESIS, Envelope
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.ids import parse_event_id, terminal_of
from tillmesh.kernel.limits import (
    MONEY_ANSWERS_MAX,
    MONEY_CONFLICTS_MAX,
    OVERSELL_SALES_LOOKED_THROUGH_MAX,
    OVERSELL_STOCK_EVENTS_LOOKED_THROUGH_MAX,
)
from tillmesh.shop.card_payment import CardPayment
from tillmesh.shop.cart import Cart
from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import (
    CartParked,
    PeriodClosed,
    ReceiptSigned,
    SaleClosed,
    SaleRefunded,
    SigningStopped,
    Value,
    known,
)
from tillmesh.shop.offers.prices import PriceList, Prices
from tillmesh.shop.offers.shelf import Shelf
from tillmesh.shop.oversell import Noted
from tillmesh.shop.personal import CUSTOMER
from tillmesh.shop.settings import STORE, StoreSettings, TerminalSettings
from tillmesh.till.ports import Parked, Shift

EVENT: Final = "e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash"  # what `events` reads
_BY_ID: Final = f"SELECT {EVENT} FROM event e WHERE e.actor = ? AND e.seq = ?"  # noqa: S608
_PRODUCT: Final = f"SELECT {registers.PRODUCT_COLUMNS} FROM product"  # noqa: S608
PRODUCTS_CACHED_MAX: Final = 5_000  # about 5 MB
CLOSINGS_MAX: Final = 400  # more than a year of days


class Books:
    """Reads of one connection; inside a transaction all of them see the same moment."""

    def __init__(self, db: apsw.Connection, terminal: str, keys: SubjectKeys | None = None) -> None:
        self._db = db
        self._keys = keys
        self.terminal_id = terminal
        self.actors = Actors(db)
        self._archive = Archive(db)
        self._products: dict[str, Product] = {}
        self._settings: tuple[StoreSettings, TerminalSettings] | None = None
        self._shift: Shift | None = None  # the open one; None also while nobody has looked
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

    def stock_milli(self, sku: str) -> int:
        """Give the stock of a product over all actors."""
        sql = "SELECT coalesce(sum(p), 0) - coalesce(sum(n), 0) FROM stock WHERE sku = ?"
        return int(one(self._db, sql, (sku,)))

    def stocks_milli(self, skus: Collection[str]) -> dict[str, int]:
        """Give the stock of several products at once."""
        return levels(self._db, skus)

    def stock_columns(self, sku: str) -> dict[str, tuple[int, int]]:
        """Give the PN-counter of a product: per actor what it added and what it took; those that are folded as one."""
        sql = f"{folding.COLUMNS} WHERE s.sku = ? GROUP BY who ORDER BY who"
        return {name: (p, n) for _, name, p, n in self._db.execute(sql, (sku,))}

    def folded(self) -> Mapping[str, int]:
        """Give the actors that are gone for good, and where the store agreed that their logs end."""
        return folding.folded(self._db)

    def rights(self, sku: str) -> BoundedCounter:
        """Give who holds how many rights of a hard-limited product; empty if it never was one."""
        return escrow.counter(self._db, self.actors, sku)

    def is_carried_out(self, actor: str, after: int, grant: str) -> bool:
        """Say whether an actor did what the store agreed on, behind a place in its log."""
        return escrow.is_carried_out(self._db, self.actors, actor, after, grant)

    def ever_limited(self) -> set[str]:
        """List the products whose rights are counted: those that are hard-limited or were, and had any."""
        return escrow.counted(self._db)

    def below_zero(self) -> list[tuple[str, int, bool]]:
        """List counted products with stock below zero: sku, stock, whether any was ever booked in."""
        return oversold.below_zero(self._db)

    def oversell_notes(self, sku: str) -> Iterator[Noted]:
        """Iterate what was decided about oversells of a product."""
        return oversold.notes(self._db, self.actors, sku)

    def newest_resolutions(self) -> Iterator[Noted]:
        """Iterate the newest resolutions of oversells, newest first."""
        return oversold.newest_notes(self._db, self.actors)

    def noted_skus(self) -> list[str]:
        """List the products about whose oversells anything was decided."""
        return oversold.noted_skus(self._db)

    def newest_sales_of(self, sku: str) -> Iterator[Envelope]:
        """Iterate the newest sales in which a sku may stand, in any order."""
        return self.events(oversold.SALES, (OVERSELL_SALES_LOOKED_THROUGH_MAX, sku.encode()))

    def stock_events_of(self, sku: str, since_hlc: int) -> Iterator[Envelope]:
        """Iterate deliveries, counts and adjustments in which a sku may stand, in any order."""
        return self.events(oversold.STOCK_EVENTS, (since_hlc, OVERSELL_STOCK_EVENTS_LOOKED_THROUGH_MAX, sku.encode()))

    def carts_paid_again(self) -> Iterator[list[Envelope]]:
        """Iterate the sales of each cart that has more than one, oldest first."""
        for request in money_twice.requests_again(self._db, MONEY_CONFLICTS_MAX):
            carts: dict[str, list[Envelope]] = {}
            for event in self.events(money_twice.SALES_OF, (request,)):
                carts.setdefault(_key_of(event), []).append(event)
            yield from (sales for sales in carts.values() if len(sales) > 1)

    def sales_answered_again(self) -> list[str]:
        """List the sales that more than one refund or void answers."""
        return money_twice.answered_again(self._db, self.actors, MONEY_ANSWERS_MAX)

    def money_settled(self) -> Iterator[Envelope]:
        """Iterate what managers said about money that was taken or given back twice."""
        return self.events(money_twice.SETTLED)

    def order_notes(self, order_id: str = "") -> Iterator[tuple[str, Envelope]]:
        """Iterate what was noted about orders of goods, each with its order."""
        sql = "SELECT order_id, actor, seq FROM purchase WHERE ? IN ('', order_id) ORDER BY order_id"
        for name, actor, seq in rows(self._db, sql, (order_id,)):
            yield name, next(self.events(_BY_ID, (actor, seq)))

    def vector(self) -> tuple[tuple[str, int], ...]:
        """Give the version vector, ordered by actor."""
        sql = "SELECT a.name, v.seq FROM version_vector v JOIN actor a ON a.id = v.actor ORDER BY a.name"
        return tuple(self._db.execute(sql))

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

    def event(self, event_id: str) -> Envelope | None:
        """Find an event by its id; a malformed id is simply unknown."""
        try:
            name, seq = parse_event_id(event_id)
        except Invalid:
            return None
        actor = self.actors.find(name)
        if actor is None:
            return None
        return next(self.events(_BY_ID, (actor, seq)), None)

    def events(self, sql: str, bindings: Any = ()) -> Iterator[Envelope]:
        """Iterate the events that a query of EVENT columns finds and this program understands."""
        understood = (event for event in self.kept(sql, bindings) if known(event.type, event.version) is not None)
        if one(self._db, "SELECT 1 FROM aside LIMIT 1") is None:
            return understood
        return (event for event in understood if not self._is_aside(event))

    def _is_aside(self, event: Envelope) -> bool:
        """Say whether an event of a known type was set aside all the same: what is in it can't be read."""
        sql = "SELECT 1 FROM aside WHERE actor = ? AND seq = ?"
        return one(self._db, sql, (self.actors.find(event.actor), event.seq)) is not None

    def kept(self, sql: str, bindings: Any = ()) -> Iterator[Envelope]:
        """Iterate all events that a query of EVENT columns finds; their previous hashes are left out."""
        # All rows at once: a query that is read only halfway keeps its connection at this moment of the shop for ever.
        for actor, seq, hlc, kind, version, body, pinned in rows(self._db, sql, bindings):
            whole = self._archive.body(actor, seq, body)
            yield Envelope(self.actors.name(actor), seq, hlc, kind, version, whole, GENESIS, pinned)

    def requested(self, key: str) -> Envelope | None:
        """Find the sale or refund ("refund:" + key) that answered this idempotency key."""
        sql = "SELECT actor, seq FROM receipt WHERE request = ?"
        for actor, seq in self._db.execute(sql, (request_key(key),)).fetchall():
            event = next(self.events(_BY_ID, (actor, seq)))
            if _key_of(event) == key:
                return event
        return None

    def answers(self, sale_id: str) -> tuple[Envelope, ...]:
        """List the refunds and the void of a sale, oldest first."""
        name, seq = parse_event_id(sale_id)
        actor = self.actors.find(name)
        sql = (
            f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
            "WHERE r.sale_actor = ? AND r.sale_seq = ? ORDER BY e.hlc, e.actor"
        )
        return tuple(self.events(sql, (actor, seq))) if actor is not None else ()

    def _own(self) -> list[tuple[str, int]]:
        """Give the incarnations of this terminal with their row ids."""
        return [(name, row) for name, _ in self.incarnations() if (row := self.actors.find(name)) is not None]

    def last_period(self, kind: str) -> PeriodClosed | None:
        """Give the newest close of a kind (day, month, year) of this terminal."""
        return fiscal.last_close(self._db, self.terminal_id, kind)

    def periods_after(self, kind: str, number: int) -> list[PeriodClosed]:
        """List the closes of a kind of this terminal beyond a number, oldest first."""
        return fiscal.closes_after(self._db, self.terminal_id, kind, number)

    def receipts_after(self, seen: Mapping[str, int]) -> Iterator[Envelope]:
        """Iterate the sales, voids and refunds of this terminal beyond what was seen of its incarnations."""
        sql = (
            f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
            "WHERE r.actor = ? AND r.seq > ? ORDER BY r.seq"
        )
        for name, row in self._own():
            yield from self.events(sql, (row, seen.get(name, 0)))

    def newest_receipt_ms(self, seen: Mapping[str, int]) -> int | None:
        """Say when the newest of them was made."""
        own = self._own()
        rows_seen = {row: seen.get(name, 0) for name, row in own}
        return fiscal.newest_receipt_ms(self._db, [row for _, row in own], rows_seen)

    def signature(self, event_id: str) -> ReceiptSigned | None:
        """Give the signature of a receipt."""
        return fiscal.signature(self._db, self.actors, event_id)

    def signing_outage(self) -> SigningStopped | None:
        """Give the outage of this terminal's signature device that has not ended."""
        return fiscal.outage(self._db, [row for _, row in self._own()])

    def unsigned_receipts(self) -> Iterator[str]:
        """Iterate the receipts of this terminal that its device has yet to sign."""
        outage = self.signing_outage()
        for _, row in self._own():
            yield from fiscal.unsigned(self._db, self.actors, row, "" if outage is None else outage.first)

    def card_payment(self, payment_id: str) -> CardPayment | None:
        """Find a payment at the card terminal of this till."""
        return card_payments.find(self._db, payment_id)

    def card_payments_of(self, cart_id: str) -> list[CardPayment]:
        """List the payments that the card terminal was asked for a cart, oldest first."""
        return card_payments.of_cart(self._db, cart_id)

    def carts_charged(self) -> list[str]:
        """List the carts that a card is being charged for, or was and no sale has taken it yet."""
        return card_payments.charged(self._db)

    def card_payments_open(self) -> list[CardPayment]:
        """List the payments and refunds whose end nobody knows yet, oldest first."""
        return card_payments.still_open(self._db)

    def current_shift(self) -> Shift | None:
        """Give the newest shift of this terminal if it is open; a former incarnation's shift counts as well."""
        if self._shift is not None:
            return self._shift
        self._shift = shifts.still_open(self._db, self.terminal_id)
        return self._shift

    def shift_events(self, shift_id: str) -> Iterator[Envelope]:
        """Iterate the sales, refunds, voids and cash moves of a shift, in log order of each actor."""
        return shifts.events_of(self, self._db, shift_id)

    def incarnations(self, terminal: str = "") -> tuple[tuple[str, int], ...]:
        """Give how far the log of each incarnation of a terminal (this one) is known, ordered by actor."""
        wanted = terminal or self.terminal_id
        return tuple((actor, seq) for actor, seq in self.vector() if terminal_of(actor) == wanted)

    def net_minor_after(self, seen: Mapping[str, int]) -> int:
        """Sum up what this terminal sold, less what it gave back, beyond what was seen of its incarnations."""
        return shifts.net_minor_after(self, self._db, seen)

    def late_events(self, shift_id: str, closer: str, seen: Mapping[str, int]) -> list[Envelope]:
        """List what belongs to a shift and was not seen when it was closed, by another incarnation than its closer."""
        return list(shifts.late(self, shift_id, closer, seen))

    def last_close(self) -> Envelope | None:
        """Give the newest ShiftClosed of this terminal."""
        return next(self.closings(limit=1), None)

    def closings(self, *, number: int | None = None, limit: int = CLOSINGS_MAX) -> Iterator[Envelope]:
        """Iterate the Z reports of this terminal, newest first; or those of one number."""
        return self.events(shifts.CLOSINGS, (self.terminal_id, number, number, limit))

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


def _key_of(event: Envelope) -> str:
    """Give the idempotency key that an event answered."""
    match event.type:
        case "sale_closed":
            return decode(event.body, SaleClosed).cart_id
        case "sale_refunded":
            return "refund:" + decode(event.body, SaleRefunded).refund_key
        case _:
            return ""
