"""Goods sent to other stores, and goods that come from them."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.people import Role
from tillmesh.shop.transfers import Transfer
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till import transfers, views
from tillmesh.till.commands import CloseTransfer, ReceiveTransfer, SendTransfer, TakeTransferBack


class LineBody(msgspec.Struct):
    """How much of a product."""

    sku: str
    quantity: str | int


class TransferBody(msgspec.Struct):
    """What goes to which store; the same ``key`` again is the same transfer."""

    key: str
    to_store: str
    lines: list[LineBody]
    note: str = ""


class CameBody(msgspec.Struct):
    """What has come; the same ``key`` again is the same delivery."""

    key: str
    lines: list[LineBody]


class LostBody(msgspec.Struct):
    """Why nothing more is expected."""

    reason: str


def _view(books: Books, one: Transfer) -> dict[str, Any]:
    return {
        "transfer_id": one.transfer_id,
        "direction": one.direction,
        "store": one.other,
        "store_name": one.other_name,
        "state": one.state,
        "note": one.note,
        "reason": one.reason,
        "by": views.person(books, one.by) if one.by else None,
        "sent_at": rfc3339(one.at_ms),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": format_quantity(line.quantity_milli),
                "received": format_quantity(one.came_milli.get(line.sku, 0)),
                "missing": format_quantity(one.missing_milli(line)),
                "known": books.product(line.sku) is not None,
            }
            for line in one.lines
        ],
    }


async def list_transfers(context: Context) -> Any:
    """List the transfers of this store, the newest first, and the number that other stores send to."""
    limit = context.limit(100, 500)

    def query(books: Books) -> dict[str, Any]:
        found = transfers.standing(books)
        known = {one.other: one.other_name for one in found}
        return {
            "store": context.driver.identity.store,
            "transfers": [_view(books, one) for one in found[:limit]],
            "stores": [{"store": store, "name": name} for store, name in sorted(known.items())],
        }

    return await context.driver.look(query)


async def _shown(context: Context, transfer_id: str) -> dict[str, Any]:
    return await context.driver.look(lambda books: _view(books, transfers.find(books, transfer_id)))


def _quantities(lines: list[LineBody]) -> tuple[tuple[str, int], ...]:
    return tuple((line.sku, parse_quantity(line.quantity)) for line in lines)


async def send(context: Context, body: TransferBody) -> tuple[int, Any]:
    """Send goods to another store: they leave the stock now."""
    command = SendTransfer(key=body.key, to_store=body.to_store, quantities=_quantities(body.lines), note=body.note)
    outcome = await context.do(command)
    return (201 if outcome.events else 200), await _shown(context, str(outcome.reply))


async def receive(context: Context, body: CameBody) -> tuple[int, Any]:
    """Book in what has come."""
    transfer_id = context.path("transfer_id")
    await context.do(ReceiveTransfer(transfer_id=transfer_id, key=body.key, quantities=_quantities(body.lines)))
    return 201, await _shown(context, transfer_id)


async def close(context: Context, body: LostBody) -> Any:
    """Expect nothing more: what is missing is lost."""
    await context.do(CloseTransfer(transfer_id=context.path("transfer_id"), reason=body.reason))
    return await _shown(context, context.path("transfer_id"))


async def back(context: Context) -> Any:
    """Take goods back that head office found no store for."""
    await context.do(TakeTransferBack(transfer_id=context.path("transfer_id")))
    return await _shown(context, context.path("transfer_id"))


CALLS = [
    Call("GET", "/transfers", list_transfers, "List transfers between stores", query=("limit",)),
    Call("POST", "/transfers", send, "Send goods to another store", TransferBody, role=Role.SUPERVISOR, status=201),
    Call("POST", "/transfers/{transfer_id}/receipts", receive, "Receive a transfer", CameBody, status=201),
    Call("POST", "/transfers/{transfer_id}/close", close, "Close a transfer", LostBody, role=Role.SUPERVISOR),
    Call("POST", "/transfers/{transfer_id}/back", back, "Take a transfer back", role=Role.SUPERVISOR),
]
