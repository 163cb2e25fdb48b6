"""Lists for pages: sales, carts, parked carts, stock levels, the audit log."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any, Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.books import OPEN_PARKED, Books
from tillmesh.adapters.sqlite.database import rows, summed
from tillmesh.adapters.sqlite.ledger import SALE
from tillmesh.adapters.sqlite.log_reader import EVENT
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import COUNTER_BITS, physical_ms
from tillmesh.kernel.ids import spell
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop.cart import Cart
from tillmesh.shop.events import KINDS, Audited, CartParked, SaleClosed

CARTS_MAX: Final = 50
SALES_LOOKED_THROUGH_MAX: Final = 2_000  # about 30 ms; a busy week


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


def sales(books: Books, wanted: SaleFilter) -> list[Envelope]:
    """List sales, newest first; oldest first from a given time on."""
    if wanted.receipt:
        # A slip's number finds its sale: scan what the customer brings.
        return _by_receipt(books, wanted.receipt)
    where: list[str] = ["r.kind = ?"]
    bindings: list[Any] = [SALE]
    order = "r.at_ms DESC, r.actor, r.seq DESC"
    if wanted.since_ms is not None:
        where.append("r.at_ms >= ?")
        bindings.append(wanted.since_ms)
        order = "r.at_ms, r.actor, r.seq"
    if wanted.customer_id:
        where.append("r.customer_id = ?")
        bindings.append(wanted.customer_id)
    if wanted.text:
        where.append("(instr(r.number, ?) > 0 OR r.customer_id IN (SELECT value FROM json_each(?)))")
        bindings += [wanted.text.upper(), json.dumps(_customers(books, wanted.text))]
    sql = (
        f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
        f"WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
    )
    found = list(books.events(sql, (*bindings, wanted.limit)))
    if not wanted.text or len(found) >= wanted.limit:
        return found
    named = {event.id: event for event in [*found, *_by_product(books, wanted)]}
    return sorted(named.values(), key=lambda event: event.hlc, reverse=wanted.since_ms is None)[: wanted.limit]


def _by_product(books: Books, wanted: SaleFilter) -> list[Envelope]:
    """Look through the newest sales for a product's name or sku; older ones are found by receipt number."""
    sql = (
        f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
        "WHERE r.kind = ? AND r.at_ms >= ? ORDER BY r.at_ms DESC LIMIT ?"
    )
    text = wanted.text.casefold()
    newest = books.events(sql, (SALE, wanted.since_ms or 0, SALES_LOOKED_THROUGH_MAX))
    return [
        event
        for event in newest
        if any(text in line.name.casefold() or text == line.sku for line in decode(event.body, SaleClosed).lines)
    ]


def _customers(books: Books, text: str) -> list[str]:
    """List the customers whose name holds the text."""
    wanted = text.casefold()
    return [key for key, fields in books.records("customer") if wanted in str(fields.get("name") or "").casefold()]


def _by_receipt(books: Books, number: str) -> list[Envelope]:
    sql = (
        f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = coalesce(r.sale_actor, r.actor) "  # noqa: S608
        "AND e.seq = coalesce(r.sale_seq, r.seq) WHERE r.number = ? AND e.type = 'sale_closed'"
    )
    return list(books.events(sql, (number.strip().upper(),)))


def carts(db: apsw.Connection) -> list[tuple[Cart, int]]:
    """List the working carts of this till, the one that was touched last first."""
    sql = "SELECT body, revision FROM cart ORDER BY changed_ms DESC, cart_id LIMIT ?"
    return [(decode(body, Cart), revision) for body, revision in rows(db, sql, (CARTS_MAX,))]


def parked(books: Books) -> Iterator[tuple[str, CartParked, Cart]]:
    """Iterate the parked carts that nobody took up yet, oldest first."""
    for event in books.events(OPEN_PARKED):
        body = decode(event.body, CartParked)
        yield event.id, body, decode(body.cart, Cart)


def stock_levels(db: apsw.Connection) -> dict[str, str]:
    """Give every known stock level of what is counted at all."""
    rows = db.execute(
        "SELECT s.sku, sum(s.p) - sum(s.n) FROM stock s LEFT JOIN product p ON p.sku = s.sku "
        "WHERE coalesce(p.track_stock, 1) GROUP BY s.sku"
    )
    return {sku: format_quantity(value) for sku, value in rows}


# As the view does it, but with the tail summed once instead of for every product.
_WITH_STOCK: Final = (
    "WITH waiting AS MATERIALIZED "
    "(SELECT m.key AS sku, sum(m.value) AS moved FROM stock_tail t, json_each(t.moves) m GROUP BY m.key) "
    "SELECT p.sku, p.name, p.department, p.unit, p.hard_limited, p.low_stock_milli, "
    "coalesce((SELECT sum(s.p) - sum(s.n) FROM stock_column s WHERE s.sku = p.sku), 0) "
    "+ coalesce((SELECT w.moved FROM waiting w WHERE w.sku = p.sku), 0) AS value FROM product p"
)


def stock(db: apsw.Connection, *, text: str, low: bool, limit: int) -> list[dict[str, Any]]:
    """List products with their stock; ``low`` keeps those at or under their limit, or below zero."""
    sql = f"{_WITH_STOCK} WHERE p.active AND p.track_stock "
    bindings: list[Any] = []
    if text:
        sql += "AND (p.name LIKE ? OR p.sku LIKE ?) "
        bindings += [f"%{text}%", f"{text}%"]
    if low:
        sql += "AND (value < 0 OR (p.low_stock_milli > 0 AND value <= p.low_stock_milli)) "
    sql += "ORDER BY " + ("value - p.low_stock_milli, p.name" if low else "p.name") + " LIMIT ?"
    return [
        {
            "sku": sku, "name": name, "department": department, "unit": unit, "hard_limited": bool(hard),
            "low_stock": format_quantity(limit_milli), "value": format_quantity(value),
        }
        for sku, name, department, unit, hard, limit_milli, value in db.execute(sql, (*bindings, limit))
    ]  # fmt: skip


def stock_value(db: apsw.Connection) -> list[dict[str, Any]]:
    """Add up what is in stock at today's cost, by department (minor units, rounded for each product)."""
    sql = (
        f"SELECT department, count(*), {summed('(cost_minor * value + 500) / 1000')}, sum(cost_minor = 0) "  # noqa: S608
        f"FROM ({_WITH_STOCK.replace('p.low_stock_milli,', 'p.low_stock_milli, p.cost_minor,')} "
        "WHERE p.active AND p.track_stock) WHERE value > 0 GROUP BY 1 ORDER BY 3 DESC, 1"
    )
    return [
        {"name": name, "products": count, "value_minor": int(value), "without_cost": free}
        for name, count, value, free in db.execute(sql)
    ]


class Entry(Record):
    """One line of the audit log."""

    event: Envelope
    at_ms: int


def audit(books: Books, *, before_hlc: int, limit: int) -> list[Entry]:
    """List the audit log, newest first, before a position."""
    sql = (
        f"SELECT {EVENT} FROM audit a JOIN event e ON e.actor = a.actor AND e.seq = a.seq "  # noqa: S608
        "WHERE a.hlc < ? ORDER BY a.hlc DESC LIMIT ?"
    )
    return [Entry(event=event, at_ms=physical_ms(event.hlc)) for event in books.events(sql, (before_hlc, limit))]


def audited_since(books: Books, action: str, since_ms: int) -> list[int]:
    """List when an action was noted in the audit log, oldest first, from a time on (ms UTC)."""
    sql = (
        f"SELECT {EVENT} FROM audit a JOIN event e ON e.actor = a.actor AND e.seq = a.seq "  # noqa: S608
        "WHERE a.hlc >= ? AND e.type = 'audited' ORDER BY a.hlc"
    )
    events = books.events(sql, (max(0, since_ms) << COUNTER_BITS,))
    return [physical_ms(event.hlc) for event in events if decode(event.body, Audited).action == action]


def body_of(event: Envelope) -> Record:
    """Decode the body of an event of a known type."""
    return decode(event.body, KINDS[event.type])
