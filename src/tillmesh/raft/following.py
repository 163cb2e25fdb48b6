"""What a follower does with what the leader sends: figure 2 (AppendEntries) and figure 13 (InstallSnapshot)."""

from __future__ import annotations

from tillmesh.raft.messages import Message, MessageType, Role
from tillmesh.raft.state import Raft


def on_leader(raft: Raft, m: Message) -> bool:
    """Recognise the leader of this term, also as a candidate (section 5.2); say whether its message counts."""
    if raft.role is Role.LEADER:
        return False  # Our own term has one leader: us. Somebody is not what they seem.
    if raft.role is not Role.FOLLOWER:
        raft.become_follower(m.term, m.from_)
    raft.leader, raft.election_elapsed, raft.hurry_ticks = m.from_, 0, 0
    return True


def on_append(raft: Raft, m: Message) -> None:
    """Take entries that fit our log, or say where it may agree."""
    log = raft.log
    if m.index < log.committed:
        raft.reply(m, MessageType.APPEND_RESPONSE, index=log.committed)  # Late: that and more is settled.
        return
    covered = log.try_append(m.index, m.log_term, m.entries)
    if covered is None:
        hint, hint_term = log.last_agreement(min(m.index, log.last_index()), m.log_term)
        raft.reply(m, MessageType.APPEND_RESPONSE, index=m.index, reject=True, hint=hint, hint_term=hint_term)
        return
    log.commit_to(min(m.commit, covered))
    raft.reply(m, MessageType.APPEND_RESPONSE, index=covered)


def on_heartbeat(raft: Raft, m: Message) -> None:
    """Learn the commit index; the leader names none beyond what it knows us to have stored."""
    raft.log.commit_to(m.commit)
    raft.reply(m, MessageType.HEARTBEAT_RESPONSE)


def on_snapshot(raft: Raft, m: Message) -> None:
    """Take in a snapshot, unless the log already has what is in it (section 7)."""
    assert m.snapshot is not None
    snapshot, log = m.snapshot, raft.log
    if snapshot.index > log.committed:
        if log.matches(snapshot.index, snapshot.term):
            log.commit_to(snapshot.index)
        else:
            log.restore(snapshot)
            raft.tracker.adopt(snapshot.conf_state, next_index=log.last_index() + 1)
            raft.reply(m, MessageType.APPEND_RESPONSE, index=log.last_index())
            return
    raft.reply(m, MessageType.APPEND_RESPONSE, index=log.committed)
