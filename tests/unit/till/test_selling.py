"""From lines and payments to a sale that is there once, whole, and paid."""

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, cash, line, op, price_of
from tillmesh.adapters.sqlite.request_keys import request_key
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, TooLarge
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.desk import Desk
from tillmesh.till.effects import Print


def test_a_sale_keeps_its_lines_its_taxes_and_its_change(shop: Shop) -> None:
    sale = shop.read(shop.sell(line("mug", 2), line("milk"), paid=3_000), e.SaleClosed)
    assert (sale.total_minor, sale.change_minor) == (2 * 1_250 + 199, 3_000 - 2_699)
    assert [one.sku for one in sale.lines] == ["mug", "milk"]
    assert sum(tax.net_minor + tax.tax_minor for tax in sale.taxes) == sale.total_minor
    assert sale.cashier == CASHIER.user_id


def test_the_same_cart_sent_twice_is_the_very_same_sale(shop: Shop) -> None:
    command = c.CloseSale(cart_id="resent", lines=(line(),), payments=cash(1_250))
    first, again = shop.do(command), shop.do(command)
    assert again.reply == first.reply
    assert not again.events
    assert shop.types().count("sale_closed") == 1


def test_two_carts_whose_ids_fold_to_one_number_are_two_sales(shop: Shop) -> None:
    first = shop.sell(cart_id="first")
    shop.writer.db.execute("UPDATE receipt SET request = ?", (request_key("second"),))
    assert shop.books.requested("second") is None
    assert shop.sell(cart_id="second") != first


def test_a_resent_cart_with_other_lines_is_still_the_first_sale(shop: Shop) -> None:
    first = shop.sell(cart_id="resent")
    other = shop.do(c.CloseSale(cart_id="resent", lines=(line("milk", 9),), payments=cash(9_999)))
    assert other.reply == first


def test_nothing_is_sold_before_a_shift_is_opened(closed_shop: Shop) -> None:
    with pytest.raises(Conflict, match="no shift is open"):
        closed_shop.sell()
    assert "sale_closed" not in closed_shop.types()


def test_a_refused_sale_uses_no_receipt_number(shop: Shop) -> None:
    with pytest.raises(Conflict):
        shop.sell(cart_id="short", paid=1)
    assert shop.read(shop.sell(), e.SaleClosed).receipt_number == "4F9A-000001"


def test_two_receipts_of_one_command_never_share_a_number(shop: Shop) -> None:
    shop.sell()
    desk = Desk(
        identity=shop.till.identity, books=shop.books, who=CASHIER, now_ms=1, seq=shop.till.head.seq,
        receipts_used=shop.till.receipts,
    )  # fmt: skip
    assert [desk.next_receipt(), desk.next_receipt()] == ["4F9A-000002", "4F9A-000003"]


def test_receipts_are_numbered_without_gaps_over_sales_refunds_and_voids(shop: Shop) -> None:
    one, two = shop.sell(cart_id="a"), shop.sell(cart_id="b")
    shop.do(
        c.RefundSale(sale_id=one, lines=(c.WantedRefund(line=0, quantity_milli=1000),), reason="broken"), SUPERVISOR
    )
    shop.do(c.VoidSale(sale_id=two, reason="mistake"), SUPERVISOR)
    shop.sell(cart_id="c")
    numbers = [number for (number,) in shop.writer.db.execute("SELECT number FROM receipt ORDER BY seq")]
    assert numbers == [f"4F9A-{count:06d}" for count in range(1, 6)]


def test_an_unknown_product_names_what_was_asked_for(shop: Shop) -> None:
    with pytest.raises(NotFound, match="unobtainium"):
        shop.sell(line("unobtainium"), paid=1)


def test_what_is_not_sold_any_more_is_refused_by_name(shop: Shop) -> None:
    with pytest.raises(Conflict, match="calendar"):
        shop.sell(line("old"), paid=100)


def test_a_sale_without_lines_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid, match="0 lines"):
        shop.do(c.CloseSale(cart_id="empty", lines=(), payments=()))


def test_a_thousand_and_one_lines_are_refused(shop: Shop) -> None:
    with pytest.raises((Invalid, TooLarge), match="1001 lines"):
        shop.do(c.CloseSale(cart_id="huge", lines=(line(),) * 1_001, payments=cash(1)))


def test_half_a_mug_is_not_sold(shop: Shop) -> None:
    with pytest.raises(Invalid, match="whole pieces"):
        shop.sell(line("mug", milli=500), paid=625)


def test_a_store_without_vouchers_takes_none(shop: Shop) -> None:
    with pytest.raises(Invalid, match="voucher"):
        shop.sell(method="voucher")


def test_a_customer_who_is_not_known_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound, match="nobody"):
        shop.do(c.CloseSale(cart_id="x", lines=(line(),), payments=cash(1_250), customer_id="nobody"))


def test_a_card_number_in_a_note_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid):
        shop.do(c.CloseSale(cart_id="x", lines=(line(note="4111 1111 1111 1111"),), payments=cash(1_250)))


# Weighed goods and labels.


def test_apples_are_charged_by_the_gram(shop: Shop) -> None:
    sale = shop.read(shop.sell(line("apples", milli=755), paid=242), e.SaleClosed)
    assert (sale.lines[0].quantity_milli, sale.total_minor) == (755, 242)  # 0.755 kg at 3.20


def scanned(barcode: str, milli: int = 1000) -> c.WantedLine:
    return c.WantedLine(barcode=barcode, quantity_milli=milli)


def test_a_label_from_the_scale_carries_its_weight(shop: Shop) -> None:
    shop.set_store(barcode_layouts=["21IIIIIWWWWWC"])
    sale = shop.read(shop.sell(scanned("2100123002504"), paid=80), e.SaleClosed)
    assert (sale.lines[0].sku, sale.lines[0].quantity_milli, sale.total_minor) == ("apples", 250, 80)


def test_two_equal_labels_weigh_twice_as_much(shop: Shop) -> None:
    shop.set_store(barcode_layouts=["21IIIIIWWWWWC"])
    sale = shop.read(shop.sell(scanned("2100123002504", 2000), paid=160), e.SaleClosed)
    assert sale.lines[0].quantity_milli == 500


def test_a_sale_in_one_call_marks_typed_weights_as_the_checkout_does(shop: Shop) -> None:
    shop.set_store(barcode_layouts=["21IIIIIWWWWWC"])

    def sold(cart_id: str) -> list[str]:
        wanted = (line("apples", milli=500), scanned("2100123002504"), line("mug"))
        paid = cash(160 + 80 + price_of("mug"))
        sale = shop.read(shop.do(c.CloseSale(cart_id=cart_id, lines=wanted, payments=paid)).reply, e.SaleClosed)
        return [one.weighed for one in sale.lines]

    assert sold("without-a-scale") == ["", "", ""]
    shop.get_a_scale()
    assert sold("beside-a-scale") == ["hand", "", ""]


def test_a_weight_typed_over_that_of_a_label_is_marked(shop: Shop) -> None:
    shop.set_store(barcode_layouts=["21IIIIIWWWWWC"])
    shop.get_a_scale()
    shop.ops(c.CartOperation(op_id="label", op="add", line_id="1", barcode="2100123002504"))
    same = shop.ops(op("set_quantity", "same", line_id="1", quantity="0.25"))
    assert same.cart.lines[0].weighed == ""
    other = shop.ops(op("set_quantity", "other", line_id="1", quantity="0.3"))
    assert other.cart.lines[0].weighed == "hand"


def test_half_a_label_is_not_sold(shop: Shop) -> None:
    shop.set_store(barcode_layouts=["21IIIIIWWWWWC"])
    with pytest.raises(Invalid, match="in parts"):
        shop.sell(scanned("2100123002504", 500), paid=40)


def test_a_label_with_a_price_is_charged_once_and_never_twice_for_one_scan(shop: Shop) -> None:
    shop.set_store(barcode_layouts=["21IIIIIPPPPPC"])
    sale = shop.read(shop.sell(scanned("2100123002504"), paid=250, cart_id="once"), e.SaleClosed)
    assert sale.total_minor == 250
    with pytest.raises(Invalid, match="for one piece"):
        shop.sell(scanned("2100123002504", 2000), paid=250, cart_id="twice")


# Prices and discounts that somebody must allow.


def test_a_cashier_can_not_change_a_price_alone(shop: Shop) -> None:
    cheap = c.CloseSale(cart_id="cheap", lines=(line(unit_price_minor=1_000),), payments=cash(1_000))
    with pytest.raises(NotAllowed) as refused:
        shop.do(cheap)
    assert (refused.value.action, refused.value.needs) == ("price_override", "supervisor")
    sale = shop.read(shop.do(cheap, approved=["price_override"]).reply, e.SaleClosed)
    assert sale.total_minor == 1_000
    assert sale.approvals == (e.Approval(action="price_override", approved_by=SUPERVISOR.user_id),)


def test_an_approval_of_one_thing_is_none_of_another(shop: Shop) -> None:
    with pytest.raises(NotAllowed, match="price override"):
        shop.do(
            c.CloseSale(cart_id="x", lines=(line(unit_price_minor=1),), payments=cash(1)), approved=["discount", "void"]
        )


def test_a_supervisor_changes_a_price_without_asking(shop: Shop) -> None:
    command = c.CloseSale(cart_id="x", lines=(line(unit_price_minor=1_000),), payments=cash(1_000))
    assert shop.read(shop.do(command, SUPERVISOR).reply, e.SaleClosed).approvals == ()


def test_a_cashier_gives_a_tenth_away_and_not_a_cent_more(shop: Shop) -> None:
    assert shop.sell(line(discount_minor=125), cart_id="tenth")
    with pytest.raises(NotAllowed) as refused:
        shop.sell(line(discount_minor=126), cart_id="more")
    assert refused.value.action == "discount"
    more = c.CloseSale(cart_id="more", lines=(line(discount_minor=126),), payments=cash(1_124))
    assert shop.do(more, approved=["discount"]).events


def test_a_manager_sets_how_much_a_cashier_may_give_away(shop: Shop) -> None:
    shop.set_store(discount_limit_ppm=500_000)
    assert shop.sell(line(discount_minor=625))


# What follows a sale.


def test_a_till_without_a_printer_queues_nothing(shop: Shop) -> None:
    outcome = shop.do(c.CloseSale(cart_id="x", lines=(line(),), payments=cash(1_250)))
    assert not [effect for effect in outcome.effects if isinstance(effect, Print)]


def test_the_drawer_opens_for_cash_and_stays_shut_for_a_card(shop: Shop) -> None:
    change = e.Change(key="k3m7qx2p", fields={"printer_kind": "file", "printer_target": "out"})
    shop.do(c.ChangeRecords(entity="setting", changes=(change,)), MANAGER)
    by_cash = shop.do(c.CloseSale(cart_id="a", lines=(line(),), payments=cash(1_250)))
    card = (e.Payment(method="card", amount_minor=1_250),)
    by_card = shop.do(c.CloseSale(cart_id="b", lines=(line(),), payments=card))
    assert [effect.kind for effect in by_cash.effects if isinstance(effect, Print)] == ["drawer", "sale"]
    assert [effect.kind for effect in by_card.effects if isinstance(effect, Print)] == ["sale"]


def test_a_sale_takes_its_goods_off_the_shelf(shop: Shop) -> None:
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=5_000))
    shop.sell(line("mug", 2))
    assert shop.books.stock_milli("mug") == 3_000
