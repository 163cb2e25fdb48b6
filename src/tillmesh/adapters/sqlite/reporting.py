"""Reports read from the log: a day's events are few, longer ranges are summed from the receipt index."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import summed
from tillmesh.adapters.sqlite.folding import COLUMNS
from tillmesh.adapters.sqlite.ledger import SALE
from tillmesh.adapters.sqlite.listings import body_of
from tillmesh.adapters.sqlite.log_reader import EVENT
from tillmesh.adapters.sqlite.registers import PRODUCT_COLUMNS
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.times import day_bounds, local, zone
from tillmesh.shop import report
from tillmesh.shop.events import SaleClosed, SaleVoided
from tillmesh.shop.reading import receipt_ms
from tillmesh.till import views

DAYS_MAX = 800
STRETCH_DAYS_MAX = 100  # each receipt is read; guess: a busy shop's quarter takes seconds


def day(
    db: apsw.Connection, books: Books, when: date, products_max: int | None = report.TOP_PRODUCTS
) -> dict[str, Any]:
    """Add up one local day of the store, with the same weekday a week before beside it."""
    where = zone(books.store().time_zone)
    previous = when - timedelta(days=7)
    total, sales, *_ = _range(db, *day_bounds(previous, where))
    return {
        "date": when.isoformat(),
        "currency": books.store().currency,
        **_shown(books, *day_bounds(when, where), products_max),
        "previous": {"date": previous.isoformat(), "total_minor": total, "sales": sales},
    }


def stretch(
    db: apsw.Connection, books: Books, first: date, last: date, products_max: int | None = report.TOP_PRODUCTS
) -> dict[str, Any]:
    """Add up the local days from one to another as if they were one, and each by itself."""
    where = zone(books.store().time_zone)
    begin, after = day_bounds(first, where)[0], day_bounds(last, where)[1]
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "currency": books.store().currency,
        **_shown(books, begin, after, products_max),
        "days": days(db, books, first, last),
    }


def _shown(books: Books, first: int, after: int, products_max: int | None) -> dict[str, Any]:
    """Add up the receipts of a stretch of time, with the names of products, tills and people."""
    where = zone(books.store().time_zone)
    sums = report.Day()
    sql = (
        f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
        "WHERE r.at_ms >= ? AND r.at_ms < ?"
    )
    for event in books.events(sql, (first, after)):
        body = body_of(event)
        report.add(sums, body, local(receipt_ms(body), where), _voided(books, body), terminal_of(event.actor))
    known = [product for sku in sums.products if (product := books.product(sku)) is not None]
    departments = {product.sku: product.department for product in known}
    shown = report.shown(sums, departments, products_max, {product.sku: product.cost_minor for product in known})
    for till in shown["tills"]:
        till["name"] = str((books.fields("setting", till["terminal_id"]) or {}).get("name") or till["terminal_id"])
    for cashier in shown["cashiers"]:
        cashier["name"] = views.person(books, cashier["user_id"])["name"]
    return shown


def _voided(books: Books, body: Record) -> SaleClosed | None:
    """Find the sale that a void takes back; it may be of another day, or of a till not heard of yet."""
    event = books.event(body.sale_id) if isinstance(body, SaleVoided) else None
    return None if event is None else decode(event.body, SaleClosed)


def days(db: apsw.Connection, books: Books, first: date, last: date) -> list[dict[str, Any]]:
    """Sum up each local day from ``first`` to ``last``."""
    where = zone(books.store().time_zone)
    found = []
    for offset in range((last - first).days + 1):
        when = first + timedelta(days=offset)
        total, sales, back, tax = _range(db, *day_bounds(when, where))
        found.append(
            {"date": when.isoformat(), "total_minor": total, "sales": sales, "refunds_minor": back, "tax_minor": tax}
        )
    return found


def _range(db: apsw.Connection, first_ms: int, after_ms: int) -> tuple[int, int, int, int]:
    """Give net total, number of sales, what went back (refunds and voids), and net tax of a stretch of time."""
    sums = f"{summed('total_minor')}, {summed('tax_minor')}"
    sql = f"SELECT kind, count(*), {sums} FROM receipt WHERE at_ms >= ? AND at_ms < ? GROUP BY 1"  # noqa: S608
    total = sales = back = tax = 0
    for kind, count, *both in db.execute(sql, (first_ms, after_ms)):
        amount, tax_minor = map(int, both)
        if kind == SALE:
            sales, total, tax = count, total + amount, tax + tax_minor
        else:
            back, total, tax = back + amount, total - amount, tax - tax_minor
    return total, sales, back, tax


def state_hash(db: apsw.Connection, books: Books) -> dict[str, Any]:
    """Hash what all events together amount to: equal on every till that holds the same events (hex SHA-256)."""
    whole = sha256("".join(state_parts(db).values()).encode())
    return {"hash": whole.hexdigest(), "version_vector": dict(books.vector())}


def state_parts(db: apsw.Connection) -> dict[str, str]:
    """Hash each table that is read from the log (hex SHA-256), without anything local to this database."""
    parts = {}
    for table, sql in _STATE.items():
        digest = sha256()
        for row in db.execute(sql):
            digest.update(repr(row).encode())
        parts[table] = digest.hexdigest()
    return parts


_STATE: Final = {
    "register": "SELECT entity, key, hex(state) FROM register ORDER BY entity, key",
    "stock": f"{COLUMNS} GROUP BY sku, who ORDER BY sku, who",
    "receipt": (
        "SELECT a.name, r.seq, kind, at_ms, number, shift_id, person, customer_id, total_minor, tax_minor, request, "
        "b.name, sale_seq FROM receipt r JOIN actor a ON a.id = r.actor LEFT JOIN actor b ON b.id = r.sale_actor "
        "ORDER BY a.name, r.seq"
    ),
    "shift": (
        "SELECT shift_id, a.name, s.seq, opened_ms, b.name, closed_seq, z_number FROM shift s "
        "JOIN actor a ON a.id = s.actor LEFT JOIN actor b ON b.id = s.closed_actor ORDER BY shift_id"
    ),
    "parked": "SELECT dot, removed FROM parked ORDER BY dot",
    "audit": "SELECT hlc, a.name, seq FROM audit l JOIN actor a ON a.id = l.actor ORDER BY hlc, a.name, seq",
    "example": (
        "SELECT sku, hlc, a.name, seq, space, replaces, hex(vectors) FROM example o JOIN actor a ON a.id = o.actor "
        "ORDER BY sku, hlc, a.name, seq"
    ),
    "oversell": (
        "SELECT sku, hlc, a.name, seq, type, hex(body) FROM oversell o JOIN actor a ON a.id = o.actor "
        "ORDER BY sku, hlc, a.name, seq"
    ),
    "period_close": (
        "SELECT terminal, kind, number, a.name, p.seq FROM period_close p JOIN actor a ON a.id = p.actor "
        "ORDER BY terminal, kind, number, a.name, p.seq"
    ),
    "receipt_signature": (
        "SELECT b.name, receipt_seq, a.name, s.seq FROM receipt_signature s JOIN actor a ON a.id = s.actor "
        "JOIN actor b ON b.id = s.receipt_actor ORDER BY b.name, receipt_seq, a.name, s.seq"
    ),
    "price": "SELECT sku, price_list, from_ms, until_ms, price_minor FROM price ORDER BY sku, price_list, from_ms",
    "purse_entry": (
        "SELECT purse, account, a.name, seq, n, at_ms, amount FROM purse_entry e JOIN actor a ON a.id = e.actor "
        "ORDER BY purse, account, a.name, seq, n"
    ),
    "escrow": (
        "SELECT sku, a.name, kind, b.name, n FROM escrow e JOIN actor a ON a.id = e.actor "
        "JOIN actor b ON b.id = e.other ORDER BY sku, a.name, kind, b.name"
    ),
    "promotion_use": (
        "SELECT promotion, code, customer_id, a.name, seq FROM promotion_use u JOIN actor a ON a.id = u.actor "
        "ORDER BY promotion, a.name, seq"
    ),
    "purchase": (
        "SELECT order_id, a.name, seq FROM purchase p JOIN actor a ON a.id = p.actor ORDER BY order_id, a.name, seq"
    ),
    "barcode": "SELECT barcode, sku FROM barcode ORDER BY barcode, sku",
    "product": f"SELECT {PRODUCT_COLUMNS} FROM product ORDER BY sku",  # noqa: S608
}
