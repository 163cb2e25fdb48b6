"""The laws of everything that is replicated, tried on what three tills hold after a drawn history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.histories import KINDS, Kind, lived

pytestmark = pytest.mark.slow
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
drawn = st.data()


@every_kind
@given(data=drawn)
def test_it_does_not_matter_who_hears_whom(kind: Kind, data: st.DataObject) -> None:
    a, b, _ = lived(kind, data).tills
    assert a.merge(b) == b.merge(a)
    assert a | b == a.merge(b)


@every_kind
@given(data=drawn)
def test_it_does_not_matter_who_hears_whom_first(kind: Kind, data: st.DataObject) -> None:
    a, b, c = lived(kind, data).tills
    assert a.merge(b).merge(c) == a.merge(b.merge(c))


@every_kind
@given(data=drawn)
def test_hearing_the_same_again_changes_nothing(kind: Kind, data: st.DataObject) -> None:
    a, b, _ = lived(kind, data).tills
    both = a.merge(b)
    assert a.merge(a) == a
    assert both.merge(b) == both
    assert both.merge(a) == both


@every_kind
@given(data=drawn)
def test_a_till_that_knows_nothing_adds_nothing(kind: Kind, data: st.DataObject) -> None:
    a, _, _ = lived(kind, data).tills
    assert a.merge(kind.empty) == a
    assert kind.empty.merge(a) == a


@every_kind
@given(data=drawn)
def test_hearing_another_till_leaves_both_sides_as_they_were(kind: Kind, data: st.DataObject) -> None:
    a, b, _ = lived(kind, data).tills
    before = a.to_bytes(), b.to_bytes()
    a.merge(b)
    a.delta_since(b)
    assert (a.to_bytes(), b.to_bytes()) == before


@every_kind
@given(data=drawn)
def test_deltas_lost_and_resent_doubled_and_overtaking_end_in_the_same_state(kind: Kind, data: st.DataObject) -> None:
    history = lived(kind, data)
    post = data.draw(st.permutations(history.deltas * 2))
    late_till = kind.empty
    for delta in post:
        late_till = late_till.merge(delta)
    assert late_till == history.everything


@every_kind
@given(data=drawn)
def test_deltas_that_travel_together_do_what_they_do_alone(kind: Kind, data: st.DataObject) -> None:
    history = lived(kind, data)
    cut = data.draw(st.integers(0, len(history.deltas)))
    batches = [kind.empty, kind.empty]
    for number, delta in enumerate(history.deltas):
        batches[number >= cut] = batches[number >= cut].merge(delta)
    assert batches[1].merge(batches[0]) == history.everything


@every_kind
@given(data=drawn)
def test_tills_that_gossip_at_random_and_then_hear_all_are_equal(kind: Kind, data: st.DataObject) -> None:
    history = lived(kind, data)
    goal, tills = history.everything, list(history.tills)
    pairs = st.tuples(st.integers(0, 2), st.integers(0, 2))
    for hearer, speaker in data.draw(st.lists(pairs, max_size=6)):
        tills[hearer] = tills[hearer].merge(tills[speaker].delta_since(tills[hearer]))
    for speaker in (0, 1, 2, 0, 1):  # a ring, once round and on: everyone has heard everyone
        tills[(speaker + 1) % 3] = tills[(speaker + 1) % 3].merge(tills[speaker])
    assert tills == [goal] * 3


@every_kind
@given(data=drawn)
def test_a_delta_does_for_its_receiver_what_the_whole_state_does(kind: Kind, data: st.DataObject) -> None:
    a, b, _ = lived(kind, data).tills
    assert b.merge(a.delta_since(b)) == b.merge(a)
    assert a.delta_since(a) == kind.empty
    assert a.delta_since(a.merge(b)) == kind.empty


@every_kind
@given(data=drawn)
def test_equal_values_have_equal_hashes_and_others_differ_in_bytes(kind: Kind, data: st.DataObject) -> None:
    a, b, _ = lived(kind, data).tills
    assert (a == b) == (a.to_bytes() == b.to_bytes())
    assert hash(a.merge(b)) == hash(b.merge(a))
