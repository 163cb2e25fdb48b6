"""Parts of a price that are paid before the rest: in the cart, whoever finishes it, and in the drawer's count."""

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, add, cash, op
from tests.unit.till.test_purses import hear, other_till
from tillmesh.kernel.errors import Conflict
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.shifts import shift_totals

CARD = e.Payment(method="card", amount_minor=250, reference="AB12", last_four="4242")


def take(shop: Shop, part_id: str, payment: e.Payment, cart_id: str = "cart-1") -> list[str]:
    operation = op("take_part", f"take-{part_id}", line_id=part_id, payment=payment)
    return [error.detail for _, error in shop.ops(operation, cart_id=cart_id).rejected]


def give_back(shop: Shop, part_id: str) -> None:
    assert shop.ops(op("give_part_back", f"back-{part_id}", line_id=part_id)).rejected == ()


def parts_of(shop: Shop, cart_id: str = "cart-1") -> list[tuple[str, int]]:
    found = shop.books.cart(cart_id)
    assert found is not None
    return [(one.payment.method, one.payment.amount_minor) for one in found[0].parts]


def in_drawer(shop: Shop) -> int:
    """Give the cash that the books expect in the drawer."""
    shift = shop.books.current_shift()
    assert shift is not None
    return shift_totals(shop.books, shift).expected_cash_minor


@pytest.fixture
def paying(shop: Shop) -> Shop:
    """A mug for 12.50 of which 5.00 in cash is paid."""
    shop.ops(add("1"))
    assert take(shop, "a", cash(500)[0]) == []
    return shop


def test_who_pays_the_rest_must_know_of_the_part_that_was_paid(paying: Shop) -> None:
    assert take(paying, "b", CARD) == []
    assert parts_of(paying) == [("cash", 500), ("card", 250)]
    with pytest.raises(Conflict, match=r"7\.50 EUR was paid for this sale already"):
        paying.do(c.PayCart(cart_id="cart-1", payments=cash(1_250)))
    sale_id = paying.do(c.PayCart(cart_id="cart-1", payments=(*cash(500), CARD, *cash(500)))).reply
    sale = paying.read(sale_id, e.SaleClosed)
    assert [(one.method, one.amount_minor) for one in sale.payments] == [("cash", 500), ("card", 250), ("cash", 500)]
    assert in_drawer(paying) == 10_000 + 1_000


def test_a_sale_of_which_a_part_is_paid_is_not_cleared_split_or_sold_anew_before_that_went_back(paying: Shop) -> None:
    (refused,) = paying.ops(op("clear", "c1")).rejected
    assert refused[1].detail == "5.00 EUR was paid for this sale already"
    paying.ops(add("2", "milk"))
    with pytest.raises(Conflict, match="paid for this sale already"):
        paying.do(c.SplitCart(cart_id="cart-1", into="cart-2", parts=(("2", 1_000),)))
    with pytest.raises(Conflict, match="paid for this sale already"):
        paying.sell(cart_id="cart-1")
    give_back(paying, "a")
    assert paying.ops(op("clear", "c2")).rejected == ()
    assert "audited" in paying.types()
    assert in_drawer(paying) == 10_000


def test_a_part_is_of_what_is_left_and_of_money_that_changes_hands(paying: Shop) -> None:
    assert take(paying, "b", cash(751)[0]) == ["only 7.50 EUR is left to pay"]
    again = op("take_part", "again", line_id="a", payment=cash(1)[0])
    assert [error.detail for _, error in paying.ops(again).rejected] == ["this is in the cart already"]
    for method in ("gift_card", "points", "account"):
        (refused,) = take(paying, method, e.Payment(method=method, amount_minor=1))
        assert "only cash and a card by hand" in refused
    assert take(paying, "c", e.Payment(method="card", amount_minor=1, card_payment="p1")) != []
    assert parts_of(paying) == [("cash", 500)]


def test_a_parked_sale_carries_its_part_and_the_drawer_counts_it_until_it_is_paid(paying: Shop) -> None:
    park = paying.do(c.ParkCart(cart_id="cart-1")).reply
    assert in_drawer(paying) == 10_500
    paying.do(c.ResumeCart(park_id=str(park)))
    assert parts_of(paying) == [("cash", 500)]
    again = paying.do(c.ParkCart(cart_id="cart-1")).reply  # counted once
    assert in_drawer(paying) == 10_500
    paying.do(c.ResumeCart(park_id=str(again)))
    paying.do(c.PayCart(cart_id="cart-1", payments=(*cash(500), *cash(750))))
    assert in_drawer(paying) == 11_250


def test_a_parked_sale_that_is_finished_at_another_till_leaves_both_drawers_right(paying: Shop) -> None:
    other = other_till(paying)
    before = in_drawer(other)
    park = str(paying.do(c.ParkCart(cart_id="cart-1")).reply)
    hear(other, paying)
    other.do(c.ResumeCart(park_id=park))
    with pytest.raises(Conflict, match="paid for this sale already"):
        other.do(c.PayCart(cart_id="cart-1", payments=cash(1_250)))
    other.do(c.PayCart(cart_id="cart-1", payments=(*cash(500), *cash(750))))
    assert (in_drawer(paying), in_drawer(other)) == (10_500, before + 750)
    other.writer.close()


def test_a_parked_sale_is_thrown_away_only_with_its_money_given_back(paying: Shop) -> None:
    park = str(paying.do(c.ParkCart(cart_id="cart-1")).reply)
    with pytest.raises(Conflict, match=r"5\.00 EUR was paid for this sale already"):
        paying.do(c.DiscardParked(park_id=park), SUPERVISOR)
    paying.do(c.DiscardParked(park_id=park, given_back=True), SUPERVISOR)
    assert in_drawer(paying) == 10_000
    details = [paying.read(event.id, e.Audited).detail for event in paying.log() if event.type == "audited"]
    assert "5.00 EUR" in details


def test_a_shift_that_is_closed_counts_the_part_of_a_sale_that_goes_on_in_the_next_one(paying: Shop) -> None:
    closed = paying.read(paying.do(c.CloseShift(counted_minor=10_500), SUPERVISOR).reply, e.ShiftClosed)
    assert closed.totals.expected_cash_minor == 10_500
    assert parts_of(paying) == [("cash", 500)]
    paying.do(c.OpenShift(float_minor=10_500), CASHIER)
    paying.do(c.PayCart(cart_id="cart-1", payments=(*cash(500), *cash(750))))
    assert in_drawer(paying) == 11_250
    second = paying.read(paying.do(c.CloseShift(counted_minor=11_250), MANAGER).reply, e.ShiftClosed)
    assert second.totals.expected_cash_minor == 11_250


def test_without_an_open_shift_nothing_is_taken(shop: Shop) -> None:
    shop.ops(add("1"))
    shop.do(c.CloseShift(counted_minor=10_000), MANAGER)
    assert take(shop, "a", cash(500)[0]) == ["no shift is open on this till"]


def test_parts_of_one_sale_that_was_parked_at_two_tills_apart_come_back_each_once(paying: Shop) -> None:
    other = other_till(paying)
    park = str(paying.do(c.ParkCart(cart_id="cart-1")).reply)
    hear(other, paying)
    parks = []
    for till, part in ((paying, "b"), (other, "c")):
        till.do(c.ResumeCart(park_id=park))
        assert take(till, part, cash(100)[0]) == []
        parks.append(str(till.do(c.ParkCart(cart_id="cart-1")).reply))
    hear(paying, other)
    paying.do(c.ResumeCart(park_id=parks[1]))
    assert sorted(parts_of(paying)) == [("cash", 100), ("cash", 100), ("cash", 500)]
    other.writer.close()
