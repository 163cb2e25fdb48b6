"""How each event moves the stock: signed thousandths per sku. Stock is the sum of all movements, in any order."""

from __future__ import annotations

from collections.abc import Iterable

from tillmesh.shop.events import (
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    StockAdjusted,
    StockCounted,
    StockReceived,
    TransferReceived,
    TransferSent,
    TransferTakenBack,
)


def movements(body: object) -> list[tuple[str, int]]:
    """Give the movements of an event, one per sku and none of zero; an event about anything else moves nothing.

    Products whose stock is not tracked move too: tracking can be switched on later without a recount.
    """
    match body:
        case SaleClosed():
            return _sum([(line.sku, -line.quantity_milli) for line in body.lines if not line.loads])
        case SaleRefunded():
            return _sum([(line.sku, line.quantity_milli) for line in body.lines if line.restock])
        case SaleVoided() | StockReceived() | StockAdjusted():
            return _sum([(move.sku, move.quantity_milli) for move in body.moves])
        case TransferSent():
            return _sum([(line.sku, -line.quantity_milli) for line in body.lines])
        case TransferReceived() | TransferTakenBack():
            return _sum([(line.sku, line.quantity_milli) for line in body.lines])
        case StockCounted():
            return _sum([(body.sku, body.correction_milli)])
        case _:
            return []


def _sum(moves: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = {}
    for sku, delta in moves:
        sums[sku] = sums.get(sku, 0) + delta
    return [(sku, delta) for sku, delta in sums.items() if delta]
