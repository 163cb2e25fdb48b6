"""The state of one node and its four roles: figure 2 ("state") and section 5.1 of the paper.

The rules that act on it stand beside: `elections`, `leading`, `following`, `membership`; `step` hands messages to them.
"""

from __future__ import annotations

from tillmesh.raft.config import Config
from tillmesh.raft.log import RaftLog
from tillmesh.raft.messages import HardState, Message, MessageType, NodeId, Role, SoftState
from tillmesh.raft.progress import Tracker
from tillmesh.raft.storage import Storage


class Raft:
    """One node. Whoever changes ``term`` or ``vote`` puts them into the next Ready before any message of the change."""

    def __init__(self, config: Config, storage: Storage) -> None:
        hard, conf = storage.initial_state()
        self.config = config
        self.id = config.id
        self.log = RaftLog(storage, applied=config.applied, commit=hard.commit)
        self.tracker = Tracker(conf, config.max_inflight_msgs)
        self.term = hard.term  # Never decreases.
        self.vote: NodeId | None = hard.vote or None  # Given at most once in a term.
        self.role = Role.FOLLOWER
        self.leader: NodeId | None = None
        self.votes: dict[NodeId, bool] = {}
        self.messages: list[Message] = []
        self.election_elapsed = 0  # Ticks since a leader was heard; of a leader: since its last quorum check.
        self.heartbeat_elapsed = 0
        self.election_timeout = config.draw_election_timeout()
        self.hurry_ticks = 0  # Of a follower whose link to the leader broke: it stands after so many ticks instead.
        self.had_quorum = False  # Of a leader: a majority answered up to the last check.
        self.transferee: NodeId | None = None
        # While entries up to here are not all applied, the leader takes no change of membership.
        self.pending_conf_index = 0
        self.uncommitted_bytes = 0

    def soft_state(self) -> SoftState:
        """Give who leads and what this node is."""
        return SoftState(leader=self.leader, role=self.role)

    def hard_state(self) -> HardState:
        """Give what must be durable."""
        return HardState(term=self.term, vote=self.vote, commit=self.log.committed)

    def is_promotable(self) -> bool:
        """Say whether this node may stand for election: a voter that has taken in everything it was sent."""
        return self.id in self.tracker.voters and self.log.snapshot is None

    def others(self) -> list[NodeId]:
        """List every other member, learners too."""
        return [node for node in self.tracker.progress if node != self.id]

    def send(self, message: Message) -> None:
        """Hand a message to the next Ready; it leaves after what it promises is durable."""
        self.messages.append(message)

    def reply(self, to: Message, kind: MessageType, *, index: int = 0, reject: bool = False, hint: int = 0,
              hint_term: int = 0) -> None:  # fmt: skip
        """Answer a message in our own term."""
        self.send(Message(
            kind, self.id, to.from_, self.term, log_term=hint_term, index=index, reject=reject, reject_hint=hint
        ))  # fmt: skip

    def _reset(self, term: int) -> None:
        if term != self.term:
            assert term > self.term
            self.term, self.vote = term, None
        self.leader = None
        self.election_elapsed = self.heartbeat_elapsed = self.hurry_ticks = 0
        self.election_timeout = self.config.draw_election_timeout()
        self.votes = {}
        self.transferee = None
        self.pending_conf_index = self.uncommitted_bytes = 0
        self.tracker.reset(self.log.last_index() + 1)

    def become_follower(self, term: int, leader: NodeId | None) -> None:
        """Follow, in this term or a newer one."""
        self._reset(term)
        self.role, self.leader = Role.FOLLOWER, leader

    def become_pre_candidate(self) -> None:
        """Ask around before the term is raised (thesis, section 9.6): neither term nor vote change."""
        assert self.role is not Role.LEADER
        self.votes, self.leader, self.role = {}, None, Role.PRE_CANDIDATE
        self.election_elapsed = self.hurry_ticks = 0
        self.election_timeout = self.config.draw_election_timeout()

    def become_candidate(self) -> None:
        """Open a new term with a vote for ourselves (section 5.2)."""
        assert self.role is not Role.LEADER
        self._reset(self.term + 1)
        self.vote, self.role = self.id, Role.CANDIDATE

    def become_leader(self) -> None:
        """Lead this term."""
        assert self.role in {Role.CANDIDATE, Role.FOLLOWER, Role.PRE_CANDIDATE}
        self._reset(self.term)
        self.role, self.leader = Role.LEADER, self.id
        me = self.tracker.progress[self.id]
        me.match, me.active = self.log.offset - 1, True
        self.had_quorum = True
