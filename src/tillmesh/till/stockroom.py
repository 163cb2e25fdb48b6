"""Stock coming in, being counted and being corrected."""

from __future__ import annotations

from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import QUANTITY_MILLI_MAX
from tillmesh.shop.catalogue import Product, check_quantity
from tillmesh.shop.events import OversellResolved, StockAdjusted, StockCounted, StockMove, StockReceived
from tillmesh.shop.people import Action
from tillmesh.till.commands import AdjustStock, CountStock, ReceiveStock
from tillmesh.till.desk import Desk, checked_text


def decide(desk: Desk, command: ReceiveStock | AdjustStock | CountStock) -> EventId:
    """Send a command about stock to its use case."""
    match command:
        case ReceiveStock():
            return receive(desk, command)
        case AdjustStock():
            return adjust(desk, command)
        case CountStock():
            return count(desk, command)


def receive(desk: Desk, command: ReceiveStock) -> EventId:
    """Take goods in."""
    desk.require(Action.RECEIVE_STOCK)
    product = _known(desk, command.sku)
    move = StockMove(sku=product.sku, quantity_milli=_within(command.quantity_milli, product, least=1))
    return desk.record(StockReceived(moves=(move,), by=desk.who.user_id, reason=checked_text(command.reason, "reason")))


def adjust(desk: Desk, command: AdjustStock) -> EventId:
    """Correct stock by a signed quantity; a supervisor's right, with a reason."""
    approved_by = desk.require(Action.ADJUST_STOCK)
    product = _known(desk, command.sku)
    quantity = _within(command.quantity_milli, product, least=-QUANTITY_MILLI_MAX)
    if quantity == 0:
        raise Invalid("an adjustment of zero changes nothing", hint="Use a count to say what is on the shelf.")
    if quantity > 0 and not any(isinstance(body, OversellResolved) for body in desk.bodies):
        _refuse_raise(product)
    reason = checked_text(command.reason, "reason", least=1)
    moves = (StockMove(sku=product.sku, quantity_milli=quantity),)
    return desk.record(StockAdjusted(moves=moves, by=desk.who.user_id, reason=reason, approved_by=approved_by))


def count(desk: Desk, command: CountStock) -> EventId:
    """Set stock to what was counted, as a correction against what this till knew: sales unheard of still apply."""
    approved_by = desk.require(Action.COUNT_STOCK)
    product = _known(desk, command.sku)
    counted = _within(command.quantity_milli, product, least=0)
    correction = counted - desk.books.stock_milli(product.sku)
    if correction > 0:
        _refuse_raise(product)
    return desk.record(
        StockCounted(
            sku=product.sku,
            counted_milli=counted,
            correction_milli=correction,
            vector=_known_logs(desk),
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason"),
            approved_by=approved_by,
        )
    )


def _known_logs(desk: Desk) -> tuple[tuple[str, int], ...]:
    """Give how far each log is known; where those of tills that are gone for good end, the store has agreed."""
    ended = desk.books.folded().items()
    return tuple(one for one in desk.books.vector() if one not in ended)


def _refuse_raise(product: Product) -> None:
    """A count or a correction can't tell whether a till out of reach sold some; goods that come in, somebody booked."""
    if product.hard_limited:
        raise Conflict(f"{product.name[:60]!r} is hard-limited: it can't be counted up", hint="Receive what came in.")


def _known(desk: Desk, sku: str) -> Product:
    product = desk.books.product(sku) or desk.books.product_by_barcode(sku)
    if product is None:
        raise NotFound(f"no product {sku[:40]!r}", hint="Add the product first.")
    return product


def _within(quantity_milli: int, product: Product, *, least: int) -> int:
    if not least <= quantity_milli <= QUANTITY_MILLI_MAX:
        raise Invalid(
            f"a quantity of {quantity_milli} thousandths; allowed are {least} to {QUANTITY_MILLI_MAX}",
            hint="Check the quantity.",
        )
    return check_quantity(product.unit, quantity_milli, product.name)
