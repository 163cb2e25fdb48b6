"""Thirty days of the volumes that the design names for one terminal, with pictures and models: the room they take.

The design counts 10,000 events of 500 bytes a day (5 MB) and 2 MB of transactions, 500 MB of product pictures and
150 MB of models, 860 MB together, under a limit of 2 GB. Here each of the 10,000 is a whole sale with its lines and
payment, as every till of a store holds it; pictures fill the room that a till gives them, and models all their slots.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

import apsw

from tillmesh.adapters.sqlite import pictures
from tillmesh.adapters.sqlite.database import one
from tillmesh.bench.goods import START_MS, invented, stock_shelves
from tillmesh.bench.measuring import Row, spread
from tillmesh.bench.year import put_away, sell
from tillmesh.kernel.limits import DATA_BYTES_BUDGET, PICTURE_BYTES_MAX, PICTURES_BYTES_MAX
from tillmesh.shop.pictures import Picture
from tillmesh.terminal.bootstrap import open_terminal

DAYS: Final = 30
SALES_A_DAY: Final = 10_000
SOURCE_MB: Final = 860
SHIPPED: Final = Path(__file__).parents[1] / "models"
SLOTS: Final = 3  # of each model: what runs, what ran before, what is tried
_PRODUCTS: Final = 20_000


def run(
    place: Path, *, days: int, sales: int = SALES_A_DAY, products: int = _PRODUCTS, shelf: int = PICTURES_BYTES_MAX
) -> list[Row]:
    """Sell for so many days with old sales put away as a till does it, fill the shelf of pictures, weigh all files."""
    data = place / "till"
    with closing(open_terminal(data)) as opened:
        goods = list(invented(products))
        stock_shelves(opened, goods)
        opened.writer.db.execute("PRAGMA synchronous=OFF")  # a month of synced commits would measure the disk
        for day in range(days):
            sell(opened, [change.key for change in goods], day, sales)
            put_away(opened, day)
        _fill_shelf(opened.writer.db, shelf)
        held = int(one(opened.writer.db, "SELECT sum(size) FROM picture"))
        log = int(one(opened.writer.db, "SELECT sum(length(body)) FROM event"))
    shipped = _bytes_in(SHIPPED)
    return _rows(days * sales, _bytes_in(data), held, log, SLOTS * shipped)


def _fill_shelf(db: apsw.Connection, room: int) -> None:
    """Put pictures of the largest size on the shelf until it is full; they do not compress."""
    draw = Random(1)  # noqa: S311 - pictures need no secrets
    for _ in range(room // PICTURE_BYTES_MAX):
        data = draw.randbytes(PICTURE_BYTES_MAX)
        pictures.keep(db, Picture(draw.randbytes(32).hex(), "jpeg", len(data)), data, START_MS, own=False)


def _bytes_in(folder: Path) -> int:
    return sum(Path(place, name).stat().st_size for place, _, names in os.walk(folder) for name in names)


def _rows(sales: int, data: int, held: int, log: int, kept_models: int) -> list[Row]:
    whole = (data + kept_models) / 1e6
    return [
        Row(what=f"all of a till after {sales:,} sales", unit="MB", spread=spread([whole]),
            aim=f"under 2,000; the design expects {SOURCE_MB}", met=whole * 1e6 < DATA_BYTES_BUDGET),
        Row(what="of it sales: log, tables, indexes", unit="MB", spread=spread([(data - held) / 1e6]),
            note=f"{(data - held) / sales:.0f} bytes a sale, {log / sales:.0f} of them its event"),
        Row(what="of it pictures of products", unit="MB", spread=spread([held / 1e6])),
        Row(what=f"of it models, {SLOTS} slots of each", unit="MB", spread=spread([kept_models / 1e6])),
    ]  # fmt: skip
