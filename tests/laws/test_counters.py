"""Stock and points: the figures of the original design, recomputed by hand, and what columns are for."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.crdt import Column, GCounter, PNCounter
from tillmesh.kernel.errors import Invalid

A, B, C = "t1.aa", "t2.bb", "t3.cc"


def test_ten_received_and_five_sold_is_five_on_every_replica_in_any_order_of_merging() -> None:
    received = PNCounter().increment(A, 10)
    sold_here = PNCounter().decrement(B, 2)
    sold_there = PNCounter().decrement(C, 3)
    for first, second, third in permutations([received, sold_here, sold_there]):
        assert (first | second | third).value == 5
        assert (first | (second | third)).value == 5
        assert (first | second | first | third | second).value == 5


def test_a_till_that_had_sold_five_and_sells_one_and_two_more_stands_at_eight() -> None:
    """The original shows ``max(0, 3) = 3``: it takes the sum of two deltas for the total, and loses the five."""
    till = PNCounter().decrement(A, 5)
    leader = PNCounter() | till
    for sold in (1, 2):
        before, till = till, till.decrement(A, sold)
        leader |= till.delta_since(before)
    assert leader.actors() == {A: Column(p=0, n=8)}
    assert leader == till


def test_the_broadcast_of_the_leader_leaves_the_other_till_at_six() -> None:
    """The original's second step is right when the columns are totals: 10 received, 3 sold on A and 1 on B."""
    leader = PNCounter().decrement(A, 1).decrement(A, 2)
    other = PNCounter().increment(B, 10).decrement(B, 1)
    assert (other | leader).value == 6
    assert (other | leader).actors() == {A: Column(0, 3), B: Column(10, 1)}


def test_two_tills_selling_the_last_unit_leave_stock_at_minus_one() -> None:
    """The original first shows -2: it forgets the unit that was there."""
    opening = PNCounter().increment(C, 1)
    assert (opening.decrement(A) | opening.decrement(B)).value == -1


def test_ten_in_stock_and_five_and_six_sold_apart_leave_minus_one() -> None:
    opening = PNCounter().increment(C, 10)
    assert (opening.decrement(A, 5) | opening.decrement(B, 6)).value == -1


def test_three_tills_selling_the_last_unit_leave_stock_at_minus_two() -> None:
    opening = PNCounter().increment(C, 1)
    assert (opening.decrement(A) | opening.decrement(B) | opening.decrement(C)).value == -2


def test_a_counter_reset_by_a_leader_is_wrong_as_soon_as_a_late_till_is_heard() -> None:
    """Why no column is ever reset, as the original's ``compactPNCounter`` does: the late till undoes half of it."""
    store = PNCounter().increment(C, 10).decrement(A, 4)
    late_till = store.decrement(A, 1)  # in the basement, not heard yet
    reset_by_b = PNCounter({B: (store.value, 0)})
    assert (store | late_till).value == 5
    assert (reset_by_b | late_till).value == 11  # the delivery of 10 comes back, beside the 6 that were left of it
    assert (reset_by_b | late_till.delta_since(store)).value == 1  # the 4 sold are taken off a second time


def test_a_delta_that_arrives_three_times_counts_once() -> None:
    till = PNCounter().increment(A, 10)
    sale = till.decrement(A, 3).delta_since(till)
    assert (till | sale | sale | sale).value == 7


def test_an_old_delta_that_comes_last_changes_nothing() -> None:
    start = PNCounter().increment(A, 10)
    once = start.decrement(A, 3)
    twice = once.decrement(A, 3)
    assert (twice | once.delta_since(start)) == twice


def test_points_earned_on_two_tills_add_up_to_eighty() -> None:
    assert (GCounter().increment(A, 50) | GCounter().increment(B, 30)).value == 80


def test_counting_nothing_leaves_no_trace() -> None:
    assert PNCounter().increment(A, 0).decrement(B, 0) == PNCounter()
    assert GCounter().increment(A, 0).actors() == {}


def test_columns_are_listed_by_actor() -> None:
    assert list(PNCounter().increment(B).decrement(A).actors().items()) == [(A, (0, 1)), (B, (1, 0))]
    assert list(GCounter().increment(B).increment(A, 2).actors().items()) == [(A, 2), (B, 1)]


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(-(10**6), 10**6)), max_size=30))
def test_stock_is_received_less_sold_whoever_moved_it(moves: list[tuple[str, int]]) -> None:
    tills = dict.fromkeys([A, B, C], PNCounter())
    for actor, n in moves:
        tills[actor] = tills[actor].increment(actor, n) if n >= 0 else tills[actor].decrement(actor, -n)
    assert (tills[A] | tills[B] | tills[C]).value == sum(n for _, n in moves)


@pytest.mark.parametrize("n", [-1, True, 1.0, "1", 2**63, pytest.param(10**5000, id="5000 digits")])
@pytest.mark.parametrize("count", [PNCounter().increment, PNCounter().decrement, GCounter().increment])
def test_a_column_grows_by_whole_numbers_only(count: object, n: object) -> None:
    with pytest.raises(Invalid, match="grow"):
        count(A, n)  # type: ignore[operator]


@pytest.mark.parametrize("counter", [PNCounter(), GCounter()])
def test_a_column_ends_where_the_database_does(counter: PNCounter | GCounter) -> None:
    full = counter.increment(A, 2**63 - 1)
    assert type(full).from_bytes(full.to_bytes()) == full
    with pytest.raises(Invalid, match=r"t1\.aa"):
        full.increment(A)


@pytest.mark.parametrize("actor", ["", "x" * 65, "\ud800", 7, None])
@pytest.mark.parametrize("counter", [PNCounter(), GCounter()])
def test_only_an_actor_can_count(counter: PNCounter | GCounter, actor: str) -> None:
    with pytest.raises(Invalid, match="not an actor"):
        counter.increment(actor)
