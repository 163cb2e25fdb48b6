"""What was sold of each product on one day of the shop, read from the log."""

from __future__ import annotations

from datetime import date
from typing import Final

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.listings import body_of
from tillmesh.adapters.sqlite.log_reader import EVENT
from tillmesh.kernel.times import day_bounds, zone
from tillmesh.shop.stock import movements

_DAY: Final = (
    f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
    "WHERE r.at_ms >= ? AND r.at_ms < ?"
)


def sold_on(books: Books, day: date) -> dict[str, int]:
    """Add up a local day: sales less what came back on it, in thousandths; never less than nothing."""
    sums: dict[str, int] = {}
    for event in books.events(_DAY, day_bounds(day, zone(books.store().time_zone))):
        for sku, moved in movements(body_of(event)):
            sums[sku] = sums.get(sku, 0) - moved
    return {sku: milli for sku, milli in sums.items() if milli > 0}
