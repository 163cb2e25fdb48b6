"""Transfers between stores as one store sees them: added up from what its tills and head office have noted.

A store books out what it sends and books in what really came. In between the goods are in transit, in nobody's stock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tillmesh.shop.events import (
    TransferAnswered,
    TransferClosed,
    TransferComing,
    TransferLine,
    TransferReceived,
    TransferSent,
    TransferTakenBack,
)

OUT, IN = "out", "in"


@dataclass(slots=True)
class Transfer:
    """A transfer as it stands."""

    transfer_id: str
    direction: str = ""  # out | in; empty while only later news of it has come
    other: str = ""  # the other store
    other_name: str = ""
    lines: tuple[TransferLine, ...] = ()
    note: str = ""
    by: str = ""
    at_ms: int = 0
    came_milli: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    closed: bool = False
    reason: str = ""
    undeliverable: bool = False
    taken_back: bool = False

    @property
    def state(self) -> str:
        """Say ``transit``, ``partly``, ``received``, ``closed`` (something was lost), ``undeliverable`` or ``back``."""
        if self.taken_back:
            return "back"
        if self.undeliverable:
            return "undeliverable"
        if not any(self.missing_milli(line) for line in self.lines):
            return "received"
        if self.closed:
            return "closed"
        return "partly" if self.came_milli else "transit"

    def missing_milli(self, line: TransferLine) -> int:
        """Give how much of a line has not come; once closed it is lost."""
        return max(0, line.quantity_milli - self.came_milli.get(line.sku, 0))


def transfers(notes: Iterable[tuple[str, object]]) -> list[Transfer]:
    """Add up what was noted about transfers, as pairs of transfer and event body in any sequence; the newest first.

    What another store says counts only if the transfer is between the two. Stores name transfers by themselves: one
    that takes a name that is known here changes nothing.
    """
    found: dict[str, Transfer] = {}
    answers: list[tuple[str, TransferAnswered]] = []
    for transfer_id, body in notes:
        if isinstance(body, TransferAnswered):
            answers.append((transfer_id, body))
        else:
            _note(found.setdefault(transfer_id, Transfer(transfer_id)), body)
    for transfer_id, answer in answers:
        one = found.get(transfer_id)
        if one is not None and one.direction == OUT and answer.store in {"", one.other}:
            _answered(one, answer)
    known = [one for one in found.values() if one.direction]
    return sorted(known, key=lambda one: (-one.at_ms, one.transfer_id))


def _note(one: Transfer, body: object) -> None:
    match body:
        case TransferSent():  # this store's own word: it goes before what another one calls the same
            one.direction, one.other, one.other_name = OUT, body.to_store, body.to_store
            one.lines, one.note, one.by, one.at_ms = body.lines, body.note, body.by, body.sent_at_ms
        case TransferComing() if not one.direction:
            one.direction, one.other, one.other_name = IN, body.from_store, body.from_name
            one.lines, one.note, one.at_ms = body.lines, body.note, body.sent_at_ms
        case TransferReceived():
            _came(one, body.key, body.lines)
        case TransferClosed():
            one.closed, one.reason = True, body.reason
        case TransferTakenBack():
            one.taken_back = True
        case _:
            pass


def _answered(one: Transfer, body: TransferAnswered) -> None:
    _came(one, body.event, body.received)
    one.closed = one.closed or body.closed
    one.reason = body.reason or one.reason
    one.undeliverable = one.undeliverable or body.undeliverable


def _came(one: Transfer, key: str, lines: tuple[TransferLine, ...]) -> None:
    """Count a delivery once, however often it is told."""
    if key in one.keys:
        return
    one.keys.add(key)
    for line in lines:
        one.came_milli[line.sku] = one.came_milli.get(line.sku, 0) + line.quantity_milli
