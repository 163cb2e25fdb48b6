"""Fill a till for practice from a real one: goods, prices, people and settings, no customer and nothing that was sold.

What practice needs is projections, so they are copied as rows; there is no log behind them, and none is needed: the
whole database is thrown away.
"""

from __future__ import annotations

from typing import Final

import apsw

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.database import rows, write
from tillmesh.shop.personal import CUSTOMER

_COPIED: Final = {
    "register": f"entity <> '{CUSTOMER}' AND entity <> 'gift_card'",
    "product": "1",
    "barcode": "1",
    "price": "1",
}
_SEARCHED: Final = "INSERT INTO product_search (rowid, name, sku, barcodes) SELECT id, name, sku, barcodes FROM product"
_LEVELS: Final = "SELECT sku, sum(p), sum(n) FROM stock GROUP BY sku"


def fill(source: apsw.Connection, target: apsw.Connection, actor: str) -> None:
    """Copy the shelf in one transaction; the stock of each product becomes one actor's, as if it had counted it."""
    source.execute("BEGIN")
    try:
        with write(target):
            for table, wanted in _COPIED.items():
                _copy(source, target, table, wanted)
            target.execute(_SEARCHED)
            own = Actors(target).id(actor)
            levels = [(sku, own, p, n) for sku, p, n in rows(source, _LEVELS)]
            target.executemany("INSERT INTO stock_column (sku, actor, p, n) VALUES (?, ?, ?, ?)", levels)
    finally:
        source.execute("COMMIT")


def _copy(source: apsw.Connection, target: apsw.Connection, table: str, wanted: str) -> None:
    columns = [name for _, name, *_ in rows(source, f"PRAGMA table_info({table})")]
    names, holes = ", ".join(columns), ", ".join("?" * len(columns))
    held = source.execute(f"SELECT {names} FROM {table} WHERE {wanted}")  # noqa: S608 - names from the schema
    target.executemany(f"INSERT INTO {table} ({names}) VALUES ({holes})", held)  # noqa: S608
