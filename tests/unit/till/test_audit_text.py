"""The audit log in words: what a manager reads about each thing that happened."""

from tests.unit.till.shop_till import MANAGER, SUPERVISOR, Shop, add, cash, line, op
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.audit_text import describe


def last(shop: Shop) -> tuple[str, str, object, str, str]:
    """Describe what happened last: action, subject, what is to be said of it, by whom, approved by whom."""
    entry = describe(shop.books, shop.log()[-1])
    said = [*entry["words"], *(entry[name] for name in ("detail", "reason") if entry[name])]
    return entry["action"], entry["subject"], said, entry["by"], entry["approved_by"]


def word(code: str, **values: object) -> dict[str, object]:
    return {"word": code, **values}


def test_a_shift_in_words(shop: Shop) -> None:
    assert last(shop) == ("shift_opened", "", [word("float", amount_minor=10_000)], "cara", "")
    shop.do(c.MoveCash(amount_minor=-500, reason="stamps"), approved=["cash_move"])
    assert last(shop) == ("cash_out", "", [word("amount", amount_minor=-500), "stamps"], "cara", "sam")
    shop.do(c.MoveCash(amount_minor=500, reason="found them"), SUPERVISOR)
    assert last(shop) == ("cash_in", "", [word("amount", amount_minor=500), "found them"], "sam", "")
    shop.do(c.CloseShift(counted_minor=9_990))
    assert last(shop) == ("shift_closed", "Z 1", [word("variance", amount_minor=-10)], "cara", "")


def test_a_sale_with_approval_in_words(shop: Shop) -> None:
    shop.do(
        c.CloseSale(cart_id="x", lines=(line(unit_price_minor=1_000),), payments=cash(1_000)),
        approved=["price_override"],
    )
    approval = word("approval", action="price_override")
    assert last(shop) == ("sale_with_approval", "4F9A-000001", [approval], "cara", "sam")


def test_money_going_back_in_words(shop: Shop) -> None:
    sale = shop.sell(line("mug", 2), cart_id="a")
    shop.do(c.RefundSale(sale_id=sale, lines=(c.WantedRefund(line=0, quantity_milli=1000),), reason="broken"), MANAGER)
    assert last(shop) == ("sale_refunded", "4F9A-000002", ["broken"], "mona", "")
    goods = (c.WantedRefund(sku="mug", quantity_milli=1000),)
    shop.do(c.RefundWithoutReceipt(lines=goods, reason="gift", payments=cash(1_250)), MANAGER)
    assert last(shop) == ("returned_without_receipt", "4F9A-000003", ["gift"], "mona", "")
    shop.do(c.VoidSale(sale_id=shop.sell(cart_id="b"), reason="mistake"), approved=["void"])
    assert last(shop) == ("sale_voided", "4F9A-000005", ["mistake"], "cara", "sam")


def test_corrected_and_counted_stock_is_told_in_words(shop: Shop) -> None:
    shop.do(c.AdjustStock(sku="mug", quantity_milli=-1_000, reason="broken"), SUPERVISOR)
    assert last(shop) == ("stock_adjusted", "mug -1", ["broken"], "sam", "")
    shop.do(c.CountStock(sku="mug", quantity_milli=2_000), SUPERVISOR)
    assert last(shop) == ("stock_counted", "mug", [word("counted", quantity="2", correction="3")], "sam", "")


def test_changed_records_in_words_never_show_a_pin(shop: Shop) -> None:
    change = e.Change(key="cara", fields={"name": "Cara", "pin_tag": "c0ffee"})
    shop.do(c.ChangeRecords(entity="person", changes=(change,)), MANAGER)
    fields = [word("field", name="name", value="Cara"), word("field", name="pin_tag")]
    assert last(shop) == ("people_changed", "Cara", fields, "mona", "")
    many = tuple(e.Change(key=f"p{number}", fields={"name": "x"}) for number in range(5))
    shop.do(c.ChangeRecords(entity="product", changes=many), MANAGER)
    assert last(shop)[:3] == ("products_changed", "p0, p1, p2", [word("records", n=5)])


def test_a_long_value_of_a_record_does_not_fill_the_page(shop: Shop) -> None:
    change = e.Change(key="store", fields={"receipt_footer": ["x" * 300] * 30, "address": "y" * 300})
    shop.do(c.ChangeRecords(entity="setting", changes=(change,)), MANAGER)
    fields = [word("field", name="receipt_footer", value=["x" * 100] * 12)]
    assert last(shop)[2] == [*fields, word("field", name="address", value="y" * 100)]


def test_a_note_in_words(shop: Shop) -> None:
    shop.ops(add("1"), op("clear", "c"))
    assert last(shop) == ("cart_cleared", "cart-1", ["lines: 1"], "cara", "")
