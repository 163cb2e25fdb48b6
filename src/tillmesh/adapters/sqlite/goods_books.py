"""What the log says about goods: stock, the rights to sell what is scarce, oversells, orders."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tillmesh.adapters.sqlite import escrow, folding, oversold
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.log_reader import BY_ID, LogReader
from tillmesh.adapters.sqlite.stock_tail import levels
from tillmesh.crdt import BoundedCounter
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.limits import OVERSELL_SALES_LOOKED_THROUGH_MAX, OVERSELL_STOCK_EVENTS_LOOKED_THROUGH_MAX
from tillmesh.shop.oversell import Noted


class GoodsBooks(LogReader):
    """The shelf of the whole store."""

    def stock_milli(self, sku: str) -> int:
        """Give the stock of a product over all actors."""
        sql = "SELECT coalesce(sum(p), 0) - coalesce(sum(n), 0) FROM stock WHERE sku = ?"
        return int(one(self._db, sql, (sku,)))

    def stocks_milli(self, skus: Collection[str]) -> dict[str, int]:
        """Give the stock of several products at once."""
        return levels(self._db, skus)

    def stock_columns(self, sku: str) -> dict[str, tuple[int, int]]:
        """Give the PN-counter of a product: per actor what it added and what it took; those that are folded as one."""
        sql = f"{folding.COLUMNS} WHERE s.sku = ? GROUP BY who ORDER BY who"
        return {name: (p, n) for _, name, p, n in self._db.execute(sql, (sku,))}

    def folded(self) -> Mapping[str, int]:
        """Give the actors that are gone for good, and where the store agreed that their logs end."""
        return folding.folded(self._db)

    def rights(self, sku: str) -> BoundedCounter:
        """Give who holds how many rights of a hard-limited product; empty if it never was one."""
        return escrow.counter(self._db, self.actors, sku)

    def is_carried_out(self, actor: str, after: int, grant: str) -> bool:
        """Say whether an actor did what the store agreed on, behind a place in its log."""
        return escrow.is_carried_out(self._db, self.actors, actor, after, grant)

    def ever_limited(self) -> set[str]:
        """List the products whose rights are counted: those that are hard-limited or were, and had any."""
        return escrow.counted(self._db)

    def below_zero(self) -> list[tuple[str, int, bool]]:
        """List counted products with stock below zero: sku, stock, whether any was ever booked in."""
        return oversold.below_zero(self._db)

    def oversell_notes(self, sku: str) -> Iterator[Noted]:
        """Iterate what was decided about oversells of a product."""
        return oversold.notes(self._db, self.actors, sku)

    def newest_resolutions(self) -> Iterator[Noted]:
        """Iterate the newest resolutions of oversells, newest first."""
        return oversold.newest_notes(self._db, self.actors)

    def noted_skus(self) -> list[str]:
        """List the products about whose oversells anything was decided."""
        return oversold.noted_skus(self._db)

    def newest_sales_of(self, sku: str) -> Iterator[Envelope]:
        """Iterate the newest sales in which a sku may stand, in any order."""
        return self.events(oversold.SALES, (OVERSELL_SALES_LOOKED_THROUGH_MAX, sku.encode()))

    def stock_events_of(self, sku: str, since_hlc: int) -> Iterator[Envelope]:
        """Iterate deliveries, counts and adjustments in which a sku may stand, in any order."""
        return self.events(oversold.STOCK_EVENTS, (since_hlc, OVERSELL_STOCK_EVENTS_LOOKED_THROUGH_MAX, sku.encode()))

    def order_notes(self, order_id: str = "") -> Iterator[tuple[str, Envelope]]:
        """Iterate what was noted about orders of goods, each with its order."""
        sql = "SELECT order_id, actor, seq FROM purchase WHERE ? IN ('', order_id) ORDER BY order_id"
        for name, actor, seq in rows(self._db, sql, (order_id,)):
            yield name, next(self.events(BY_ID, (actor, seq)))
