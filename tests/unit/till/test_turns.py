"""What may be had so many times only: a sale has its turn for what counts its uses, and for nothing else."""

import pytest

from tests.unit.till.shop_till import MANAGER, ORIGIN, Shop, add, cash, op
from tests.unit.till.test_purses import hear, other_till
from tillmesh.adapters.sqlite.purses import sold_twice
from tillmesh.kernel.errors import Conflict
from tillmesh.shop import events as e
from tillmesh.shop.purses import card_account
from tillmesh.till import commands as c
from tillmesh.till.turns import Turn, left_of, turns_of

CODE = "NEW-CARD-0001"
CARD = card_account(ORIGIN.store, CODE)


def promote(shop: Shop, key: str, **fields: e.Value) -> None:
    fields = {"name": key, "kind": "cart_amount", "amount_minor": 100, **fields}
    shop.do(c.ChangeRecords(entity="promotion", changes=(e.Change(key=key, fields=fields),)), MANAGER)


def test_a_coupon_without_a_limit_waits_for_nobody_and_one_for_one_use_has_its_turn(shop: Shop) -> None:
    promote(shop, "always", codes=["ALWAYS"])
    promote(shop, "once", codes=["ONCE", "TWICE"], code_uses_max=1)
    free = shop.ops(add("1"), op("coupon", "c", text="always")).cart
    assert turns_of(shop.books, free) == []
    held = shop.ops(op("coupon", "d", text="once")).cart
    (turn,) = turns_of(shop.books, held)
    assert turn == Turn(kind="promotion", name="once", code="ONCE")
    assert [left for _, left in left_of(shop.books, turn)] == [1]
    shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_050)))
    assert [left for _, left in left_of(shop.books, turn)] == [0]
    assert [left for _, left in left_of(shop.books, Turn(kind="promotion", name="once", code="TWICE"))] == [1]


def test_each_limit_of_an_offer_is_counted_by_itself(shop: Shop) -> None:
    fields: dict[str, e.Value] = {"name": "Ana"}
    shop.do(c.ChangeRecords(entity="customer", changes=(e.Change(key="ana", fields=fields),)), MANAGER)
    promote(shop, "few", uses_max=5, customer_uses_max=2)
    cart = shop.ops(add("1"), op("customer", "c", customer_id="ana")).cart
    (turn,) = turns_of(shop.books, cart)
    assert turn == Turn(kind="promotion", name="few", customer_id="ana")
    assert [left for _, left in left_of(shop.books, turn)] == [5, 2]
    shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_150)))
    assert [left for _, left in left_of(shop.books, turn)] == [4, 1]
    assert left_of(shop.books, Turn(kind="promotion", name="unheard of")) == []


def card(shop: Shop, cart_id: str, amount: int, pin: str = "") -> list[str]:
    load = op("gift_card", f"g-{cart_id}", line_id="g", text=CODE, amount_minor=amount, reason=pin)
    return [error.detail for _, error in shop.ops(load, cart_id=cart_id).rejected]


def test_a_new_gift_card_is_in_one_open_sale_of_a_till_and_has_its_turn(shop: Shop) -> None:
    assert card(shop, "one", 1_000) == []
    assert card(shop, "two", 500) == ["another open sale of this till sells the gift card **** 0001"]
    found = shop.books.cart("one")
    assert found is not None
    assert turns_of(shop.books, found[0]) == [Turn(kind="new_card", name=CARD)]
    shop.do(c.PayCart(cart_id="one", payments=cash(1_000)))
    assert left_of(shop.books, Turn(kind="new_card", name=CARD)) == [(CARD, 0)]
    assert (card(shop, "two", 500), card(shop, "three", 300)) == ([], [])  # it is topped up now, by anybody
    for cart_id, amount in (("two", 500), ("three", 300)):
        shop.do(c.PayCart(cart_id=cart_id, payments=cash(amount)))
    assert shop.books.purse("gift_card", CARD) == 1_800


def test_a_new_gift_card_that_was_sold_elsewhere_meanwhile_is_not_sold_again_and_the_sale_stays(shop: Shop) -> None:
    shop.ops(add("1"), cart_id="slow")
    assert card(shop, "slow", 500, pin="1234") == []
    parked = shop.do(c.ParkCart(cart_id="slow")).reply
    assert card(shop, "fast", 1_000, pin="9999") == []
    shop.do(c.PayCart(cart_id="fast", payments=cash(1_000)))
    shop.do(c.ResumeCart(park_id=str(parked)))
    with pytest.raises(Conflict, match=r"another sale has sold the gift card \*\*\*\* 0001 meanwhile"):
        shop.do(c.PayCart(cart_id="slow", payments=cash(1_750)))
    assert shop.books.purse("gift_card", CARD) == 1_000
    rest = shop.ops(op("remove", "r", line_id="g"), cart_id="slow")
    assert [line.line_id for line in rest.cart.lines] == ["1"]
    shop.do(c.PayCart(cart_id="slow", payments=cash(1_250)))


def test_a_new_gift_card_that_two_tills_apart_sold_is_shown_until_one_of_the_sales_is_voided(shop: Shop) -> None:
    other = other_till(shop)
    sales = []
    for till, amount in ((shop, 2_000), (other, 1_000)):
        assert card(till, f"at-{till.till.identity.terminal}", amount) == []
        paying = c.PayCart(cart_id=f"at-{till.till.identity.terminal}", payments=cash(amount))
        sales.append(str(till.do(paying).reply))
    assert sold_twice(shop.writer.db) == {}
    hear(shop, other)
    assert {account: set(found) for account, found in sold_twice(shop.writer.db).items()} == {CARD: set(sales)}
    shop.do(c.VoidSale(sale_id=sales[1], reason="one code for two"), MANAGER)
    assert sold_twice(shop.writer.db) == {}
    assert shop.books.purse("gift_card", CARD) == 2_000
    other.writer.close()
