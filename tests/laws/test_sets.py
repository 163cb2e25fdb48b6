"""Parked carts and tags: an add that nobody has seen can't be removed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.histories import TILLS, elements
from tillmesh.crdt import CausalContext, Dot, ORSet, VersionVector
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import CRDT_DOTS_MAX

A, B, C = TILLS


def test_a_cart_parked_anew_while_another_till_removes_it_stays() -> None:
    both = ORSet().add("cart-1", (A, 1))
    parked_anew, removed = both.add("cart-1", (A, 2)), both.remove("cart-1")
    assert (parked_anew | removed).elements == {"cart-1"}
    assert (removed | parked_anew) == (parked_anew | removed)


def test_a_cart_that_both_tills_have_seen_removed_is_gone() -> None:
    both = ORSet().add("cart-1", (A, 1)).add("cart-2", (A, 2))
    assert (both.remove("cart-1") | both).elements == {"cart-2"}


def test_a_removed_cart_does_not_come_back_from_a_till_that_has_not_heard() -> None:
    late_till = ORSet().add("cart-1", (A, 1))
    others = late_till.remove("cart-1")
    for _ in range(3):
        others |= late_till
    assert not others.contains("cart-1")


def test_a_removed_cart_can_be_parked_again() -> None:
    cart = ORSet().add("cart-1", (A, 1)).remove("cart-1").add("cart-1", (B, 1))
    assert "cart-1" in cart


def test_nothing_is_kept_of_what_was_removed_but_the_knowledge_of_having_seen_it() -> None:
    carts = ORSet()
    for n in range(1, 1001):
        carts = carts.add(f"cart-{n}", (A, n)).remove(f"cart-{n}")
    assert carts == ORSet({}, CausalContext({A: ((1, 1000),)}))
    assert len(carts.to_bytes()) < 32


def test_a_cart_parked_again_and_again_costs_one_dot() -> None:
    carts = ORSet()
    for n in range(1, 101):
        carts = carts.add("cart-1", (A, n))
    assert carts == ORSet({"cart-1": (Dot(A, 100),)}, CausalContext({A: ((1, 100),)}))


def test_a_remove_that_overtakes_its_add_still_removes() -> None:
    parked = ORSet().add("cart-1", (A, 1))
    assert (ORSet() | parked.remove_delta("cart-1") | parked).elements == frozenset()


def test_a_delta_that_overtakes_an_older_one_does_not_hide_it() -> None:
    """Why the context keeps runs: a version vector would say that dot 1 has been seen."""
    empty = ORSet()
    first = empty.add_delta("cart-1", (A, 1))
    second = empty.add("cart-1", (A, 1)).add_delta("cart-2", (A, 2))
    assert (empty | second | first).elements == {"cart-1", "cart-2"}


def test_adding_is_merging_its_delta() -> None:
    carts = ORSet().add("cart-1", (A, 1)).add("cart-1", (B, 1)).add("cart-2", (B, 4))
    assert carts.add("cart-1", (C, 1)) == carts | carts.add_delta("cart-1", (C, 1))
    assert carts.remove("cart-1") == carts | carts.remove_delta("cart-1")


def test_an_add_that_was_seen_before_changes_nothing() -> None:
    carts = ORSet().add("cart-1", (A, 1))
    assert carts.add("cart-1", (A, 1)) is carts
    gone = carts.remove("cart-1")
    assert gone.add("cart-1", (A, 1)) is gone


def test_the_next_dot_comes_after_all_that_were_seen() -> None:
    carts = ORSet().add("cart-1", (A, 1)).add("cart-2", (A, 7)).remove("cart-2")
    assert (carts.next_dot(A), carts.next_dot(B)) == (Dot(A, 8), Dot(B, 1))


def test_elements_are_listed_in_the_same_order_on_every_till() -> None:
    one, other = ORSet(), ORSet()
    names: list[Any] = ["b", "a", 2, 1, b"a"]
    for n, element in enumerate(names, 1):
        one = one.add(element, (A, n))
    for n, element in reversed(list(enumerate(names, 1))):
        other = other.add(element, (A, n))
    assert list(one) == list(other) == [1, 2, "a", "b", b"a"]
    assert len(one) == 5


def test_with_events_as_dots_the_gaps_close_when_the_log_is_known_to_be_whole() -> None:
    carts = ORSet().add("cart-1", (A, 3)).add("cart-2", (A, 9)).add("cart-3", (B, 2))
    whole = carts.seen_up_to(VersionVector({A: 9, B: 5}))
    assert whole.context == CausalContext({A: ((1, 9),), B: ((1, 5),)})
    assert whole.elements == carts.elements


changes = st.tuples(st.sampled_from(["add", "add", "remove", "hear"]), st.integers(0, 2), elements, st.integers(0, 2))


@given(st.lists(changes, max_size=25))
def test_a_set_holds_what_the_textbook_set_with_tombstones_holds(steps: list[tuple[str, int, Any, int]]) -> None:
    """The specification: an element is there when some add of it has been seen, and no remove of that add."""
    real = [ORSet()] * 3
    textbook: list[tuple[frozenset[Any], frozenset[Any]]] = [(frozenset(), frozenset())] * 3
    for what, till, element, other in steps:
        adds, gone = textbook[till]
        if what == "hear":
            real[till] |= real[other]
            textbook[till] = adds | textbook[other][0], gone | textbook[other][1]
        elif what == "add":
            dot = real[till].next_dot(TILLS[till])
            real[till] = real[till].add(element, dot)
            textbook[till] = adds | {(element, dot)}, gone
        else:
            real[till] = real[till].remove(element)
            textbook[till] = adds, gone | {add for add in adds if add[0] == element}
        adds, gone = textbook[till]
        assert real[till].elements == {added for added, _ in adds - gone}


dots = st.frozensets(st.tuples(st.sampled_from(TILLS), st.integers(1, 12)), max_size=12)


@given(dots, dots)
def test_a_context_is_a_set_of_dots(one: frozenset[tuple[str, int]], other: frozenset[tuple[str, int]]) -> None:
    a, b = CausalContext.of(one), CausalContext.of(other)
    every = [(actor, counter) for actor in TILLS for counter in range(14)]
    assert {dot for dot in every if a.covers(*dot)} == one
    assert a.merge(b) == CausalContext.of(one | other)
    assert a.delta_since(b) == CausalContext.of(one - other)
    assert [a.last(actor) for actor in TILLS] == [
        max((n for who, n in one if who == actor), default=0) for actor in TILLS
    ]


@pytest.mark.parametrize("element", [True, None, 1.5, ("a",), "x" * 101, b"x" * 101, 2**63, "\ud800"])
def test_what_cannot_be_told_apart_everywhere_cannot_be_an_element(element: Any) -> None:
    with pytest.raises(Invalid, match="can't be in a set"):
        ORSet().add(element, (A, 1))


@pytest.mark.parametrize("dot", [(A, 0), (A, -1), (A, True), (A, 2**63), ("", 1), (7, 1), (A,), [A, 1], None])
def test_an_add_needs_a_real_dot(dot: Any) -> None:
    with pytest.raises(Invalid):
        ORSet().add("cart-1", dot)


def test_one_dot_more_than_the_limit_is_refused() -> None:
    full = ORSet({n: (Dot(A, n + 1),) for n in range(CRDT_DOTS_MAX)}, CausalContext({A: ((1, CRDT_DOTS_MAX),)}))
    assert ORSet.from_bytes(full.to_bytes()) == full
    with pytest.raises(TooLarge, match=f"the limit is {CRDT_DOTS_MAX}"):
        full.add(-1, full.next_dot(A))
