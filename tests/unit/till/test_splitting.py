"""A split bill: nothing is lost or paid twice, and both bills are ordinary carts."""

import pytest

from tests.unit.till.shop_till import Shop, add, cash, op, price_of
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.carts import Edited


def take(shop: Shop, into: str, *parts: tuple[str, int]) -> Edited:
    reply = shop.do(c.SplitCart(cart_id="cart-1", into=into, parts=parts)).reply
    assert isinstance(reply, Edited)
    return reply


def cart(shop: Shop, cart_id: str = "cart-1") -> list[tuple[str, int]]:
    found = shop.books.cart(cart_id)
    assert found is not None
    return [(line.sku, line.quantity_milli) for line in found[0].lines]


def table(shop: Shop) -> None:
    """Three mugs and two milks, for two people."""
    shop.ops(add("1", quantity=3), add("2", "milk", quantity=2), op("note", "n", text="table 4"))


def test_each_pays_what_they_had_and_everything_is_paid_once(shop: Shop) -> None:
    table(shop)
    bill = take(shop, "bill", ("1", 1_000), ("2", 2_000))
    assert cart(shop) == [("mug", 2_000)]
    assert cart(shop, "bill") == [("mug", 1_000), ("milk", 2_000)]
    assert bill.cart.note == ""
    due = price_of("mug") + 2 * price_of("milk")
    first = shop.read(shop.do(c.PayCart(cart_id="bill", payments=cash(due))).reply, e.SaleClosed)
    second = shop.read(shop.do(c.PayCart(cart_id="cart-1", payments=cash(2 * price_of("mug")))).reply, e.SaleClosed)
    assert (first.total_minor, second.total_minor) == (due, 2 * price_of("mug"))
    assert shop.books.stock_milli("mug") == -3_000
    assert shop.books.stock_milli("milk") == -2_000


def test_a_split_that_is_sent_again_is_done_once(shop: Shop) -> None:
    table(shop)
    first = take(shop, "bill", ("1", 1_000))
    assert take(shop, "bill", ("1", 1_000)) == first
    assert cart(shop) == [("mug", 2_000), ("milk", 2_000)]


def test_customer_and_coupons_stay_with_what_is_left_and_percent_goes_with_both(shop: Shop) -> None:
    shop.do(c.ChangeRecords(entity="customer", changes=(e.Change(key="ann", fields={"name": "Ann"}),)))
    table(shop)
    shop.ops(op("customer", "c", customer_id="ann"), op("discount_cart", "d", percent="5", reason="regular"))
    bill = take(shop, "bill", ("1", 1_000)).cart
    kept = shop.books.cart("cart-1")
    assert kept is not None
    assert (bill.customer_id, kept[0].customer_id) == ("", "ann")
    assert bill.discount == kept[0].discount
    assert bill.discount is not None


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((), Invalid),
        ((("9", 1_000),), Invalid),
        ((("1", 4_000),), Invalid),
        ((("1", 1_500),), Invalid),
        ((("1", -1_000),), Invalid),
        ((("1", 3_000), ("2", 2_000)), Conflict),
    ],
)
def test_what_is_not_in_the_cart_goes_on_no_bill(
    shop: Shop, parts: tuple[tuple[str, int], ...], why: type[Exception]
) -> None:
    table(shop)
    with pytest.raises(why):
        take(shop, "bill", *parts)
    assert cart(shop) == [("mug", 3_000), ("milk", 2_000)]


def test_a_fixed_discount_is_not_divided(shop: Shop) -> None:
    table(shop)
    shop.ops(op("discount_line", "d", line_id="1", amount_minor=100, reason="scratch"))
    with pytest.raises(Conflict):
        take(shop, "bill", ("1", 1_000))
    assert [one.quantity_milli for one in take(shop, "bill", ("1", 3_000)).cart.lines] == [3_000]
    shop.ops(op("discount_cart", "e", amount_minor=10, reason="regular"))
    with pytest.raises(Conflict):
        take(shop, "another", ("2", 1_000))


def weigh(shop: Shop) -> None:
    """Half a kilogram of apples, on the scale of a till that has one."""
    shop.get_a_scale()
    shop.ops(add("1", "apples", weighed="scale", gross_g=520, tare_g=20))


def weights(shop: Shop, cart_id: str = "cart-1") -> list[tuple[int, str, int]]:
    found = shop.books.cart(cart_id)
    assert found is not None
    return [(line.quantity_milli, line.weighed, line.tare_milli) for line in found[0].lines]


def test_both_parts_of_what_was_weighed_as_one_say_that_no_scale_has_seen_them(shop: Shop) -> None:
    weigh(shop)
    assert weights(shop) == [(500, "scale", 20)]
    take(shop, "bill", ("1", 200))
    assert weights(shop) == [(300, "part", 0)]
    assert weights(shop, "bill") == [(200, "part", 0)]
    take(shop, "third", ("1", 100))
    assert weights(shop, "third") == [(100, "part", 0)]
    shop.ops(op("set_quantity", "q", line_id="1", quantity="0.25"))
    assert weights(shop) == [(250, "hand", 0)]


def test_what_goes_on_a_bill_whole_stays_weighed(shop: Shop) -> None:
    weigh(shop)
    shop.ops(add("2"))
    take(shop, "bill", ("1", 500))
    assert weights(shop, "bill") == [(500, "scale", 20)]
