"""Section 7 of the extended Raft paper: snapshots, and how a till that is far behind gets one."""

import pytest

from tests.paper.one_node import ELECTION, One, log
from tillmesh.raft import ConfState, Message, MessageType, Pace, Role, Snapshot

M = MessageType
CONF = ConfState((1, 2, 3))


def compacted_leader() -> One:
    """A leader of term 1 whose log starts at 5; 3 knows it all, 2 has not been heard of since the start."""
    one = One().lead()
    for _ in range(4):
        one.propose()
        one.stored(3)
    one.disk.create_snapshot(4, CONF, b"state")
    one.disk.compact(4)
    return one


def behind(one: One) -> None:
    """Node 2 lost everything that was under way, and says so."""
    one.node.report_unreachable(2)
    one.hear(M.HEARTBEAT_RESPONSE, 2)


def test_7_who_needs_compacted_entries_gets_the_snapshot() -> None:
    one = compacted_leader()
    one.node.report_unreachable(2)
    (sent,) = one.hear(M.HEARTBEAT_RESPONSE, 2)
    assert (sent.type, sent.to, sent.snapshot) == (M.SNAPSHOT, 2, Snapshot(4, 1, CONF, b"state"))
    assert one.status.peers[2].pace is Pace.SNAPSHOT


def test_7_nothing_else_is_sent_while_a_snapshot_is_taken_in() -> None:
    one = compacted_leader()
    behind(one)
    assert {m.to for m in one.propose()} == {3}
    assert one.hear(M.HEARTBEAT_RESPONSE, 2) == []


def test_7_after_the_snapshot_the_entries_behind_it_follow() -> None:
    one = compacted_leader()
    behind(one)
    sent = one.hear(M.APPEND_RESPONSE, 2, index=4)
    assert [e.index for m in sent if m.to == 2 for e in m.entries] == [5]
    assert one.status.peers[2].pace is Pace.REPLICATE


def test_7_a_snapshot_that_got_lost_is_sent_again() -> None:
    one = compacted_leader()
    behind(one)
    one.tick(ELECTION)
    assert [m.type for m in one.hear(M.HEARTBEAT_RESPONSE, 2)] == [M.SNAPSHOT]


def test_7_no_snapshot_goes_to_who_is_not_heard() -> None:
    one = compacted_leader()
    one.node.report_unreachable(2)
    one.tick(ELECTION)
    one.hear(M.HEARTBEAT_RESPONSE, 3)
    assert {m.to for m in one.propose()} == {3}


def test_7_before_a_snapshot_exists_the_follower_waits() -> None:
    one = compacted_leader()
    one.disk._snapshot = Snapshot()
    one.node.report_unreachable(2)
    assert one.hear(M.HEARTBEAT_RESPONSE, 2) == []


def test_7_a_follower_takes_a_snapshot_in_place_of_its_log() -> None:
    one = One(term=2, terms=[1, 1])
    given = Snapshot(6, 2, ConfState((1, 2, 3, 4)), b"all")
    (answer,) = one.hear(M.SNAPSHOT, snapshot=given)
    assert (answer.type, answer.index, answer.reject) == (M.APPEND_RESPONSE, 6, False)
    assert (one.disk.snapshot(), one.terms) == (given, [])
    assert (one.status.commit, one.status.applied, one.status.voters) == (6, 6, (1, 2, 3, 4))
    ready = next(r for r in one.readies if r.snapshot)
    assert ready.must_sync
    one.hear(M.APPEND, index=6, log_term=2, entries=log(2, first=7), commit=7)
    assert [e.index for e in one.applied] == [7]


def test_7_entries_wait_until_the_snapshot_under_them_is_applied() -> None:
    one = One(term=2)
    one.node.step(Message(M.SNAPSHOT, 2, 1, 2, snapshot=Snapshot(6, 2, CONF)))
    one.node.step(Message(M.APPEND, 2, 1, 2, index=6, log_term=2, entries=log(2, first=7), commit=7))
    ready = one.node.ready()
    assert ready.snapshot is not None
    assert (ready.committed_entries, [e.index for e in ready.entries]) == ((), [7])


def test_7_a_snapshot_of_what_is_there_keeps_the_entries_behind_it() -> None:
    one = One(term=2, terms=[1, 1, 2])
    (answer,) = one.hear(M.SNAPSHOT, snapshot=Snapshot(2, 1, CONF))
    assert (answer.index, one.terms, one.status.commit) == (2, [1, 1, 2], 2)
    assert one.disk.snapshot().index == 0


def test_7_an_old_snapshot_is_ignored() -> None:
    one = One(term=2, terms=[1, 1, 2], commit=3)
    (answer,) = one.hear(M.SNAPSHOT, snapshot=Snapshot(2, 1, CONF, b"old"))
    assert (answer.index, one.terms, one.disk.snapshot().index) == (3, [1, 1, 2], 0)


def test_7_an_old_snapshot_is_ignored_when_its_entries_are_gone_too() -> None:
    one = One(term=2)
    one.hear(M.SNAPSHOT, snapshot=Snapshot(6, 2, CONF, b"new"))
    (answer,) = one.hear(M.SNAPSHOT, snapshot=Snapshot(4, 1, CONF, b"old"))
    assert (answer.index, one.disk.snapshot().data, one.status.commit) == (6, b"new", 6)


def test_7_the_snapshots_last_entry_still_answers_the_consistency_check() -> None:
    one = One(term=2)
    one.hear(M.SNAPSHOT, snapshot=Snapshot(6, 2, CONF))
    (answer,) = one.hear(M.APPEND, index=6, log_term=1)
    assert answer.reject
    (vote,) = one.hear(M.VOTE, 3, term=3, index=6, log_term=1)
    assert vote.reject
    (vote,) = one.hear(M.VOTE, 3, term=4, index=6, log_term=2)
    assert not vote.reject


def test_7_a_snapshot_message_without_a_snapshot_is_nothing() -> None:
    one = One(term=2)
    assert one.hear(M.SNAPSHOT) == []


def test_7_nobody_stands_before_its_snapshot_is_applied() -> None:
    one = One(term=2)
    one.node.step(Message(M.SNAPSHOT, 2, 1, 2, snapshot=Snapshot(6, 2, CONF)))
    one.node.campaign()
    assert one.status.role is Role.FOLLOWER


@pytest.mark.parametrize("voters", [(1, 2, 3), (2, 3)])
def test_7_a_snapshot_from_before_ones_own_admission_is_taken(voters: tuple[int, ...]) -> None:
    one = One(node=4, voters=(1, 2, 3))
    one.hear(M.SNAPSHOT, term=1, snapshot=Snapshot(6, 1, ConfState(voters)))
    assert (one.status.commit, one.status.voters) == (6, voters)
    assert one.campaign() == []
