"""What a till holds and lacks of every other: compared with plain sets of events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.histories import TILLS
from tillmesh.crdt import Missing, VersionVector
from tillmesh.kernel.errors import Invalid

A, B, C = TILLS
vectors = st.dictionaries(st.sampled_from(TILLS), st.integers(1, 5)).map(VersionVector)


def events(vector: VersionVector) -> set[tuple[str, int]]:
    return {(actor, n) for actor, seq in vector for n in range(1, seq + 1)}


@given(vectors, vectors)
def test_vectors_compare_as_the_sets_of_events_they_stand_for(a: VersionVector, b: VersionVector) -> None:
    assert a.dominates(b) == (events(a) >= events(b))
    assert a.concurrent_with(b) == (bool(events(a) - events(b)) and bool(events(b) - events(a)))
    assert events(a | b) == events(a) | events(b)
    assert all(a.covers(actor, n) == ((actor, n) in events(a)) for actor in TILLS for n in range(1, 8))


@given(vectors, vectors)
def test_what_is_missing_from_a_peer_is_exactly_what_it_lacks(a: VersionVector, b: VersionVector) -> None:
    sent = {(run.actor, n) for run in a.missing_from(b) for n in range(run.first, run.last + 1)}
    assert sent == events(a) - events(b)


def test_a_peer_is_sent_one_run_per_actor() -> None:
    mine, theirs = VersionVector({A: 17, B: 4}), VersionVector({A: 12, C: 3})
    assert mine.missing_from(theirs) == (Missing(A, 13, 17), Missing(B, 1, 4))
    assert theirs.missing_from(mine) == (Missing(C, 1, 3),)
    assert mine.concurrent_with(theirs)


def test_a_vector_never_goes_back() -> None:
    vector = VersionVector().advance(A, 5)
    assert vector.advance(A, 3) is vector
    assert vector.advance(A, 5) is vector
    assert vector.advance(A, 6).get(A) == 6


def test_of_an_unknown_actor_nothing_is_held() -> None:
    assert VersionVector().get(A) == 0
    assert not VersionVector().covers(A, 1)
    assert VersionVector().advance(A, 0) == VersionVector()


def test_a_vector_is_listed_by_actor() -> None:
    vector = VersionVector().advance(B, 2).advance(A, 1)
    assert (list(vector), len(vector), dict(vector)) == ([(A, 1), (B, 2)], 2, {A: 1, B: 2})


@pytest.mark.parametrize(("actor", "seq"), [(A, -1), (A, 2**63), (A, True), (A, "1"), ("", 1), ("x" * 65, 1)])
def test_a_vector_takes_no_nonsense(actor: Any, seq: Any) -> None:
    with pytest.raises(Invalid):
        VersionVector().advance(actor, seq)


def test_a_vector_has_no_entry_for_nothing() -> None:
    with pytest.raises(Invalid):
        VersionVector({A: 0})
