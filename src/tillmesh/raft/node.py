"""One Raft node as a value to step: time, messages and proposals in, Ready out.

The driver's order for each Ready: persist hard state, snapshot and entries in one durable transaction; send the
messages; apply the snapshot and the committed entries (changes of membership through ``apply_conf_change``);
``advance``. Stepping on between ``ready`` and ``advance`` is fine, so the disk may be waited for elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from tillmesh.kernel.errors import TooLarge
from tillmesh.kernel.limits import RAFT_APPLY_BYTES_MAX, RAFT_ENTRY_BYTES_MAX
from tillmesh.raft import elections, leading, membership
from tillmesh.raft import step as steps
from tillmesh.raft.config import Config
from tillmesh.raft.errors import NotLeader, ProposalDropped
from tillmesh.raft.messages import (
    HEARTBEATS,
    ConfChange,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    NodeId,
    Role,
    Snapshot,
    SoftState,
)
from tillmesh.raft.progress import Pace
from tillmesh.raft.state import Raft
from tillmesh.raft.storage import Storage


@dataclass(frozen=True, slots=True)
class Ready:
    """What the driver has to do now, in the order of the fields; None and () mean nothing new.

    Without ``must_sync`` only the commit index changed, and losing that is harmless.
    """

    soft_state: SoftState | None
    hard_state: HardState | None
    entries: tuple[Entry, ...]
    snapshot: Snapshot | None
    messages: tuple[Message, ...]
    committed_entries: tuple[Entry, ...]
    must_sync: bool


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One follower as the leader sees it."""

    match: int
    next: int
    pace: Pace
    active: bool


@dataclass(frozen=True, slots=True)
class Status:
    """One moment of a node, to show and to test. ``has_quorum`` of a follower: it knows a leader."""

    id: NodeId
    role: Role
    term: int
    vote: NodeId | None
    leader: NodeId | None
    commit: int
    applied: int
    first_index: int
    last_index: int
    voters: tuple[NodeId, ...]
    learners: tuple[NodeId, ...]
    has_quorum: bool
    transferee: NodeId | None
    peers: dict[NodeId, PeerStatus]


class RawNode:
    """A node of the group. Not thread-safe; it does nothing by itself."""

    def __init__(self, config: Config, storage: Storage) -> None:
        self._raft = Raft(config, storage)
        self._soft = self._raft.soft_state()
        self._hard = storage.initial_state()[0]
        if self._hard.vote is not None and not self._hard.vote:
            self._hard = HardState(self._hard.term, None, self._hard.commit)
        self._durable_term = self._hard.term
        self._waiting = False  # A Ready is with the driver.

    def tick(self) -> None:
        """Advance the clock by one tick."""
        steps.tick(self._raft)

    def step(self, message: Message) -> None:
        """Take in a message from another node; one for somebody else is dropped."""
        if message.to == self._raft.id and message.from_ != self._raft.id:
            steps.step(self._raft, message)

    def campaign(self) -> None:
        """Stand for election now; nothing happens on a leader, a learner or a stranger."""
        elections.campaign(self._raft)

    def propose(self, data: bytes) -> None:
        """Append data to the log and send it; raises NotLeader, ProposalDropped or TooLarge with nothing appended."""
        raft = self._raft
        self._require_leadership()
        if len(data) > RAFT_ENTRY_BYTES_MAX:
            raise TooLarge(
                f"a proposal of {len(data)} bytes; the limit is {RAFT_ENTRY_BYTES_MAX}", hint="Propose less at once."
            )
        if raft.uncommitted_bytes and raft.uncommitted_bytes + len(data) > raft.config.max_uncommitted_size:
            raise ProposalDropped(
                f"{raft.uncommitted_bytes} bytes wait for a majority; the limit is {raft.config.max_uncommitted_size}",
                hint="Ask again when some of them are committed.",
            )
        leading.append(raft, [(data, EntryType.NORMAL)])

    def propose_conf_change(self, change: ConfChange) -> None:
        """Append a change of membership; raises NotLeader or ProposalDropped with nothing appended."""
        self._require_leadership()
        membership.propose(self._raft, change)

    def apply_conf_change(self, change: ConfChange) -> ConfState:
        """Let a committed change take effect; the driver calls this while it applies the entry."""
        return membership.apply(self._raft, change)

    def transfer_leader(self, to: NodeId) -> bool:
        """Hand leadership to a voter, up to date first; say whether that began. Raises NotLeader."""
        self._require_leadership(transferring=True)
        return leading.transfer(self._raft, to)

    def report_unreachable(self, node: NodeId) -> None:
        """Tell that the link to a node broke: what a leader sent it may be lost, and so may be a follower's leader."""
        if node == self._raft.leader and node != self._raft.id:
            elections.lose_leader(self._raft)
        progress = self._raft.tracker.progress.get(node)
        if self._raft.role is Role.LEADER and progress is not None and progress.pace is Pace.REPLICATE:
            progress.probe()

    def _require_leadership(self, *, transferring: bool = False) -> None:
        raft = self._raft
        if raft.role is not Role.LEADER:
            raise NotLeader(raft.id, raft.leader)
        if raft.transferee is not None and not transferring:
            raise ProposalDropped(
                f"leadership is being handed to node {raft.transferee}", hint="Ask the new leader in a moment."
            )

    def has_ready(self) -> bool:
        """Say whether there is work for the driver; not while it has a Ready that it has not advanced."""
        raft, log = self._raft, self._raft.log
        if self._waiting:
            return False
        return bool(
            raft.messages
            or log.unstable
            or log.snapshot
            or log.applied < log.committed
            or self._hard != raft.hard_state()
            or self._soft != raft.soft_state()
        )

    def ready(self) -> Ready:
        """Give what is to be done; ``advance`` must follow before the next."""
        assert not self._waiting, "the Ready before this one was not advanced"
        raft, log = self._raft, self._raft.log
        hard, soft = raft.hard_state(), raft.soft_state()
        ready = Ready(
            soft_state=soft if soft != self._soft else None,
            hard_state=hard if hard != self._hard else None,
            entries=tuple(log.unstable),
            snapshot=log.snapshot,
            messages=tuple(raft.messages),
            committed_entries=tuple(log.next_committed(RAFT_APPLY_BYTES_MAX)),
            must_sync=bool(
                log.unstable or log.snapshot or hard.term != self._hard.term or hard.vote != self._hard.vote
            ),
        )
        self._soft, self._hard, self._waiting = soft, hard, True
        raft.messages = []
        return ready

    def urgent(self) -> tuple[Message, ...]:
        """Give heartbeats and their answers out of turn while a Ready is on its way to a slow disk.

        They promise nothing that is not durable: none leaves in a term that is not on disk yet.
        """
        raft = self._raft
        if not self._waiting or raft.term != self._durable_term:
            return ()
        found = tuple(message for message in raft.messages if message.type in HEARTBEATS)
        if found:
            raft.messages = [message for message in raft.messages if message.type not in HEARTBEATS]
        return found

    def advance(self, ready: Ready) -> None:
        """Note that a Ready is persisted, sent and applied."""
        assert self._waiting, "there is no Ready to advance"
        self._waiting = False
        self._durable_term = self._hard.term
        log = self._raft.log
        if ready.snapshot is not None:
            log.snapshot_stored(ready.snapshot.index)
            log.applied_to(ready.snapshot.index)
        if ready.entries:
            log.stable_to(ready.entries[-1].index, ready.entries[-1].term)
        if ready.committed_entries:
            log.applied_to(ready.committed_entries[-1].index)
        self._count_own_disk()

    def _count_own_disk(self) -> None:
        """A leader's entry is its own vote for it once it is durable, not before."""
        raft = self._raft
        me = raft.tracker.progress.get(raft.id)
        if raft.role is Role.LEADER and me is not None:
            me.match = max(me.match, raft.log.offset - 1)
            if leading.advance_commit(raft):
                leading.broadcast(raft)

    def status(self) -> Status:
        """Describe this moment."""
        raft = self._raft
        conf, leads = raft.tracker.conf_state(), raft.role is Role.LEADER
        peers = raft.tracker.progress.items() if leads else ()
        return Status(
            id=raft.id,
            role=raft.role,
            term=raft.term,
            vote=raft.vote,
            leader=raft.leader,
            commit=raft.log.committed,
            applied=raft.log.applied,
            first_index=raft.log.first_index(),
            last_index=raft.log.last_index(),
            voters=conf.voters,
            learners=conf.learners,
            has_quorum=raft.had_quorum if leads else raft.leader is not None,
            transferee=raft.transferee,
            peers={node: PeerStatus(p.match, p.next, p.pace, p.active) for node, p in peers},
        )
