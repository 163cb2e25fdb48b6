"""Short reservations of purses: two carts never hold the same money, and none holds it for long."""

from tillmesh.kernel.limits import PURSE_HOLD_MS, PURSE_HOLDS_MAX
from tillmesh.till.holds import Holds, keeper_of


def test_two_carts_that_want_the_whole_card_get_it_one_after_the_other() -> None:
    holds = Holds()
    assert holds.ask("gift_card", "card", "a", 1_000, 1_000, 0) == (True, 1_000)
    assert holds.ask("gift_card", "card", "b", 1_000, 1_000, 100) == (False, 0)
    assert holds.ask("gift_card", "other", "b", 1_000, 1_000, 100) == (True, 1_000)
    assert holds.ask("gift_card", "card", "b", 1_000, 1_000, PURSE_HOLD_MS) == (True, 1_000)


def test_a_cart_that_asks_again_or_for_less_has_one_reservation() -> None:
    holds = Holds()
    for amount in (700, 1_000, 400):
        assert holds.ask("points", "ana", "a", amount, 1_000, 0)[0]
    assert holds.ask("points", "ana", "b", 600, 1_000, 0) == (True, 600)
    assert holds.ask("points", "ana", "c", 1, 1_000, 0) == (False, 0)


def test_reservations_are_bounded_and_a_full_book_refuses_nobody() -> None:
    holds = Holds()
    for number in range(PURSE_HOLDS_MAX + 10):
        assert holds.ask("gift_card", f"card-{number}", "a", 1, 1, 0)[0]


def test_every_till_names_the_same_keeper_and_purses_are_spread_over_all() -> None:
    tills = [f"t{number}" for number in range(5)]
    for account in ("ana", "ben"):
        assert keeper_of("points", account, tills) == keeper_of("points", account, tills[::-1])
    assert {keeper_of("gift_card", f"card-{number}", tills) for number in range(200)} == set(tills)


def test_a_till_that_reserves_without_end_leaves_room_for_the_others() -> None:
    holds = Holds()
    for number in range(PURSE_HOLDS_MAX + 10):
        assert holds.ask("gift_card", f"card-{number}", "a", 1, 1, 0, till="liar")[0]
    assert holds.ask("gift_card", "card", "a", 1_000, 1_000, 0, till="one") == (True, 1_000)
    assert holds.ask("gift_card", "card", "b", 1_000, 1_000, 0, till="two") == (False, 0)


def test_no_till_changes_what_another_one_reserved_for_its_cart() -> None:
    holds = Holds()
    assert holds.ask("gift_card", "card", "a", 900, 1_000, 0, till="one") == (True, 1_000)
    assert holds.ask("gift_card", "card", "a", 1, 1_000, 0, till="liar") == (True, 100)
    assert holds.ask("gift_card", "card", "b", 500, 1_000, 0, till="two") == (False, 99)
