"""How one node of the group is set up. Times are in ticks; the store's driver makes one tick 50 ms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import RAFT_ENTRIES_PER_MESSAGE_MAX, RAFT_MESSAGE_PAYLOAD_BYTES, RAFT_UNCOMMITTED_BYTES_MAX
from tillmesh.raft.messages import NodeId


class Dice(Protocol):
    """Where randomness comes from: a ``random.Random``, or anything else with this method."""

    def randrange(self, start: int, stop: int, /) -> int:
        """Draw an integer from [start, stop)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one node; the timing is the source's 150 ms heartbeat and 300-500 ms election timeout.

    A voter that heard a leader less than ``election_tick`` ago ignores elections, and a leader that heard no majority
    for as long steps down (``check_quorum``). ``election_timeout`` replaces the draw of ``rng``.
    """

    id: NodeId
    heartbeat_tick: int = 3
    election_tick: int = 6
    max_election_tick: int = 10
    pre_vote: bool = True
    check_quorum: bool = True
    max_entries_per_msg: int = RAFT_ENTRIES_PER_MESSAGE_MAX
    max_size_per_msg: int = RAFT_MESSAGE_PAYLOAD_BYTES
    max_inflight_msgs: int = 256
    max_uncommitted_size: int = RAFT_UNCOMMITTED_BYTES_MAX
    applied: int = 0
    rng: Dice | None = None
    election_timeout: Callable[[], int] | None = None

    def __post_init__(self) -> None:
        """Refuse settings under which no group can live."""
        if not self.id:
            raise Invalid("a node needs an id other than 0 or nothing", hint="Use the terminal's id.")
        if not 0 < self.heartbeat_tick < self.election_tick:
            raise Invalid(
                f"a heartbeat every {self.heartbeat_tick} ticks does not fit an election after {self.election_tick}",
                hint="Let the election wait for at least two heartbeats.",
            )
        if self.election_timeout is None and (self.rng is None or self.max_election_tick <= self.election_tick):
            raise Invalid(
                "election timeouts must be drawn from a range: candidates would collide for ever",
                hint="Give rng and max_election_tick above election_tick, or election_timeout.",
            )
        if not 0 < self.max_entries_per_msg <= RAFT_ENTRIES_PER_MESSAGE_MAX or self.max_inflight_msgs < 1:
            raise Invalid(
                f"{self.max_entries_per_msg} entries in each of {self.max_inflight_msgs} messages are out of range",
                hint=f"Allow 1 to {RAFT_ENTRIES_PER_MESSAGE_MAX} entries, and at least one message.",
            )

    def draw_election_timeout(self) -> int:
        """Pick a timeout in [election_tick, max_election_tick] ticks, so that peers rarely campaign together.

        Source: Raft (extended version), section 5.2.
        """
        if self.election_timeout is not None:
            return self.election_timeout()
        assert self.rng is not None
        return self.rng.randrange(self.election_tick, self.max_election_tick + 1)
