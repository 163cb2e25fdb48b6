"""Which pictures give way when a till's shelf of them is full."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.limits import PICTURE_UNNAMED_MS
from tillmesh.till.picture_shelf import COPIES_BESIDE, Held, forgotten, giving_way, over

HELD = st.builds(
    Held,
    sha256=st.integers(0, 40).map(str),
    size=st.integers(1, 100),
    own=st.booleans(),
    used_ms=st.integers(0, 1_000),
    named=st.booleans(),
)
SHELF = st.lists(HELD, max_size=12, unique_by=lambda one: one.sha256)
COPIES = st.dictionaries(st.integers(0, 40).map(str), st.integers(1, 3))


def test_the_one_used_longest_ago_gives_way_first() -> None:
    shelf = [Held("b", 10, own=False, used_ms=2, named=True), Held("a", 10, own=False, used_ms=5, named=True)]
    assert giving_way(shelf, 4, {"a": 2, "b": 2}) == ["b"]
    assert giving_way(shelf, 14, {"a": 2, "b": 3}) == ["b", "a"]


def test_what_no_product_names_goes_before_what_one_does_and_nobody_else_needs_it() -> None:
    shelf = [Held("a", 10, own=False, used_ms=1, named=True), Held("b", 10, own=True, used_ms=9, named=False)]
    assert giving_way(shelf, 4, {"a": 2}) == ["b"]


def test_what_people_of_this_till_added_stays() -> None:
    assert giving_way([Held("a", 10, own=True, used_ms=1, named=True)], 4, {"a": 2}) is None


def test_what_no_two_smaller_tills_hold_stays() -> None:
    shelf = [Held("a", 10, own=False, used_ms=1, named=True), Held("b", 10, own=False, used_ms=2, named=True)]
    assert giving_way(shelf, 4, {"a": 1, "b": 2}) == ["b"]
    assert giving_way(shelf, 14, {"a": 1, "b": 2}) is None


def test_a_picture_is_forgotten_a_day_after_no_product_names_it() -> None:
    old = Held("a", 10, own=True, used_ms=1, named=False)
    assert forgotten([old], PICTURE_UNNAMED_MS) == []
    assert forgotten([old], PICTURE_UNNAMED_MS + 1) == ["a"]
    assert forgotten([old._replace(named=True)], PICTURE_UNNAMED_MS * 9) == []


@given(
    SHELF, st.integers(1, 100), st.integers(50, 400), st.dictionaries(st.integers(0, 40).map(str), st.integers(1, 3))
)
def test_what_gives_way_makes_enough_room_and_no_last_copy_is_lost(
    shelf: list[Held], size: int, bytes_max: int, copies: dict[str, int]
) -> None:
    gone = giving_way(shelf, over(shelf, size, bytes_max), copies)
    rest = [one for one in shelf if gone is None or one.sha256 not in gone]
    if gone is not None:
        assert over(rest, size, bytes_max) <= 0
    for one in shelf:
        if one.named and (one.own or copies.get(one.sha256, 0) < COPIES_BESIDE):
            assert one in rest


@given(st.lists(SHELF, min_size=1, max_size=4), st.integers(0, 200))
def test_tills_that_make_room_at_the_same_moment_keep_every_picture_that_a_product_names(
    shelves: list[list[Held]], bytes_over: int
) -> None:
    """Each asks the tills before it what they hold, and hears what they held before any of them dropped something."""
    named = {one.sha256 for shelf in shelves for one in shelf}
    shelves = [[one._replace(named=True) for one in shelf] for shelf in shelves]
    left = set[str]()
    for place, shelf in enumerate(shelves):
        copies = Counter(one.sha256 for smaller in shelves[:place] for one in smaller)
        gone = giving_way(shelf, bytes_over, copies) or []
        left |= {one.sha256 for one in shelf} - set(gone)
    assert left == named


@given(st.lists(SHELF, min_size=1, max_size=5), st.integers(0, 200), st.integers(0, 4))
def test_a_till_that_says_it_holds_everything_makes_no_last_copy_go(
    shelves: list[list[Held]], bytes_over: int, lies_at: int
) -> None:
    """It holds nothing, says that it does to all that ask, and its name stands anywhere among the others."""
    named = {one.sha256 for shelf in shelves for one in shelf}
    shelves = [[one._replace(named=True) for one in shelf] for shelf in shelves]
    left = set[str]()
    for place, shelf in enumerate(shelves):
        copies = Counter(one.sha256 for smaller in shelves[:place] for one in smaller)
        if lies_at <= place:
            copies.update(named)
        left |= {one.sha256 for one in shelf} - set(giving_way(shelf, bytes_over, copies) or [])
    assert left == named
