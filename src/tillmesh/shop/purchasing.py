"""Orders at suppliers: what was ordered, what has come, what is still expected; added up from what tills have noted.

Deliveries of one order that two tills booked in apart simply add up: more than was ordered is shown, never refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tillmesh.shop.events import GoodsOrdered, OrderClosed, OrderLine, StockReceived


@dataclass(slots=True)
class Order:
    """An order as it stands."""

    order_id: str
    placed: GoodsOrdered | None = None  # None while only later news of it has come
    received_milli: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    closed: bool = False

    @property
    def state(self) -> str:
        """Say ``open``, ``partly``, ``received`` or ``closed``."""
        if self.closed:
            return "closed"
        if not any(self.missing_milli(line) for line in self.lines):
            return "received"
        return "partly" if self.received_milli else "open"

    @property
    def lines(self) -> tuple[OrderLine, ...]:
        """What was ordered."""
        return () if self.placed is None else self.placed.lines

    def missing_milli(self, line: OrderLine) -> int:
        """Give how much of a line is still expected."""
        return max(0, line.quantity_milli - self.received_milli.get(line.sku, 0))


def orders(notes: Iterable[tuple[str, object]]) -> list[Order]:
    """Add up what was noted about orders, as pairs of order and event body in any sequence; the newest order first."""
    found: dict[str, Order] = {}
    for order_id, body in notes:
        order = found.setdefault(order_id, Order(order_id))
        match body:
            case GoodsOrdered():
                order.placed = body
            case OrderClosed():
                order.closed = True
            case StockReceived():
                order.keys.add(body.key)
                for move in body.moves:
                    order.received_milli[move.sku] = order.received_milli.get(move.sku, 0) + move.quantity_milli
            case _:
                pass
    known = [order for order in found.values() if order.placed is not None]
    return sorted(known, key=lambda order: (-_at(order), order.order_id))


def _at(order: Order) -> int:
    return 0 if order.placed is None else order.placed.ordered_at_ms
