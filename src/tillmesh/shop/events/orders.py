"""Events of purchasing: goods are ordered, and one day nothing more is expected. What comes is a StockReceived."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Milli, Minor, TimeMs


class OrderLine(Record):
    """What was ordered of one product; the cost is per unit, without tax."""

    sku: str
    name: str
    quantity_milli: Milli
    cost_minor: Minor = 0


class GoodsOrdered(Record):
    """Goods were ordered from a supplier. Named by this event's id."""

    supplier: str
    lines: tuple[OrderLine, ...]
    by: str
    note: str = ""
    ordered_at_ms: TimeMs = 0
    supplier_id: str = ""  # of the supplier's record, if there is one


class OrderClosed(Record):
    """Nothing more is expected of an order, whatever is missing."""

    order_id: str
    by: str
    reason: str = ""
