"""Corners of the core that the paper does not talk about."""

from random import Random

import pytest

from tests.paper.one_node import One, log
from tillmesh.kernel.errors import Invalid
from tillmesh.raft import (
    Compacted,
    Config,
    ConfState,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    NodeId,
    Pace,
    RawNode,
    Role,
    Snapshot,
    Unavailable,
)

M = MessageType


@pytest.mark.parametrize("node", [0, ""])
def test_a_node_needs_an_id(node: NodeId) -> None:
    with pytest.raises(Invalid, match="id"):
        Config(node, rng=Random(1))


@pytest.mark.parametrize(
    "wrong", [{"max_entries_per_msg": 0}, {"max_entries_per_msg": 10**6}, {"max_inflight_msgs": 0}]
)
def test_messages_have_bounds(wrong: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="out of range"):
        Config(1, rng=Random(1), **wrong)  # type: ignore[arg-type]


def test_without_dice_or_timeout_there_is_no_node() -> None:
    with pytest.raises(Invalid, match="drawn"):
        Config(1)


def test_tills_are_called_by_their_names() -> None:
    storage = MemoryStorage(ConfState(("k3m7qx2p", "m2aaaaaa")))
    node = RawNode(Config("k3m7qx2p", rng=Random(1), pre_vote=False), storage)
    node.campaign()
    (request,) = node.ready().messages
    assert (request.to, request.from_) == ("m2aaaaaa", "k3m7qx2p")


def test_a_vote_for_nobody_may_be_stored_as_zero() -> None:
    storage = MemoryStorage(ConfState((1, 2, 3)), HardState(2, 0, 0))
    node = RawNode(Config(1, rng=Random(1)), storage)
    assert node.status().vote is None
    assert not node.has_ready()


def test_a_refusal_tells_nothing_of_what_is_compacted() -> None:
    one = One(term=2)
    one.hear(M.SNAPSHOT, snapshot=Snapshot(6, 2, ConfState((1, 2, 3))))
    (answer,) = one.hear(M.VOTE, 3, term=3, index=4, log_term=1)
    assert (answer.reject, answer.commit, answer.commit_term) == (True, 0, 0)


def test_a_snapshot_being_stored_already_answers_for_the_log() -> None:
    one = One(term=2, terms=[1, 1])
    one.node.step(Message(M.SNAPSHOT, 2, 1, 2, snapshot=Snapshot(6, 2, ConfState((1, 2, 3)))))
    raft_log = one.node._raft.log
    assert (raft_log.first_index(), raft_log.last_index(), raft_log.term(6)) == (7, 6, 2)
    with pytest.raises(Compacted):
        raft_log.term(5)
    with pytest.raises(Compacted):
        raft_log.entries(6, 8, 100)
    with pytest.raises(Unavailable):
        raft_log.term(7)


def test_a_second_snapshot_while_the_first_is_stored_waits_for_its_turn() -> None:
    one = One(term=2)
    conf = ConfState((1, 2, 3))
    one.node.step(Message(M.SNAPSHOT, 2, 1, 2, snapshot=Snapshot(6, 2, conf)))
    first = one.node.ready()
    one.node.step(Message(M.SNAPSHOT, 2, 1, 2, snapshot=Snapshot(9, 2, conf)))
    assert first.snapshot is not None
    one.disk.apply_snapshot(first.snapshot)
    one.node.advance(first)
    one.drain()
    assert (one.disk.snapshot().index, one.status.applied, one.status.commit) == (9, 9, 9)


def test_a_broken_link_makes_the_leader_ask_anew() -> None:
    one = One().lead()
    one.propose()
    one.node.report_unreachable(2)
    assert (one.status.peers[2].pace, one.status.peers[2].next) == (Pace.PROBE, 2)
    one.node.report_unreachable(2)
    one.node.report_unreachable(9)
    assert one.status.peers[2].pace is Pace.PROBE
    follower = One(term=1)
    follower.node.report_unreachable(2)
    assert follower.take() == []


def test_a_full_window_is_freed_by_heartbeats_when_everything_got_lost() -> None:
    one = One(max_inflight_msgs=2).lead()
    for _ in range(4):
        one.propose()
    (probe,) = one.hear(M.HEARTBEAT_RESPONSE, 2)
    assert [e.index for e in probe.entries] == [4, 5]


def test_driver_must_advance_before_the_next_ready() -> None:
    one = One()
    one.node.campaign()
    ready = one.node.ready()
    with pytest.raises(AssertionError, match="not advanced"):
        one.node.ready()
    one.node.advance(ready)
    with pytest.raises(AssertionError, match="no Ready"):
        one.node.advance(ready)


def test_soft_state_is_told_when_it_changes() -> None:
    one = One(term=1)
    one.hear(M.HEARTBEAT, 3)
    one.campaign()
    told = [r.soft_state for r in one.readies if r.soft_state is not None]
    assert [(s.leader, s.role) for s in told] == [(3, Role.FOLLOWER), (None, Role.CANDIDATE)]


def test_campaigning_as_leader_changes_nothing() -> None:
    one = One().lead()
    assert one.campaign() == []
    assert (one.status.role, one.status.term) == (Role.LEADER, 1)


def test_a_group_of_nobody_elects_nobody() -> None:
    one = One(voters=())
    assert one.campaign() == []
    assert one.tick(50) == []


def test_entries_read_across_disk_and_memory_come_in_one_piece() -> None:
    one = One(term=1, terms=[1, 1, 1])
    one.node.step(Message(M.APPEND, 2, 1, 1, index=3, log_term=1, entries=log(1, 1, first=4)))
    raft_log = one.node._raft.log
    assert [e.index for e in raft_log.entries(2, 6, 10_000)] == [2, 3, 4, 5]
    assert [e.index for e in raft_log.entries(2, 6, 7)] == [2, 3]
    assert raft_log.entries(4, 4, 100) == []


def test_storage_in_memory_refuses_a_gap() -> None:
    storage = MemoryStorage(ConfState((1,)))
    with pytest.raises(AssertionError, match="gap"):
        storage.append(log(1, first=3))
    storage.append([])
    assert storage.last_index() == 0
