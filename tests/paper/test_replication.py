"""Sections 5.3, 5.4.2, 5.5 and 8 of the extended Raft paper: the log."""

from typing import Any

import pytest

from tests.paper.one_node import One, log
from tests.unit.raft.cluster import Cluster
from tillmesh.kernel.errors import TooLarge
from tillmesh.raft import (
    Config,
    ConfState,
    Entry,
    HardState,
    LogLost,
    Message,
    MessageType,
    NotLeader,
    Pace,
    ProposalDropped,
    RawNode,
    Role,
)

M = MessageType


def test_8_a_new_leader_opens_its_term_with_an_empty_entry_at_once() -> None:
    one = One(term=1, terms=[1, 1])
    one.campaign()
    appends = one.hear(M.VOTE_RESPONSE, 2)
    assert [(m.type, m.to, m.index, m.log_term, m.entries) for m in appends] == [
        (M.APPEND, n, 2, 1, (Entry(2, 3),)) for n in (2, 3)
    ]


def test_5_3_a_proposal_is_appended_and_sent_to_all_at_once() -> None:
    one = One().lead()
    appends = one.propose(b"price")
    assert one.terms == [1, 1]
    assert [(m.to, m.index, m.log_term, m.entries) for m in appends] == [
        (n, 1, 1, (Entry(1, 2, b"price"),)) for n in (2, 3)
    ]


@pytest.mark.parametrize(
    ("size", "acks", "committed"),
    [(1, 0, True), (2, 0, False), (2, 1, True), (3, 0, False), (3, 1, True), (4, 1, False), (4, 2, True), (5, 1, False),
     (5, 2, True)],
)  # fmt: skip
def test_5_3_an_entry_commits_when_a_majority_has_stored_it(size: int, acks: int, *, committed: bool) -> None:
    one = One(voters=range(1, size + 1)).lead()
    one.propose()
    for follower in range(2, 2 + acks):
        one.stored(follower)
    assert (one.status.commit == 2) is committed
    assert ([e.index for e in one.applied] == [1, 2]) is committed


def test_5_3_the_leaders_own_disk_counts_only_when_it_has_written() -> None:
    one = One(voters=(1,)).lead()
    one.node.propose(b"x")
    assert one.status.commit == 1
    ready = one.node.ready()
    assert ready.committed_entries == ()
    one.disk.append(ready.entries)
    one.node.advance(ready)
    assert one.status.commit == 2


def test_5_3_followers_learn_at_once_what_is_committed() -> None:
    one = One().lead()
    one.propose()
    told = one.stored(3)
    assert {(m.type, m.to, m.commit) for m in told} == {(M.APPEND, 2, 2), (M.APPEND, 3, 2)}


def test_5_3_a_commit_covers_everything_before_also_of_earlier_leaders() -> None:
    one = One(term=3, terms=[1, 2, 3])
    one.campaign()
    one.hear(M.VOTE_RESPONSE, 2)
    one.stored(2)
    assert one.status.commit == 4
    assert [e.term for e in one.applied] == [1, 2, 3, 4]


@pytest.mark.parametrize(("commit", "applied"), [(0, 0), (1, 1), (2, 2), (3, 3), (9, 3)])
def test_5_3_a_follower_applies_what_is_committed_and_there(commit: int, applied: int) -> None:
    one = One(term=1)
    one.hear(M.APPEND, entries=log(1, 1, 1), commit=commit)
    assert [e.index for e in one.applied] == list(range(1, applied + 1))


def test_5_3_a_follower_does_not_commit_a_tail_the_leader_did_not_confirm() -> None:
    one = One(term=2, terms=[1, 1, 1])
    one.hear(M.APPEND, index=1, log_term=1, entries=(), commit=3)
    assert one.status.commit == 1


@pytest.mark.parametrize(
    ("index", "term", "refused"),
    [(0, 0, False), (1, 1, False), (2, 2, False), (2, 1, True), (3, 2, True), (1, 2, True)],
)
def test_5_3_a_follower_refuses_what_does_not_fit_on_its_log(index: int, term: int, *, refused: bool) -> None:
    one = One(term=2, terms=[1, 2])
    (answer,) = one.hear(M.APPEND, index=index, log_term=term)
    assert (answer.reject, answer.index) == (refused, index)


@pytest.mark.parametrize(
    ("index", "term", "sent", "expected"),
    [
        (2, 2, [3], [1, 2, 3]),
        (1, 1, [3, 4], [1, 3, 4]),
        (0, 0, [1], [1, 2]),
        (0, 0, [3], [3]),
        (1, 1, [2], [1, 2]),
        (1, 1, [2, 2], [1, 2, 2]),
        (0, 0, [], [1, 2]),
    ],
)
def test_5_3_conflicting_entries_go_and_others_stay(
    index: int, term: int, sent: list[int], expected: list[int]
) -> None:
    one = One(term=4, terms=[1, 2])
    (answer,) = one.hear(M.APPEND, index=index, log_term=term, entries=log(*sent, first=index + 1))
    assert one.terms == expected
    assert (answer.reject, answer.index) == (False, index + len(sent))


def test_5_3_entries_are_on_disk_before_they_are_acknowledged() -> None:
    one = One(term=1)
    one.hear(M.APPEND, entries=log(1))
    ready = one.readies[-1]
    assert (ready.must_sync, [e.index for e in ready.entries]) == (True, [1])
    assert [(m.type, m.index) for m in ready.messages] == [(M.APPEND_RESPONSE, 1)]


def test_5_5_a_late_duplicate_does_not_cut_what_came_after_it() -> None:
    one = One(term=1)
    one.hear(M.APPEND, entries=log(1, 1, 1))
    one.hear(M.APPEND, entries=log(1))
    assert one.terms == [1, 1, 1]


def test_5_5_an_append_from_before_the_commit_is_answered_with_the_commit() -> None:
    one = One(term=1, terms=[1, 1, 1], commit=3)
    (answer,) = one.hear(M.APPEND, index=1, log_term=1, entries=log(1, first=2))
    assert (answer.reject, answer.index) == (False, 3)


FIGURE_7 = {
    "a": [1, 1, 1, 4, 4, 5, 5, 6, 6],
    "b": [1, 1, 1, 4],
    "c": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    "d": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    "e": [1, 1, 1, 4, 4, 4, 4],
    "f": [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
}
LEADER_7 = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]


@pytest.mark.parametrize("follower", FIGURE_7)
def test_5_3_figure_7_every_follower_is_brought_to_the_leaders_log(follower: str) -> None:
    leader = One(term=7, terms=LEADER_7)
    other = One(node=2, term=7, terms=FIGURE_7[follower])
    leader.campaign()
    queue = leader.hear(M.VOTE_RESPONSE, 3)
    for _ in range(30):
        there = [answer for m in queue if m.to == 2 for answer in step(other, m)]
        queue = [answer for m in there for answer in step(leader, m)]
    assert other.terms == [*LEADER_7, 8]


def step(one: One, m: Message) -> list[Message]:
    one.node.step(m)
    one.drain()
    return one.take()


def test_5_3_a_refusal_skips_a_whole_term_of_the_follower() -> None:
    one = One(term=9, terms=[1, 1, 2, 2, 2, 2, 2])
    (answer,) = one.hear(M.APPEND, index=7, log_term=5)
    assert (answer.reject, answer.reject_hint, answer.log_term) == (True, 7, 2)
    (answer,) = one.hear(M.APPEND, index=7, log_term=1)
    assert (answer.reject, answer.reject_hint, answer.log_term) == (True, 2, 1)


def test_5_3_the_leader_skips_its_own_terms_that_the_follower_never_had() -> None:
    one = One(term=9, terms=[1, 1, 5, 5, 5, 5])
    one.campaign()
    one.hear(M.VOTE_RESPONSE, 2)
    (again,) = one.hear(M.APPEND_RESPONSE, 2, index=6, reject=True, reject_hint=6, log_term=3)
    assert (again.index, again.log_term) == (2, 1)


def test_5_3_a_hundred_conflicting_entries_of_three_terms_need_few_rounds() -> None:
    leader = One(term=9, terms=[1] * 5 + [8] * 100)
    other = One(node=2, term=9, terms=[1] * 5 + [2] * 30 + [3] * 30 + [4] * 30)
    leader.campaign()
    queue = leader.hear(M.VOTE_RESPONSE, 3)
    refusals = 0
    for _ in range(300):
        there = [answer for m in queue if m.to == 2 for answer in step(other, m)]
        refusals += sum(m.reject for m in there)
        queue = [answer for m in there for answer in step(leader, m)]
    assert other.terms == leader.terms
    assert refusals <= 4


def test_5_3_a_late_refusal_does_not_set_the_leader_back() -> None:
    one = One().lead()
    one.propose()
    one.stored(2)
    assert one.hear(M.APPEND_RESPONSE, 2, index=1, reject=True, reject_hint=0) == []
    assert one.status.peers[2].match == 2


def test_5_3_a_probed_follower_gets_one_message_at_a_time() -> None:
    one = One()
    one.campaign()
    one.hear(M.VOTE_RESPONSE, 3)
    assert [m.to for m in one.propose()] == []
    before = one.status.peers[2].pace
    assert [m.to for m in one.stored(2, 1)][:1] == [2]
    assert (before, one.status.peers[2].pace) == (Pace.PROBE, Pace.REPLICATE)


def test_5_3_a_window_of_messages_is_under_way_and_no_more() -> None:
    one = One(max_inflight_msgs=3).lead()
    sent = [len([m for m in one.propose() if m.to == 2]) for _ in range(5)]
    assert sent == [1, 1, 1, 0, 0]
    freed = [m for m in one.stored(2, 2) if m.to == 2 and m.entries]
    assert [e.index for m in freed for e in m.entries] == [5, 6]


def test_5_3_messages_carry_no_more_entries_than_they_may() -> None:
    one = One(max_entries_per_msg=2, max_size_per_msg=250)
    one.lead()
    for size in (10, 10, 10, 200, 100, 900):
        one.node.propose(bytes(size))
    one.drain()
    one.take()
    one.node.report_unreachable(2)
    queue = one.hear(M.HEARTBEAT_RESPONSE, 2)
    counts = []
    for _ in range(10):
        mine = [m for m in queue if m.to == 2 and m.entries]
        counts += [len(m.entries) for m in mine]
        queue = one.stored(2, mine[-1].entries[-1].index) if mine else []
    assert counts == [2, 2, 1, 1]


def test_5_3_what_got_lost_is_sent_again_after_a_heartbeat() -> None:
    one = One().lead()
    one.propose()  # lost
    (probe,) = one.hear(M.HEARTBEAT_RESPONSE, 2)
    assert (probe.index, probe.entries) == (2, ())
    (again,) = one.hear(M.APPEND_RESPONSE, 2, index=2, reject=True, reject_hint=1, log_term=1)
    assert [e.index for e in again.entries] == [2]


def test_5_3_heartbeats_tell_the_commit_but_never_beyond_what_is_stored_there() -> None:
    one = One().lead()
    one.propose()
    one.stored(2)
    assert {m.to: m.commit for m in one.tick() if m.type is M.HEARTBEAT} == {2: 2, 3: 1}


def test_5_3_a_follower_commits_on_a_heartbeat() -> None:
    one = One(term=1, terms=[1, 1])
    (answer,) = one.hear(M.HEARTBEAT, commit=2)
    assert (answer.type, one.status.commit) == (M.HEARTBEAT_RESPONSE, 2)


def test_5_4_2_entries_of_older_terms_are_not_committed_by_counting() -> None:
    one = One(term=2, terms=[1, 2])
    one.campaign()
    one.hear(M.VOTE_RESPONSE, 2)
    one.stored(2, 2)
    one.stored(3, 2)
    assert one.status.commit == 0
    one.stored(2, 3)
    assert one.status.commit == 3


def test_5_4_2_figure_8_an_entry_on_a_majority_may_still_be_replaced() -> None:
    """State (d): S5 of term 5 overwrites the entry of term 2 that S1 had brought to a majority."""
    three = One(node=3, voters=range(1, 6), term=4, terms=[1, 2])
    assert three.status.commit == 0
    (vote,) = three.hear(M.VOTE, 5, term=5, index=2, log_term=3)
    assert not vote.reject
    three.hear(M.APPEND, 5, term=5, index=1, log_term=1, entries=log(3, 5, first=2), commit=3)
    assert three.terms == [1, 3, 5]


def test_a_commit_alone_need_not_be_synced() -> None:
    one = One(term=1, terms=[1])
    one.hear(M.HEARTBEAT, commit=1)
    (ready,) = [r for r in one.readies if r.hard_state is not None and r.hard_state.commit == 1]
    assert not ready.must_sync


def test_only_the_leader_takes_proposals_and_names_itself() -> None:
    one = One(term=1)
    with pytest.raises(NotLeader) as nobody:
        one.propose()
    assert nobody.value.leader_hint is None
    one.hear(M.HEARTBEAT, 3)
    with pytest.raises(NotLeader) as known:
        one.propose()
    assert known.value.leader_hint == 3
    assert known.value.members() == {"leader_id": 3}
    assert one.terms == []


def test_proposals_wait_outside_when_too_much_is_uncommitted() -> None:
    one = One(max_uncommitted_size=100).lead()
    one.propose(bytes(60))
    with pytest.raises(ProposalDropped):
        one.propose(bytes(60))
    assert one.status.last_index == 2
    one.stored(2)
    one.propose(bytes(60))
    assert one.status.last_index == 3


def test_one_large_proposal_passes_when_nothing_waits() -> None:
    one = One(max_uncommitted_size=100).lead()
    one.propose(bytes(5_000))
    assert one.status.last_index == 2
    with pytest.raises(TooLarge):
        one.propose(bytes(2_000_000))


def test_a_till_whose_disk_lost_committed_entries_does_not_start() -> None:
    with pytest.raises(LogLost):
        One(term=1, commit=2, terms=[1])


def test_a_till_whose_disk_lost_what_it_acknowledged_stops() -> None:
    one = One(term=1, terms=[1])
    with pytest.raises(LogLost):
        one.hear(M.HEARTBEAT, commit=4)


def test_restart_goes_on_with_term_vote_log_and_commit() -> None:
    one = One(term=3, vote=2, commit=1, terms=[1, 3])
    assert (one.status.term, one.vote, one.status.commit, one.terms) == (3, 2, 1, [1, 3])
    assert [e.index for e in one.applied] == [1]
    again = RawNode(Config(1, election_timeout=lambda: 9, applied=1), one.disk)
    assert not again.has_ready()
    assert again.status().applied == 1


def test_stepping_on_while_the_disk_writes_loses_nothing() -> None:
    """Between ready and advance a new leader replaces an entry that is being written."""
    one = One(term=1)
    one.node.step(message(M.APPEND, 1, entries=log(1, 1)))
    first = one.node.ready()
    one.node.step(message(M.APPEND, 2, index=1, log_term=1, entries=log(2, first=2)))
    assert not one.node.has_ready()
    one.disk.append(first.entries)
    one.node.advance(first)
    one.drain()
    assert one.terms == [1, 2]
    assert [m.index for m in one.take()] == [2]


def message(kind: MessageType, term: int, **fields: Any) -> Message:
    return Message(kind, 2, 1, term, **fields)


def test_messages_for_others_are_dropped() -> None:
    one = One()
    one.node.step(Message(M.VOTE, 2, 3, 9))
    one.node.step(Message(M.VOTE, 1, 1, 9))
    assert one.status.term == 0


def test_three_tills_apply_the_same_in_the_same_order() -> None:
    queue: list[Message] = []
    cluster = Cluster(queue.append)
    conf = ConfState((1, 2, 3))
    for node in conf.voters:
        cluster.add(
            node, conf, lambda applied, n=node: Config(n, election_timeout=lambda: 8, applied=applied),  # type: ignore[misc]
            hard=HardState(),
        )  # fmt: skip
        cluster.start(node)
    cluster.call(1, lambda raw: raw.campaign())

    def settle() -> None:
        while queue:
            m = queue.pop(0)
            cluster.call(m.to, lambda raw, m=m: raw.step(m))  # type: ignore[misc]

    settle()
    for n in range(20):
        cluster.call(1, lambda raw, n=n: raw.propose(str(n).encode()))  # type: ignore[misc]
    settle()
    assert cluster[1].status().role is Role.LEADER
    applied = [[data for _, data in node.applied] for node in cluster.nodes.values()]
    assert applied == [[str(n).encode() for n in range(20)]] * 3
