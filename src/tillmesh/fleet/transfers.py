"""What head office says to one store of what another has noted about goods on their way between them.

It is said before what it is about is stored: whoever is cut off in between hears it again, and says it twice. A store
counts it once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tillmesh.fleet.ports import Held
from tillmesh.kernel.codec import Record, decode, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import TillmeshError, TooLarge
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.shop.events import NAMES, VERSION
from tillmesh.shop.transfer_events import (
    TransferAnswered,
    TransferClosed,
    TransferComing,
    TransferReceived,
    TransferSent,
)

_STORE: Final = re.compile(r"[0-9a-z]{1,64}")
RELAYED: Final[dict[str, type[Record]]] = {
    "transfer_sent": TransferSent,
    "transfer_received": TransferReceived,
    "transfer_closed": TransferClosed,
}


def news(store: str, events: Iterable[Envelope]) -> Iterator[tuple[str, Record]]:
    """Give what is to be said to which store of these events of a store; what can't be read is nobody's."""
    for event in events:
        kind = RELAYED.get(event.type)
        if kind is None:
            continue
        try:
            body = decode(event.body, kind)
        except TillmeshError:
            continue
        target, told = _told(store, event.id, body)
        if _fits(told):
            yield target, told
        elif (answer := returned(told, target)) is not None:
            yield store, answer


def may_be_store(name: str) -> bool:
    """Say whether a store can be called so: what a till has noted is asked of no database before."""
    return _STORE.fullmatch(name) is not None


def _told(store: str, event: str, body: Record) -> tuple[str, Record]:
    match body:
        case TransferSent():
            return body.to_store, TransferComing(
                transfer_id=event, from_store=store, from_name=body.from_name, lines=body.lines, note=body.note,
                sent_at_ms=body.sent_at_ms,
            )  # fmt: skip
        case TransferReceived():
            return body.from_store, TransferAnswered(
                transfer_id=body.transfer_id, event=event, received=body.lines, store=store
            )
        case TransferClosed():
            return body.from_store, TransferAnswered(
                transfer_id=body.transfer_id, event=event, lost=body.lost, closed=True, reason=body.reason, store=store
            )
        case _:
            raise AssertionError("one of RELAYED")


def _fits(body: Record) -> bool:
    """Say whether it is small enough to be an event: a till that has noted just so much must not stop its store."""
    try:
        encode(body)
    except TooLarge:
        return False
    return True


def returned(body: Record, store: str) -> TransferAnswered | None:
    """Say that a store is not known to whoever sent something there; None if nobody waits for that."""
    if not isinstance(body, TransferComing):
        return None
    return TransferAnswered(
        transfer_id=body.transfer_id, event=body.transfer_id, reason=f"no store {store[:64]}", undeliverable=True,
        store=store[:64],
    )  # fmt: skip


def said(held: Held, store: str, clock: HybridLogicalClock, body: Record, now_ms: int) -> Envelope:
    """Seal what head office says to a store, on top of its own chain there."""
    clock.observe(held.clock, now_ms)
    head = held.heads.get(clock.node_id, Head(clock.node_id))
    kind = NAMES[type(body)]
    return seal(store, head, hlc=clock.tick(now_ms), kind=kind, version=VERSION, body=encode(body))
