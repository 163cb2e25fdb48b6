"""What the leader knows about each follower, and how it sends to it.

A follower is *probed* with one message at a time until a match is found, then *replicated* to with a window of
messages in flight; while it takes in a *snapshot* nothing is sent. Model: etcd's raft design document.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from tillmesh.raft.messages import ConfState, NodeId, members


class Pace(StrEnum):
    """How a follower is being sent to."""

    PROBE = "probe"
    REPLICATE = "replicate"
    SNAPSHOT = "snapshot"


@dataclass(slots=True)
class Progress:
    """One follower through the leader's eyes."""

    next: int  # The entry to send next; always above match.
    max_inflight: int
    match: int = 0  # The last entry that it is known to have stored.
    pace: Pace = Pace.PROBE
    active: bool = False  # Heard of since the last quorum check.
    probed: bool = False  # A probe is under way.
    snapshot_index: int = 0
    snapshot_ticks: int = 0  # How long ago the snapshot was sent.
    inflight: deque[int] = field(default_factory=deque)  # Last index of each append under way.

    def paused(self) -> bool:
        """Say whether nothing may be sent now."""
        match self.pace:
            case Pace.PROBE:
                return self.probed
            case Pace.REPLICATE:
                return len(self.inflight) >= self.max_inflight
            case Pace.SNAPSHOT:
                return True

    def probe(self) -> None:
        """Go back to one message at a time."""
        self.next = self.match + 1
        self._turn(Pace.PROBE)

    def replicate(self) -> None:
        """A match is found: stream."""
        self.next = self.match + 1
        self._turn(Pace.REPLICATE)

    def await_snapshot(self, index: int) -> None:
        """A snapshot was sent: wait until it is taken in."""
        self._turn(Pace.SNAPSHOT)
        self.snapshot_index = index

    def _turn(self, pace: Pace) -> None:
        self.pace, self.probed = pace, False
        self.snapshot_index = self.snapshot_ticks = 0
        self.inflight.clear()

    def sent(self, count: int) -> None:
        """Note an append of so many entries from ``next`` on."""
        if self.pace is Pace.PROBE:
            self.probed = True
        elif count:
            self.next += count
            self.inflight.append(self.next - 1)

    def stored(self, index: int) -> bool:
        """Note that the follower has stored everything up to index; say whether that is news."""
        while self.inflight and self.inflight[0] <= index:
            self.inflight.popleft()
        self.next = max(self.next, index + 1)
        self.probed = False
        if index <= self.match:
            return False
        self.match = index
        return True

    def refused(self, index: int, hint: int) -> bool:
        """Step back after a refusal of the append behind index; say whether the refusal was about what is true now."""
        if self.pace is Pace.REPLICATE:
            if index <= self.match:
                return False  # Late: it has stored more since.
            self.probe()
            return True
        if self.pace is Pace.SNAPSHOT or index != self.next - 1:
            return False
        self.next = max(min(index, hint + 1), self.match + 1)
        self.probed = False
        return True


class Tracker:
    """Members and their progress; ``me`` has an entry too, its match is what is on its own disk."""

    def __init__(self, conf: ConfState, max_inflight: int) -> None:
        self._max_inflight = max_inflight
        self.voters: set[NodeId] = set()
        self.learners: set[NodeId] = set()
        self.progress: dict[NodeId, Progress] = {}
        self.adopt(conf, next_index=1)

    def conf_state(self) -> ConfState:
        """Give the configuration."""
        return ConfState(voters=members(self.voters), learners=members(self.learners))

    def adopt(self, conf: ConfState, *, next_index: int) -> None:
        """Take on a configuration; newcomers start unknown, who is gone is forgotten."""
        self.voters, self.learners = set(conf.voters), set(conf.learners)
        everyone = members(self.voters | self.learners)
        # A newcomer counts as heard of until the next quorum check, or admitting it could unseat the leader.
        self.progress = {
            node: self.progress.get(node) or Progress(next_index, self._max_inflight, active=True) for node in everyone
        }

    def reset(self, next_index: int) -> None:
        """Forget what was known about everybody: a new term begins."""
        self.progress = {node: Progress(next_index, self._max_inflight) for node in self.progress}

    def voter_matches(self) -> list[int]:
        """Give what each voter has stored."""
        return [self.progress[voter].match for voter in self.voters]

    def active(self) -> set[NodeId]:
        """Give who was heard of since the last quorum check."""
        return {node for node, progress in self.progress.items() if progress.active}
