"""Changes that head office makes for its stores: events of its own log, one chain per store, sent with the answers."""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.fleet.ports import Held
from tillmesh.kernel.codec import encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.limits import PRODUCTS_PER_EVENT_MAX
from tillmesh.shop.events import NAMES, VERSION, Change, ProductsChanged


def change_products(
    store: str, held: Held, clock: HybridLogicalClock, changes: Sequence[Change], by: str, now_ms: int
) -> tuple[Envelope, ...]:
    """Seal changes of products as events of head office for one store, on top of its chain there.

    The clock orders them among the store's own changes, as it orders those of two tills: the later one wins everywhere.
    """
    head = held.heads.get(clock.node_id, Head(clock.node_id))
    events = []
    for at in range(0, len(changes), PRODUCTS_PER_EVENT_MAX):
        body = ProductsChanged(changes=tuple(changes[at : at + PRODUCTS_PER_EVENT_MAX]), by=by, source="headoffice")
        event = seal(
            store, head, hlc=clock.tick(now_ms), kind=NAMES[ProductsChanged], version=VERSION, body=encode(body)
        )
        events.append(event)
        head = Head(event.actor, event.seq, event.hash)
    return tuple(events)
