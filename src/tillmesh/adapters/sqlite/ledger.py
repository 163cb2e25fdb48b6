"""Append events to the log and carry them into the projections, in the caller's transaction.

Projecting is idempotent and order-independent between actors: an event is projected exactly when it is appended, and
it is appended exactly once, in its actor's order. The projections are therefore a pure function of the set of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

import apsw

from tillmesh.adapters.sqlite import registers
from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import GENESIS, Envelope, Head, check_link
from tillmesh.kernel.ids import parse_event_id
from tillmesh.shop import events as e
from tillmesh.shop.stock import movements

INSERT_EVENT: Final = "INSERT INTO event (actor, seq, hlc, type, version, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
SET_HEAD: Final = (
    "INSERT INTO version_vector (actor, seq, hash) VALUES (?, ?, ?) "
    "ON CONFLICT (actor) DO UPDATE SET seq = excluded.seq, hash = excluded.hash"
)
MOVE_STOCK: Final = (
    "INSERT INTO stock (sku, actor, p, n) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (sku, actor) DO UPDATE SET p = p + excluded.p, n = n + excluded.n"
)
INSERT_RECEIPT: Final = (
    "INSERT INTO receipt (actor, seq, kind, at_ms, number, shift_id, person, customer_id, total_minor, tax_minor, "
    "request, sale_actor, sale_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SALE, REFUND, VOID = 0, 1, 2  # receipt.kind


def request_key(text: str) -> int:
    """Fold an idempotency key into a signed 64-bit integer; whoever finds a row compares the full key."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big", signed=True)


class Ledger:
    """The write side of one connection. Every method runs inside the caller's transaction."""

    def __init__(self, db: apsw.Connection, store: str) -> None:
        self._db = db
        self._store = store
        self.actors = Actors(db)
        self.actors.learn()

    def head(self, actor: str) -> Head:
        """Give the end of an actor's chain as stored."""
        row = self._db.execute(
            "SELECT v.seq, v.hash FROM version_vector v JOIN actor a ON a.id = v.actor WHERE a.name = ?", (actor,)
        ).fetchone()
        return Head(actor) if row is None else Head(actor, row[0], row[1])

    def append_own(self, events: Iterable[Envelope], bodies: Iterable[Record] | None = None) -> None:
        """Append events that this process has just sealed on top of its own head."""
        given = iter(bodies) if bodies is not None else None
        for event in events:
            self._store_event(event)
            self.project(event, next(given) if given is not None else None)

    def append_foreign(self, events: Iterable[Envelope]) -> int:
        """Append events of any actor that are not held yet, verifying the chain; give how many were new.

        Raises Damaged for a gap, a fork or an altered event; the caller rolls back.
        """
        new = 0
        heads: dict[str, Head] = {}
        for event in events:
            head = heads.get(event.actor) or self.head(event.actor)
            if event.seq <= head.seq:
                continue
            heads[event.actor] = check_link(self._store, head, event)
            self._store_event(event)
            self.project(event)
            new += 1
        return new

    def _store_event(self, event: Envelope) -> None:
        actor = self.actors.id(event.actor)
        row = (actor, event.seq, event.hlc, event.type, event.version, event.body, event.hash)
        self._db.execute(INSERT_EVENT, row)
        self._db.execute(SET_HEAD, (actor, event.seq, event.hash))

    def project(self, event: Envelope, body: Record | None = None) -> None:
        """Carry one event into the projections; types of a newer program are kept and not projected."""
        kind = e.KINDS.get(event.type)
        if kind is None:
            return
        if body is None:
            body = decode(event.body, kind)
        actor = self.actors.id(event.actor)
        moves = movements(body)
        if moves:
            self._db.executemany(
                MOVE_STOCK,
                [(sku, actor, max(0, delta), -delta if delta < 0 else 0) for sku, delta in moves],
            )
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self._db, actor, event, body)
        if event.type in _AUDITED and (event.type != "sale_closed" or getattr(body, "approvals", ())):
            self._db.execute("INSERT INTO audit (actor, seq, hlc) VALUES (?, ?, ?)", (actor, event.seq, event.hlc))

    def rebuild(self) -> int:
        """Empty the projections and project the whole log again; give the number of events."""
        for table in PROJECTIONS:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the constant above
        count = 0
        cursor = self._db.cursor()
        sql = "SELECT a.name, seq, hlc, type, version, body, hash FROM event e JOIN actor a ON a.id = e.actor"
        for actor, seq, hlc, kind, version, body, pinned in cursor.execute(sql + " ORDER BY e.actor, e.seq"):
            self.project(Envelope(actor, seq, hlc, kind, version, body, GENESIS, pinned))
            count += 1
        return count


PROJECTIONS: Final = (
    "stock",
    "register",
    "product",
    "barcode",
    "product_search",
    "receipt",
    "shift",
    "parked",
    "audit",
)
_AUDITED: Final = {
    "audited", "sale_voided", "sale_refunded", "sale_closed", "cash_moved", "shift_opened", "shift_closed",
    "products_changed", "people_changed", "settings_changed", "stock_adjusted", "stock_counted",
}  # fmt: skip


def _sale_closed(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.SaleClosed)
    row = (actor, event.seq, SALE, body.closed_at_ms, body.receipt_number, body.shift_id, body.cashier,
           body.customer_id, body.total_minor, body.tax_minor, request_key(body.cart_id), None, None)  # fmt: skip
    db.execute(INSERT_RECEIPT, row)


def _answer(db: apsw.Connection, sale_id: str) -> tuple[int | None, int | None]:
    """Give the row key of the sale that a refund or void answers; it may not have arrived yet."""
    if not sale_id:
        return None, None
    name, seq = parse_event_id(sale_id)
    return Actors(db).id(name), seq


def _sale_refunded(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.SaleRefunded)
    row = (actor, event.seq, REFUND, body.refunded_at_ms, body.receipt_number, body.shift_id, body.by,
           body.customer_id, body.total_minor, body.tax_minor, request_key("refund:" + body.refund_key),
           *_answer(db, body.sale_id))  # fmt: skip
    db.execute(INSERT_RECEIPT, row)


def _sale_voided(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.SaleVoided)
    row = (actor, event.seq, VOID, body.voided_at_ms, body.receipt_number, body.shift_id, body.by, "",
           body.total_minor, body.tax_minor, request_key("void:" + body.sale_id), *_answer(db, body.sale_id))  # fmt: skip
    db.execute(INSERT_RECEIPT, row)


def _shift_opened(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.ShiftOpened)
    # The close may have been projected first: another actor's log is delivered on its own.
    db.execute(
        "INSERT INTO shift (shift_id, actor, seq, opened_ms) VALUES (?, ?, ?, ?) ON CONFLICT (shift_id) "
        "DO UPDATE SET actor = excluded.actor, seq = excluded.seq, opened_ms = excluded.opened_ms",
        (event.id, actor, event.seq, body.opened_at_ms),
    )


def _shift_closed(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.ShiftClosed)
    opener, seq = parse_event_id(body.shift_id)
    db.execute(
        "INSERT INTO shift (shift_id, actor, seq, opened_ms, closed_actor, closed_seq, z_number) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (shift_id) DO UPDATE SET closed_actor = excluded.closed_actor, "
        "closed_seq = excluded.closed_seq, z_number = excluded.z_number",
        (body.shift_id, Actors(db).id(opener), seq, body.opened_at_ms, actor, event.seq, body.z_number),
    )


def _cart_parked(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:  # noqa: ARG001
    db.execute(
        "INSERT INTO parked (dot, removed, actor, seq) VALUES (?, 0, ?, ?) ON CONFLICT (dot) "
        "DO UPDATE SET actor = excluded.actor, seq = excluded.seq",
        (event.id, actor, event.seq),
    )


def _cart_resumed(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:  # noqa: ARG001
    assert isinstance(body, e.CartResumed)
    for dot in body.dots:
        db.execute(
            "INSERT INTO parked (dot, removed) VALUES (?, 1) ON CONFLICT (dot) DO UPDATE SET removed = 1", (dot,)
        )


def _changed(entity: str) -> Callable[[apsw.Connection, int, Envelope, Record], None]:
    def handle(db: apsw.Connection, actor: int, event: Envelope, body: Record) -> None:  # noqa: ARG001
        assert isinstance(body, e.ProductsChanged | e.CustomersChanged | e.PeopleChanged | e.SettingsChanged)
        registers.merge(db, entity, event, body)

    return handle


_HANDLERS: Final[dict[type[Record], Callable[[apsw.Connection, int, Envelope, Record], None]]] = {
    e.SaleClosed: _sale_closed,
    e.SaleRefunded: _sale_refunded,
    e.SaleVoided: _sale_voided,
    e.ShiftOpened: _shift_opened,
    e.ShiftClosed: _shift_closed,
    e.CartParked: _cart_parked,
    e.CartResumed: _cart_resumed,
    e.ProductsChanged: _changed("product"),
    e.CustomersChanged: _changed("customer"),
    e.PeopleChanged: _changed("person"),
    e.SettingsChanged: _changed("setting"),
}
