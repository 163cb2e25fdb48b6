"""What a leader does: sections 5.3 and 5.4.2 of the paper, snapshots (7), leadership transfer (thesis, 3.10)."""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.raft import quorum
from tillmesh.raft.errors import Compacted, Unavailable
from tillmesh.raft.messages import Entry, EntryType, Message, MessageType, NodeId, Role
from tillmesh.raft.progress import Pace
from tillmesh.raft.state import Raft


def open_term(raft: Raft) -> None:
    """Append the empty entry of a new term, with which everything before it commits (section 8)."""
    append(raft, [(b"", EntryType.NORMAL)])
    raft.pending_conf_index = raft.log.last_index()


def append(raft: Raft, payloads: Sequence[tuple[bytes, EntryType]]) -> None:
    """Append entries of this term and send them at once. They count as ours when they are on our disk."""
    start = raft.log.last_index() + 1
    raft.log.append([Entry(raft.term, start + n, data, kind) for n, (data, kind) in enumerate(payloads)])
    raft.uncommitted_bytes += sum(len(data) for data, _ in payloads)
    broadcast(raft)


def broadcast(raft: Raft) -> None:
    """Send everybody what they lack, or at least the commit index."""
    for node in raft.others():
        send_append(raft, node)


def send_append(raft: Raft, to: NodeId, *, if_empty: bool = True) -> bool:
    """Send the entries from ``next`` on, or a snapshot when they are compacted; say whether anything left."""
    progress = raft.tracker.progress[to]
    if progress.paused():
        return False
    prev, config = progress.next - 1, raft.config
    try:
        prev_term = raft.log.term(prev)
        hi = min(raft.log.last_index(), prev + config.max_entries_per_msg) + 1
        entries = raft.log.entries(prev + 1, hi, config.max_size_per_msg)
    except Compacted:
        return _send_snapshot(raft, to)
    if not entries and not if_empty:
        return False
    raft.send(Message(
        MessageType.APPEND, raft.id, to, raft.term, log_term=prev_term, index=prev, entries=tuple(entries),
        commit=raft.log.committed,
    ))  # fmt: skip
    progress.sent(len(entries))
    return True


def _send_snapshot(raft: Raft, to: NodeId) -> bool:
    progress = raft.tracker.progress[to]
    if not progress.active:
        return False  # Too much to send to somebody who may be gone; a heartbeat's answer brings us back.
    try:
        snapshot = raft.log.newest_snapshot()
    except Unavailable:
        return False
    progress.await_snapshot(snapshot.index)
    raft.send(Message(MessageType.SNAPSHOT, raft.id, to, raft.term, snapshot=snapshot))
    return True


def tick(raft: Raft) -> None:
    """Advance a leader's clock: quorum check, end of a transfer that takes too long, heartbeats."""
    raft.heartbeat_elapsed += 1
    raft.election_elapsed += 1
    for progress in raft.tracker.progress.values():
        progress.snapshot_ticks += progress.pace is Pace.SNAPSHOT
    if raft.election_elapsed >= raft.config.election_tick:
        raft.election_elapsed = 0
        raft.transferee = None
        _check_quorum(raft)
    if raft.role is Role.LEADER and raft.heartbeat_elapsed >= raft.config.heartbeat_tick:
        send_heartbeats(raft)


def _check_quorum(raft: Raft) -> None:
    """Step down without a majority: a leader nobody hears must not look like one (thesis, section 6.2)."""
    raft.had_quorum = quorum.heard(raft.tracker.voters, raft.tracker.active())
    if raft.config.check_quorum and not raft.had_quorum:
        raft.become_follower(raft.term, None)
        return
    for node, progress in raft.tracker.progress.items():
        progress.active = node == raft.id


def send_heartbeats(raft: Raft) -> None:
    """Say that we lead, and how far is committed of what each is known to have stored."""
    raft.heartbeat_elapsed = 0
    for node in raft.others():
        commit = min(raft.tracker.progress[node].match, raft.log.committed)
        raft.send(Message(MessageType.HEARTBEAT, raft.id, node, raft.term, commit=commit))


def on_append_response(raft: Raft, m: Message) -> None:
    """Learn what a follower has stored, or where its log may agree with ours."""
    progress = raft.tracker.progress.get(m.from_)
    if progress is None:
        return  # Removed meanwhile.
    progress.active = True
    if m.reject:
        hint = raft.log.last_agreement(m.reject_hint, m.log_term)[0] if m.log_term else m.reject_hint
        if progress.refused(m.index, hint):
            send_append(raft, m.from_)
        return
    was_paused = progress.paused()
    if progress.stored(m.index) or progress.pace is Pace.PROBE:
        _after_stored(raft, m.from_, was_paused=was_paused)


def _after_stored(raft: Raft, node: NodeId, *, was_paused: bool) -> None:
    progress = raft.tracker.progress[node]
    if progress.pace is Pace.PROBE or (progress.pace is Pace.SNAPSHOT and progress.match >= progress.snapshot_index):
        progress.replicate()
    if advance_commit(raft):
        broadcast(raft)
    elif was_paused:
        send_append(raft, node)
    while send_append(raft, node, if_empty=False):
        pass
    if raft.transferee == node and progress.match == raft.log.last_index():
        _hand_over(raft, node)


def advance_commit(raft: Raft) -> bool:
    """Commit what a majority has stored, but count only entries of this term (section 5.4.2); say whether it moved."""
    index = quorum.committed(raft.tracker.voter_matches())
    before = raft.log.committed
    if index <= before or not raft.log.matches(index, raft.term):
        return False
    done = raft.log.entries(before + 1, index + 1, 2**62)
    raft.uncommitted_bytes = max(0, raft.uncommitted_bytes - sum(len(entry.data) for entry in done))
    return raft.log.commit_to(index)


def on_heartbeat_response(raft: Raft, m: Message) -> None:
    """A follower lives: send on what got lost on the way."""
    progress = raft.tracker.progress.get(m.from_)
    if progress is None:
        return
    progress.active, progress.probed = True, False
    if progress.pace is Pace.REPLICATE and progress.paused():
        progress.inflight.popleft()
    if progress.pace is Pace.SNAPSHOT and progress.snapshot_ticks >= raft.config.election_tick:
        progress.probe()  # It got lost, or its answer did.
    if progress.match < raft.log.last_index() or progress.pace is Pace.PROBE:
        send_append(raft, m.from_)


def transfer(raft: Raft, to: NodeId) -> bool:
    """Bring a voter up to date and let it take over within an election timeout; say whether that can begin."""
    if to == raft.id or to not in raft.tracker.voters:
        return False
    if raft.transferee == to:
        return True
    raft.transferee, raft.election_elapsed = to, 0
    progress = raft.tracker.progress[to]
    if progress.match == raft.log.last_index():
        _hand_over(raft, to)
    else:
        progress.probed = False
        send_append(raft, to)
    return True


def _hand_over(raft: Raft, to: NodeId) -> None:
    raft.send(Message(MessageType.TIMEOUT_NOW, raft.id, to, raft.term))
