"""Majorities: any two overlap, also those of configurations one change apart; that is what all of it rests on."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tillmesh.raft import ConfChange, ConfChangeType, ConfState, NodeId, quorum
from tillmesh.raft.membership import changed

voters = st.sets(st.integers(1, 9), min_size=1, max_size=7)
changes = st.builds(ConfChange, st.sampled_from(ConfChangeType), st.integers(1, 9))


def majorities(group: set[int]) -> list[set[int]]:
    return [set(some) for n in range(len(group) + 1) for some in combinations(group, n) if quorum.heard(group, some)]


@given(voters, changes)
def test_majorities_one_change_apart_overlap(group: set[int], change: ConfChange) -> None:
    after = changed(ConfState(tuple(group)), change)
    assert after.voters
    assert all(one & other for one in majorities(group) for other in majorities({int(v) for v in after.voters}))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_committed_is_the_highest_index_on_a_majority(matches: list[int]) -> None:
    index = quorum.committed(matches)
    assert 2 * sum(match >= index for match in matches) > len(matches)
    assert 2 * sum(match > index for match in matches) <= len(matches)


@given(voters, st.dictionaries(st.integers(1, 12), st.booleans()))
def test_a_poll_is_decided_exactly_when_no_further_vote_could_change_it(
    group: set[int], votes: dict[NodeId, bool]
) -> None:
    open_ones = group - set(votes)
    best = quorum.poll(group, votes | dict.fromkeys(open_ones, True))
    worst = quorum.poll(group, votes | dict.fromkeys(open_ones, False))
    assert best in {quorum.Poll.WON, quorum.Poll.LOST}
    now = quorum.poll(group, votes)
    assert now is (best if best is worst else quorum.Poll.OPEN)


def test_nobody_can_win_where_nobody_votes() -> None:
    assert quorum.poll(set(), {1: True}) is not quorum.Poll.WON
    assert quorum.committed([]) == 0


@given(st.sets(st.integers(1, 5), min_size=1), st.sets(st.integers(6, 9)), st.lists(changes, max_size=8))
def test_nobody_is_voter_and_learner_and_somebody_always_votes(
    group: set[int], learners: set[int], history: list[ConfChange]
) -> None:
    conf = ConfState(tuple(sorted(group)), tuple(sorted(learners)))
    for change in history:
        conf = changed(conf, change)
        assert conf.voters
        assert not set(conf.voters) & set(conf.learners)
        assert list(conf.voters) == sorted(conf.voters, key=int)
