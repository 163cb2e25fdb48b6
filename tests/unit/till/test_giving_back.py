"""Money and goods going back: never more than was sold, never twice, everything with a trace."""

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, cash, line
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tillmesh.shop import events as e
from tillmesh.shop.refund import state
from tillmesh.till import commands as c
from tillmesh.till.effects import Print
from tillmesh.till.refunds import load_answers, load_sale, quote_refund


def back(index: int = 0, pieces: int = 1, **more: object) -> c.WantedRefund:
    return c.WantedRefund(line=index, quantity_milli=pieces * 1000, **more)  # type: ignore[arg-type]


def refund(sale_id: str, *lines: c.WantedRefund, key: str = "", payments: tuple[e.Payment, ...] = ()) -> c.RefundSale:
    return c.RefundSale(sale_id=sale_id, lines=lines or (back(),), reason="broken", refund_key=key, payments=payments)


def test_part_of_a_sale_comes_back_and_the_rest_later(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 3))
    one = shop.read(shop.do(refund(sale_id), SUPERVISOR).reply, e.SaleRefunded)
    rest = shop.read(shop.do(refund(sale_id, back(pieces=2)), SUPERVISOR).reply, e.SaleRefunded)
    assert (one.total_minor, rest.total_minor) == (1_250, 2_500)
    assert state(load_sale(shop.books, sale_id), load_answers(shop.books, sale_id)) == "refunded"


def test_never_more_comes_back_than_was_sold(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 2))
    shop.do(refund(sale_id), SUPERVISOR)
    with pytest.raises(Conflict, match="sold 2, already returned 1, asked for 2"):
        shop.do(refund(sale_id, back(pieces=2)), SUPERVISOR)


def test_the_same_refund_sent_twice_gives_money_back_once(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 2))
    first = shop.do(refund(sale_id, key="r-1"), SUPERVISOR)
    again = shop.do(refund(sale_id, key="r-1"), SUPERVISOR)
    assert (again.reply, again.events) == (first.reply, ())


def test_a_resent_refund_needs_no_new_approval(shop: Shop) -> None:
    sale_id = shop.sell()
    first = shop.do(refund(sale_id, key="r-1"), approved=["refund"])
    assert shop.do(refund(sale_id, key="r-1")).reply == first.reply


def test_a_refund_goes_back_to_the_card_that_paid(shop: Shop) -> None:
    sale_id = shop.sell(method="card")
    given = shop.read(shop.do(refund(sale_id), SUPERVISOR).reply, e.SaleRefunded)
    assert [(one.method, one.amount_minor) for one in given.payments] == [("card", 1_250)]


def test_a_quote_records_nothing(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 2))
    held = len(shop.log())
    assert quote_refund(shop.books, sale_id, [back()]).total_minor == 1_250
    assert len(shop.log()) == held


def test_a_cashier_refunds_up_to_the_store_s_limit(shop: Shop) -> None:
    sale_id = shop.sell(line("milk", 2))
    with pytest.raises(NotAllowed):
        shop.do(refund(sale_id))
    shop.set_store(refund_limit_minor=199)
    assert shop.do(refund(sale_id)).events
    with pytest.raises(NotAllowed):
        shop.do(refund(shop.sell(cart_id="dear")))


def test_refunded_goods_go_back_on_the_shelf_unless_they_are_spoiled(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 2))
    shop.do(refund(sale_id, back()), SUPERVISOR)
    assert shop.books.stock_milli("mug") == -1_000
    shop.do(refund(sale_id, back(restock=False)), SUPERVISOR)
    assert shop.books.stock_milli("mug") == -1_000


def test_a_void_gives_everything_back(shop: Shop) -> None:
    sale_id = shop.sell(line("mug", 2), line("milk"), paid=3_000)
    void = shop.read(shop.do(c.VoidSale(sale_id=sale_id, reason="wrong customer"), SUPERVISOR).reply, e.SaleVoided)
    sale = load_sale(shop.books, sale_id)
    assert (void.total_minor, void.tax_minor, void.taxes) == (sale.total_minor, sale.tax_minor, sale.taxes)
    assert [(one.method, one.amount_minor) for one in void.payments] == [("cash", sale.total_minor)]
    assert shop.books.stock_milli("mug") == shop.books.stock_milli("milk") == 0


def test_a_void_asked_for_twice_is_one_void(shop: Shop) -> None:
    command = c.VoidSale(sale_id=shop.sell(), reason="mistake")
    first = shop.do(command, approved=["void"])
    again = shop.do(command)
    assert (again.reply, again.events) == (first.reply, ())


def test_a_void_needs_a_supervisor_and_a_reason(shop: Shop) -> None:
    sale_id = shop.sell()
    with pytest.raises(NotAllowed):
        shop.do(c.VoidSale(sale_id=sale_id, reason="mistake"), CASHIER)
    with pytest.raises(Invalid, match="reason"):
        shop.do(c.VoidSale(sale_id=sale_id, reason="  "), SUPERVISOR)


def test_a_voided_sale_is_not_refunded_and_a_refunded_one_not_voided(shop: Shop) -> None:
    voided, refunded = shop.sell(cart_id="a"), shop.sell(line("mug", 2), cart_id="b")
    shop.do(c.VoidSale(sale_id=voided, reason="mistake"), SUPERVISOR)
    shop.do(refund(refunded), SUPERVISOR)
    with pytest.raises(Conflict, match="was voided"):
        shop.do(refund(voided), SUPERVISOR)
    with pytest.raises(Conflict, match="was refunded already"):
        shop.do(c.VoidSale(sale_id=refunded, reason="mistake"), SUPERVISOR)


def test_nothing_goes_back_while_no_shift_is_open(shop: Shop) -> None:
    sale_id = shop.sell()
    shop.do(c.CloseShift(counted_minor=11_250))
    for command in (refund(sale_id), c.VoidSale(sale_id=sale_id, reason="mistake")):
        with pytest.raises(Conflict, match="no shift is open"):
            shop.do(command, SUPERVISOR)


def test_what_is_no_sale_can_not_be_given_back(shop: Shop) -> None:
    shift = shop.log()[-1].id
    for sale_id in (shift, "k3m7qx2p.4f9a2c77-999", "nonsense"):
        with pytest.raises(NotFound):
            shop.do(refund(sale_id), SUPERVISOR)


def test_goods_without_a_receipt_come_back_at_today_s_price(shop: Shop) -> None:
    command = c.RefundWithoutReceipt(
        lines=(c.WantedRefund(sku="mug", quantity_milli=1000),), reason="gift", payments=cash(1_250), refund_key="g"
    )
    with pytest.raises(NotAllowed) as refused:
        shop.do(command, SUPERVISOR)
    assert refused.value.needs == "manager"
    first = shop.do(command, MANAGER)
    body = shop.read(first.reply, e.SaleRefunded)
    assert (body.sale_id, body.total_minor) == ("", 1_250)
    assert shop.do(command, MANAGER).reply == first.reply


def test_money_goes_back_only_in_ways_the_store_knows(shop: Shop) -> None:
    sale_id = shop.sell(method="card")
    shop.set_store(pay_methods=["cash"])
    coins = (e.Payment(method="bitcoin", amount_minor=1_250),)
    with pytest.raises(Invalid, match="bitcoin"):
        shop.do(refund(sale_id, payments=coins), SUPERVISOR)
    goods = (c.WantedRefund(sku="mug", quantity_milli=1000),)
    with pytest.raises(Invalid, match="bitcoin"):
        shop.do(c.RefundWithoutReceipt(lines=goods, reason="gift", payments=coins), MANAGER)
    # The card that paid may have it back, whatever the store takes today.
    assert shop.do(refund(sale_id, payments=(e.Payment(method="card", amount_minor=1_250),)), SUPERVISOR).events


def test_a_return_without_receipt_is_checked_like_a_sale(shop: Shop) -> None:
    def give(*, sku: str = "mug", milli: int = 1000, customer: str = "", price: int | None = None) -> None:
        goods = (c.WantedRefund(sku=sku, quantity_milli=milli, unit_price_minor=price),)
        paid = cash(1_250)
        shop.do(c.RefundWithoutReceipt(lines=goods, reason="gift", payments=paid, customer_id=customer), MANAGER)

    with pytest.raises(NotFound, match="unobtainium"):
        give(sku="unobtainium")
    with pytest.raises(Conflict, match="above zero"):
        give(milli=0)
    with pytest.raises(Invalid, match="unit price"):
        give(price=-1)
    with pytest.raises(NotFound, match="nobody"):
        give(customer="nobody")
    with pytest.raises(Invalid, match="0 lines"):
        shop.do(c.RefundWithoutReceipt(lines=(), reason="gift", payments=()), MANAGER)


def test_a_slip_is_printed_and_the_drawer_opens_for_cash(shop: Shop) -> None:
    printer = e.Change(key="k3m7qx2p", fields={"printer_kind": "file", "printer_target": "out"})
    shop.do(c.ChangeRecords(entity="setting", changes=(printer,)), MANAGER)
    by_cash, by_card = shop.sell(cart_id="a"), shop.sell(cart_id="b", method="card")
    kinds = [
        [effect.kind for effect in shop.do(refund(sale_id), SUPERVISOR).effects if isinstance(effect, Print)]
        for sale_id in (by_cash, by_card)
    ]
    assert kinds == [["drawer", "refund"], ["refund"]]
