"""Append events to the log and carry them into the projections, in the caller's transaction.

Projecting is idempotent and order-independent between actors: an event is projected exactly when it is appended, and
it is appended exactly once, in its actor's order. The projections are therefore a pure function of the set of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import apsw

from tillmesh.adapters.sqlite import escrow, fiscal, folding, purses, registers
from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.archive import Archive, refuse_mark
from tillmesh.adapters.sqlite.database import one
from tillmesh.adapters.sqlite.freshness import KEPT, mark
from tillmesh.adapters.sqlite.request_keys import request_key
from tillmesh.adapters.sqlite.stock_tail import Gathered, StockTail, move
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import GENESIS, Envelope, Head, check_link
from tillmesh.kernel.errors import Damaged, Invalid, TooLarge
from tillmesh.kernel.ids import parse_event_id
from tillmesh.shop import events as e
from tillmesh.shop.escrow import Moving
from tillmesh.shop.reading import read_event
from tillmesh.shop.stock import movements

INSERT_EVENT: Final = "INSERT INTO event (actor, seq, hlc, type, version, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
SET_HEAD: Final = (
    "INSERT INTO version_vector (actor, seq, hash) VALUES (?, ?, ?) "
    "ON CONFLICT (actor) DO UPDATE SET seq = excluded.seq, hash = excluded.hash"
)
INSERT_RECEIPT: Final = (
    "INSERT INTO receipt (actor, seq, kind, at_ms, number, shift_id, person, customer_id, total_minor, tax_minor, "
    "request, sale_actor, sale_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_USE: Final = "INSERT INTO promotion_use (promotion, code, customer_id, actor, seq) VALUES (?, ?, ?, ?, ?)"
_SET_ASIDE: Final = "INSERT INTO aside (actor, seq) VALUES (?, ?)"
SALE, REFUND, VOID = 0, 1, 2  # receipt.kind


class Place(NamedTuple):
    """Where an event is projected: the connection, its actors, and the row id of the event's own actor."""

    db: apsw.Connection
    actors: Actors
    actor: int


def log(db: apsw.Connection) -> Iterator[Envelope]:
    """Iterate the whole log by actor and sequence, with previous hashes filled in from the row before."""
    sql = (
        "SELECT e.actor, a.name, e.seq, e.hlc, e.type, e.version, e.body, e.hash FROM event e "
        "JOIN actor a ON a.id = e.actor ORDER BY a.name, e.seq"
    )
    last, archive = Head(""), Archive(db)
    for number, name, seq, hlc, kind, version, body, pinned in db.cursor().execute(sql):
        before = last.hash if last.actor == name else GENESIS
        yield Envelope(name, seq, hlc, kind, version, archive.body(number, seq, body), before, pinned)
        last = Head(name, seq, pinned)


class Ledger:
    """The write side of one connection. Every method runs inside the caller's transaction."""

    def __init__(self, db: apsw.Connection, store: str, actors: Actors | None = None) -> None:
        self._db = db
        self._store = store
        self._actors = Actors(db) if actors is None else actors
        self._tail = StockTail(db)
        self.erased: list[str] = []  # customers that this transaction erases; whoever commits destroys their keys

    def forget(self) -> None:
        """Drop what was counted: the transaction was rolled back."""
        self._tail.forget()
        self.erased.clear()

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
            self._set_head(Head(event.actor, event.seq, event.hash))
            later = event.type == "sale_closed"
            self.project(event, next(given) if given is not None else None, later=later)

    def append_foreign(self, events: Iterable[Envelope]) -> int:
        """Append events of any actor that are not held yet, verifying the chain; give how many were new.

        Raises Damaged for a gap, a fork or an altered event; the caller rolls back.
        """
        new = 0
        heads: dict[str, Head] = {}
        gathered = Gathered()
        for event in events:
            head = heads.get(event.actor) or self.head(event.actor)
            if event.seq <= head.seq:
                self._refuse_fork(event)
                continue
            refuse_mark(event)
            heads[event.actor] = check_link(self._store, head, event)
            self._store_event(event)
            self.project(event, gathered=gathered)
            new += 1
        # Heads and stock once for all of them: one by one they were half of the work of a batch.
        for head in heads.values():
            self._set_head(head)
        gathered.write(self._db)
        return new

    def _refuse_fork(self, event: Envelope) -> None:
        """Raise :class:`Damaged` if the event that is held under this id is another one."""
        sql = "SELECT hash FROM event WHERE actor = ? AND seq = ?"
        if one(self._db, sql, (self._actors.find(event.actor), event.seq)) != event.hash:
            raise Damaged(f"{event.id} is held with another hash: two histories of one actor", hint="A fork: fence it.")

    def _store_event(self, event: Envelope) -> None:
        actor = self._actors.id(event.actor)
        row = (actor, event.seq, event.hlc, event.type, event.version, event.body, event.hash)
        self._db.execute(INSERT_EVENT, row)

    def _set_head(self, head: Head) -> None:
        self._db.execute(SET_HEAD, (self._actors.id(head.actor), head.seq, head.hash))

    def project(
        self, event: Envelope, body: Record | None = None, *, later: bool = False, gathered: Gathered | None = None
    ) -> bool:
        """Carry one event into the projections; one that can't be read is kept and set aside until it is understood.

        A newer program wrote it, or a hostile one, and whoever passes it on is to blame for neither. ``later`` lets its
        stock wait in the tail, ``gathered`` takes it for whoever writes many at once. Says whether it could be read.
        """
        own = body is not None
        body = body if body is not None else read_event(event)
        actor = self._actors.id(event.actor)
        if body is None or not self._written(Place(self._db, self._actors, actor), event, body, own=own):
            self._db.execute(_SET_ASIDE, (actor, event.seq))
            return False
        if moves := movements(body):
            if later and len(moves) > 1:
                self._tail.note(actor, event.seq, moves)
            elif gathered is not None:
                gathered.add(actor, moves)
            else:
                move(self._db, actor, moves)
            if isinstance(body, Moving) and body.limited:
                escrow.note(self._db, actor, moves, body.limited)
        handler = _HANDLERS.get(type(body))
        if handler is not None:
            handler(Place(self._db, self._actors, actor), event, body)
        if isinstance(body, e.CustomerErased):
            self.erased.append(body.customer_id)
        if event.type in KEPT:
            mark(self._db)
        if isinstance(body, e.SaleClosed | e.SaleVoided | e.SaleRefunded | e.PursesAdjusted) and body.purses:
            purses.note(self._db, actor, event, body.purses)
        if event.type in _AUDITED and (not isinstance(body, e.SaleClosed) or body.approvals):
            self._db.execute("INSERT INTO audit (actor, seq, hlc) VALUES (?, ?, ?)", (actor, event.seq, event.hlc))
        return True

    def _written(self, at: Place, event: Envelope, body: Record, *, own: bool) -> bool:
        """Write registers; says whether they can hold what another till's event wants of them."""
        entity = e.ENTITIES.get(type(body))
        if entity is None:
            return True
        assert isinstance(body, e.RegistersChanged)
        try:
            registers.merge(at.db, entity, event, body)
        except (Invalid, TooLarge):
            if own:
                raise
            return False
        return True

    def rebuild(self) -> int:
        """Empty the projections and project the whole log again; give the number of events."""
        for table in PROJECTIONS:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the constant above
        self._tail.forget()
        count = 0
        for event in log(self._db):
            self.project(event)
            count += 1
        return count


PROJECTIONS: Final = (
    "stock_column",
    "stock_tail",
    "folded",
    "register",
    "product",
    "barcode",
    "product_search",
    "receipt",
    "shift",
    "parked",
    "audit",
    "oversell",
    "purchase",
    "price",
    "promotion_use",
    "purse_entry",
    "escrow",
    "example",
    "period_close",
    "receipt_signature",
    "aside",
)
_AUDITED: Final = {
    "audited", "sale_voided", "sale_refunded", "sale_closed", "cash_moved", "shift_opened", "shift_closed",
    "products_changed", "people_changed", "settings_changed", "stock_adjusted", "stock_counted",
    "goods_ordered", "order_closed",
    "oversell_resolved", "oversell_settled", "money_conflict_settled", "flag_reviewed", "promotions_changed",
    "price_lists_changed", "prices_changed", "suppliers_changed",
    "gift_cards_changed", "purses_adjusted", "product_learnt", "period_closed", "signing_stopped",
    "transfer_sent", "transfer_received", "transfer_closed", "transfer_taken_back",
    "signing_resumed", "customer_erased", "rights_issued", "rights_released",
}  # fmt: skip


def _sale_closed(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.SaleClosed)
    row = (at.actor, event.seq, SALE, body.closed_at_ms, body.receipt_number, body.shift_id, body.cashier,
           body.customer_id, body.total_minor, body.tax_minor, request_key(body.cart_id), None, None)  # fmt: skip
    at.db.execute(INSERT_RECEIPT, row)
    # A sale of another program may name a promotion twice: it is used once.
    for promotion, code in {used.promotion_id: used.code for used in body.promotions}.items():
        at.db.execute(INSERT_USE, (promotion, code, body.customer_id, at.actor, event.seq))


def _answered(at: Place, sale_id: str) -> tuple[int | None, int | None]:
    """Give the row key of the sale that a refund or void answers; it may not have arrived yet."""
    if not sale_id:
        return None, None
    name, seq = parse_event_id(sale_id)
    return at.actors.id(name), seq


def _sale_refunded(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.SaleRefunded)
    row = (at.actor, event.seq, REFUND, body.refunded_at_ms, body.receipt_number, body.shift_id, body.by,
           body.customer_id, body.total_minor, body.tax_minor, request_key("refund:" + body.refund_key),
           *_answered(at, body.sale_id))  # fmt: skip
    at.db.execute(INSERT_RECEIPT, row)


def _sale_voided(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.SaleVoided)
    row = (at.actor, event.seq, VOID, body.voided_at_ms, body.receipt_number, body.shift_id, body.by, "",
           body.total_minor, body.tax_minor, request_key("void:" + body.sale_id),
           *_answered(at, body.sale_id))  # fmt: skip
    at.db.execute(INSERT_RECEIPT, row)


def _shift_opened(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.ShiftOpened)
    # The close may have been projected first: another actor's log is delivered on its own.
    at.db.execute(
        "INSERT INTO shift (shift_id, actor, seq, opened_ms) VALUES (?, ?, ?, ?) ON CONFLICT (shift_id) "
        "DO UPDATE SET actor = excluded.actor, seq = excluded.seq, opened_ms = excluded.opened_ms",
        (event.id, at.actor, event.seq, body.opened_at_ms),
    )


def _shift_closed(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.ShiftClosed)
    if not _closes(at, event, body.shift_id):
        return
    opener, seq = parse_event_id(body.shift_id)
    at.db.execute(
        "INSERT INTO shift (shift_id, actor, seq, opened_ms, closed_actor, closed_seq, z_number) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (shift_id) DO UPDATE SET closed_actor = excluded.closed_actor, "
        "closed_seq = excluded.closed_seq, z_number = excluded.z_number",
        (body.shift_id, at.actors.id(opener), seq, body.opened_at_ms, at.actor, event.seq, body.z_number),
    )


def _closes(at: Place, event: Envelope, shift_id: str) -> bool:
    """Say whether this close counts: of two (by a till and by its copy) the first by clock and actor."""
    sql = "SELECT closed_actor, closed_seq FROM shift WHERE shift_id = ? AND closed_seq IS NOT NULL"
    held = at.db.execute(sql, (shift_id,)).fetchone()
    if held is None:
        return True
    hlc = one(at.db, "SELECT hlc FROM event WHERE actor = ? AND seq = ?", held)
    return (event.hlc, event.actor) < (hlc, at.actors.name(held[0]))


def _cart_parked(at: Place, event: Envelope, body: Record) -> None:  # noqa: ARG001
    at.db.execute(
        "INSERT INTO parked (dot, removed, actor, seq) VALUES (?, 0, ?, ?) ON CONFLICT (dot) "
        "DO UPDATE SET actor = excluded.actor, seq = excluded.seq",
        (event.id, at.actor, event.seq),
    )


def _cart_resumed(at: Place, event: Envelope, body: Record) -> None:  # noqa: ARG001
    assert isinstance(body, e.CartResumed)
    for dot in body.dots:
        at.db.execute(
            "INSERT INTO parked (dot, removed) VALUES (?, 1) ON CONFLICT (dot) DO UPDATE SET removed = 1", (dot,)
        )


def _oversell_noted(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.OversellResolved | e.OversellSettled)
    sql = "INSERT INTO oversell (sku, hlc, actor, seq, type, body) VALUES (?, ?, ?, ?, ?, ?)"
    at.db.execute(sql, (body.sku, event.hlc, at.actor, event.seq, event.type, event.body))


def _product_learnt(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.ProductLearnt)
    sql = "INSERT INTO example (sku, hlc, actor, seq, space, replaces, vectors) VALUES (?, ?, ?, ?, ?, ?, ?)"
    vectors = encode(body.examples)
    at.db.execute(sql, (body.sku, event.hlc, at.actor, event.seq, body.space, body.replaces, vectors))


def _order_noted(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.GoodsOrdered | e.OrderClosed | e.StockReceived)
    order_id = event.id if isinstance(body, e.GoodsOrdered) else body.order_id
    if order_id:
        at.db.execute("INSERT INTO purchase (order_id, actor, seq) VALUES (?, ?, ?)", (order_id, at.actor, event.seq))


def _transfer_noted(at: Place, event: Envelope, body: Record) -> None:
    """Transfers lie beside the orders: both are goods that are expected."""
    name = event.id if isinstance(body, e.TransferSent) else str(getattr(body, "transfer_id", ""))
    at.db.execute("INSERT INTO purchase (order_id, actor, seq) VALUES (?, ?, ?)", (name, at.actor, event.seq))


def _rights_noted(at: Place, event: Envelope, body: Record) -> None:  # noqa: ARG001
    assert isinstance(body, e.RightsMoved | e.RightsIssued | e.RightsReleased)
    escrow.project(at.db, at.actors, at.actor, body)


def _actors_folded(at: Place, event: Envelope, body: Record) -> None:  # noqa: ARG001
    assert isinstance(body, e.ActorsFolded)
    folding.project(at.db, at.actors, body)


def _customer_erased(at: Place, event: Envelope, body: Record) -> None:  # noqa: ARG001
    assert isinstance(body, e.CustomerErased)
    registers.erase(at.db, body.customer_id)


def _period_closed(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.PeriodClosed)
    fiscal.project_close(at.db, at.actor, event, body)


def _receipt_signed(at: Place, event: Envelope, body: Record) -> None:
    assert isinstance(body, e.ReceiptSigned)
    fiscal.project_signature(at.db, at.actors, at.actor, event, body)


Handler = Callable[[Place, Envelope, Record], None]


_HANDLERS: Final[dict[type[Record], Handler]] = {
    e.SaleClosed: _sale_closed,
    e.SaleRefunded: _sale_refunded,
    e.SaleVoided: _sale_voided,
    e.ShiftOpened: _shift_opened,
    e.ShiftClosed: _shift_closed,
    e.CartParked: _cart_parked,
    e.CartResumed: _cart_resumed,
    e.GoodsOrdered: _order_noted,
    e.OrderClosed: _order_noted,
    e.StockReceived: _order_noted,
    e.OversellResolved: _oversell_noted,
    e.OversellSettled: _oversell_noted,
    e.ProductLearnt: _product_learnt,
    e.PeriodClosed: _period_closed,
    e.ReceiptSigned: _receipt_signed,
    e.CustomerErased: _customer_erased,
    e.ActorsFolded: _actors_folded,
    **dict.fromkeys(e.RIGHTS_KINDS.values(), _rights_noted),
    **dict.fromkeys(e.TRANSFER_KINDS.values(), _transfer_noted),
}
