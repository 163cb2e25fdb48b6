"""Stock of the newest sales: noted in one row each, and folded into the columns with many others in one go.

Columns and tail are sums of movements, so it makes no difference to the stock when a sale is folded, or in which order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.kernel.limits import COLUMN_MILLI_MAX, STOCK_TAIL_SALES_MAX

# A column of one actor stops at COLUMN_MILLI_MAX. What is added is never below zero, so it stops at the same sum in
# whatever parts it is added, on every till.
MOVE_STOCK: Final = (
    "INSERT INTO stock_column (sku, actor, p, n) VALUES (?, ?, ?, ?) "  # noqa: S608 - a limit
    "ON CONFLICT (sku, actor) DO UPDATE "
    f"SET p = min(p + excluded.p, {COLUMN_MILLI_MAX}), n = min(n + excluded.n, {COLUMN_MILLI_MAX})"
)
_FOLDED: Final = "SELECT coalesce(sum(p) - sum(n), 0) FROM stock_column WHERE sku = ?"
_NOTE: Final = "INSERT INTO stock_tail (actor, seq, moves) VALUES (?, ?, ?)"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, int]).decode


def move(db: apsw.Connection, actor: int, moves: Iterable[tuple[str, int]]) -> None:
    """Add movements to the columns of an actor."""
    db.executemany(MOVE_STOCK, [(sku, actor, *_bounded(max(0, delta), max(0, -delta))) for sku, delta in moves])


def _bounded(plus: int, minus: int) -> tuple[int, int]:
    return min(plus, COLUMN_MILLI_MAX), min(minus, COLUMN_MILLI_MAX)


def levels(db: apsw.Connection, skus: Collection[str]) -> dict[str, int]:
    """Give the stock of several products: what the view says, with one walk through the tail for all of them."""
    found = {sku: int(one(db, _FOLDED, (sku,))) for sku in skus}
    for (moves,) in rows(db, "SELECT moves FROM stock_tail"):
        for sku, delta in _decode(moves).items():
            if sku in found:
                found[sku] += delta
    return found


class Gathered:
    """Movements of many events, added up before they go into the columns in one go."""

    __slots__ = ("_sums",)

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int], list[int]] = {}

    def add(self, actor: int, moves: Iterable[tuple[str, int]]) -> None:
        """Take the movements of one event."""
        for sku, delta in moves:
            sums = self._sums.setdefault((sku, actor), [0, 0])
            sums[delta < 0] += abs(delta)

    def write(self, db: apsw.Connection) -> None:
        """Carry everything into the columns; neighbours on one page are written together."""
        db.executemany(MOVE_STOCK, [(*key, *_bounded(*sums)) for key, sums in sorted(self._sums.items())])


class StockTail:
    """The write side of the tail. Every method runs inside the caller's transaction.

    Invariant: at most STOCK_TAIL_SALES_MAX sales wait, on disk, after any transaction.
    """

    __slots__ = ("_count", "_db")

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._count: int | None = None  # None: not looked at since the last rollback

    def forget(self) -> None:
        """Count again next time: the transaction was rolled back, or the tail emptied by others."""
        self._count = None

    def note(self, actor: int, seq: int, moves: Sequence[tuple[str, int]]) -> None:
        """Let the movements of a sale wait; fold all that wait when they have become many."""
        if self._count is None:
            self._count = int(one(self._db, "SELECT count(*) FROM stock_tail"))
        self._db.execute(_NOTE, (actor, seq, _encode(dict(moves)).decode()))
        self._count += 1
        if self._count >= STOCK_TAIL_SALES_MAX:
            self.fold()

    def fold(self) -> None:
        """Carry everything that waits into the columns."""
        waiting: dict[int, list[tuple[str, int]]] = {}
        for actor, moves in rows(self._db, "SELECT actor, moves FROM stock_tail"):
            waiting.setdefault(actor, []).extend(_decode(moves).items())
        for actor, moves in waiting.items():
            move(self._db, actor, sorted(moves))  # neighbours on one page are written together
        self._db.execute("DELETE FROM stock_tail")
        self._count = 0
