"""Section 6 of the extended Raft paper, 3.10 and 4 of the thesis: who belongs to the group, and who takes over."""

import pytest

from tests.paper.one_node import ELECTION, TIMEOUT, One, log
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import RAFT_MEMBERS_MAX
from tillmesh.raft import (
    ConfChange,
    ConfChangeType,
    Entry,
    EntryType,
    Message,
    MessageType,
    NodeId,
    ProposalDropped,
    Role,
    conf_change,
    encode,
)

M = MessageType
ADD, LEARN, REMOVE = ConfChangeType.ADD_VOTER, ConfChangeType.ADD_LEARNER, ConfChangeType.REMOVE


def change(one: One, kind: ConfChangeType, node: NodeId, *stored_by: int) -> list[Message]:
    """Propose a change and have it stored; give what is sent when it takes effect."""
    one.node.propose_conf_change(ConfChange(kind, node))
    one.drain()
    sent: list[Message] = []
    for follower in stored_by:
        sent += one.stored(follower)
    return sent


def test_4_1_a_change_is_an_entry_like_any_other() -> None:
    one = One().lead()
    one.node.propose_conf_change(ConfChange(ADD, 4))
    one.drain()
    entry = one.out[0].entries[0]
    assert (entry.type, conf_change(entry)) == (EntryType.CONF_CHANGE, ConfChange(ADD, 4))
    assert conf_change(Entry(1, 1, b"x")) is None


def test_4_1_a_change_holds_when_it_is_applied() -> None:
    one = One().lead()
    change(one, ADD, 4)
    before = one.status.voters
    one.stored(2)
    assert (before, one.status.voters) == ((1, 2, 3), (1, 2, 3, 4))


def test_4_1_one_change_at_a_time() -> None:
    one = One().lead()
    change(one, ADD, 4)
    with pytest.raises(ProposalDropped, match="before the next change"):
        change(one, ADD, 5)
    assert one.status.last_index == 2
    one.stored(2)
    change(one, ADD, 5, 2, 3)
    assert one.status.voters == (1, 2, 3, 4, 5)


def test_4_1_a_new_leader_changes_nothing_before_an_entry_of_its_term_is_committed() -> None:
    one = One(term=1, terms=[1])
    one.campaign()
    one.hear(M.VOTE_RESPONSE, 2)
    with pytest.raises(ProposalDropped):
        change(one, REMOVE, 3)
    one.stored(2, 1)
    with pytest.raises(ProposalDropped):
        change(one, REMOVE, 3)
    one.stored(2)
    change(one, REMOVE, 3, 2)
    assert one.status.voters == (1, 2)


def test_4_1_nobody_stands_with_a_committed_change_it_has_not_applied() -> None:
    one = One(term=1)
    one.node.step(
        Message(M.APPEND, 2, 1, 1, entries=(Entry(1, 1, encode(ConfChange(ADD, 4)), EntryType.CONF_CHANGE),), commit=1)
    )
    one.node.campaign()
    assert one.status.role is Role.FOLLOWER
    one.drain()
    assert {m.to for m in one.campaign() if m.type is M.VOTE} == {2, 3, 4}


def test_4_1_the_last_voter_stays() -> None:
    one = One(voters=(1,), learners=(2,)).lead()
    for kind in (REMOVE, LEARN):
        with pytest.raises(ProposalDropped, match="last voter"):
            change(one, kind, 1)
    assert one.status.voters == (1,)


@pytest.mark.parametrize("node", [0, "", "x" * 65])
def test_ids_that_mean_nobody_are_refused(node: NodeId) -> None:
    one = One().lead()
    with pytest.raises(Invalid):
        change(one, ADD, node)


def test_a_group_has_a_largest_size() -> None:
    one = One(learners=range(4, RAFT_MEMBERS_MAX + 1)).lead()
    with pytest.raises(Invalid, match="members"):
        change(one, LEARN, 1_000)
    change(one, ADD, 4, 2)
    assert 4 in one.status.voters


def test_6_the_second_voter_is_needed_as_soon_as_it_is_one() -> None:
    one = One(voters=(1,)).lead()
    change(one, ADD, 2)
    assert one.status.voters == (1, 2)
    one.propose()
    assert one.status.commit == 2
    one.stored(2)
    assert one.status.commit == 3


def test_6_an_entry_that_only_missed_the_removed_one_commits_on_removal() -> None:
    one = One(voters=(1, 2)).lead()
    one.node.propose_conf_change(ConfChange(REMOVE, 2))
    one.node.propose(b"x")
    one.drain()
    one.stored(2, 2)
    assert (one.status.voters, one.status.commit) == ((1,), 3)


def test_4_2_1_a_learner_stores_but_does_not_count() -> None:
    one = One(learners=(4,)).lead()
    assert {m.to for m in one.propose()} == {2, 3, 4}
    one.stored(4)
    assert one.status.commit == 1
    one.stored(2)
    assert one.status.commit == 2


def test_4_2_1_a_learner_never_stands() -> None:
    one = One(node=4, learners=(4,))
    assert one.tick(10 * TIMEOUT) == []
    assert one.campaign() == []
    assert one.hear(M.TIMEOUT_NOW, term=1) == []
    assert (one.status.role, one.status.voters, one.status.learners) == (Role.FOLLOWER, (1, 2, 3), (4,))


def test_4_2_1_a_promoted_learner_counts_with_what_it_has() -> None:
    one = One(voters=(1, 2), learners=(3,)).lead()
    change(one, ADD, 3, 2, 3)
    assert (one.status.voters, one.status.learners) == ((1, 2, 3), ())
    assert one.status.peers[3].match == 2
    one.propose()
    one.stored(3)
    assert one.status.commit == 3


def test_4_2_1_a_voter_can_be_made_a_learner() -> None:
    one = One().lead()
    change(one, LEARN, 3, 2)
    assert (one.status.voters, one.status.learners) == ((1, 2), (3,))


@pytest.mark.parametrize("kind", [ADD, LEARN])
def test_a_newcomer_is_greeted_at_once(kind: ConfChangeType) -> None:
    one = One().lead()
    sent = change(one, kind, 4, 2)
    assert any(m.to == 4 and m.type is M.APPEND for m in sent)


def test_a_newcomer_does_not_unseat_the_leader_before_it_could_answer() -> None:
    one = One(voters=(1, 2), check_quorum=True).lead()
    one.tick(ELECTION)
    one.hear(M.HEARTBEAT_RESPONSE, 2)
    change(one, ADD, 3, 2)
    one.tick(1)
    assert one.status.role is Role.LEADER


def test_6_votes_are_given_without_looking_at_the_own_configuration() -> None:
    learner = One(node=4, voters=(1, 2), learners=(4,))
    (answer,) = learner.hear(M.VOTE, 2, term=1)
    assert not answer.reject
    voter = One(voters=(1, 2))
    (answer,) = voter.hear(M.VOTE, 9, term=1)
    assert not answer.reject


def test_4_2_2_a_leader_that_is_removed_tells_the_others_and_steps_down() -> None:
    one = One().lead()
    sent = change(one, REMOVE, 1, 2)
    assert {(m.type, m.to, m.commit) for m in sent} >= {(M.APPEND, 2, 2), (M.APPEND, 3, 2)}
    assert (one.status.role, one.status.leader, one.status.voters) == (Role.FOLLOWER, None, (2, 3))
    assert one.tick(10 * TIMEOUT) == []


def test_4_2_2_the_removed_one_is_told_before_it_is_forgotten() -> None:
    one = One().lead()
    sent = change(one, REMOVE, 3, 2)
    assert [m for m in sent if m.to == 3 and m.commit == 2] != []
    assert {m.to for m in one.tick()} == {2}
    assert one.hear(M.HEARTBEAT_RESPONSE, 3) == []
    assert one.hear(M.APPEND_RESPONSE, 3, index=2) == []


def test_who_applied_a_change_and_left_tells_those_who_did_not_hear_of_it() -> None:
    """Two voters; 1 was removed, knows it, has a longer log and will not vote for 2."""
    entry = Entry(1, 2, encode(ConfChange(REMOVE, 1)), EntryType.CONF_CHANGE)
    left, stays = One(voters=(1, 2), term=1, terms=[1]), One(node=2, voters=(1, 2), term=1, terms=[1])
    left.hear(M.APPEND, 2, term=1, index=1, log_term=1, entries=(entry, Entry(1, 3, b"tail")), commit=2)
    stays.hear(M.APPEND, 1, term=1, index=1, log_term=1, entries=(entry,), commit=1)
    assert (left.status.voters, stays.status.voters) == ((2,), (1, 2))
    (request,) = stays.campaign()
    left.node.step(request)
    left.drain()
    (refusal,) = left.take(M.VOTE_RESPONSE)
    assert (refusal.reject, refusal.commit, refusal.commit_term) == (True, 2, 1)
    stays.node.step(refusal)
    stays.drain()
    assert (stays.status.voters, stays.status.role) == ((2,), Role.FOLLOWER)
    stays.campaign()
    assert stays.status.role is Role.LEADER


def test_a_voter_that_refuses_learns_what_the_candidate_knows_to_be_committed() -> None:
    one = One(term=2, terms=[1, 1, 2])
    (answer,) = one.hear(M.VOTE, 2, term=3, index=2, log_term=1, commit=2, commit_term=1)
    assert (answer.reject, one.status.commit) == (True, 2)
    (answer,) = one.hear(M.VOTE, 3, term=4, index=3, log_term=1, commit=3, commit_term=1)
    assert (answer.reject, one.status.commit) == (True, 2)


# Thesis 3.10: leadership transfer.


def test_3_10_a_successor_that_has_everything_takes_over_at_once() -> None:
    one = One().lead()
    assert one.node.transfer_leader(3)
    one.drain()
    assert [(m.type, m.to) for m in one.take()] == [(M.TIMEOUT_NOW, 3)]


def test_3_10_a_successor_is_brought_up_to_date_first() -> None:
    one = One().lead()
    one.propose()
    one.node.transfer_leader(3)
    one.drain()
    assert [m.type for m in one.take() if m.to == 3] == [M.APPEND]
    assert M.TIMEOUT_NOW in {m.type for m in one.stored(3)}


def test_3_10_no_proposals_while_leadership_is_handed_over() -> None:
    one = One().lead()
    one.node.transfer_leader(3)
    with pytest.raises(ProposalDropped, match="handed"):
        one.propose()
    with pytest.raises(ProposalDropped):
        change(one, ADD, 4)
    assert one.status.transferee == 3


def test_3_10_a_successor_that_does_not_take_over_is_given_up_after_an_election_timeout() -> None:
    one = One().lead()
    one.tick(ELECTION - 1)
    one.node.transfer_leader(3)
    one.tick(ELECTION - 1)
    waiting = one.status.transferee
    assert waiting == 3
    one.tick()
    assert (one.status.transferee, one.status.role) == (None, Role.LEADER)
    one.propose()


def test_3_10_the_successor_stands_at_once_and_asks_no_pre_vote() -> None:
    one = One(pre_vote=True, check_quorum=True, term=1)
    one.hear(M.HEARTBEAT, 2)
    sent = one.hear(M.TIMEOUT_NOW, 2)
    assert [(m.type, m.term, m.force) for m in sent] == [(M.VOTE, 2, True), (M.VOTE, 2, True)]


def test_3_10_a_request_from_an_older_term_is_ignored() -> None:
    one = One(term=3)
    assert one.hear(M.TIMEOUT_NOW, 2, term=2) == []
    assert one.status.role is Role.FOLLOWER


@pytest.mark.parametrize("to", [1, 4, 9])
def test_3_10_only_another_voter_can_succeed(to: int) -> None:
    one = One(learners=(4,)).lead()
    assert not one.node.transfer_leader(to)
    assert one.status.transferee is None


def test_3_10_a_second_successor_replaces_the_first() -> None:
    one = One().lead()
    assert one.node.transfer_leader(3)
    assert one.node.transfer_leader(3)
    one.drain()
    assert len(one.take()) == 1
    assert one.node.transfer_leader(2)
    assert one.status.transferee == 2


def test_3_10_a_successor_that_is_removed_ends_the_transfer() -> None:
    one = One().lead()
    change(one, REMOVE, 3)
    one.node.transfer_leader(3)
    one.stored(2)
    assert one.status.transferee is None


def test_3_10_another_member_that_is_removed_does_not() -> None:
    one = One().lead()
    change(one, REMOVE, 2)
    one.node.transfer_leader(3)
    one.stored(2)
    assert (one.status.voters, one.status.transferee) == ((1, 3), 3)


def test_3_10_a_follower_can_not_hand_over() -> None:
    one = One()
    with pytest.raises(ProposalDropped):
        one.node.transfer_leader(2)


def test_configurations_are_listed_in_one_order() -> None:
    one = One(voters=(1, 3, 2), learners=(9, 4)).lead()
    change(one, ADD, 12, 2)
    assert (one.status.voters, one.status.learners) == ((1, 2, 3, 12), (4, 9))
    assert one.terms == [e.term for e in log(1, 1)]
