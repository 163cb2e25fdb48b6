"""Where one event stands on its way from the till that wrote it to the leader and to head office.

Nothing is stored per event and no log is read: the state of an event is a function of a few numbers per actor, up to
which everything is held, sent or dropped. So it is always what the disks last said, and totals are differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class SyncState(StrEnum):
    """The states of an event, the least safe first; the words are those of the HTTP API."""

    PENDING = "pending"  # on this till's disk; the leader is not known, not reached, or has not been sent it yet
    SENT_TO_LEADER = "sent_to_leader"  # in the batch under way
    ACKED_BY_LEADER = "acked_by_leader"  # on the leader's disk
    SENT_TO_HUB = "sent_to_hub"  # uploaded by the leader, not acknowledged yet
    COMPLETE = "complete"  # durable at the hub
    PRUNED = "pruned"  # complete, and put away into the archive here


class Cause(StrEnum):
    """What moves events from state to state."""

    PROGRESS = "progress"  # something was sent, acknowledged or pruned
    TIMEOUT = "timeout"  # no answer came, or the link broke: what was under way is to be sent again
    LEADER = "leader"  # another till leads, or none, or the leader turned out to have lost its disk


_ONWARD: Final = tuple(SyncState)
_EARLY: Final = frozenset({SyncState.PENDING, SyncState.SENT_TO_LEADER, SyncState.ACKED_BY_LEADER})
_SETTLED: Final = frozenset({SyncState.COMPLETE, SyncState.PRUNED})
_UNDONE: Final = {
    SyncState.SENT_TO_LEADER: SyncState.PENDING,
    SyncState.SENT_TO_HUB: SyncState.ACKED_BY_LEADER,
}


def may_become(before: SyncState, after: SyncState, cause: Cause) -> bool:
    """Say whether an event in one state may be in another one after a single happening.

    Invariant: nothing takes an event back once head office has it.
    """
    if after is before:
        return True
    match cause:
        case Cause.PROGRESS:
            return _ONWARD.index(after) > _ONWARD.index(before)
        case Cause.TIMEOUT:
            return _UNDONE.get(before) is after
        case Cause.LEADER:
            return before not in _SETTLED and after in _EARLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How far one actor's events have come: each number says "all up to this one"."""

    head: int  # the last event on this till's disk
    to_leader: int = 0  # in the batch under way to the leader
    at_leader: int = 0  # durable at the leader
    to_hub: int = 0  # under way from the leader to the hub
    at_hub: int = 0  # durable at the hub
    pruned: int = 0

    def state(self, seq: int) -> SyncState:
        """Give the state of one event, the furthest that holds of it."""
        for reached, state in self._furthest_first():
            if seq <= reached:
                return state
        return SyncState.PENDING

    def totals(self) -> Mapping[SyncState, int]:
        """Count the events in every state."""
        found = dict.fromkeys(SyncState, 0)
        below = 0
        for reached, state in self._furthest_first():
            up_to = min(self.head, reached)
            found[state] = max(0, up_to - below)
            below = max(below, up_to)
        found[SyncState.PENDING] = self.head - below
        return found

    def _furthest_first(self) -> tuple[tuple[int, SyncState], ...]:
        return (
            (min(self.pruned, self.at_hub), SyncState.PRUNED),
            (self.at_hub, SyncState.COMPLETE),
            (self.to_hub, SyncState.SENT_TO_HUB),
            (self.at_leader, SyncState.ACKED_BY_LEADER),
            (self.to_leader, SyncState.SENT_TO_LEADER),
        )
