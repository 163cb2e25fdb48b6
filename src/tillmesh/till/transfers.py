"""Sending goods to another store, booking in what came, and saying what never did."""

from __future__ import annotations

from collections.abc import Iterable

from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.limits import ORDER_LINES_MAX, QUANTITY_MILLI_MAX
from tillmesh.shop.catalogue import check_quantity
from tillmesh.shop.events import (
    KINDS,
    TransferClosed,
    TransferLine,
    TransferReceived,
    TransferSent,
    TransferTakenBack,
)
from tillmesh.shop.people import Action
from tillmesh.shop.transfers import IN, OUT, Transfer, transfers
from tillmesh.till.commands import CloseTransfer, ReceiveTransfer, SendTransfer, TakeTransferBack
from tillmesh.till.desk import Desk, checked_key, checked_text
from tillmesh.till.ports import Books


def decide(desk: Desk, command: SendTransfer | ReceiveTransfer | CloseTransfer | TakeTransferBack) -> EventId | None:
    """Send a command about transfers to its use case."""
    match command:
        case SendTransfer():
            return send(desk, command)
        case ReceiveTransfer():
            receive(desk, command)
        case CloseTransfer():
            close(desk, command)
        case TakeTransferBack():
            take_back(desk, command)
    return None


def send(desk: Desk, command: SendTransfer) -> EventId:
    """Book goods out for another store; the same key again is the same transfer."""
    desk.require(Action.ADJUST_STOCK)
    key = checked_key(command.key, "key")
    for _, event in desk.books.order_notes(""):
        if event.type == "transfer_sent" and decode(event.body, TransferSent).key == key:
            return event.id
    store = command.to_store.strip().lower()
    if not (4 <= len(store) <= 64 and store.isascii() and store.isalnum()) or store == desk.identity.store:
        raise Invalid("this is not the number of another store", hint="It stands on the other store's transfers page.")
    return desk.record(
        TransferSent(
            to_store=store,
            from_name=desk.store().name,
            lines=_lines(desk, command.quantities),
            by=desk.who.user_id,
            note=checked_text(command.note, "note"),
            sent_at_ms=desk.now_ms,
            key=key,
        )
    )


def receive(desk: Desk, command: ReceiveTransfer) -> None:
    """Book in what has come of a transfer; the same delivery sent again changes nothing."""
    desk.require(Action.RECEIVE_STOCK)
    transfer = find(desk.books, command.transfer_id, IN)
    key = checked_key(command.key, "key")
    if key in transfer.keys:
        return
    if transfer.closed:
        raise Conflict("this transfer was closed", hint="Receive the goods without it.")
    sent = {line.sku for line in transfer.lines}
    if others := [sku for sku, _ in command.quantities if sku not in sent]:
        raise Invalid(f"{others[0][:40]!r} was not sent with this transfer", hint="Receive it without the transfer.")
    desk.record(
        TransferReceived(
            transfer_id=transfer.transfer_id,
            from_store=transfer.other,
            key=key,
            lines=_lines(desk, command.quantities),
            by=desk.who.user_id,
            received_at_ms=desk.now_ms,
        )
    )


def close(desk: Desk, command: CloseTransfer) -> None:
    """Expect nothing more: what has not come is lost, and both stores are told."""
    desk.require(Action.ADJUST_STOCK)
    transfer = find(desk.books, command.transfer_id, IN)
    if transfer.closed:
        return
    lost = tuple(
        TransferLine(sku=line.sku, name=line.name, quantity_milli=missing, cost_minor=line.cost_minor)
        for line in transfer.lines
        if (missing := transfer.missing_milli(line))
    )
    if not lost:
        raise Conflict("everything of this transfer has come", hint="There is nothing to close.")
    desk.record(
        TransferClosed(
            transfer_id=transfer.transfer_id,
            from_store=transfer.other,
            lost=lost,
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason", least=1),
            closed_at_ms=desk.now_ms,
        )
    )


def take_back(desk: Desk, command: TakeTransferBack) -> None:
    """Book goods in again that head office found no store for; nobody else has them."""
    desk.require(Action.ADJUST_STOCK)
    transfer = find(desk.books, command.transfer_id, OUT)
    if transfer.taken_back:
        return
    if not transfer.undeliverable:
        raise Conflict("this transfer is on its way", hint="The other store books it in, or closes it.")
    desk.record(TransferTakenBack(transfer_id=transfer.transfer_id, lines=transfer.lines, by=desk.who.user_id))


def find(books: Books, transfer_id: str, direction: str = "") -> Transfer:
    """Find a transfer that comes or goes, or raise :class:`NotFound`."""
    found = [one for one in standing(books, transfer_id) if not direction or one.direction == direction]
    if not found:
        raise NotFound(f"no transfer {transfer_id[:60]!r}", hint="Reload the list.")
    return found[0]


def standing(books: Books, transfer_id: str = "") -> list[Transfer]:
    """Give all transfers as they stand, or one."""
    return transfers((name, decode(event.body, KINDS[event.type])) for name, event in books.order_notes(transfer_id))


def _lines(desk: Desk, quantities: Iterable[tuple[str, int]]) -> tuple[TransferLine, ...]:
    lines = []
    for sku, quantity in quantities:
        product = desk.books.product(sku) or desk.books.product_by_barcode(sku)
        if product is None:
            raise NotFound(f"no product {sku[:40]!r}", hint="Add the product first.")
        if not 1 <= quantity <= QUANTITY_MILLI_MAX:
            raise Invalid(f"a quantity of {quantity} thousandths can't be sent", hint="Check the quantity.")
        check_quantity(product.unit, quantity, product.name)
        line = TransferLine(sku=product.sku, name=product.name, quantity_milli=quantity, cost_minor=product.cost_minor)
        lines.append(line)
    if not 1 <= len(lines) <= ORDER_LINES_MAX or len({line.sku for line in lines}) != len(lines):
        raise Invalid(f"a transfer names 1 to {ORDER_LINES_MAX} products, each once", hint="Say what goes or came.")
    return tuple(lines)
