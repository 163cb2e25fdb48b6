"""Ordering goods, booking them in against their order, and giving an order up."""

from __future__ import annotations

from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import ORDER_LINES_MAX, QUANTITY_MILLI_MAX
from tillmesh.kernel.money import check_amount
from tillmesh.shop.events import KINDS, GoodsOrdered, OrderClosed, OrderLine, StockMove, StockReceived
from tillmesh.shop.people import Action
from tillmesh.shop.purchasing import Order, orders
from tillmesh.till.commands import CloseOrder, PlaceOrder, ReceiveOrder
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.ports import Books


def decide(desk: Desk, command: PlaceOrder | ReceiveOrder | CloseOrder) -> EventId | None:
    """Send a command about orders to its use case."""
    match command:
        case PlaceOrder():
            return place(desk, command)
        case ReceiveOrder():
            receive(desk, command)
        case CloseOrder():
            close(desk, command)
    return None


def place(desk: Desk, command: PlaceOrder) -> EventId:
    """Order goods."""
    desk.require(Action.COUNT_STOCK)
    supplier = checked_text(_named(desk, command), "the supplier", least=1, most=100)
    if not 1 <= len(command.lines) <= ORDER_LINES_MAX:
        raise Invalid(
            f"an order of {len(command.lines)} lines; allowed are 1 to {ORDER_LINES_MAX}", hint="Add a product."
        )
    lines = []
    for wanted in command.lines:
        product = desk.books.product(wanted.sku) or desk.books.product_by_barcode(wanted.sku)
        if product is None:
            raise NotFound(f"no product {wanted.sku[:40]!r}", hint="Add the product first.")
        cost = check_amount(wanted.cost_minor, "the cost") if wanted.cost_minor else product.cost_minor
        quantity = _within(wanted.quantity_milli)
        lines.append(OrderLine(sku=product.sku, name=product.name, quantity_milli=quantity, cost_minor=cost))
    if len({line.sku for line in lines}) != len(lines):
        raise Invalid("a product stands in this order twice", hint="Add its quantities up.")
    note = checked_text(command.note, "note")
    return desk.record(
        GoodsOrdered(
            supplier=supplier,
            lines=tuple(lines),
            by=desk.who.user_id,
            note=note,
            ordered_at_ms=desk.now_ms,
            supplier_id=command.supplier_id,
        )
    )


def _named(desk: Desk, command: PlaceOrder) -> str:
    """Give the name of the supplier: the record's, if one is meant."""
    if not command.supplier_id:
        return command.supplier
    fields = desk.books.fields("supplier", command.supplier_id)
    if fields is None or fields.get("active") is False:
        raise NotFound(f"no supplier {command.supplier_id[:40]!r}", hint="Reload the list.")
    return str(fields.get("name") or "")


def receive(desk: Desk, command: ReceiveOrder) -> None:
    """Book in what has come of an order; the same delivery sent again changes nothing."""
    desk.require(Action.RECEIVE_STOCK)
    order = find(desk.books, command.order_id)
    key = checked_key(command.key, "key")
    if key in order.keys:
        return
    if order.closed:
        raise Conflict("this order was closed", hint="Receive the goods without it.")
    ordered = {line.sku for line in order.lines}
    moves = []
    for sku, quantity in command.quantities:
        if sku not in ordered:
            raise Invalid(f"{sku[:40]!r} was not ordered here", hint="Receive it without the order.")
        moves.append(StockMove(sku=sku, quantity_milli=_within(quantity)))
    if not moves or len({move.sku for move in moves}) != len(moves):
        raise Invalid("a delivery names each product once", hint="Say what has come.")
    assert order.placed is not None, "orders() gives only what was placed"
    desk.record(
        StockReceived(
            moves=tuple(moves), by=desk.who.user_id, reason=order.placed.supplier, order_id=order.order_id, key=key
        )
    )


def close(desk: Desk, command: CloseOrder) -> None:
    """Expect nothing more of an order."""
    desk.require(Action.COUNT_STOCK)
    order = find(desk.books, command.order_id)
    if not order.closed:
        reason = checked_text(command.reason, "reason")
        desk.record(OrderClosed(order_id=order.order_id, by=desk.who.user_id, reason=reason))


def find(books: Books, order_id: str) -> Order:
    """Find an order, or raise :class:`NotFound`."""
    found = standing(books, order_id)
    if not found:
        raise NotFound(f"no order {order_id[:60]!r}", hint="Reload the list.")
    return found[0]


def standing(books: Books, order_id: str = "") -> list[Order]:
    """Give all orders as they stand, or one."""
    return orders((name, decode(event.body, KINDS[event.type])) for name, event in books.order_notes(order_id))


def _within(quantity_milli: int) -> int:
    if not 1 <= quantity_milli <= QUANTITY_MILLI_MAX:
        raise Invalid(
            f"a quantity of {quantity_milli} thousandths; allowed are {1} to {QUANTITY_MILLI_MAX}",
            hint="Check the quantity.",
        )
    return quantity_milli
