"""What pages are shown: every amount as it was charged, quantities as text, people by name."""

import json

from tests.unit.till.shop_till import MANAGER, SUPERVISOR, Shop, add, cash, line, op
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till import views


def test_a_cart_is_shown_with_every_amount_as_it_would_be_charged(shop: Shop) -> None:
    edited = shop.ops(
        add("1", quantity=2),
        add("2", "apples", quantity="0.250"),
        op("discount_line", "d", line_id="1", percent="7.5", reason="friend"),
        op("discount_cart", "e", amount_minor=5),
    )
    shown = views.cart(shop.books, edited.cart, edited.revision)
    assert [one["quantity"] for one in shown["lines"]] == ["2", "0.25"]
    assert shown["lines"][0]["discount"] == {"reason": "friend", "percent": "7.5"}
    assert shown["discount"] == {"reason": "", "amount_minor": 5}
    assert shown["item_count"] == 3  # two mugs and a bag of apples
    assert shown["total_minor"] == sum(one["total_minor"] for one in shown["lines"])
    assert shown["gross_minor"] - shown["discount_minor"] == shown["total_minor"] == 2_500 - 188 + 80 - 5
    assert json.dumps(shown)


def test_a_sale_is_shown_with_what_became_of_it(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 3), paid=4_000)
    event = shop.books.event(sale_id)
    assert event is not None
    shown = views.sale(shop.books, event, {"replicated_to": [], "sync_state": "pending"})
    assert (shown["state"], shown["change_minor"], shown["refunds"]) == ("closed", 250, [])
    assert shown["cashier"] == {"user_id": "cara", "name": "cara"}
    back = c.RefundSale(sale_id=sale_id, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="broken")
    refund_id = shop.do(back, SUPERVISOR).reply
    shown = views.sale(shop.books, event, {})
    assert shown["state"] == "part_refunded"
    assert (shown["lines"][0]["refunded_quantity"], shown["lines"][0]["refundable_quantity"]) == ("1", "2")
    assert [(one["refund_id"], one["kind"], one["total_minor"]) for one in shown["refunds"]] == [
        (refund_id, "refund", 1_250)
    ]


def test_refunds_and_voids_are_shown_alike(shop: Shop) -> None:
    sale_id = shop.sell(cart_id="a")
    void = shop.books.event(str(shop.do(c.VoidSale(sale_id=sale_id, reason="mistake"), SUPERVISOR).reply))
    goods = (c.WantedRefund(sku="mug", quantity_milli=1_000),)
    taken = c.RefundWithoutReceipt(lines=goods, reason="gift", payments=cash(1_250))
    refund = shop.books.event(str(shop.do(taken, MANAGER).reply))
    assert void is not None
    assert refund is not None
    shown_void, shown_refund = views.answer(shop.books, void), views.answer(shop.books, refund)
    assert shown_void.keys() == shown_refund.keys()
    assert (shown_void["kind"], shown_void["sale_id"], shown_void["lines"]) == ("void", sale_id, [])
    assert (shown_refund["kind"], shown_refund["sale_id"]) == ("refund", "")
    assert [one["quantity"] for one in shown_refund["lines"]] == ["1"]


def test_a_z_report_shows_what_was_counted_and_what_is_missing(shop: Shop) -> None:
    shop.sell()
    event = shop.books.event(str(shop.do(c.CloseShift(counted_minor=11_200)).reply))
    assert event is not None
    shown = views.z_report(shop.books, event)
    assert (shown["kind"], shown["z_number"], shown["variance_minor"]) == ("z", 1, -50)
    assert (shown["sales"], shown["net_sales_minor"], shown["perpetual_minor"]) == (1, 1_250, 1_250)
    assert shown["tenders"] == [
        {"method": "cash", "taken_minor": 1_250, "returned_minor": 0, "net_minor": 1_250, "count": 1}
    ]


def test_somebody_who_is_not_known_any_more_is_shown_by_id(shop: Shop) -> None:
    assert views.person(shop.books, "ghost") == {"user_id": "ghost", "name": "ghost"}
    assert views.customer(shop.books, "") is None
    assert views.customer(shop.books, "ghost") == {"customer_id": "ghost", "name": "ghost"}


def test_a_payment_shows_only_what_it_has() -> None:
    assert views.payment(e.Payment(method="cash", amount_minor=5)) == {"method": "cash", "amount_minor": 5}
    card = e.Payment(method="card", amount_minor=5, reference="A1", last_four="4242")
    assert views.payment(card) == {"method": "card", "amount_minor": 5, "reference": "A1", "last_four": "4242"}


def test_a_product_is_shown_with_its_stock(shop: Shop) -> None:
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=2_000))
    mug = shop.books.product("mug")
    assert mug is not None
    shown = views.product(mug, "EUR", shop.books.stock_milli("mug"))
    assert (shown["sku"], shown["stock"], shown["price_minor"], shown["low_stock"]) == ("mug", "2", 1_250, "0")


def test_the_store_is_shown_as_the_browser_needs_it(shop: Shop) -> None:
    shop.set_store(name="Corner shop", currency="JPY")
    shown = views.store(shop.books.store(), 0)
    assert (shown["name"], shown["currency"], shown["currency_exponent"]) == ("Corner shop", "JPY", 0)
    assert shown["tax_rates"] == {"standard": 200_000, "reduced": 50_000, "zero": 0}
