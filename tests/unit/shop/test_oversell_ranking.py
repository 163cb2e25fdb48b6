"""The scoring rule as a table: what is known, and which answer comes first with how much confidence."""

from typing import Any

import pytest

from tillmesh.shop.events import OversellResolved
from tillmesh.shop.oversell import ADJUST, BACK_ORDER, VOID, Involved, Noted, Sold
from tillmesh.shop.oversell_ranking import (
    DAY_MS,
    MINUTE_MS,
    Case,
    Chosen,
    Suggestion,
    count_chosen,
    learned,
    rank,
)

NOW = 1_795_356_000_000


def sold(sale: str = "s1", *, ago_ms: int = 60 * MINUTE_MS, actor: str = "till-1", **more: Any) -> Sold:
    fields = {"quantity_milli": 1_000, "paid_cash": True, **more}
    return Sold(sale_id=sale, hlc=NOW - ago_ms, actor=actor, sold_at_ms=NOW - ago_ms, **fields)


def case(*over: Sold, before: tuple[Sold, ...] = (), **more: Any) -> Case:
    fields = {"missing_milli": sum(one.quantity_milli for one in over), "counted_at_ms": NOW - 10 * DAY_MS, **more}
    return Case(sku="mug", involved=Involved(over=over, before=before), now_ms=NOW, **fields)


USUAL = (NOW - 3 * DAY_MS, NOW - 10 * DAY_MS)
OTHER = sold("s0", ago_ms=61 * MINUTE_MS, actor="till-2")
TABLE: list[tuple[str, Case, list[tuple[str, int]]]] = [
    ("two tills, nobody known", case(sold(), before=(OTHER,)), [(ADJUST, 65), (VOID, 10), (BACK_ORDER, 5)]),
    (
        "somebody is known and deliveries come",
        case(sold(customer_known=True), before=(OTHER,), deliveries=USUAL),
        [(BACK_ORDER, 70), (ADJUST, 45), (VOID, 20)],
    ),
    (
        "counted yesterday, customer known, deliveries come",
        case(sold(customer_known=True), before=(OTHER,), deliveries=USUAL, counted_at_ms=NOW - DAY_MS),
        [(BACK_ORDER, 85), (ADJUST, 25), (VOID, 20)],
    ),
    (
        "sold just now to somebody known, by card",
        case(
            sold(ago_ms=2 * MINUTE_MS, customer_known=True, paid_cash=False),
            before=(OTHER,), counted_at_ms=NOW - DAY_MS,
        ),
        [(BACK_ORDER, 60), (VOID, 50), (ADJUST, 25)],
    ),
    ("one till sold all of it", case(sold(), before=(sold("s0"),)), [(ADJUST, 75), (VOID, 10), (BACK_ORDER, 5)]),
    (
        "never booked in",
        case(sold(), ever_booked=False, counted_at_ms=0),
        [(ADJUST, 98), (VOID, 10), (BACK_ORDER, 5)],
    ),
    (
        "much is missing, counted long ago",
        case(sold(quantity_milli=8_000), before=(OTHER,), counted_at_ms=NOW - 40 * DAY_MS),
        [(ADJUST, 50), (VOID, 10), (BACK_ORDER, 5)],
    ),
    (
        "the sale has many other goods and is two days old",
        case(sold(ago_ms=2 * DAY_MS, other_lines=9), before=(OTHER,)),
        [(ADJUST, 65), (BACK_ORDER, 5), (VOID, 2)],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_rule_ranks_what_is_known(facts: Case, expected: list[tuple[str, int]]) -> None:
    assert [(one.action, one.percent) for one in rank(facts)] == expected


@pytest.mark.parametrize("facts", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_every_suggestion_says_why_the_weightiest_reason_first(facts: Case) -> None:
    for one in rank(facts):
        assert 0 < one.percent < 100
        points = [abs(reason.points) for reason in one.reasons]
        assert points == sorted(points, reverse=True)
        assert all(points)


def test_each_sale_that_was_too_many_can_be_voided_up_to_three() -> None:
    found = rank(case(*(sold(f"s{n}", ago_ms=n * MINUTE_MS) for n in range(5))))
    assert [one.sale_id for one in found if one.action == VOID] == ["s0", "s1", "s2"]


def test_a_sale_of_which_something_came_back_is_not_suggested_for_voiding() -> None:
    assert [one.action for one in rank(case(sold(touched=True)))] == [ADJUST, BACK_ORDER]


def test_with_no_sale_to_be_found_the_stock_is_still_explained() -> None:
    found: tuple[Suggestion, ...] = rank(case(missing_milli=1_000))
    assert {one.action for one in found} == {ADJUST, BACK_ORDER}


def resolved(action: str, by: str = "mona") -> Noted:
    body = OversellResolved(conflict_id="c", sku="mug", action=action, quantity_milli=1_000, by=by, reason="")
    return Noted(event_id="till-1-1", hlc=NOW, actor="till-1", body=body)


@pytest.mark.parametrize(
    ("chosen", "points"),
    [
        (Chosen(), 0),
        (Chosen(back_order=6), 15),
        (Chosen(back_order=1_000), 30),
        (Chosen(adjust=1_000), -15),
        (Chosen(adjust=5, back_order=5, void=5), 0),
    ],
)
def test_what_managers_choose_moves_an_answer_within_bounds(chosen: Chosen, points: int) -> None:
    assert sum(reason.points for reason in learned(chosen, BACK_ORDER)) == points


def test_a_shop_that_always_orders_again_is_shown_that_first_and_told_why() -> None:
    facts: dict[str, Any] = {"before": (OTHER,), "deliveries": USUAL, "counted_at_ms": NOW - DAY_MS}
    assert rank(case(sold(), **facts))[0].action == ADJUST
    first = rank(case(sold(), **facts, chosen=Chosen(back_order=12)))[0]
    assert (first.action, [one.n for one in first.reasons if one.code == "chosen_often"]) == (BACK_ORDER, [12])


def test_what_a_written_policy_answered_is_nobodys_choice_and_the_order_of_the_log_changes_nothing() -> None:
    notes = [resolved(ADJUST), resolved(VOID), resolved(ADJUST), resolved(BACK_ORDER, by="policy:always")]
    assert count_chosen(notes) == count_chosen(reversed(notes)) == Chosen(adjust=2, void=1)
