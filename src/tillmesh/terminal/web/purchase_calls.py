"""Orders of goods, deliveries against them, and what the stock is worth."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite import listings
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop import suppliers
from tillmesh.shop.events import Change
from tillmesh.shop.people import Role
from tillmesh.shop.purchasing import Order
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import purchasing, views
from tillmesh.till.commands import ChangeRecords, CloseOrder, PlaceOrder, ReceiveOrder, WantedGoods

DAY_MS = 86_400_000


class OrderLineBody(msgspec.Struct):
    """A line of an order; without a cost the product's own counts."""

    sku: str
    quantity: str | int
    cost_minor: int = 0


class OrderBody(msgspec.Struct):
    """What is ordered from whom."""

    lines: list[OrderLineBody]
    supplier: str = ""
    supplier_id: str = ""
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
    supplier = suppliers.of(placed.supplier_id, books.fields("supplier", placed.supplier_id) or {})
    return {
        "order_id": order.order_id,
        "supplier_id": placed.supplier_id,
        "expected_at": rfc3339(placed.ordered_at_ms + supplier.lead_days * DAY_MS) if supplier.lead_days else None,
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
                "their_number": supplier.articles.get(line.sku, ""),
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
        names = sorted({order.placed.supplier for order in found if order.placed is not None})
        return {"orders": [_view(books, order) for order in found[:limit]], "suppliers": names}

    return await context.driver.look(query)


async def _shown(context: Context, order_id: str) -> dict[str, Any]:
    return await context.driver.look(lambda books: _view(books, purchasing.find(books, order_id)))


async def place_order(context: Context, body: OrderBody) -> tuple[int, Any]:
    """Order goods from a supplier."""
    lines = tuple(
        WantedGoods(sku=line.sku, quantity_milli=parse_quantity(line.quantity), cost_minor=line.cost_minor)
        for line in body.lines
    )
    outcome = await context.do(
        PlaceOrder(supplier=body.supplier, lines=lines, note=body.note, supplier_id=body.supplier_id)
    )
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


async def list_suppliers(context: Context) -> Any:
    """List the suppliers, by name; those that are not used any more last."""

    def query(books: Books) -> dict[str, Any]:
        found = [suppliers.of(key, fields) for key, fields in books.records("supplier")]
        found.sort(key=lambda one: (not one.active, one.name.casefold(), one.supplier_id))
        return {"suppliers": [msgspec.structs.asdict(one) for one in found]}

    return await context.driver.look(query)


async def _supplier(context: Context, key: str) -> dict[str, Any]:
    fields = await context.driver.look(lambda books: books.fields("supplier", key))
    if fields is None:
        raise NotFound(f"no supplier {key[:40]!r}", hint="Reload the list.")
    return msgspec.structs.asdict(suppliers.of(key, fields))


async def add_supplier(context: Context, body: dict[str, Any]) -> tuple[int, Any]:
    """Add a supplier."""
    key, fields = context.new_id(), suppliers.check(body, new=True)
    await context.do(ChangeRecords(entity="supplier", changes=(Change(key=key, fields=fields),)))
    return 201, await _supplier(context, key)


async def change_supplier(context: Context, body: dict[str, Any]) -> Any:
    """Change some fields of a supplier."""
    key = context.path("supplier_id")
    await _supplier(context, key)
    change = Change(key=key, fields=suppliers.check(body, new=False))
    await context.do(ChangeRecords(entity="supplier", changes=(change,)))
    return await _supplier(context, key)


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
    Call("GET", "/suppliers", list_suppliers, "List suppliers"),
    Call("POST", "/suppliers", add_supplier, "Add a supplier", dict[str, Any], role=Role.MANAGER, status=201),
    Call("PATCH", "/suppliers/{supplier_id}", change_supplier, "Change a supplier", dict[str, Any], role=Role.MANAGER),
    Call("GET", "/stock-value", stock_value, "What the stock is worth", role=Role.SUPERVISOR),
]
