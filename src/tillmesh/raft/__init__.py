"""Agreement between the tills of one store: a Raft core without clock, socket, disk or dice. See DESIGN.md."""

from tillmesh.raft.config import Config, Dice
from tillmesh.raft.errors import Compacted, LogLost, NotLeader, ProposalDropped, Unavailable
from tillmesh.raft.messages import (
    ConfChange,
    ConfChangeType,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    NodeId,
    Role,
    Snapshot,
    SoftState,
)
from tillmesh.raft.node import PeerStatus, RawNode, Ready, Status
from tillmesh.raft.progress import Pace
from tillmesh.raft.storage import MemoryStorage, Storage
from tillmesh.raft.wire import (
    conf_change,
    decode_conf_state,
    decode_entry,
    decode_message,
    decode_snapshot,
    encode,
)

__all__ = [
    "Compacted",
    "ConfChange",
    "ConfChangeType",
    "ConfState",
    "Config",
    "Dice",
    "Entry",
    "EntryType",
    "HardState",
    "LogLost",
    "MemoryStorage",
    "Message",
    "MessageType",
    "NodeId",
    "NotLeader",
    "Pace",
    "PeerStatus",
    "ProposalDropped",
    "RawNode",
    "Ready",
    "Role",
    "Snapshot",
    "SoftState",
    "Status",
    "Storage",
    "Unavailable",
    "conf_change",
    "decode_conf_state",
    "decode_entry",
    "decode_message",
    "decode_snapshot",
    "encode",
]
