"""Who leads: sections 5.2 and 5.4.1 of the paper, pre-vote and check-quorum from the thesis (9.6, 6.2)."""

from __future__ import annotations

from tillmesh.raft import leading, quorum
from tillmesh.raft.errors import Compacted
from tillmesh.raft.messages import Message, MessageType, Role, members
from tillmesh.raft.state import Raft


def campaign(raft: Raft, *, force: bool = False) -> None:
    """Stand for election; ``force`` is for a chosen successor, which asks no pre-vote and no lease.

    A node with a committed change of membership that it has not applied would count under a configuration that is
    two changes old; it waits (DESIGN.md, "Membership takes effect when applied").
    """
    if raft.role is Role.LEADER or not raft.is_promotable() or raft.log.has_unapplied_conf_change():
        return
    if raft.config.pre_vote and not force:
        raft.become_pre_candidate()
        _ask(raft, MessageType.PRE_VOTE, raft.term + 1, force=False)
    else:
        _stand(raft, force=force)


def _stand(raft: Raft, *, force: bool) -> None:
    raft.become_candidate()
    _ask(raft, MessageType.VOTE, raft.term, force=force)


def _ask(raft: Raft, kind: MessageType, term: int, *, force: bool) -> None:
    raft.votes[raft.id] = True
    if _count(raft):
        return
    last, last_term = raft.log.last_index(), raft.log.last_term()
    for voter in raft.tracker.progress:
        if voter != raft.id and voter in raft.tracker.voters:
            raft.send(Message(
                kind, raft.id, voter, term, log_term=last_term, index=last, force=force,
                commit=raft.log.committed, commit_term=raft.log.term_of_committed(),
            ))  # fmt: skip


def _count(raft: Raft) -> bool:
    """Act on the votes so far; say whether they decided."""
    match quorum.poll(raft.tracker.voters, raft.votes):
        case quorum.Poll.WON if raft.role is Role.PRE_CANDIDATE:
            _stand(raft, force=False)
        case quorum.Poll.WON:
            raft.become_leader()
            leading.open_term(raft)
        case quorum.Poll.LOST:
            raft.become_follower(raft.term, None)
        case quorum.Poll.OPEN:
            return False
    return True


def lose_leader(raft: Raft) -> None:
    """The link to the leader broke, as it does when its program dies: trust it no longer, and stand soon.

    How soon is drawn, so that one goes first. If only this link is gone, the others still hear the leader, are held by
    their lease and grant no pre-vote; the leader's next heartbeat over another link makes a follower of us again.
    """
    if raft.role is not Role.FOLLOWER or not raft.config.pre_vote:
        return
    raft.leader = None
    raft.hurry_ticks = raft.config.draw_election_timeout() - raft.config.election_tick + 1


def in_lease(raft: Raft) -> bool:
    """Say whether a leader was heard so lately that no election can be needed (thesis, section 4.2.3)."""
    return raft.config.check_quorum and raft.leader is not None and raft.election_elapsed < raft.config.election_tick


def on_vote_request(raft: Raft, m: Message) -> None:
    """Grant or refuse. Own configuration plays no part: who was promoted may not know it yet (section 6).

    A pre-vote promises nothing, so it may be given to many and leaves no trace.
    """
    pre = m.type is MessageType.PRE_VOTE
    free = raft.vote == m.from_ or (raft.vote is None and raft.leader is None) or (pre and m.term > raft.term)
    if not (free and raft.log.is_up_to_date(m.index, m.log_term)):
        refuse(raft, m)
        _learn_commit(raft, m)
        return
    if pre and raft.role is Role.PRE_CANDIDATE and not _goes_first(raft, m):
        raft.become_follower(raft.term, None)
    if not pre:
        raft.vote = m.from_
        raft.election_elapsed = 0
    raft.send(Message(_answer(m), raft.id, m.from_, m.term))


def _goes_first(raft: Raft, m: Message) -> bool:
    """Say whether we keep standing when another asks for the same term; one of two yields, or the votes are split."""
    if (m.log_term, m.index) != (raft.log.last_term(), raft.log.last_index()):
        return False  # Its log is better, or it would have been refused.
    return members({raft.id, m.from_})[0] == raft.id


def _answer(m: Message) -> MessageType:
    return MessageType.PRE_VOTE_RESPONSE if m.type is MessageType.PRE_VOTE else MessageType.VOTE_RESPONSE


def refuse(raft: Raft, m: Message) -> None:
    """Refuse, and tell a committed entry that the candidate may have without knowing that it is committed."""
    commit = min(raft.log.committed, m.index)
    try:
        term = raft.log.term(commit)
    except Compacted:
        commit = term = 0
    raft.send(Message(_answer(m), raft.id, m.from_, raft.term, reject=True, commit=commit, commit_term=term))


def _learn_commit(raft: Raft, m: Message) -> None:
    """Believe that an entry we have is committed.

    A change of membership may be committed and applied by those who leave, and unknown to those who stay: they
    would ask for votes of nodes that are gone or whose logs are longer, for ever.
    """
    if raft.role is Role.LEADER or not m.commit_term or not raft.log.matches(m.commit, m.commit_term):
        return
    if not raft.log.commit_to(m.commit):
        return
    if raft.role in {Role.CANDIDATE, Role.PRE_CANDIDATE} and raft.log.has_unapplied_conf_change():
        raft.become_follower(raft.term, None)


def on_vote_response(raft: Raft, m: Message) -> None:
    """Count an answer to what is being asked now; a pre-vote is granted for the term after ours."""
    _learn_commit(raft, m)
    match raft.role, m.type:
        case Role.CANDIDATE, MessageType.VOTE_RESPONSE:
            current = m.term == raft.term
        case Role.PRE_CANDIDATE, MessageType.PRE_VOTE_RESPONSE:
            current = m.term == raft.term + (not m.reject)
        case _:
            current = False
    if current:
        raft.votes.setdefault(m.from_, not m.reject)
        _count(raft)


def on_timeout_now(raft: Raft) -> None:
    """The leader hands over to us: no waiting (thesis, section 3.10)."""
    campaign(raft, force=True)
