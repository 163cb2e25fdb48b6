"""A shop that goes on for months: how its database grows while old sales are put away, and whether it gets slower."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.adapters.sqlite import archive, listings, reporting
from tillmesh.adapters.sqlite.database import one, write
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.bench.goods import MANAGER, START_MS, in_cash, invented, stock_shelves
from tillmesh.bench.measuring import Row, spread
from tillmesh.kernel.limits import ARCHIVE_CHUNK_EVENTS, DATA_BYTES_BUDGET
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.till.commands import CloseSale, Command, WantedLine, Who
from tillmesh.till.retention import DAY_MS, archived_before_ms

DAYS: Final = 365
SALES_A_DAY: Final = 2_000  # of a store with 15 tills
_PRODUCTS: Final = 5_000
_AT_ONCE: Final = 1_000
_LOOK_DAYS: Final = 30
_LINES: Final = (1, 1, 2, 2, 3, 3, 4, 5, 6, 8)


def run(place: Path, *, days: int) -> list[Row]:
    """Sell for so many days, and look at the shop now and then; sales are synced at the end of a day only."""
    shop, looks = place / "till", []
    with closing(open_terminal(shop)) as opened:
        goods = list(invented(_PRODUCTS))
        stock_shelves(opened, goods)
        skus = [change.key for change in goods]
    for first in range(0, days, _LOOK_DAYS):
        with closing(open_terminal(shop)) as opened:
            opened.writer.db.execute("PRAGMA synchronous=OFF")
            for day in range(first, min(days, first + _LOOK_DAYS)):
                sell(opened, skus, day)
                put_away(opened, day)
        looks.append(_look(shop, min(days, first + _LOOK_DAYS) - 1))
    return _rows(days, looks)


def sell(opened: Opened, skus: list[str], day: int, sales: int = SALES_A_DAY) -> None:
    """Sell so much on one day, in transactions of many sales."""
    draw = Random(day)  # noqa: S311 - shoppers need no secrets
    for first in range(0, sales, _AT_ONCE):
        wanted: list[tuple[Who, Command]] = []
        for number in range(first, min(sales, first + _AT_ONCE)):
            lines = tuple(WantedLine(sku=draw.choice(skus), quantity_milli=1_000) for _ in range(draw.choice(_LINES)))
            paid = (in_cash(opened.writer.books, lines),)
            wanted.append((MANAGER, CloseSale(cart_id=f"{day}-{number}", lines=lines, payments=paid)))
        opened.writer.execute_all(opened.till, wanted, START_MS + day * DAY_MS + (first + 1) * 10_000)


def put_away(opened: Opened, day: int) -> None:
    """Put old sales away, as a till does every hour."""
    db, actor = opened.writer.db, opened.writer.books.actors.id(opened.till.head.actor)
    before = archived_before_ms(START_MS + day * DAY_MS)
    while chunk := archive.gather(db, actor, opened.till.head.seq, before, least=ARCHIVE_CHUNK_EVENTS):
        with write(db):
            archive.put_away(db, chunk)


def _look(shop: Path, day: int) -> dict[str, float]:
    """Open the shop as a start does, and ask what people ask."""
    begin = time.perf_counter()
    with closing(open_terminal(shop)) as opened:
        found = {"start": (time.perf_counter() - begin) * 1e3}
        db, books = opened.writer.db, opened.writer.books
        found["size"] = (shop / FILE).stat().st_size / 1e6
        found["archive"] = int(one(db, "SELECT coalesce(sum(length(data)), 0) FROM archive")) / 1e6
        when = datetime.fromtimestamp(START_MS / 1e3, UTC).date() + timedelta(days=day)
        found["today"] = _ms(lambda: reporting.day(db, books, when))
        old = when - timedelta(days=min(day, 60))
        found["old day"] = _ms(lambda: reporting.day(db, books, old))
        number = str(one(db, "SELECT number FROM receipt ORDER BY at_ms LIMIT 1"))
        found["old receipt"] = _ms(lambda: listings.sales(books, listings.SaleFilter(receipt=number)))
    return found


def _ms(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1e3


def _rows(days: int, looks: list[dict[str, float]]) -> list[Row]:
    sales = days * SALES_A_DAY
    size = looks[-1]["size"]
    sizes = [
        Row(what=f"database after {days} days of {SALES_A_DAY:,} sales", unit="MB", spread=spread([size]),
            aim="under 2,000", met=size * 1e6 < DATA_BYTES_BUDGET, note=f"{size * 1e6 / sales:.0f} bytes a sale"),
        Row(what="of it the archive", unit="MB", spread=spread([looks[-1]["archive"]])),
    ]  # fmt: skip
    return [*sizes, *_over_time(looks)]


def _over_time(looks: list[dict[str, float]]) -> Iterator[Row]:
    names = {
        "start": "opening the till",
        "today": "report of the newest day",
        "old day": "report of a day two months ago",
        "old receipt": "finding the oldest receipt",
    }
    for key, what in names.items():
        times = [look[key] for look in looks]
        note = f"first month {times[0]:.0f}, last {times[-1]:.0f}"
        yield Row(what=f"{what}, once a month", unit="ms", spread=spread(times), note=note)
