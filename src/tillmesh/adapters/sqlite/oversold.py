"""What decisions about oversells look at: stock below zero, notes, the newest sales, deliveries and counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import apsw

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.database import rows
from tillmesh.kernel.codec import decode
from tillmesh.kernel.ids import event_id
from tillmesh.kernel.limits import OVERSELLS_RESOLVED_SHOWN_MAX
from tillmesh.shop.events import OversellResolved, OversellSettled
from tillmesh.shop.oversell import Noted

# The sku stands in the body as it is, so SQLite can skip sales without it; whoever decodes the rest looks closer.
SALES: Final = (
    "SELECT e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash FROM (SELECT actor, seq FROM receipt "
    "WHERE kind = 0 ORDER BY at_ms DESC LIMIT ?) r "
    "JOIN event e ON e.actor = r.actor AND e.seq = r.seq WHERE instr(e.body, ?) > 0 OR substr(e.body, 1, 1) = X'C1'"
)
STOCK_EVENTS: Final = (
    "SELECT actor, seq, hlc, type, version, body, hash FROM (SELECT * FROM event "
    "WHERE type IN ('stock_received', 'stock_counted', 'stock_adjusted') AND hlc >= ? ORDER BY hlc DESC "
    "LIMIT ?) WHERE instr(body, ?) > 0"
)
# Columns in the order of their key, and what waits in the tail; the view says how much each of these really is. A third
# of the time of grouping the view itself: 55 ms for 97,000 products of three tills on a busy machine.
_BELOW_ZERO: Final = (
    "WITH low (sku) AS (SELECT sku FROM stock_column GROUP BY sku HAVING sum(p) < sum(n) "
    "UNION SELECT m.key FROM stock_tail t, json_each(t.moves) m), "
    "known (sku, value, booked) AS (SELECT l.sku, (SELECT sum(p) - sum(n) FROM stock s WHERE s.sku = l.sku), "
    "(SELECT sum(p) > 0 FROM stock s WHERE s.sku = l.sku) FROM low l) "
    "SELECT k.sku, k.value, k.booked FROM known k LEFT JOIN product p ON p.sku = k.sku "
    "WHERE k.value < 0 AND coalesce(p.track_stock, 1) ORDER BY k.sku"
)


def below_zero(db: apsw.Connection) -> list[tuple[str, int, bool]]:
    """List products that are counted and whose stock is below zero: sku, stock, whether any was ever booked in."""
    return [(sku, value, bool(booked)) for sku, value, booked in rows(db, _BELOW_ZERO)]


def notes(db: apsw.Connection, actors: Actors, sku: str) -> Iterator[Noted]:
    """Iterate what was noted about a product."""
    yield from _noted(actors, rows(db, "SELECT actor, seq, hlc, type, body FROM oversell WHERE sku = ?", (sku,)))


def newest_notes(db: apsw.Connection, actors: Actors) -> Iterator[Noted]:
    """Iterate the newest resolutions of all products, newest first."""
    sql = (
        "SELECT o.actor, o.seq, o.hlc, o.type, o.body FROM oversell o JOIN actor a ON a.id = o.actor "
        "WHERE o.type = 'oversell_resolved' ORDER BY o.hlc DESC, a.name, o.seq LIMIT ?"
    )
    yield from _noted(actors, rows(db, sql, (OVERSELLS_RESOLVED_SHOWN_MAX,)))


def noted_skus(db: apsw.Connection) -> list[str]:
    """List the products about which anything was noted."""
    return [sku for (sku,) in rows(db, "SELECT DISTINCT sku FROM oversell ORDER BY sku")]


def _noted(actors: Actors, found: list[tuple[int, int, int, str, bytes]]) -> Iterator[Noted]:
    for actor, seq, hlc, kind, body in found:
        name = actors.name(actor)
        note = decode(body, OversellResolved) if kind == "oversell_resolved" else decode(body, OversellSettled)
        yield Noted(event_id=event_id(name, seq), hlc=hlc, actor=name, body=note)
