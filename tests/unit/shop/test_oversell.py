"""Oversells as arithmetic: what is missing, which sales were too many, and which of two answers counts."""

from itertools import permutations

import pytest

from tillmesh.shop.events import OversellResolved, OversellSettled
from tillmesh.shop.oversell import Noted, Sold, conflict_id, history, involved

FIRST = conflict_id("mug", 0)


def resolved(action: str, at: int, actor: str, *, missing: int = 1, conflict: str = FIRST, sale: str = "") -> Noted:
    body = OversellResolved(
        conflict_id=conflict, sku="mug", action=action, quantity_milli=missing * 1000, by="mona", reason="x",
        sales=(sale,) if sale else (),
    )  # fmt: skip
    return Noted(event_id=f"{actor}-{at}", hlc=at, actor=actor, body=body)


def settled(what: Noted, total: int, at: int, outcome: str = "filled") -> Noted:
    body = OversellSettled(
        resolution=what.event_id, sku="mug", outcome=outcome, quantity_milli=total * 1000, by="system"
    )
    return Noted(event_id=f"till0000.aaaaaaaa-{at}", hlc=at, actor="till0000.aaaaaaaa", body=body)


def sold(sale: str, at: int, pieces: int = 1) -> Sold:
    return Sold(sale_id=sale, hlc=at, actor="a", quantity_milli=pieces * 1000, sold_at_ms=at)


def test_a_product_below_zero_that_nobody_decided_about_is_open() -> None:
    past = history("mug", [])
    assert (past.missing_milli(-2_000), past.missing_milli(0), past.missing_milli(3_000)) == (2_000, 0, 0)
    assert past.open_id == FIRST


def test_ten_in_stock_and_eleven_sold_is_one_too_many() -> None:
    # The original design computes its examples without the opening stock, or cut off at zero; see decision 14.
    assert history("mug", []).missing_milli((10 - 5 - 6) * 1000) == 1_000


def test_an_answer_closes_an_oversell_and_the_next_one_has_another_name() -> None:
    past = history("mug", [resolved("adjust", 1, "a")])
    assert past.open_id == conflict_id("mug", 1) != FIRST
    assert past.standing(FIRST) is not None


def test_what_was_promised_is_not_missing_a_second_time() -> None:
    promise = resolved("back_order", 1, "a", sale="s1")
    past = history("mug", [promise])
    assert [past.missing_milli(stock) for stock in (-1_000, -3_000, 5_000)] == [0, 2_000, 0]
    assert past.promised_sales() == {"s1"}
    filled = history("mug", [promise, settled(promise, 1, 2)])
    assert filled.missing_milli(-1_000) == 1_000, "once the goods came, the next one too many is one again"
    assert filled.promised_sales() == frozenset()


def test_two_tills_that_note_the_same_delivery_fill_a_back_order_once() -> None:
    promise = resolved("back_order", 1, "a", missing=2)
    past = history("mug", [promise, settled(promise, 1, 2), settled(promise, 1, 3)])
    assert past.owed_milli == 1_000


@pytest.mark.parametrize(
    ("actions", "counts"),
    [
        (("adjust", "back_order"), 0),
        (("back_order", "adjust"), 0),
        (("adjust", "adjust"), 0),
        (("back_order", "void"), 1),
        (("adjust", "void"), 1),
        (("void", "adjust"), 0),
        (("void", "void"), 0),
    ],
)
def test_of_two_answers_the_first_counts_but_money_that_went_back_counts_before_it(
    actions: tuple[str, str], counts: int
) -> None:
    notes = [resolved(action, at, f"till-{at}") for at, action in enumerate(actions)]
    past = history("mug", notes)
    assert past.epoch == 1
    for place, one in enumerate(past.resolutions):
        assert one.overtaken_by == ("" if place == counts else notes[counts].event_id)


def test_a_second_adjustment_is_taken_back_and_a_second_back_order_is_none() -> None:
    twice = history("mug", [resolved("adjust", 1, "a"), resolved("adjust", 2, "b")])
    assert [one.to_take_back_milli for one in twice.resolutions] == [0, 1_000]
    done = settled(twice.resolutions[1].noted, 1, 3, "taken_back")
    undone = history("mug", [resolved("adjust", 1, "a"), resolved("adjust", 2, "b"), done])
    assert [one.to_take_back_milli for one in undone.resolutions] == [0, 0]
    promised = history("mug", [resolved("back_order", 1, "a"), resolved("back_order", 2, "b")])
    assert promised.owed_milli == 1_000


def test_decisions_in_any_order_are_the_same_history() -> None:
    promise = resolved("back_order", 1, "a")
    second = resolved("back_order", 9, "a", conflict=conflict_id("mug", 1))
    notes = [promise, resolved("adjust", 2, "b"), settled(promise, 1, 5), second]
    expected = history("mug", notes)
    assert all(history("mug", order) == expected for order in permutations(notes))


def test_the_newest_sales_were_too_many_up_to_what_is_missing() -> None:
    sales = [sold("old", 1), sold("before", 2), sold("second", 3), sold("third", 4)]
    for order in permutations(sales):
        found = involved(order, 2_000)
        assert [one.sale_id for one in found.over] == ["third", "second"]
        assert [one.sale_id for one in found.before] == ["before"]


def test_a_large_sale_explains_what_is_missing_alone_and_a_promised_one_nothing() -> None:
    sales = [sold("small", 1), sold("large", 2, pieces=5), sold("promised", 3)]
    found = involved(sales, 2_000, frozenset({"promised"}))
    assert [one.sale_id for one in (*found.over, *found.before)] == ["large", "small"]


def test_fewer_sales_than_are_missing_are_all_there_are() -> None:
    assert [one.sale_id for one in involved([sold("only", 1)], 9_000).over] == ["only"]


def test_the_oldest_back_order_is_filled_first_and_only_as_far_as_the_stock_goes() -> None:
    old = resolved("back_order", 1, "a", missing=2)
    new = resolved("back_order", 2, "a", missing=1, conflict=conflict_id("mug", 1))
    past = history("mug", [old, new])
    assert past.to_fill(-3_000) == []
    assert [(one.noted, total) for one, total in past.to_fill(-2_000)] == [(old, 1_000)]
    assert [total for _, total in past.to_fill(0)] == [2_000, 1_000]


def test_what_was_adjusted_twice_neither_hides_an_oversell_nor_fills_a_back_order() -> None:
    past = history("mug", [resolved("back_order", 1, "a"), resolved("adjust", 2, "b")])
    assert past.doubled_milli == 1_000
    assert past.to_fill(-1_000 + 1_000) == [], "that one piece is only in the numbers"
    assert past.missing_milli(-1_000 + 1_000) == 0
    assert past.missing_milli(-2_000 + 1_000) == 1_000
