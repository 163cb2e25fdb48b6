"""Goods of which not one more may be sold than there are: who may sell how many, and who is asked for more.

Each till holds rights and sells against its own alone, offline too. What brings rights, takes them or hands them on
stands in the log; the sums are a :class:`~tillmesh.crdt.BoundedCounter` per product. See docs/reference/escrow.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from tillmesh.crdt import BoundedCounter
from tillmesh.kernel.quantity import ONE
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
from tillmesh.shop.stock import movements

Moving = (
    SaleClosed | SaleVoided | SaleRefunded | StockReceived | StockAdjusted | StockCounted
    | TransferSent | TransferReceived | TransferTakenBack
)  # fmt: skip
_CORRECTING: Final = (StockAdjusted, StockCounted)


class Wish(NamedTuple):
    """What a till asks another one for."""

    holder: str  # an actor
    quantity_milli: int


def moved(body: object, is_limited: Callable[[str], bool]) -> list[tuple[str, int]]:
    """Give how an event moves the rights of its till: as it moves the stock of limited goods.

    Corrections only lower them: what is on the shelf beyond what was booked in is received, or found by nobody.
    """
    if not isinstance(body, Moving):
        return []
    lowers = isinstance(body, _CORRECTING)
    return [(sku, delta) for sku, delta in movements(body) if is_limited(sku) and not (lowers and delta > 0)]


def step_of(unit: str) -> int:
    """Give the smallest quantity of a unit that is handed on: a whole piece, or a thousandth."""
    return ONE if unit == "piece" else 1


def wish(rights: BoundedCounter, me: str, reachable: Collection[str], step: int) -> Wish | None:
    """Say whom a till asks by itself, and for how much: the richest in reach, when own rights are under half a share.

    A till that sold before it knew of the limit holds less than nothing; it asks for that first.
    """
    own, held = rights.rights(me), {one: max(0, rights.rights(one)) for one in reachable}
    if not held:
        return None
    share = max(0, own + sum(held.values())) // (len(held) + 1) // step * step
    if own >= 0 and own * 2 >= share:
        return None
    holder = max(held, key=lambda one: (held[one], one))
    most = held[holder] if own < 0 else held[holder] - share
    quantity = min(share - own, most) // step * step
    return Wish(holder, quantity) if quantity > 0 else None


def grant(free_milli: int, asked_milli: int, step: int, *, by_hand: bool) -> int:
    """Say how much a till gives of what it is asked for: at most half of its own, or all if a customer waits there."""
    own = max(0, free_milli)
    return min(asked_milli, own if by_hand else own // 2) // step * step


def unheld(rights: BoundedCounter, stock_milli: int) -> int:
    """Give how much is in stock for which nobody holds a right; below zero, there are rights for more than there is.

    Goods move with their rights in one event, so what is not heard of yet makes no difference here. What does: goods
    that were there before the mark, sales of tills that had not heard of it, goods given back twice in a split.
    """
    return stock_milli - rights.value
