"""Values of the protocol: entries, snapshots, configurations, messages. All frozen, all compact on the wire.

The wire and disk forms are in :mod:`tillmesh.raft.wire`. Fields are appended with defaults, never reordered.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from tillmesh.kernel.limits import RAFT_ENTRIES_PER_MESSAGE_MAX, RAFT_ENTRY_BYTES_MAX, RAFT_ID_CHARS_MAX
from tillmesh.kernel.limits import RAFT_MEMBERS_MAX as MEMBERS_MAX
from tillmesh.kernel.limits import RAFT_SNAPSHOT_BYTES_MAX as SNAPSHOT_BYTES_MAX

# A terminal's identity; tests and simulations count instead. Never 0 or "", which stand for nobody.
NodeId: TypeAlias = Annotated[str, msgspec.Meta(max_length=RAFT_ID_CHARS_MAX)] | int
Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Members: TypeAlias = Annotated[tuple[NodeId, ...], msgspec.Meta(max_length=MEMBERS_MAX)]


class _Value(msgspec.Struct, frozen=True, array_like=True):
    """A value that travels or is stored."""


class EntryType(StrEnum):
    """What an entry means to the core; everything else is the state machine's business."""

    NORMAL = "normal"
    CONF_CHANGE = "conf_change"


class ConfChangeType(StrEnum):
    """The three changes of membership, each of one node."""

    ADD_VOTER = "add_voter"  # A learner is promoted.
    ADD_LEARNER = "add_learner"  # A voter is demoted.
    REMOVE = "remove"


class ConfChange(_Value, frozen=True):
    """One change of one member (Ongaro's thesis, section 4.1)."""

    type: ConfChangeType
    node: NodeId


class Entry(_Value, frozen=True, gc=False):
    """One decision at one place of the log. Empty data is the entry a leader opens its term with."""

    term: Index
    index: Index
    data: Annotated[bytes, msgspec.Meta(max_length=RAFT_ENTRY_BYTES_MAX)] = b""
    type: EntryType = EntryType.NORMAL


class ConfState(_Value, frozen=True):
    """Who counts, and who only listens."""

    voters: Members = ()
    learners: Members = ()


class HardState(_Value, frozen=True):
    """What must be on disk before any answer leaves: the "persistent state" of figure 2, and the commit index."""

    term: Index = 0
    vote: NodeId | None = None
    commit: Index = 0


class Snapshot(_Value, frozen=True):
    """The state machine after ``index``, and the configuration that held there."""

    index: Index = 0
    term: Index = 0
    conf_state: ConfState = ConfState()
    data: Annotated[bytes, msgspec.Meta(max_length=SNAPSHOT_BYTES_MAX)] = b""


class Role(StrEnum):
    """What a node is at the moment."""

    FOLLOWER = "follower"
    PRE_CANDIDATE = "pre_candidate"
    CANDIDATE = "candidate"
    LEADER = "leader"


class SoftState(_Value, frozen=True):
    """What a program may show, and nobody needs to store."""

    leader: NodeId | None = None
    role: Role = Role.FOLLOWER


class MessageType(StrEnum):
    """Figures 2 and 13 of the paper, and what the thesis adds: pre-vote (9.6) and leadership transfer (3.10)."""

    VOTE = "vote"
    VOTE_RESPONSE = "vote_response"
    PRE_VOTE = "pre_vote"
    PRE_VOTE_RESPONSE = "pre_vote_response"
    APPEND = "append"
    APPEND_RESPONSE = "append_response"
    HEARTBEAT = "heartbeat"
    HEARTBEAT_RESPONSE = "heartbeat_response"
    SNAPSHOT = "snapshot"
    TIMEOUT_NOW = "timeout_now"


FROM_LEADER: Final = frozenset({
    MessageType.APPEND, MessageType.HEARTBEAT, MessageType.SNAPSHOT, MessageType.TIMEOUT_NOW,
})  # fmt: skip
HEARTBEATS: Final = frozenset({MessageType.HEARTBEAT, MessageType.HEARTBEAT_RESPONSE})
VOTE_REQUESTS: Final = frozenset({MessageType.VOTE, MessageType.PRE_VOTE})


class Message(_Value, frozen=True):
    """One message between two nodes.

    ``index`` and ``log_term`` name the entry before ``entries``, the candidate's last entry, or in an answer the entry
    it is about. In a refusal ``reject_hint`` and ``log_term`` say where the follower's log may still agree.
    Vote requests and refusals tell with ``commit`` and ``commit_term`` of an entry that is known to be committed.
    ``force`` marks the election of a chosen successor, which a voter's lease does not hold up.
    """

    type: MessageType
    from_: NodeId
    to: NodeId
    term: Index = 0
    log_term: Index = 0
    index: Index = 0
    entries: Annotated[tuple[Entry, ...], msgspec.Meta(max_length=RAFT_ENTRIES_PER_MESSAGE_MAX)] = ()
    commit: Index = 0
    reject: bool = False
    reject_hint: Index = 0
    snapshot: Snapshot | None = None
    force: bool = False
    commit_term: Index = 0


def members(nodes: set[NodeId]) -> tuple[NodeId, ...]:
    """Give nodes in one order everywhere: numbers by size, then names."""
    return tuple(sorted(nodes, key=lambda node: (0, node, "") if isinstance(node, int) else (1, 0, node)))
