"""What the hash of a master database is over. One list for every kind of it: equal hashes mean equal content.

Names stand in place of numbers, so that two databases that met stores in another order agree. The queries are plain
enough for SQLite and PostgreSQL alike; each adapter names its tables so.
"""

from __future__ import annotations

from typing import Final

HASHED: Final = {
    "store": "SELECT s.name, s.sales, s.revenue_minor FROM store s",
    "actor": "SELECT s.name, a.name, a.seq, a.hash FROM actor a JOIN store s ON s.id = a.store",
    "sale": "SELECT s.name, a.name, t.seq, t.kind, t.at_ms, t.number, t.person, t.customer_id, t.currency, "
    "t.total_minor, t.tax_minor, t.discount_minor, t.rounding_minor, t.answers "
    "FROM sale t JOIN store s ON s.id = t.store JOIN actor a ON a.id = t.actor",
    "line": "SELECT s.name, a.name, t.seq, t.line, t.kind, t.sku, t.name, t.quantity_milli, t.total_minor, t.tax_minor "
    "FROM line t JOIN store s ON s.id = t.store JOIN actor a ON a.id = t.actor",
    "payment": "SELECT s.name, a.name, t.seq, t.payment, t.kind, t.method, t.amount_minor "
    "FROM payment t JOIN store s ON s.id = t.store JOIN actor a ON a.id = t.actor",
    "stock": "SELECT s.name, a.name, t.sku, t.p, t.n "
    "FROM stock t JOIN store s ON s.id = t.store JOIN actor a ON a.id = t.actor",
    "register": "SELECT s.name, t.entity, t.key, t.state FROM register t JOIN store s ON s.id = t.store",
    "product": "SELECT s.name, t.sku, t.name, t.price_minor, t.department, t.active "
    "FROM product t JOIN store s ON s.id = t.store",
}

# Everything that is added up from the event log, in the order in which it can be emptied.
PROJECTED: Final = (
    "position", "event", "outbox", "sale", "line", "payment", "stock", "register", "product", "actor", "store",
)  # fmt: skip
