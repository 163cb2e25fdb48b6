"""Prices and promotions at a till: what was shown is charged, written down and given back."""

import pytest
from msgspec import structs

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, add, cash, line, op
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.kernel.errors import Conflict, NotAllowed, NotFound
from tillmesh.shop import events as e
from tillmesh.shop.cart import Cart
from tillmesh.shop.offers import price_key
from tillmesh.till import commands as c
from tillmesh.till import views
from tillmesh.till.offers import preview

HOUR = 3_600_000


def write(shop: Shop, entity: str, key: str, **fields: e.Value) -> None:
    shop.do(c.ChangeRecords(entity=entity, changes=(e.Change(key=key, fields=fields),)), MANAGER)


def ten_percent(shop: Shop, key: str = "tenth", **more: e.Value) -> None:
    write(shop, "promotion", key, **{"name": "Ten percent", "kind": "percent", "rate_ppm": 100_000, **more})


def sale_of(shop: Shop, *lines: c.WantedLine, paid: int, cart_id: str = "one", **more: object) -> e.SaleClosed:
    command = structs.replace(c.CloseSale(cart_id=cart_id, lines=lines, payments=cash(paid)), **more)
    return shop.read(shop.do(command).reply, e.SaleClosed)


def test_a_promotion_is_charged_and_written_down(shop: Shop) -> None:
    ten_percent(shop)
    sale = sale_of(shop, line(), line("milk", 2), paid=1_125 + 358)
    assert (sale.total_minor, sale.discount_minor) == (1_125 + 358, 125 + 40)
    assert sale.promotions == (e.SalePromotion(promotion_id="tenth", name="Ten percent", amount_minor=165),)
    assert sale.lines[0].promotions == (e.LinePromotion(promotion_id="tenth", name="Ten percent", amount_minor=125),)


def test_a_cashier_may_not_make_promotions(shop: Shop) -> None:
    change = (e.Change(key="p", fields={"name": "mine", "kind": "percent", "rate_ppm": 1_000_000}),)
    for who in (CASHIER, SUPERVISOR):
        for entity in ("promotion", "price_list", "price"):
            with pytest.raises(NotAllowed):
                shop.do(c.ChangeRecords(entity=entity, changes=change), who)


def test_a_promotion_needs_nobody_s_approval(shop: Shop) -> None:
    ten_percent(shop, rate_ppm=900_000)
    sale = sale_of(shop, line(), paid=125)
    assert sale.approvals == ()


def test_what_a_change_of_the_cart_comes_to_is_what_looking_at_the_cart_says(shop: Shop) -> None:
    ten_percent(shop, uses_max=5)
    write(shop, "promotion", "third", name="3 for 2", kind="buy_get", buy_count=2, get_count=1, rate_ppm=1_000_000)
    changes = (
        (add("1"), add("2", "milk", quantity="4")),
        (op("set_quantity", "q", line_id="1", quantity="3"),),
        (op("discount_cart", "d", percent="5", reason="friend"), op("discount_cart", "e", percent="99", reason="x")),
        (op("discount_line", "f", line_id="nobody", percent="5", reason="x"),),
        (op("remove", "r", line_id="2"),),
    )
    for change in changes:
        edited = shop.ops(*change)
        looked = views.cart(shop.books, edited.cart, edited.revision)
        assert views.cart(shop.books, edited.cart, edited.revision, None, edited.sums) == looked
        assert looked["total_minor"] > 0


def test_a_discount_by_hand_is_judged_by_itself(shop: Shop) -> None:
    ten_percent(shop, rate_ppm=900_000, skus=["milk"])
    shop.ops(add("1"), add("2", "milk"), op("discount_cart", "o", percent="5", reason="friend"))
    shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_206)))
    too_much = shop.ops(add("1"), add("2", "milk"), op("discount_cart", "o", percent="50", reason="x"), cart_id="two")
    assert [type(error) for _, error in too_much.rejected] == [NotAllowed]


def test_a_refund_gives_back_what_was_paid_for_a_piece_of_a_set(shop: Shop) -> None:
    write(shop, "promotion", "third", name="3 for 2", kind="buy_get", buy_count=2, get_count=1, rate_ppm=1_000_000)
    shop.do(c.CloseSale(cart_id="one", lines=(line("mug", 3),), payments=cash(2_500)))
    sale = shop.books.requested("one")
    assert sale is not None
    parts = []
    for key in "abc":
        wanted = (c.WantedRefund(line=0, quantity_milli=1_000),)
        back = c.RefundSale(sale_id=sale.id, lines=wanted, reason="chipped", refund_key=key)
        parts.append(shop.read(shop.do(back, MANAGER).reply, e.SaleRefunded).total_minor)
    assert parts == [833, 834, 833]


def test_a_line_keeps_the_price_and_the_promotion_of_the_moment_it_came_in(shop: Shop) -> None:
    ten_percent(shop, until_ms=shop.clock_ms + HOUR)
    write(shop, "price", price_key("", shop.clock_ms + HOUR, "mug"), price_minor=2_000, until_ms=0)
    shop.ops(add("1"))
    shop.clock_ms += HOUR
    shop.ops(add("2"))
    shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_125 + 2_000)))
    sale = shop.books.requested("cart-1")
    assert sale is not None
    assert [one.total_minor for one in shop.read(sale.id, e.SaleClosed).lines] == [1_125, 2_000]


def test_a_price_of_the_future_begins_by_itself_and_a_price_typed_later_wins(shop: Shop) -> None:
    tomorrow = shop.clock_ms + 24 * HOUR
    write(shop, "price", price_key("", tomorrow, "mug"), price_minor=999, until_ms=tomorrow + 24 * HOUR)
    assert sale_of(shop, line(), paid=1_250, cart_id="today").total_minor == 1_250
    shop.clock_ms = tomorrow
    charged = sale_of(shop, line(), paid=999, cart_id="tomorrow")
    assert (charged.total_minor, charged.lines[0].regular_price_minor) == (999, 999)
    write(shop, "product", "mug", price_minor=1_300)
    assert sale_of(shop, line(), paid=1_300, cart_id="typed").total_minor == 1_300


def test_a_customer_gets_the_prices_of_the_list_and_so_does_a_cart_that_learns_of_the_customer(shop: Shop) -> None:
    write(shop, "customer", "ana", name="Ana", group="trade")
    write(shop, "price_list", "trade", name="Trade", groups=["trade"])
    write(shop, "price", price_key("trade", 0, "mug"), price_minor=1_000, until_ms=0)
    mine = sale_of(shop, line(), paid=1_000, cart_id="a", customer_id="ana")
    assert (mine.lines[0].price_list, mine.lines[0].regular_price_minor) == ("Trade", 1_250)
    shop.ops(add("1"), add("2", "milk"), cart_id="b")
    named = shop.ops(op("customer", "c", customer_id="ana"), cart_id="b")
    assert [one.list_price_minor for one in named.cart.lines] == [1_000, 199]
    unnamed = shop.ops(op("customer", "d", customer_id=""), cart_id="b")
    assert [one.list_price_minor for one in unnamed.cart.lines] == [1_250, 199]


def test_a_price_that_is_taken_back_is_gone(shop: Shop) -> None:
    key = price_key("", 1, "mug")
    write(shop, "product", "mug", name="Mug")
    write(shop, "price", price_key("", shop.clock_ms, "mug"), price_minor=1, until_ms=0)
    write(shop, "price", price_key("", shop.clock_ms - 2_000, "mug"), price_minor=None)
    write(shop, "price", key, price_minor=5, until_ms=0)
    write(shop, "price", key, price_minor=None)
    assert [one.price_minor for one in shop.books.prices("mug").dated] == [1]


def test_coupons_are_entered_once_shown_and_taken_out(shop: Shop) -> None:
    ten_percent(shop, codes=["SPRING"])
    shop.ops(add("1"))
    entered = shop.ops(op("coupon", "a", text=" spring "))
    assert entered.cart.coupons == ("SPRING",)
    view = views.cart(shop.books, entered.cart, entered.revision)
    assert (view["total_minor"], view["coupons"]) == (1_125, [{"code": "SPRING", "used": True}])
    again = shop.ops(op("coupon", "b", text="SPRING"), op("coupon", "c", text="WINTER"))
    assert [type(error) for _, error in again.rejected] == [Conflict, NotFound]
    assert shop.ops(op("remove_coupon", "d", text="SPRING")).cart.coupons == ()


def test_a_coupon_is_good_as_often_as_it_may_be_and_a_void_gives_its_use_back(shop: Shop) -> None:
    ten_percent(shop, codes=["ONCE"], code_uses_max=1)
    shop.ops(add("1"), op("coupon", "a", text="once"))
    first = shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_125))).reply
    shop.ops(add("1"), cart_id="two")
    ((_, error),) = shop.ops(op("coupon", "b", text="ONCE"), cart_id="two").rejected
    assert "as often as it may be" in str(error)
    shop.do(c.VoidSale(sale_id=str(first), reason="wrong"), SUPERVISOR)
    assert not shop.ops(op("coupon", "c", text="ONCE"), cart_id="two").rejected


def test_a_coupon_for_one_use_per_customer_asks_who_it_is(shop: Shop) -> None:
    write(shop, "customer", "ana", name="Ana")
    ten_percent(shop, codes=["HELLO"], customer_uses_max=1)
    assert sale_of(shop, line(), paid=1_250, cart_id="a", coupons=("HELLO",)).promotions == ()
    for cart_id, paid in (("b", 1_125), ("c", 1_250)):
        sale_of(shop, line(), paid=paid, cart_id=cart_id, coupons=("hello",), customer_id="ana")


def test_a_basket_is_tried_without_selling_it(shop: Shop) -> None:
    before = len(shop.log())
    ten_percent(shop, active=False)
    draft = next(iter([structs.replace(one, active=True) for one in _promotions(shop)]))
    _, priced = preview(shop.books, [line("mug", 2)], "", (), shop.clock_ms, draft)
    assert priced.total_minor == 2_250
    _, without = preview(shop.books, [line("mug", 2)], "", (), shop.clock_ms)
    assert without.total_minor == 2_500
    assert len(shop.log()) == before + 1


def _promotions(shop: Shop) -> list:  # type: ignore[type-arg]
    from tillmesh.adapters.sqlite.offers import promotions

    return list(promotions(shop.writer.db))


def test_what_is_rebuilt_from_the_log_is_what_was_there(shop: Shop) -> None:
    ten_percent(shop, codes=["A"])
    write(shop, "price_list", "trade", name="Trade", everyone=True)
    write(shop, "price", price_key("trade", 0, "mug"), price_minor=1_000, until_ms=0)
    sale_of(shop, line(), paid=900, coupons=("A",))
    before = state_parts(shop.writer.db)
    assert shop.books.promotion_uses("tenth", code="A") == 1
    with shop.writer.transaction():
        Ledger(shop.writer.db, "corner0shop0").rebuild()
    assert state_parts(shop.writer.db) == before


def test_nobody_pays_a_total_that_nobody_saw(shop: Shop) -> None:
    shop.ops(add("1"))
    shown = views.cart(shop.books, *found_cart(shop))["total_minor"]
    ten_percent(shop)  # comes in while the cart is open
    with pytest.raises(Conflict, match=r"12\.50 .* was shown, 11\.25 .* is to pay"):
        shop.do(c.PayCart(cart_id="cart-1", payments=cash(shown), total_minor=shown))
    now = views.cart(shop.books, *found_cart(shop))["total_minor"]
    paid = shop.do(c.PayCart(cart_id="cart-1", payments=cash(now), total_minor=now))
    assert shop.read(paid.reply, e.SaleClosed).total_minor == now == 1_125
    again = shop.do(c.PayCart(cart_id="cart-1", payments=cash(shown), total_minor=shown))
    assert again.reply == paid.reply  # what was paid is paid, whatever is shown since


def test_nobody_pays_more_than_was_shown_when_an_offer_has_ended(shop: Shop) -> None:
    ten_percent(shop)
    shop.ops(add("1"))
    shown = views.cart(shop.books, *found_cart(shop))["total_minor"]
    write(shop, "promotion", "tenth", active=False)
    with pytest.raises(Conflict, match=r"11\.25 .* was shown, 12\.50 .* is to pay"):
        shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_250), total_minor=shown))


def found_cart(shop: Shop) -> tuple[Cart, int]:
    found = shop.books.cart("cart-1")
    assert found is not None
    return found
