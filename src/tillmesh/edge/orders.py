"""What a till does about head office's orders: which one counts, and what is to be done so that it is followed.

Head office says which version the tills of a store run; each till decides the rest by itself, from the order, from what
lies in its slots, and from its name. So every till comes to the same answer whoever told it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from tillmesh.edge.bundle import Refused
from tillmesh.edge.rollout import is_chosen
from tillmesh.edge.slots import Rollback, Standing, lifted, rolled_back
from tillmesh.kernel.limits import MODEL_ORDERS_MAX
from tillmesh.sync.model_orders import Kind, Order, OrderRefused, SignedOrder, read_order

SHARE_ALL: Final = 100


class _Held(NamedTuple):
    order: Order
    signed: SignedOrder


def _serial(held: _Held) -> int:
    return held.order.serial


class Due(StrEnum):
    """What a till has to do about an order."""

    RUNS = "runs"  # nothing: the version runs
    WAITS = "waits"  # nothing yet: this till is not among those that take it now
    EXPIRED = "expired"  # nothing any more: it was to be begun earlier, and what runs goes on
    OLDER = "older"  # nothing: a later version was here, and the order is no rollback that counts
    FAILED = "failed"  # nothing: the version was given up here after it was ordered so
    GO_BACK = "go_back"  # lower the floor, and let the slot with that version run if there is one
    FETCH = "fetch"  # get the bundle and try it


class OrderBook:
    """The orders that count in one store: for each model what all its tills run, and what some of them try.

    Invariant: only an order with a higher serial takes the place of another, so an old one that somebody plays again
    changes nothing. What all tills run also ends what some of them tried before.
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._for_all: dict[str, _Held] = {}
        self._for_some: dict[str, _Held] = {}

    def of(self, name: str, till: str) -> Order | None:
        """Give the order for a model that a till has to follow."""
        tried, runs = self._for_some.get(name), self._for_all.get(name)
        if tried is None or runs is None:
            held = tried or runs
            return None if held is None else held.order
        is_later = tried.order.version > runs.order.version
        chosen = is_later and is_chosen(name, tried.order.version, till, tried.order.share)
        return (tried if chosen else runs).order

    def names(self) -> list[str]:
        """List the models that there are orders for."""
        return sorted(self._for_all.keys() | self._for_some.keys())

    def orders(self) -> list[Order]:
        """List all that count, the oldest first."""
        return [held.order for held in self._held()]

    def serials(self) -> dict[str, int]:
        """Give the newest serial for each model."""
        return {held.order.name: held.order.serial for held in self._held()}

    def newer_than(self, serials: Mapping[str, int]) -> list[SignedOrder]:
        """List what somebody lacks who knows these, the oldest first."""
        return [held.signed for held in self._held() if held.order.serial > serials.get(held.order.name, 0)]

    def recall(self, signed: SignedOrder, office_public: bytes) -> None:
        """Take an order that was held before the last stop; that its time is over is no reason to forget it."""
        self._take(_Held(read_order(signed, office_public, self._store, 0), signed))

    def take(self, signed: SignedOrder, office_public: bytes, now_ms: int) -> bool:
        """Take an order that somebody passed on; says whether it is news. Raises OrderRefused, for an old one too."""
        return self._take(_Held(read_order(signed, office_public, self._store, now_ms), signed))

    def _take(self, new: _Held) -> bool:
        order, name = new.order, new.order.name
        is_for_all = order.kind is Kind.ROLLBACK or order.share == SHARE_ALL
        runs, tried = self._for_all.get(name), self._for_some.get(name)
        held = max((one for one in (runs, None if is_for_all else tried) if one), default=None, key=_serial)
        if held is not None and order.serial < held.order.serial:
            raise OrderRefused(f"order {order.serial} for {name} is older than {held.order.serial}", reason="older")
        if held is not None and order.serial == held.order.serial and order.expires_ms <= held.order.expires_ms:
            return False  # signed anew, it holds for longer
        if len(self._for_all) + len(self._for_some) >= MODEL_ORDERS_MAX:
            raise OrderRefused(f"more than {MODEL_ORDERS_MAX} orders", reason="size")
        if not is_for_all:
            self._for_some[name] = new
            return True
        self._for_all[name] = new
        if tried is not None and tried.order.serial < order.serial:
            del self._for_some[name]
        return True

    def _held(self) -> list[_Held]:
        held = [*self._for_all.values(), *self._for_some.values()]
        return sorted(held, key=lambda one: (one.order.serial, one.order.name))


def due(order: Order, standing: Standing, till: str, now_ms: int) -> Due:
    """Say what a till has to do so that an order is followed."""
    if order.serial < standing.serial:
        return Due.OLDER  # than the newest rollback
    is_back = order.kind is Kind.ROLLBACK
    if is_back and order.serial > standing.serial:
        return Due.GO_BACK if now_ms <= order.expires_ms else Due.EXPIRED
    if standing.version == order.version:
        return Due.RUNS
    if order.version < standing.floor:
        return Due.OLDER
    if order.version == standing.failed and order.serial <= standing.failed_serial:
        return Due.FAILED
    if not is_back and not is_chosen(order.name, order.version, till, order.share):
        return Due.WAITS
    return Due.FETCH if now_ms <= order.expires_ms else Due.EXPIRED


def gone_back(standing: Standing, order: Order) -> Standing:
    """Follow a rollback: the floor falls, and the slot that holds the version runs, if there is one.

    A till that never had what is taken back goes on as it is, and fetches the version like any other.
    """
    if max(standing.floor, standing.version) <= order.version:
        if order.serial <= standing.serial:
            raise Refused(f"rollback {order.serial} is not newer than {standing.serial}", reason="older")
        return msgspec.structs.replace(lifted(standing, order.version), serial=order.serial, ceiling=order.version)
    back = rolled_back(standing, Rollback(name=order.name, version=order.version, serial=order.serial))
    return msgspec.structs.replace(back, ceiling=order.version)
