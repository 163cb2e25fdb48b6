"""When a till is gone for good: not before everybody who is left, head office too, holds all that it wrote."""

import msgspec
import pytest

from tests.unit.till.test_council import formed
from tillmesh.kernel.limits import FOLDED_PER_EVENT_MAX
from tillmesh.till.agreement import Agreed, Belonging, CutDecided, FoldDecided, decode_decision, encode_decision
from tillmesh.till.folding import Ends, gone

OLD, LEFT = "gone0000.bbbbbbbb", "stays000.aaaaaaaa"
KNOWN = Belonging(frozenset({LEFT}), frozenset({OLD}))


def test_a_revoked_till_is_gone_once_its_log_ends_alike_on_all_tills() -> None:
    assert gone(KNOWN, {LEFT}, Ends({OLD: 9, LEFT: 4}, None), {}) == {OLD: 9}


@pytest.mark.parametrize(
    ("seated", "ends", "agreed"),
    [
        ({LEFT}, Ends(None, None), {}),  # not every till is heard
        ({LEFT}, Ends({LEFT: 4}, None), {}),  # its log ends elsewhere on one of them
        ({LEFT, OLD}, Ends({OLD: 9}, None), {}),  # it still takes part in the agreement
        ({LEFT}, Ends({OLD: 9}, {}), {}),  # head office holds nothing of it
        ({LEFT}, Ends({OLD: 9}, {OLD: 8}), {}),  # ... lacks the last event
        ({LEFT}, Ends({OLD: 9}, {OLD: 10}), {}),  # ... holds one that no till has heard of
        ({LEFT}, Ends({OLD: 9}, None), {OLD: 9}),  # that was agreed before
    ],
)
def test_a_till_is_not_gone_yet(seated: set[str], ends: Ends, agreed: dict[str, int]) -> None:
    assert gone(KNOWN, seated, ends, agreed) == {}


def test_neither_who_belongs_to_the_store_nor_head_office_is_ever_gone() -> None:
    office = "headoffice.aaaaaaaa"
    known = Belonging(frozenset({LEFT}), frozenset({LEFT, office}))
    assert gone(known, set(), Ends({LEFT: 4, office: 2}, None), {}) == {}


def test_one_decision_names_no_more_tills_than_an_event_may() -> None:
    many = {f"gone{n:04}.aaaaaaaa": 1 for n in range(FOLDED_PER_EVENT_MAX + 1)}
    assert len(gone(Belonging(frozenset(), frozenset(many)), set(), Ends(many, None), {})) == FOLDED_PER_EVENT_MAX


def test_every_till_of_the_store_applies_what_was_agreed_but_for_who_still_takes_part() -> None:
    room = formed(3)
    leader = room.councils[room.leader()]
    decision = FoldDecided(op_id="one", finals={OLD: 9, "t2.b": 4}, epoch=3)
    room.perform(room.leader(), leader.propose(decision))
    room.tick(5)
    assert [council.agreed.folded for council in room.councils.values()] == [{OLD: 9}] * 3


def test_what_was_agreed_grows_and_lives_on_in_the_snapshot() -> None:
    agreed = Agreed()
    for number, last in enumerate((9, 7, 11)):
        agreed = agreed.after(FoldDecided(op_id=str(number), finals={OLD: last}, epoch=10 - number))
    agreed = agreed.after(CutDecided(op_id="cut", vector={LEFT: 5}))
    assert (agreed.folded, agreed.epoch, agreed.cut) == ({OLD: 11}, 10, {LEFT: 5})
    assert Agreed.from_bytes(agreed.to_bytes()) == agreed


def test_a_cut_is_offered_with_what_has_grown_only_and_the_agreed_one_keeps_the_rest() -> None:
    agreed = Agreed().after(CutDecided(op_id="one", vector={OLD: 9, LEFT: 4}))
    grown = agreed.grown({OLD: 9, LEFT: 6, "t1.a": 1})
    assert grown == {LEFT: 6, "t1.a": 1}
    assert agreed.after(CutDecided(op_id="two", vector=grown)).cut == {OLD: 9, LEFT: 6, "t1.a": 1}
    assert agreed.grown({LEFT: 3}) == {}


def test_a_snapshot_of_an_older_program_says_that_nobody_is_gone() -> None:
    assert Agreed.from_bytes(msgspec.msgpack.encode({"operations": ["a"], "cut": {LEFT: 5}})).folded == {}


def test_the_decision_is_read_as_it_was_written() -> None:
    decision = FoldDecided(op_id="one", finals={OLD: 9}, epoch=3)
    assert decode_decision(encode_decision(decision)) == decision
