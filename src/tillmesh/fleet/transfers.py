"""What head office says to one store of what another has noted about goods on their way between them.

It is said before what it is about is stored: whoever is cut off in between hears it again, and says it twice. A store
counts it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeAlias, TypeVar

from tillmesh.fleet.ports import Held
from tillmesh.kernel.codec import Record, decode, encode
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import TillmeshError, TooLarge
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.limits import TRANSFERS_OPEN_MAX
from tillmesh.shop.events import (
    NAMES,
    VERSION,
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


R = TypeVar("R", bound=Record)
Said: TypeAlias = Callable[[str, str], Sequence[bytes]]  # what head office told a store last, of one kind
Tell: TypeAlias = Callable[[str, Record], bool]  # a store; False if there is none of that name


class Between(NamedTuple):
    """What head office has told of one store's transfers to another."""

    known: set[str]  # by id; told once, none is told again
    open: set[str]  # of which nothing has come yet


def carry(store: str, events: Iterable[Envelope], said: Said, tell: Tell) -> None:
    """Tell stores what another one has noted. What has no place to go, or is one too many, goes back to the sender."""
    places: dict[str, Between] = {}
    for target, body in news(store, events):
        if not isinstance(body, TransferComing):
            tell(target, body)
            continue
        if target not in places:
            places[target] = between(store, target, said)
        known, waiting = places[target]
        if body.transfer_id in known:
            continue
        if len(waiting) >= TRANSFERS_OPEN_MAX:
            tell(store, returned(body, target, f"{len(waiting)} transfers to {target} wait already"))
        elif tell(target, body):
            waiting.add(body.transfer_id)
        else:
            tell(store, returned(body, target, f"no store {target[:64]}"))
        known.add(body.transfer_id)


def between(store: str, target: str, said: Said) -> Between:
    """Look up which transfers of a store another one was told of, and which of them it has not spoken of yet."""
    if not may_be_store(target):
        return Between(set(), set())
    told = _read(said(target, "transfer_coming"), TransferComing)
    coming = {one.transfer_id for one in told if one.from_store == store}
    answers = _read(said(store, "transfer_answered"), TransferAnswered)
    over = {one.transfer_id for one in answers if one.store == target or one.undeliverable}
    return Between(coming | over, coming - over)


def _read(bodies: Iterable[bytes], kind: type[R]) -> Iterator[R]:
    for body in bodies:
        with suppress(TillmeshError):  # a till that works alone is believed whatever it says that head office said
            yield decode(body, kind)


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
        elif isinstance(told, TransferComing):
            yield store, returned(told, target, "more than fits into one event")


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


def returned(body: TransferComing, store: str, why: str) -> TransferAnswered:
    """Say to whoever sent something to a store that it is not carried there."""
    return TransferAnswered(
        transfer_id=body.transfer_id, event=body.transfer_id, reason=why, undeliverable=True, store=store[:64]
    )


def said(held: Held, store: str, clock: HybridLogicalClock, body: Record, now_ms: int) -> Envelope:
    """Seal what head office says to a store, on top of its own chain there."""
    clock.observe(held.clock, now_ms)
    head = held.heads.get(clock.node_id, Head(clock.node_id))
    kind = NAMES[type(body)]
    return seal(store, head, hlc=clock.tick(now_ms), kind=kind, version=VERSION, body=encode(body))
