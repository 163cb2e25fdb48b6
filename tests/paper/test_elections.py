"""Sections 5.1, 5.2 and 5.4.1 of the extended Raft paper, and what the thesis adds to elections (4.2.3, 6.2, 9.6)."""

from random import Random

import pytest

from tests.paper.one_node import ELECTION, HEARTBEAT, TIMEOUT, One, log
from tillmesh.kernel.errors import Invalid
from tillmesh.raft import Config, MemoryStorage, Message, MessageType, RawNode, Role

M = MessageType


def in_role(role: Role) -> One:
    one = One(pre_vote=role is Role.PRE_CANDIDATE)
    if role is Role.LEADER:
        return one.lead()
    if role is not Role.FOLLOWER:
        one.campaign()
    return one


# 5.1


@pytest.mark.parametrize("role", list(Role))
def test_5_1_whoever_hears_of_a_newer_term_follows_in_it(role: Role) -> None:
    one = in_role(role)
    assert one.status.role is role
    one.hear(M.APPEND, term=7, log_term=9, index=9)
    assert (one.status.role, one.status.term, one.status.leader, one.vote) == (Role.FOLLOWER, 7, 2, None)
    assert one.disk.initial_state()[0].term == 7


@pytest.mark.parametrize("kind", [M.APPEND, M.HEARTBEAT, M.SNAPSHOT])
def test_5_1_a_leader_of_an_older_term_is_refused_and_told_the_newer(kind: MessageType) -> None:
    one = One(term=5, terms=[1])
    (answer,) = one.hear(kind, term=4, index=1, log_term=1, entries=log(4, first=2), commit=2)
    assert (answer.type, answer.term, answer.reject) == (M.APPEND_RESPONSE, 5, True)
    assert (one.terms, one.status.commit, one.status.leader) == ([1], 0, None)


@pytest.mark.parametrize(("kind", "answer"), [(M.VOTE, M.VOTE_RESPONSE), (M.PRE_VOTE, M.PRE_VOTE_RESPONSE)])
def test_5_1_a_candidate_of_an_older_term_is_refused_and_told_the_newer(kind: M, answer: M) -> None:
    one = One(term=5)
    (reply,) = one.hear(kind, term=4, index=9, log_term=4)
    assert (reply.type, reply.term, reply.reject, one.vote) == (answer, 5, True, None)


@pytest.mark.parametrize("kind", [M.VOTE_RESPONSE, M.APPEND_RESPONSE, M.HEARTBEAT_RESPONSE])
def test_5_1_answers_of_an_older_term_change_nothing(kind: MessageType) -> None:
    one = One(term=3)
    one.campaign()
    assert one.hear(kind, term=3, index=5) == []
    assert (one.status.role, one.status.term) == (Role.CANDIDATE, 4)


def test_5_1_a_leader_told_of_a_newer_term_steps_down() -> None:
    one = One().lead()
    one.hear(M.APPEND_RESPONSE, term=9, reject=True)
    assert (one.status.role, one.status.term) == (Role.FOLLOWER, 9)


# 5.2


def test_5_2_a_till_starts_as_a_follower() -> None:
    one = One(term=3, vote=2)
    assert (one.status.role, one.status.term, one.vote, one.status.leader) == (Role.FOLLOWER, 3, 2, None)


def test_5_2_a_leader_sends_heartbeats_all_the_time() -> None:
    one = One().lead()
    for _ in range(30):
        beats = one.tick(HEARTBEAT)
        assert [(m.type, m.to) for m in beats] == [(M.HEARTBEAT, 2), (M.HEARTBEAT, 3)]


def test_5_2_a_follower_that_hears_its_leader_never_stands() -> None:
    one = One(term=1)
    for _ in range(10):
        assert one.tick(TIMEOUT - 1) == []
        one.hear(M.HEARTBEAT)
    assert (one.status.role, one.status.term) == (Role.FOLLOWER, 1)


def test_5_2_a_follower_that_hears_nobody_votes_for_itself_and_asks_all() -> None:
    one = One(term=1, terms=[1, 1])
    assert one.tick(TIMEOUT - 1) == []
    requests = one.tick()
    assert [(m.type, m.to, m.term, m.index, m.log_term) for m in requests] == [(M.VOTE, n, 2, 2, 1) for n in (2, 3)]
    assert (one.status.role, one.status.term, one.vote) == (Role.CANDIDATE, 2, 1)


@pytest.mark.parametrize(
    ("size", "yes", "no", "role"),
    [
        (1, 0, 0, Role.LEADER),
        (2, 0, 0, Role.CANDIDATE),
        (2, 1, 0, Role.LEADER),
        (2, 0, 1, Role.FOLLOWER),
        (3, 1, 0, Role.LEADER),
        (3, 0, 1, Role.CANDIDATE),
        (3, 0, 2, Role.FOLLOWER),
        (4, 1, 0, Role.CANDIDATE),
        (4, 2, 0, Role.LEADER),
        (4, 1, 2, Role.FOLLOWER),
        (5, 1, 2, Role.CANDIDATE),
        (5, 2, 2, Role.LEADER),
        (5, 1, 3, Role.FOLLOWER),
    ],
)
def test_5_2_a_majority_decides(size: int, yes: int, no: int, role: Role) -> None:
    one = One(voters=range(1, size + 1))
    one.campaign()
    for voter in range(2, 2 + no):
        one.hear(M.VOTE_RESPONSE, voter, term=1, reject=True)
    for voter in range(2 + no, 2 + no + yes):
        one.hear(M.VOTE_RESPONSE, voter, term=1)
    assert one.status.role is role


def test_5_2_a_vote_that_comes_twice_counts_once() -> None:
    one = One(voters=range(1, 6))
    one.campaign()
    for _ in range(3):
        one.hear(M.VOTE_RESPONSE, 2)
    assert one.status.role is Role.CANDIDATE


def test_5_2_strangers_and_learners_have_no_vote() -> None:
    one = One(voters=(1, 2, 3), learners=(4,))
    one.campaign()
    one.hear(M.VOTE_RESPONSE, 4)
    one.hear(M.VOTE_RESPONSE, 9)
    assert one.status.role is Role.CANDIDATE


def test_5_2_a_vote_is_given_once_a_term_first_come_first_served() -> None:
    one = One(term=1)
    asks = [(2, 2, False), (3, 2, True), (2, 2, False), (3, 3, False), (2, 3, True)]
    for candidate, term, refused in asks:
        (answer,) = one.hear(M.VOTE, candidate, term=term)
        assert (answer.type, answer.to, answer.reject) == (M.VOTE_RESPONSE, candidate, refused)
    assert one.vote == 3


@pytest.mark.parametrize("term", [0, 1])
def test_5_2_a_vote_is_on_disk_before_it_leaves(term: int) -> None:
    one = One(term=term)
    one.hear(M.VOTE, 2, term=1)
    ready = one.readies[-1]
    assert ready.must_sync
    assert ready.hard_state is not None
    assert (ready.hard_state.term, ready.hard_state.vote) == (1, 2)
    assert [m.type for m in ready.messages] == [M.VOTE_RESPONSE]


def test_5_2_giving_a_vote_gives_time() -> None:
    one = One()
    one.tick(TIMEOUT - 1)
    one.hear(M.VOTE, 2, term=1)
    assert one.tick(TIMEOUT - 1) == []
    assert one.tick() != []


def test_5_2_refusing_a_vote_gives_no_time() -> None:
    one = One(term=1, terms=[1, 1])
    one.hear(M.VOTE, 2, term=1, index=0)
    one.tick(TIMEOUT - 1)
    one.hear(M.VOTE, 2, term=1, index=0)
    assert one.tick() != []


@pytest.mark.parametrize("kind", [M.APPEND, M.HEARTBEAT])
@pytest.mark.parametrize("pre_vote", [False, True])
def test_5_2_a_candidate_concedes_to_the_leader_of_its_term(kind: MessageType, *, pre_vote: bool) -> None:
    one = One(term=1, pre_vote=pre_vote)
    one.campaign()
    one.hear(kind, 3)
    assert (one.status.role, one.status.leader) == (Role.FOLLOWER, 3)


def test_5_2_a_candidate_ignores_a_leader_of_an_older_term() -> None:
    one = One(term=1)
    one.campaign()
    one.hear(M.APPEND, 3, term=1)
    assert (one.status.role, one.status.term) == (Role.CANDIDATE, 2)


def test_5_2_a_split_vote_is_followed_by_another_term() -> None:
    one = One()
    one.campaign()
    requests = one.tick(TIMEOUT)
    assert [m.term for m in requests] == [2, 2]
    assert (one.status.role, one.vote) == (Role.CANDIDATE, 1)


def test_5_2_timeouts_are_drawn_anew_from_the_whole_range() -> None:
    drawn = []
    node = RawNode(Config(1, rng=Random(1)), MemoryStorage(One().disk.initial_state()[1]))
    for _ in range(200):
        node.campaign()
        drawn.append(node._raft.election_timeout)
    assert set(drawn) == set(range(6, 11))


def test_5_2_a_range_of_one_value_is_refused() -> None:
    with pytest.raises(Invalid, match="collide"):
        Config(1, max_election_tick=6, rng=Random(1))


@pytest.mark.parametrize(("heartbeat", "election"), [(0, 6), (6, 6), (7, 6)])
def test_5_6_heartbeats_must_be_quicker_than_elections(heartbeat: int, election: int) -> None:
    with pytest.raises(Invalid, match="heartbeat"):
        Config(1, heartbeat_tick=heartbeat, election_tick=election, rng=Random(1))


def test_two_leaders_of_one_term_do_not_listen_to_each_other() -> None:
    one = One().lead()
    assert one.hear(M.APPEND, 3, entries=log(1, 1)) == []
    assert (one.status.role, one.terms) == (Role.LEADER, [1])


# 5.4.1


@pytest.mark.parametrize(
    ("mine", "index", "term", "refused"),
    [
        ([1], 1, 1, False),
        ([1], 2, 1, False),
        ([1, 1], 1, 1, True),
        ([1, 1, 1], 1, 2, False),
        ([1, 1, 1], 4, 2, False),
        ([2], 5, 1, True),
        ([2], 1, 1, True),
        ([], 0, 0, False),
        ([1], 0, 0, True),
    ],
)
@pytest.mark.parametrize("kind", [M.VOTE, M.PRE_VOTE])
def test_5_4_1_only_who_knows_as_much_gets_a_vote(
    mine: list[int], index: int, term: int, kind: M, *, refused: bool
) -> None:
    one = One(term=2, terms=mine)
    (answer,) = one.hear(kind, term=3, index=index, log_term=term)
    assert answer.reject is refused
    assert one.vote == (2 if kind is M.VOTE and not refused else None)


# Thesis 9.6: pre-vote.


def test_9_6_nobody_raises_the_term_before_a_majority_would_vote() -> None:
    one = One(pre_vote=True, term=4, terms=[4])
    for _ in range(5):
        assert {(m.type, m.term, m.log_term, m.index) for m in one.tick(TIMEOUT)} == {(M.PRE_VOTE, 5, 4, 1)}
    assert (one.status.role, one.status.term, one.vote) == (Role.PRE_CANDIDATE, 4, None)
    assert not any(ready.must_sync for ready in one.readies)
    requests = one.hear(M.PRE_VOTE_RESPONSE, 3, term=5)
    assert [(m.type, m.term) for m in requests] == [(M.VOTE, 5), (M.VOTE, 5)]
    assert (one.status.role, one.status.term, one.vote) == (Role.CANDIDATE, 5, 1)


def test_9_6_a_pre_vote_binds_nobody() -> None:
    one = One(pre_vote=True, term=4, vote=3)
    for candidate in (2, 3, 2):
        (answer,) = one.hear(M.PRE_VOTE, candidate, term=5)
        assert (answer.reject, answer.term) == (False, 5)
    assert (one.status.term, one.vote, one.status.role) == (4, 3, Role.FOLLOWER)


def test_9_6_a_refused_pre_candidate_follows_and_tries_again_later() -> None:
    one = One(pre_vote=True, term=4)
    one.campaign()
    one.hear(M.PRE_VOTE_RESPONSE, 2, term=4, reject=True)
    one.hear(M.PRE_VOTE_RESPONSE, 3, term=4, reject=True)
    assert (one.status.role, one.status.term) == (Role.FOLLOWER, 4)
    assert [m.type for m in one.tick(TIMEOUT)] == [M.PRE_VOTE, M.PRE_VOTE]


@pytest.mark.parametrize(
    ("rival", "term", "index", "stands"),
    [(1, 1, 2, False), (3, 1, 2, True), (1, 1, 3, False), (3, 1, 3, False), (3, 2, 1, False), (1, 1, 1, True)],
)
def test_9_6_of_two_pre_candidates_one_yields(rival: int, term: int, index: int, *, stands: bool) -> None:
    one = One(node=2, pre_vote=True, term=2, terms=[1, 1])
    one.campaign()
    (answer,) = one.hear(M.PRE_VOTE, rival, term=3, log_term=term, index=index)
    assert answer.reject is (index < 2 and term == 1)
    assert (one.status.role is Role.PRE_CANDIDATE) is stands
    one.hear(M.PRE_VOTE_RESPONSE, rival, term=3)
    assert (one.status.role is Role.CANDIDATE) is stands


def test_9_6_pre_votes_for_an_earlier_attempt_do_not_count() -> None:
    one = One(pre_vote=True, term=4)
    one.campaign()
    one.hear(M.PRE_VOTE_RESPONSE, 2, term=4)
    assert one.status.role is Role.PRE_CANDIDATE


def test_9_6_a_pre_candidate_behind_learns_the_term() -> None:
    one = One(pre_vote=True, term=4)
    one.campaign()
    one.hear(M.PRE_VOTE_RESPONSE, 2, term=8, reject=True)
    assert (one.status.role, one.status.term) == (Role.FOLLOWER, 8)


# Thesis 4.2.3: the lease; 6.2: a leader without a majority.


@pytest.mark.parametrize("kind", [M.VOTE, M.PRE_VOTE])
def test_4_2_3_who_hears_a_leader_ignores_elections(kind: MessageType) -> None:
    one = One(check_quorum=True, term=1)
    one.hear(M.HEARTBEAT, 2)
    one.tick(ELECTION - 1)
    assert one.hear(kind, 3, term=9, index=9, log_term=9) == []
    assert (one.status.term, one.vote) == (1, None)
    one.tick()
    (answer,) = one.hear(kind, 3, term=9, index=9, log_term=9)
    assert not answer.reject


def test_4_2_3_a_leader_ignores_elections_too() -> None:
    one = One(check_quorum=True).lead()
    assert one.hear(M.VOTE, 3, term=9, index=9, log_term=9) == []
    assert (one.status.role, one.status.term) == (Role.LEADER, 1)


def test_4_2_3_a_chosen_successor_is_not_held_up() -> None:
    one = One(check_quorum=True, term=1)
    one.hear(M.HEARTBEAT, 2)
    (answer,) = one.hear(M.VOTE, 3, term=2, force=True)
    assert (answer.reject, one.vote, one.status.term) == (False, 3, 2)


def test_6_2_a_leader_nobody_hears_steps_down_in_its_term() -> None:
    one = One(check_quorum=True).lead()
    one.tick(2 * ELECTION)
    assert (one.status.role, one.status.term, one.status.leader) == (Role.FOLLOWER, 1, None)


def test_6_2_one_of_two_followers_is_enough_to_stay() -> None:
    one = One(check_quorum=True).lead()
    for _ in range(20):
        one.tick(ELECTION - 1)
        one.hear(M.HEARTBEAT_RESPONSE, 3)
    assert one.status.role is Role.LEADER
    assert one.status.has_quorum


def test_6_2_a_learner_is_no_majority() -> None:
    one = One(check_quorum=True, learners=(4,)).lead()
    for _ in range(2):
        one.tick(ELECTION)
        one.hear(M.HEARTBEAT_RESPONSE, 4)
    assert one.status.role is Role.FOLLOWER


def test_6_2_without_the_check_the_leader_stays_but_says_so() -> None:
    one = One().lead()
    one.tick(2 * ELECTION)
    assert one.status.role is Role.LEADER
    assert not one.status.has_quorum


def test_a_leader_whose_disk_is_slow_still_says_that_it_leads() -> None:
    one = One(terms=(1,), term=1)
    one.lead()
    one.node.propose(b"slow")
    ready = one.node.ready()  # on its way to the disk
    one.node.tick()
    assert {message.type for message in one.node.urgent()} == {M.HEARTBEAT}
    assert one.node.urgent() == (), "each leaves once"
    one.node.advance(ready)


def test_nothing_leaves_out_of_turn_in_a_term_that_is_not_on_disk() -> None:
    one = One(terms=(1,), term=1)
    one.node.step(Message(M.HEARTBEAT, 2, 1, term=2))
    ready = one.node.ready()
    one.node.step(Message(M.HEARTBEAT, 2, 1, term=2))
    assert one.node.urgent() == ()
    one.node.advance(ready)
    assert [message.type for message in one.node.ready().messages] == [M.HEARTBEAT_RESPONSE]


def test_a_follower_whose_link_to_the_leader_broke_stands_after_a_few_ticks() -> None:
    one = One(terms=(1,), term=1, pre_vote=True, check_quorum=True)
    one.hear(M.HEARTBEAT)
    one.node.report_unreachable(2)
    assert one.status.leader is None
    sent = one.tick(TIMEOUT - ELECTION + 1)
    assert {message.type for message in sent} == {M.PRE_VOTE}
    assert one.status.term == 1, "nothing has changed for the others yet"


def test_a_leader_that_is_heard_again_after_a_broken_link_stays() -> None:
    one = One(terms=(1,), term=1, pre_vote=True, check_quorum=True)
    one.hear(M.HEARTBEAT)
    one.node.report_unreachable(2)
    one.hear(M.HEARTBEAT)
    assert one.status.leader == 2
    assert one.tick(ELECTION - 1) == []


def test_a_broken_link_to_somebody_else_is_no_reason_to_stand() -> None:
    one = One(terms=(1,), term=1, pre_vote=True, check_quorum=True)
    one.hear(M.HEARTBEAT)
    one.node.report_unreachable(3)
    assert one.status.leader == 2


def test_who_still_hears_the_leader_grants_nothing_to_one_whose_link_broke() -> None:
    one = One(terms=(1,), term=1, pre_vote=True, check_quorum=True)
    one.hear(M.HEARTBEAT)
    assert one.hear(M.PRE_VOTE, 3, term=2, log_term=1, index=1) == []
