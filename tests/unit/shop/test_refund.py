"""Goods coming back: parts that sum to the whole, never beyond what was sold, to the tender that paid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.unit.shop.builders import (
    amount,
    card,
    cart,
    carts,
    cash,
    line,
    percent,
    policies,
    policy,
    refunded,
    sold,
    voided,
)
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.shop.cart import Cart, Policy
from tillmesh.shop.events import SaleClosed
from tillmesh.shop.giveback import tenders, tenders_without_receipt, undo
from tillmesh.shop.refund import Answer, Wanted, came_back, quote, quote_without_receipt, state

ONE = 1000


def one_by_one(sale: SaleClosed, index: int, by: Policy) -> list[tuple[int, int]]:
    answers: list[Answer] = []
    for _ in range(sale.lines[index].quantity_milli // ONE):
        answers.append(refunded(sale, answers, by, Wanted(line=index, quantity_milli=ONE)))
    return [(answer.total_minor, answer.tax_minor) for answer in answers]


def test_three_for_one_euro_come_back_as_33_34_33() -> None:
    sale = sold(cart(line(100, 3, off=amount(200))), policy())
    assert one_by_one(sale, 0, policy()) == [(33, 6), (34, 5), (33, 6)]


def test_the_discounts_of_a_line_come_back_with_it_in_parts() -> None:
    sale = sold(cart(line(1000, 2, off=percent(10)), line(500), off=percent(10)), policy())
    assert one_by_one(sale, 0, policy()) == [(810, 135), (810, 135)]


def test_added_tax_is_given_back_too() -> None:
    sale = sold(cart(line(1000, 2)), policy(included=False))
    assert one_by_one(sale, 0, policy(included=False)) == [(1200, 200), (1200, 200)]


def test_part_of_a_weighed_line_comes_back_by_weight() -> None:
    sale = sold(cart(line(1299, milli=750)), policy())
    assert quote(sale, [], [Wanted(line=0, quantity_milli=250)]).total_minor == 325


def test_more_than_was_sold_never_comes_back() -> None:
    sale = sold(cart(line(100, 3)), policy())
    first = refunded(sale, [], policy(), Wanted(line=0, quantity_milli=2 * ONE))
    with pytest.raises(Conflict, match="sold 3, already returned 2, asked for 2"):
        quote(sale, [first], [Wanted(line=0, quantity_milli=2 * ONE)])


def test_asking_twice_for_a_line_in_one_refund_counts_twice() -> None:
    sale = sold(cart(line(100)), policy())
    with pytest.raises(Conflict, match="already returned 1, asked for 1"):
        quote(sale, [], [Wanted(line=0, quantity_milli=ONE), Wanted(line=0, quantity_milli=ONE)])


def test_a_refund_by_sku_takes_its_lines_from_first_to_last() -> None:
    sale = sold(cart(line(100), line(300), line(100, 2)), policy())
    worth = quote(sale, [], [Wanted(sku="sku-100", quantity_milli=2 * ONE)])
    assert [(back.line, back.quantity_milli) for back in worth.lines] == [(0, ONE), (2, ONE)]


@pytest.mark.parametrize("wanted", [Wanted(line=5, quantity_milli=1), Wanted(sku="nuts", quantity_milli=1)])
def test_what_is_not_on_the_receipt_is_not_found(wanted: Wanted) -> None:
    with pytest.raises(NotFound, match="T1-000001 has no"):
        quote(sold(cart(line(100)), policy()), [], [wanted])


@pytest.mark.parametrize("milli", [0, -1000, 500])
def test_pieces_come_back_whole_and_more_than_none(milli: int) -> None:
    with pytest.raises(Invalid):
        quote(sold(cart(line(100)), policy()), [], [Wanted(line=0, quantity_milli=milli)])


def test_a_refund_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid, match="0 lines"):
        quote(sold(cart(line(100)), policy()), [], [])


def test_two_tills_that_refunded_apart_show_as_too_much_and_stop_there() -> None:
    sale = sold(cart(line(100, 3)), policy())
    apart: list[Answer] = [refunded(sale, [], policy(), Wanted(line=0, quantity_milli=2 * ONE)) for _ in range(2)]
    assert came_back(sale, apart)[0].quantity_milli == 4 * ONE
    with pytest.raises(Conflict, match="already returned 4"):
        quote(sale, apart, [Wanted(line=0, quantity_milli=ONE)])


def test_a_cent_that_two_tills_gave_apart_is_settled_by_the_last_part() -> None:
    sale = sold(cart(line(100, 3, off=amount(200))), policy())
    apart: list[Answer] = [refunded(sale, [], policy(), Wanted(line=0, quantity_milli=ONE)) for _ in range(2)]
    assert refunded(sale, apart, policy(), Wanted(line=0, quantity_milli=ONE)).total_minor == 34


def test_a_card_gets_back_what_it_paid_before_cash_does() -> None:
    sale = sold(cart(line(1000, 2)), policy(), card(1500, reference="A1", last_four="1111"), cash(500))
    first = refunded(sale, [], policy(), Wanted(line=0, quantity_milli=ONE))
    assert first.payments == (card(1000, reference="A1", last_four="1111"),)
    second = refunded(sale, [first], policy(), Wanted(line=0, quantity_milli=ONE))
    assert second.payments == (card(500, reference="A1", last_four="1111"), cash(500))


def test_two_cards_get_their_own_money_back_in_their_order() -> None:
    sale = sold(cart(line(1000, 2)), policy(), card(800, last_four="1111"), card(1200, last_four="2222"))
    first = refunded(sale, [], policy(), Wanted(line=0, quantity_milli=ONE))
    assert [(back.last_four, back.amount_minor) for back in first.payments] == [("1111", 800), ("2222", 200)]
    second = refunded(sale, [first], policy(), Wanted(line=0, quantity_milli=ONE))
    assert [(back.last_four, back.amount_minor) for back in second.payments] == [("2222", 1000)]


def test_cash_goes_back_in_coins_that_exist() -> None:
    swedish = policy(currency="SEK", step=100)
    back = refunded(sold(cart(line(4490)), swedish), [], swedish, Wanted(line=0, quantity_milli=ONE))
    assert (back.payments, back.rounding_minor) == ((cash(4500),), 10)


def test_less_than_half_a_coin_goes_back_as_nothing() -> None:
    by = policy(step=5)
    back = refunded(sold(cart(line(2)), by, cash(5)), [], by, Wanted(line=0, quantity_milli=ONE))
    assert (back.payments, back.total_minor, back.rounding_minor) == ((), 2, -2)


def test_a_customer_may_choose_cash_for_what_a_card_paid() -> None:
    sale = sold(cart(line(1000)), policy(), card(1000))
    assert tenders(sale, [], 1000, policy(), [cash(1000)]).payments == (cash(1000),)


def test_a_card_never_gets_more_than_it_paid() -> None:
    sale = sold(cart(line(1000)), policy(), card(300), cash(700))
    with pytest.raises(Conflict, match=r"4\.00 EUR would go to cards; at most 3\.00 EUR"):
        tenders(sale, [], 1000, policy(), [card(400), cash(600)])


def test_what_tills_apart_gave_too_much_for_is_never_asked_back() -> None:
    sale = sold(cart(line(1, 6)), policy())
    sale = structs.replace(sale, lines=(structs.replace(sale.lines[0], total_minor=3, tax_minor=1),))
    apart = [refunded(sale, [], policy(), Wanted(line=0, quantity_milli=ONE)) for _ in range(3)]
    assert [(one.total_minor, one.tax_minor) for one in apart] == [(1, 0)] * 3
    fourth = quote(sale, apart, [Wanted(line=0, quantity_milli=ONE)])
    assert (fourth.total_minor, fourth.tax_minor) == (0, 0), "all its money is back, and no tax without money"


def test_a_card_never_gets_more_than_what_came_back_is_worth() -> None:
    sale = sold(cart(line(500), line(501)), policy(), card(1001))
    with pytest.raises(Conflict, match=r"of 5\.00 EUR, 10\.00 EUR by card leaves 0\.00 EUR in cash"):
        tenders(sale, [], 500, policy(), [card(1000)])


@pytest.mark.parametrize("chosen", [[cash(900)], [cash(1100)], [card(200), cash(700)]])
def test_chosen_amounts_that_do_not_make_the_refund_are_refused(chosen: list[Any]) -> None:
    sale = sold(cart(line(1000)), policy(), card(300), cash(700))
    with pytest.raises(Conflict, match=r"of 10\.00 EUR"):
        tenders(sale, [], 1000, policy(), chosen)


def test_a_void_gives_everything_back_less_the_change() -> None:
    sale = sold(cart(line(1338)), policy(step=5), card(300), cash(2000))
    undone = undo(sale, [])
    assert undone.payments == (card(300), cash(1040))
    assert (undone.total_minor, undone.rounding_minor) == (1338, 2)
    assert [(move.sku, move.quantity_milli) for move in undone.moves] == [("sku-1338", ONE)]


def test_a_voided_sale_can_neither_be_voided_nor_refunded() -> None:
    sale = sold(cart(line(100)), policy())
    gone = voided(sale)
    with pytest.raises(Conflict, match="was voided with T1-000003"):
        undo(sale, [gone])
    with pytest.raises(Conflict, match="was voided"):
        quote(sale, [gone], [Wanted(line=0, quantity_milli=ONE)])


def test_a_sale_that_was_partly_refunded_is_not_voided() -> None:
    sale = sold(cart(line(100, 2)), policy())
    with pytest.raises(Conflict, match="part of receipt"):
        undo(sale, [refunded(sale, [], policy(), Wanted(line=0, quantity_milli=ONE))])


def test_a_sale_says_what_became_of_it() -> None:
    sale = sold(cart(line(100, 2)), policy())
    first = refunded(sale, [], policy(), Wanted(line=0, quantity_milli=ONE))
    second = refunded(sale, [first], policy(), Wanted(line=0, quantity_milli=ONE))
    assert [state(sale, []), state(sale, [first]), state(sale, [first, second]), state(sale, [voided(sale)])] == [
        "closed",
        "part_refunded",
        "refunded",
        "voided",
    ]


def test_goods_without_a_receipt_come_back_at_the_price_of_today() -> None:
    worth = quote_without_receipt([(line(1000), True), (line(500, override=200), False)], policy())
    assert [(back.line, back.total_minor, back.tax_minor, back.restock) for back in worth.lines] == [
        (-1, 1000, 167, True),
        (-1, 200, 33, False),
    ]
    assert tenders_without_receipt(worth.total_minor, policy()).payments == (cash(1200),)


@given(carts, policies, st.data())
def test_the_parts_of_a_sale_sum_to_the_sale_however_it_comes_back(some: Cart, by: Policy, data: st.DataObject) -> None:
    sale = sold(some, by)
    answers: list[Answer] = []
    left = [bought.quantity_milli for bought in sale.lines]
    while any(left):
        index = data.draw(st.sampled_from([i for i, milli in enumerate(left) if milli]))
        milli = data.draw(st.integers(1, left[index]) | st.just(left[index]))
        left[index] -= milli
        answers.append(refunded(sale, answers, by, Wanted(line=index, quantity_milli=milli)))
        if len(answers) > 6:
            rest = [Wanted(line=i, quantity_milli=m) for i, m in enumerate(left) if m]
            answers += [refunded(sale, answers, by, *rest)] if rest else []
            left = []
    for bought, came in zip(sale.lines, came_back(sale, answers), strict=True):
        assert (came.quantity_milli, came.total_minor, came.tax_minor) == (
            bought.quantity_milli,
            bought.total_minor,
            bought.tax_minor,
        )
    assert sum(answer.total_minor for answer in answers) == sale.total_minor
    assert sum(answer.tax_minor for answer in answers) == sale.tax_minor


@given(carts, policies, st.integers(1, 9))
def test_no_part_has_more_tax_than_money_and_none_is_negative(some: Cart, by: Policy, parts: int) -> None:
    sale = sold(some, by)
    for index, bought in enumerate(sale.lines):
        answers: list[Answer] = []
        for part in range(parts):
            upto = bought.quantity_milli * (part + 1) // parts - bought.quantity_milli * part // parts
            if upto:
                back = refunded(sale, answers, by, Wanted(line=index, quantity_milli=upto))
                assert 0 <= back.tax_minor <= back.total_minor
                assert sum(p.amount_minor for p in back.payments) == back.total_minor + back.rounding_minor
                answers.append(back)
