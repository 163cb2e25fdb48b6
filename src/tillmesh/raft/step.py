"""Where time and messages come in: terms are compared first (section 5.1), then the rules for the role apply."""

from __future__ import annotations

from tillmesh.raft import elections, following, leading
from tillmesh.raft.messages import FROM_LEADER, VOTE_REQUESTS, Message, MessageType, Role
from tillmesh.raft.state import Raft


def tick(raft: Raft) -> None:
    """Advance the node's clock by one tick."""
    if raft.role is Role.LEADER:
        leading.tick(raft)
        return
    raft.election_elapsed += 1
    is_hurried, raft.hurry_ticks = raft.hurry_ticks == 1, max(0, raft.hurry_ticks - 1)
    if raft.is_promotable() and (is_hurried or raft.election_elapsed >= raft.election_timeout):
        raft.election_elapsed = 0
        elections.campaign(raft)


def step(raft: Raft, m: Message) -> None:
    """Take in one message."""
    if m.term > raft.term and not _enter_newer_term(raft, m):
        return
    if m.term < raft.term:
        _answer_older_term(raft, m)
        return
    match m.type:
        case MessageType.VOTE | MessageType.PRE_VOTE:
            elections.on_vote_request(raft, m)
        case MessageType.VOTE_RESPONSE | MessageType.PRE_VOTE_RESPONSE:
            elections.on_vote_response(raft, m)
        case MessageType.APPEND_RESPONSE | MessageType.HEARTBEAT_RESPONSE:
            if raft.role is Role.LEADER:
                _on_answer(raft, m)
        case MessageType.APPEND | MessageType.HEARTBEAT | MessageType.SNAPSHOT | MessageType.TIMEOUT_NOW:
            if following.on_leader(raft, m):
                _on_order(raft, m)


def _on_answer(raft: Raft, m: Message) -> None:
    if m.type is MessageType.APPEND_RESPONSE:
        leading.on_append_response(raft, m)
    else:
        leading.on_heartbeat_response(raft, m)


def _on_order(raft: Raft, m: Message) -> None:
    match m.type:
        case MessageType.APPEND:
            following.on_append(raft, m)
        case MessageType.HEARTBEAT:
            following.on_heartbeat(raft, m)
        case MessageType.SNAPSHOT if m.snapshot is not None:
            following.on_snapshot(raft, m)
        case MessageType.TIMEOUT_NOW:
            elections.on_timeout_now(raft)
        case _:
            pass  # A snapshot message without a snapshot.


def _enter_newer_term(raft: Raft, m: Message) -> bool:
    """Become a follower of a newer term (section 5.1); say whether the message is to be looked at."""
    if m.type in VOTE_REQUESTS and not m.force and elections.in_lease(raft):
        return False
    # A pre-vote is about a term that nobody has entered yet, and so is its granting.
    if m.type is MessageType.PRE_VOTE or (m.type is MessageType.PRE_VOTE_RESPONSE and not m.reject):
        return True
    raft.become_follower(m.term, m.from_ if m.type in FROM_LEADER else None)
    return True


def _answer_older_term(raft: Raft, m: Message) -> None:
    """Refuse in our own term (figure 2), so that whoever is behind learns it and steps down."""
    match m.type:
        case MessageType.VOTE | MessageType.PRE_VOTE:
            elections.refuse(raft, m)
        case MessageType.APPEND | MessageType.HEARTBEAT | MessageType.SNAPSHOT:
            raft.reply(m, MessageType.APPEND_RESPONSE, index=m.index, reject=True)
        case _:
            pass  # A late answer.
