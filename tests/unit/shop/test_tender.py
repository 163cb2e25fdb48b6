"""Paying: split tenders, change, cash without small coins, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.shop.builders import card, cash, policies, policy
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.shop.cart import Policy
from tillmesh.shop.events import Payment
from tillmesh.shop.tender import quote, settle


def test_a_twenty_for_thirteen_forty_gives_six_sixty_back() -> None:
    paid = settle(1340, [cash(2000)], policy())
    assert (paid.rounding_minor, paid.change_minor) == (0, 660)


def test_a_hundred_thousand_for_three_eighty_was_mistyped_and_the_limit_is_named() -> None:
    with pytest.raises(Invalid, match=r"100000\.00 EUR in cash for 3\.80 EUR .* the limit for change is 600\.00 EUR"):
        settle(380, [cash(10_000_000)], policy())


@pytest.mark.parametrize(
    ("currency", "note", "most"), [("EUR", 20_000, 60_000), ("GBP", 5_000, 15_000), ("JPY", 10_000, 30_000)]
)
def test_change_is_at_most_three_of_the_largest_note(currency: str, note: int, most: int) -> None:
    assert most == 3 * note
    assert settle(1_000, [cash(1_000 + most)], policy(currency=currency)).change_minor == most
    with pytest.raises(Invalid, match="the limit for change"):
        quote(1_000, [cash(1_001 + most)], policy(currency=currency))


def test_a_large_total_may_be_paid_with_many_notes() -> None:
    assert settle(987_650, [cash(990_000)], policy()).change_minor == 2_350


def test_a_split_over_card_and_cash_gives_change_from_the_cash() -> None:
    assert settle(1340, [card(1000), cash(500)], policy()).change_minor == 160


def test_a_card_never_pays_more_than_the_total() -> None:
    with pytest.raises(Conflict, match=r"cards pay 15\.00 EUR, but only 13\.40 EUR"):
        settle(1340, [card(1500)], policy())
    with pytest.raises(Conflict, match=r"cards pay 13\.41 EUR, but only 13\.40 EUR"):
        settle(1340, [card(1341)], policy())


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Conflict, match=r"3\.40 EUR of 13\.40 EUR is missing"):
        settle(1340, [cash(1000)], policy())
    with pytest.raises(Conflict, match=r"0\.340 KWD of 1\.340 KWD is missing"):
        settle(1340, [cash(1000)], policy(currency="KWD"))


def test_what_is_missing_is_named_for_cash_where_coins_are_rounded() -> None:
    with pytest.raises(Conflict, match=r"13\.38 EUR of 13\.38 EUR is missing \(13\.40 EUR in cash\)"):
        settle(1338, [], policy(step=5))


def test_swedish_cash_is_rounded_to_the_krona_and_the_difference_kept() -> None:
    paid = settle(10_449, [cash(20_000)], policy(currency="SEK", step=100))
    assert (paid.rounding_minor, paid.change_minor) == (-49, 9_600)


def test_a_card_pays_to_the_cent_where_cash_is_rounded() -> None:
    assert settle(10_449, [card(10_449)], policy(currency="SEK", step=100)).rounding_minor == 0


def test_only_the_part_paid_in_cash_is_rounded() -> None:
    paid = settle(10_449, [card(5_020), cash(5_400)], policy(currency="SEK", step=100))
    assert (paid.rounding_minor, paid.change_minor) == (-29, 0)


def test_two_cents_left_are_owed_by_card_but_forgiven_in_cash() -> None:
    with pytest.raises(Conflict, match=r"0\.02 EUR"):
        settle(1002, [card(1000)], policy(step=5))
    assert settle(1002, [card(1000), cash(0)], policy(step=5)).rounding_minor == -2


def test_cash_that_lacks_the_rounding_up_is_not_enough() -> None:
    with pytest.raises(Conflict, match=r"0\.02 EUR in cash"):
        settle(998, [cash(998)], policy(step=5))


def test_a_free_sale_needs_no_payment_and_accepts_an_empty_one() -> None:
    assert settle(0, [], policy()).payments == ()
    assert settle(0, [cash(0)], policy()).change_minor == 0


def test_payments_of_zero_are_refused_where_something_is_due() -> None:
    with pytest.raises(Invalid, match="payment of zero"):
        settle(500, [cash(500), cash(0)], policy())


@pytest.mark.parametrize("amount_minor", [-1, 10**11 + 1])
def test_negative_and_absurd_payments_are_refused(amount_minor: int) -> None:
    with pytest.raises(Invalid, match="minor units"):
        settle(500, [cash(amount_minor)], policy())


def test_a_method_nobody_knows_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid) as caught:
        settle(500, [Payment(method="shells", amount_minor=500)], policy())
    assert caught.value.hint == "Allowed are cash, card, gift_card, account, points."


def test_more_than_fifty_payments_are_refused() -> None:
    with pytest.raises(Invalid, match="limit is 50"):
        settle(51, [cash(1)] * 51, policy())


@pytest.mark.parametrize(
    "number", ["4111111111111111", "5500 0000 0000 0004", "3782-822463-10005", "AB4111111111111111 12"]
)
def test_a_card_number_in_the_reference_is_refused_and_not_repeated(number: str) -> None:
    with pytest.raises(Invalid, match="card number") as caught:
        settle(500, [card(500, reference=number)], policy())
    assert "1111" not in caught.value.detail


def test_a_card_number_as_the_last_four_is_refused() -> None:
    with pytest.raises(Invalid, match="card number"):
        settle(500, [card(500, last_four="4111111111111111")], policy())


@pytest.mark.parametrize("last_four", ["123", "12345", "12a4", "\u0661\u0662\u0663\u0664"])
def test_the_last_four_are_four_digits(last_four: str) -> None:
    with pytest.raises(Invalid, match="exactly four digits"):
        settle(500, [card(500, last_four=last_four)], policy())


def test_an_approval_code_and_the_last_four_are_kept() -> None:
    paid = settle(500, [card(500, reference="APPR 123456", last_four="1111")], policy())
    assert (paid.payments[0].reference, paid.payments[0].last_four) == ("APPR 123456", "1111")


def test_a_quote_says_what_is_left_in_cash_and_by_card() -> None:
    now = quote(1338, [cash(500)], policy(step=5))
    assert (now.remaining_minor, now.cash_remaining_minor, now.rounding_minor) == (838, 840, 2)
    assert not now.complete
    assert now.quick_cash == (840, 900, 1000, 2000, 5000, 10000)
    assert quote(1338, [card(500)], policy(step=5)).rounding_minor == 0, "nothing was paid in cash yet"


def test_a_quote_of_enough_cash_gives_the_change() -> None:
    now = quote(1338, [cash(2000)], policy(step=5))
    assert (now.complete, now.change_minor, now.remaining_minor, now.cash_remaining_minor) == (True, 660, 0, 0)
    assert now.quick_cash == ()


def test_quick_cash_offers_the_exact_amount_then_the_next_notes() -> None:
    assert quote(1340, [], policy()).quick_cash == (1340, 1400, 1500, 2000, 5000, 10000)
    assert quote(1340, [], policy(currency="JPY")).quick_cash == (1340, 1400, 1500, 2000, 5000, 10000)
    assert quote(2000, [], policy()).quick_cash == (2000, 5000, 10000, 20000)


@given(
    policies,
    st.integers(0, 100_000),
    st.lists(st.integers(1, 30_000), max_size=3),
    st.lists(st.integers(1, 10_000), max_size=3),  # the yen allow 30,000 of change and no more
)
def test_what_is_paid_less_change_is_the_total_and_its_rounding(
    by: Policy, total: int, cards: list[int], coins: list[int]
) -> None:
    payments = [card(part) for part in cards] + [cash(part) for part in coins]
    try:
        paid = settle(total, payments, by)
    except Conflict:
        assert sum(cards) > total or sum(cards) + sum(coins) < total + by.cash_step_minor
        return
    assert sum(payment.amount_minor for payment in payments) - paid.change_minor == total + paid.rounding_minor
    assert paid.change_minor >= 0
    assert abs(paid.rounding_minor) < by.cash_step_minor
    assert paid.change_minor <= sum(coins)
    assert coins or paid.rounding_minor == 0


@given(policies, st.integers(1, 100_000), st.integers(0, 100_000))
def test_paying_what_the_quote_asks_for_always_completes_the_sale(by: Policy, total: int, by_card: int) -> None:
    first = [card(min(by_card, total))] if by_card else []
    now = quote(total, first, by)
    if not now.complete:
        settle(total, [*first, cash(now.cash_remaining_minor)], by)
        settle(total, [*first, card(now.remaining_minor)], by)
