"""Changes that head office makes for its stores: events of its own log, one chain per store, sent with the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tillmesh.fleet.ports import Held
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.limits import PRODUCTS_PER_EVENT_MAX
from tillmesh.shop.events import NAMES, VERSION, Change, ProductsChanged

Make: TypeAlias = Callable[[tuple[Change, ...]], Record]  # the event that says these changes


def change_records(
    store: str, held: Held, clock: HybridLogicalClock, changes: Sequence[Change], make: Make, now_ms: int
) -> tuple[Envelope, ...]:
    """Seal changes of registers as events of head office for one store, on top of its chain there.

    The clock orders them among the store's own changes, as it orders those of two tills: the later one wins everywhere.
    """
    head = held.heads.get(clock.node_id, Head(clock.node_id))
    events = []
    for at in range(0, len(changes), PRODUCTS_PER_EVENT_MAX):
        body = make(tuple(changes[at : at + PRODUCTS_PER_EVENT_MAX]))
        kind = NAMES[type(body)]
        event = seal(store, head, hlc=clock.tick(now_ms), kind=kind, version=VERSION, body=encode(body))
        events.append(event)
        head = Head(event.actor, event.seq, event.hash)
    return tuple(events)


def change_products(
    store: str, held: Held, clock: HybridLogicalClock, changes: Sequence[Change], by: str, now_ms: int
) -> tuple[Envelope, ...]:
    """Seal changes of products."""
    return change_records(store, held, clock, changes, of_products(by), now_ms)


def of_products(by: str) -> Make:
    """Say changes of products."""
    return lambda changes: ProductsChanged(changes=changes, by=by, source="headoffice")
