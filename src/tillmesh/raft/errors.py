"""What the core refuses, and what a storage can't give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tillmesh.kernel.errors import Conflict, Damaged, TillmeshError

if TYPE_CHECKING:
    from tillmesh.raft.messages import NodeId


class ProposalDropped(Conflict):
    """The leader can't take this proposal now: nothing was appended, asking again later is safe."""

    kind = "proposal-dropped"
    title = "The store can't agree on that right now"


class NotLeader(ProposalDropped):
    """Only the leader takes proposals; ``leader_hint`` is who that is, as far as this node knows."""

    kind = "not-leader"
    title = "Another till decides this"

    def __init__(self, me: NodeId, leader_hint: NodeId | None) -> None:
        hint = "Ask it." if leader_hint else "Wait until the store has chosen a leader, then ask it."
        super().__init__(f"node {me} does not lead; it follows {leader_hint or 'nobody'}", hint=hint)
        self.leader_hint = leader_hint

    def members(self) -> dict[str, object]:
        """Name the leader, so that the caller can go there."""
        return {"leader_id": self.leader_hint}


class Compacted(TillmeshError):
    """The entry was folded into a snapshot and is no longer in the log."""

    kind = "compacted"
    title = "That part of the log is gone"


class Unavailable(TillmeshError):
    """The entry, or a snapshot, is not there yet."""

    kind = "unavailable"
    title = "That part of the log is not there"


class LogLost(Damaged):
    """This node acknowledged entries that its disk no longer has: its vote can't be trusted any more."""

    kind = "log-lost"
    title = "This till forgot what it had promised"
