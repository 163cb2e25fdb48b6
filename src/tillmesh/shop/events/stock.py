"""Events of the shelf: goods came in, were corrected, were counted."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Count, Milli


class StockMove(Record):
    """A signed change of one product's stock."""

    sku: str
    quantity_milli: Milli


class StockReceived(Record):
    """Goods came in, perhaps against an order; the same ``key`` for the same order is the same delivery."""

    moves: tuple[StockMove, ...]
    by: str
    reason: str = ""
    order_id: str = ""  # the GoodsOrdered
    key: str = ""
    limited: tuple[str, ...] = ()


class StockAdjusted(Record):
    """Stock was corrected with a reason: broken, stolen, found. ``approved_by`` when somebody's approval allowed it."""

    moves: tuple[StockMove, ...]
    by: str
    reason: str
    approved_by: str = ""
    limited: tuple[str, ...] = ()


class StockCounted(Record):
    """Somebody counted the shelf. ``correction = counted - value at vector``, so sales not yet heard of still apply."""

    sku: str
    counted_milli: Milli
    correction_milli: Milli
    vector: tuple[tuple[str, Count], ...]
    by: str
    reason: str = ""
    approved_by: str = ""
    limited: tuple[str, ...] = ()
