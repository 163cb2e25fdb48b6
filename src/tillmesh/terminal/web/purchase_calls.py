"""Orders of goods, deliveries against them, and what the stock is worth."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.people import Role
from tillmesh.shop.purchasing import Order
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import purchasing, views
from tillmesh.till.commands import CloseOrder, PlaceOrder, ReceiveOrder, WantedGoods


class OrderLineBody(msgspec.Struct):
    """A line of an order; without a cost the product's own counts."""

    sku: str
    quantity: str | int
    cost_minor: int = 0


class OrderBody(msgspec.Struct):
    """What is ordered from whom."""

    supplier: str
    lines: list[OrderLineBody]
    note: str = ""


class DeliveryLineBody(msgspec.Struct):
    """What has come of one product."""

    sku: str
    quantity: str | int


class DeliveryBody(msgspec.Struct):
    """A delivery; the same ``key`` again is the same delivery."""

    key: str
    lines: list[DeliveryLineBody]


class CloseOrderBody(msgspec.Struct):
    """Why nothing more is expected."""

    reason: str = ""


def _view(books: Books, order: Order) -> dict[str, Any]:
    assert order.placed is not None, "orders() gives only what was placed"
    placed = order.placed
    return {
        "order_id": order.order_id,
        "supplier": placed.supplier,
        "note": placed.note,
        "by": views.person(books, placed.by),
        "ordered_at": rfc3339(placed.ordered_at_ms),
        "state": order.state,
        "total_minor": sum((line.cost_minor * line.quantity_milli + 500) // 1000 for line in placed.lines),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": format_quantity(line.quantity_milli),
                "received": format_quantity(order.received_milli.get(line.sku, 0)),
                "missing": format_quantity(order.missing_milli(line)),
                "cost_minor": line.cost_minor,
                "unit": product.unit if (product := books.product(line.sku)) is not None else "piece",
            }
            for line in placed.lines
        ],
    }


async def list_orders(context: Context) -> Any:
    """List the orders, the newest first, and the suppliers that are known from them."""
    limit = context.limit(100, 500)

    def query(books: Books) -> dict[str, Any]:
        found = purchasing.standing(books)
        suppliers = sorted({order.placed.supplier for order in found if order.placed is not None})
        return {"orders": [_view(books, order) for order in found[:limit]], "suppliers": suppliers}

    return await context.driver.look(query)


async def _shown(context: Context, order_id: str) -> dict[str, Any]:
    return await context.driver.look(lambda books: _view(books, purchasing.find(books, order_id)))


async def place_order(context: Context, body: OrderBody) -> tuple[int, Any]:
    """Order goods from a supplier."""
    lines = tuple(
        WantedGoods(sku=line.sku, quantity_milli=parse_quantity(line.quantity), cost_minor=line.cost_minor)
        for line in body.lines
    )
    outcome = await context.do(PlaceOrder(supplier=body.supplier, lines=lines, note=body.note))
    return 201, await _shown(context, str(outcome.reply))


async def get_order(context: Context) -> Any:
    """Show an order with what has come of it."""
    return await _shown(context, context.path("order_id"))


async def receive_order(context: Context, body: DeliveryBody) -> tuple[int, Any]:
    """Book in what has come of an order."""
    order_id = context.path("order_id")
    quantities = tuple((line.sku, parse_quantity(line.quantity)) for line in body.lines)
    await context.do(ReceiveOrder(order_id=order_id, key=body.key, quantities=quantities))
    return 201, await _shown(context, order_id)


async def close_order(context: Context, body: CloseOrderBody) -> Any:
    """Expect nothing more of an order."""
    await context.do(CloseOrder(order_id=context.path("order_id"), reason=body.reason))
    return await _shown(context, context.path("order_id"))


async def stock_value(context: Context) -> Any:
    """Say what the stock is worth at today's cost, by department; what is below zero counts as nothing."""
    return await context.driver.read(lambda db, books: {
        "currency": books.store().currency, "departments": listings.stock_value(db),
    })  # fmt: skip


CALLS = [
    Call("GET", "/orders", list_orders, "List orders of goods", query=("limit",)),
    Call("POST", "/orders", place_order, "Order goods", OrderBody, role=Role.SUPERVISOR, status=201),
    Call("GET", "/orders/{order_id}", get_order, "Show an order of goods"),
    Call("POST", "/orders/{order_id}/receipts", receive_order, "Receive against an order", DeliveryBody, status=201),
    Call("POST", "/orders/{order_id}/close", close_order, "Close an order", CloseOrderBody, role=Role.SUPERVISOR),
    Call("GET", "/stock-value", stock_value, "What the stock is worth", role=Role.SUPERVISOR),
]
