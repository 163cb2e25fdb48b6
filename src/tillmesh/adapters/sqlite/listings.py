"""Lists for pages: sales, carts, parked carts, stock levels, the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.ledger import SALE
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import GENESIS, Envelope
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import spell
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop.cart import Cart
from tillmesh.shop.events import KINDS, CartParked

EVENT: Final = "e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash"
CARTS_MAX: Final = 50


class SaleFilter(msgspec.Struct, frozen=True):
    """Which sales a list is about. ``text`` matches receipt numbers and customer names."""

    since_ms: int | None = None
    text: str = ""
    receipt: str = ""
    customer_id: str = ""
    limit: int = 50


def new_id() -> str:
    """Make up an id for something local."""
    return spell(secrets.token_bytes(16), 20)


def envelope(books: Books, row: tuple[Any, ...]) -> Envelope:
    """Build an event from a row of EVENT columns."""
    actor, seq, hlc, kind, version, body, pinned = row
    return Envelope(books.actors.name(actor), seq, hlc, kind, version, body, GENESIS, pinned)


def sales(db: apsw.Connection, books: Books, wanted: SaleFilter) -> list[Envelope]:
    """List sales, newest first; oldest first from a given time on."""
    where, bindings = ["r.kind = ?"], [SALE]
    order = "r.at_ms DESC, r.actor, r.seq DESC"
    if wanted.since_ms is not None:
        where.append("r.at_ms >= ?")
        bindings.append(wanted.since_ms)
        order = "r.at_ms, r.actor, r.seq"
    if wanted.receipt:
        # A slip's number finds its sale: scan what the customer brings.
        return _by_receipt(db, books, wanted.receipt)
    if wanted.customer_id:
        where.append("r.customer_id = ?")
        bindings.append(wanted.customer_id)  # type: ignore[arg-type]
    if wanted.text:
        where.append("(r.number LIKE ? OR r.customer_id IN (SELECT key FROM register WHERE entity = 'customer' "
                     "AND instr(lower(CAST(state AS TEXT)), lower(?)) > 0))")  # fmt: skip
        bindings += [f"%{wanted.text}%", wanted.text]  # type: ignore[list-item]
    sql = (
        f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
        f"WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
    )
    return [envelope(books, row) for row in db.execute(sql, (*bindings, wanted.limit))]


def _by_receipt(db: apsw.Connection, books: Books, number: str) -> list[Envelope]:
    sql = (
        f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = coalesce(r.sale_actor, r.actor) "  # noqa: S608
        "AND e.seq = coalesce(r.sale_seq, r.seq) WHERE r.number = ? AND e.type = 'sale_closed'"
    )
    return [envelope(books, row) for row in db.execute(sql, (number.strip().upper(),))]


def replication(db: apsw.Connection, event: Envelope) -> dict[str, Any]:
    """Say which other terminals hold an event durably, and where it stands on its way to the hub."""
    sql = "SELECT p.peer FROM peer_ack p JOIN actor a ON a.id = p.actor WHERE a.name = ? AND p.seq >= ? ORDER BY p.peer"
    peers = [peer for (peer,) in db.execute(sql, (event.actor, event.seq))]
    return {"replicated_to": peers, "sync_state": "pending"}


def carts(db: apsw.Connection) -> list[tuple[Cart, int]]:
    """List the working carts of this till."""
    rows = db.execute("SELECT body, revision FROM cart ORDER BY cart_id LIMIT ?", (CARTS_MAX,))
    return [(decode(body, Cart), revision) for body, revision in rows]


def parked(db: apsw.Connection, books: Books) -> Iterator[tuple[str, CartParked, Cart]]:
    """Iterate the parked carts that nobody took up yet, oldest first."""
    sql = (
        f"SELECT p.dot, {EVENT} FROM parked p JOIN event e ON e.actor = p.actor AND e.seq = p.seq "  # noqa: S608
        "WHERE p.removed = 0 ORDER BY e.hlc"
    )
    for dot, *row in db.execute(sql).fetchall():
        body = decode(envelope(books, tuple(row)).body, CartParked)
        yield dot, body, decode(body.cart, Cart)


def stock_levels(db: apsw.Connection) -> dict[str, str]:
    """Give every known stock level."""
    rows = db.execute("SELECT sku, sum(p) - sum(n) FROM stock GROUP BY sku")
    return {sku: format_quantity(value) for sku, value in rows}


def stock(db: apsw.Connection, *, text: str, low: bool, limit: int) -> list[dict[str, Any]]:
    """List products with their stock; ``low`` keeps those at or under their limit, or below zero."""
    sql = (
        "SELECT p.sku, p.name, p.department, p.unit, p.low_stock_milli, "
        "coalesce((SELECT sum(s.p) - sum(s.n) FROM stock s WHERE s.sku = p.sku), 0) AS value "
        "FROM product p WHERE p.active AND p.track_stock "
    )
    bindings: list[Any] = []
    if text:
        sql += "AND (p.name LIKE ? OR p.sku LIKE ?) "
        bindings += [f"%{text}%", f"{text}%"]
    if low:
        sql += "AND (value < 0 OR (p.low_stock_milli > 0 AND value <= p.low_stock_milli)) "
    sql += "ORDER BY " + ("value - p.low_stock_milli, p.name" if low else "p.name") + " LIMIT ?"
    return [
        {
            "sku": sku, "name": name, "department": department, "unit": unit,
            "low_stock": format_quantity(limit_milli), "value": format_quantity(value),
        }
        for sku, name, department, unit, limit_milli, value in db.execute(sql, (*bindings, limit))
    ]  # fmt: skip


def records(db: apsw.Connection, books: Books, entity: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate all registers of an entity with their merged fields."""
    for (key,) in db.execute("SELECT key FROM register WHERE entity = ? ORDER BY key", (entity,)).fetchall():
        yield key, dict(books.fields(entity, key) or {})


class Entry(Record):
    """One line of the audit log."""

    event: Envelope
    at_ms: int


def audit(db: apsw.Connection, books: Books, *, before_hlc: int, limit: int) -> list[Entry]:
    """List the audit log, newest first, before a position."""
    sql = (
        f"SELECT {EVENT} FROM audit a JOIN event e ON e.actor = a.actor AND e.seq = a.seq "  # noqa: S608
        "WHERE a.hlc < ? ORDER BY a.hlc DESC LIMIT ?"
    )
    found = [envelope(books, row) for row in db.execute(sql, (before_hlc, limit))]
    return [Entry(event=event, at_ms=physical_ms(event.hlc)) for event in found]


def body_of(event: Envelope) -> Record:
    """Decode the body of an event of a known type."""
    return decode(event.body, KINDS[event.type])


def closings(db: apsw.Connection, books: Books, *, number: int | None = None) -> list[Envelope]:
    """List the Z reports of this terminal, newest first; or the one of a number."""
    sql = (
        f"SELECT {EVENT} FROM shift s JOIN actor a ON a.id = s.actor "  # noqa: S608
        "JOIN event e ON e.actor = s.closed_actor AND e.seq = s.closed_seq "
        "WHERE a.name LIKE ? || '.%' AND (? IS NULL OR s.z_number = ?) ORDER BY s.z_number DESC LIMIT 400"
    )
    return [envelope(books, row) for row in db.execute(sql, (books.terminal_id, number, number))]
