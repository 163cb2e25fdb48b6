"""Oversold goods on one till: found, answered by somebody with the right, and never by the till itself."""

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, START_MS, SUPERVISOR, Shop, line
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till import oversell_views
from tillmesh.till.oversells import Finding, look_into, open_oversell, open_oversells


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """One mug on the shelf."""
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=1_000))
    return shop


def oversell(shop: Shop, pieces: int = 2, **sale: str) -> str:
    """Sell more mugs than there are; give the oversell's id."""
    for number in range(pieces):
        shop.sell(line("mug"), cart_id=f"mug-{len(shop.log())}-{number}", **sale)  # type: ignore[arg-type]
    return only(shop).open.conflict_id


def only(shop: Shop) -> Finding:
    (found,) = (one for one in open_oversells(shop.books) if one.sku == "mug")
    return look_into(shop.books, found, shop.clock_ms)


def answer(shop: Shop, conflict: str, action: str, who: c.Who = MANAGER, **more: str) -> e.OversellResolved:
    command = c.ResolveOversell(conflict_id=conflict, sku="mug", action=action, **more)
    return shop.read(shop.do(command, who).reply, e.OversellResolved)


def test_the_last_mug_is_sold_twice_and_it_is_one_open_oversell_with_its_sales(shop: Shop) -> None:
    first = shop.sell(line("mug"), cart_id="first")
    assert open_oversells(shop.books) == []
    second = shop.sell(line("mug"), cart_id="second")
    found = only(shop)
    assert (found.open.stock_milli, found.open.missing_milli, found.open.ever_booked) == (-1_000, 1_000, True)
    assert [sale.sale_id for sale in found.involved.over] == [second]
    assert [sale.sale_id for sale in found.involved.before] == [first]
    assert {one.action for one in found.suggestions} == {"adjust", "back_order", "void"}


def test_selling_below_zero_is_never_refused_and_nothing_is_voided_by_itself(shop: Shop) -> None:
    oversell(shop, 4)
    assert shop.books.stock_milli("mug") == -3_000
    assert not {"sale_voided", "sale_refunded", "oversell_resolved"} & set(shop.types())


def test_adjusting_puts_what_was_missing_into_the_stock_in_the_same_transaction(shop: Shop) -> None:
    done = answer(shop, oversell(shop, 3), "adjust", reason="Two more in the window")
    assert (done.quantity_milli, done.stock_milli, done.by) == (2_000, -2_000, "mona")
    assert shop.read(done.answer, e.StockAdjusted).moves == (e.StockMove(sku="mug", quantity_milli=2_000),)
    assert shop.books.stock_milli("mug") == 0
    assert open_oversells(shop.books) == []
    assert {one.action for one in done.proposed} == {"adjust", "back_order", "void"}
    assert shop.types()[-2:] == ["oversell_resolved", "stock_adjusted"]


def test_a_void_goes_the_way_of_every_void(shop: Shop) -> None:
    conflict = oversell(shop)
    sale = only(shop).involved.over[0].sale_id
    done = answer(shop, conflict, "void")
    voided = shop.read(done.answer, e.SaleVoided)
    assert (done.sale_id, voided.sale_id, voided.total_minor) == (sale, sale, 1_250)
    assert shop.books.stock_milli("mug") == 0
    assert open_oversells(shop.books) == []


def test_another_sale_of_the_product_can_be_named_for_voiding_and_no_other(shop: Shop) -> None:
    milk = shop.sell(line("milk"), cart_id="milk")
    conflict = oversell(shop)
    with pytest.raises(Invalid, match="nothing of the product"):
        answer(shop, conflict, "void", sale_id=milk)
    again = shop.sell(line("mug"), cart_id="voided before")
    shop.do(c.VoidSale(sale_id=again, reason="mistake"), SUPERVISOR)
    with pytest.raises(Conflict, match="voided already"):
        answer(shop, conflict, "void", sale_id=again)
    before = only(shop).involved.before[0].sale_id
    assert answer(shop, conflict, "void", sale_id=before).sale_id == before


def test_a_back_order_closes_the_oversell_until_more_is_sold(shop: Shop) -> None:
    first = oversell(shop)
    answer(shop, first, "back_order")
    assert shop.books.stock_milli("mug") == -1_000
    assert open_oversells(shop.books) == []
    again = oversell(shop, 1)
    assert again != first
    assert only(shop).open.missing_milli == 1_000


def test_a_delivery_fills_back_orders_and_the_next_one_too_many_is_found_again(shop: Shop) -> None:
    answer(shop, oversell(shop), "back_order")
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=2_000))
    assert shop.types()[-2:] == ["stock_received", "oversell_settled"]
    assert oversell_views.conflicts(shop.books, shop.clock_ms)["back_orders"] == []
    shop.sell(line("mug"), cart_id="the last")
    assert open_oversells(shop.books) == []
    oversell(shop, 1)
    assert only(shop).open.missing_milli == 1_000


def test_a_void_of_the_promised_sale_ends_its_back_order(shop: Shop) -> None:
    conflict = oversell(shop)
    sale = only(shop).involved.over[0].sale_id
    answer(shop, conflict, "back_order")
    shop.do(c.VoidSale(sale_id=sale, reason="does not want to wait"), SUPERVISOR)
    oversell(shop, 1)
    assert only(shop).open.missing_milli == 1_000


def test_a_delivery_before_anybody_answered_closes_the_oversell(shop: Shop) -> None:
    conflict = oversell(shop)
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=5_000))
    assert open_oversells(shop.books) == []
    with pytest.raises(NotFound, match="not open any more"):
        answer(shop, conflict, "adjust")


def test_a_manager_answers_and_others_need_one(shop: Shop) -> None:
    conflict = oversell(shop)
    command = c.ResolveOversell(conflict_id=conflict, sku="mug", action="void")
    for who in (CASHIER, SUPERVISOR):
        with pytest.raises(NotAllowed) as refused:
            shop.do(command, who)
        assert (refused.value.action, refused.value.needs) == ("resolve_oversell", "manager")
    done = shop.read(shop.do(command, CASHIER, approved=["resolve_oversell"]).reply, e.OversellResolved)
    assert (done.by, done.approved_by) == ("cara", "sam")
    assert shop.read(done.answer, e.SaleVoided).approved_by == "sam"


def test_the_same_answer_again_is_the_same_and_another_one_is_refused(shop: Shop) -> None:
    conflict = oversell(shop)
    command = c.ResolveOversell(conflict_id=conflict, sku="mug", action="adjust")
    first = shop.do(command, MANAGER).reply
    held = len(shop.log())
    assert shop.do(command, MANAGER).reply == first
    assert len(shop.log()) == held
    with pytest.raises(Conflict, match="answered already: adjust"):
        answer(shop, conflict, "void")


def test_an_answer_nobody_knows_is_refused(shop: Shop) -> None:
    with pytest.raises(Invalid, match="'sell more' is no answer"):
        answer(shop, oversell(shop), "sell more")


def test_goods_that_are_not_counted_are_never_oversold(shop: Shop) -> None:
    oversell(shop)
    change = e.Change(key="mug", fields={"track_stock": False})
    shop.do(c.ChangeRecords(entity="product", changes=(change,)), MANAGER)
    assert open_oversells(shop.books) == []
    assert open_oversell(shop.books, "mug") is None


def test_goods_that_were_never_booked_in_are_told_apart_and_come_last(shop: Shop) -> None:
    shop.sell(line("milk", 5), cart_id="milk")
    oversell(shop)
    assert [(one.sku, one.ever_booked) for one in open_oversells(shop.books)] == [("mug", True), ("milk", False)]


def test_a_sale_that_came_back_is_not_one_too_many(shop: Shop) -> None:
    oversell(shop, 3)
    newest = only(shop).involved.over[0].sale_id
    back = c.RefundSale(sale_id=newest, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="broken")
    shop.do(back, SUPERVISOR)
    assert newest not in [sale.sale_id for sale in only(shop).involved.over]


def test_deliveries_and_counts_of_the_product_are_weighed(shop: Shop) -> None:
    for _ in range(2):
        shop.do(c.ReceiveStock(sku="milk", quantity_milli=1_000))
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=1_000))
    shop.do(c.CountStock(sku="mug", quantity_milli=1_000), SUPERVISOR)
    oversell(shop)
    codes = {reason.code for one in only(shop).suggestions for reason in one.reasons}
    assert {"count_fresh", "delivery_usual"} <= codes
    assert shop.clock_ms > START_MS


def test_an_answer_stands_in_the_audit_log_in_words(shop: Shop) -> None:
    answer(shop, oversell(shop), "adjust", reason="One more in the window")
    sql = "SELECT count(*) FROM audit a JOIN event e ON e.actor = a.actor AND e.seq = a.seq WHERE e.type = ?"
    assert shop.writer.db.execute(sql, ("oversell_resolved",)).fetchone() == (1,)


def test_what_is_shown_names_the_sales_the_people_and_the_reasons(shop: Shop) -> None:
    conflict = oversell(shop)
    (shown,) = oversell_views.conflicts(shop.books, shop.clock_ms)["conflicts"]
    assert (shown["id"], shown["sku"], shown["name"], shown["stock"]) == (conflict, "mug", "Enamel mug", "-1")
    assert [sale["over"] for sale in shown["sales"]] == [True, False]
    assert shown["sales"][0]["cashier"]["name"] == "cara"
    for one in shown["suggestions"]:
        assert 0 <= one["confidence"] <= 1
        assert all(isinstance(text, str) and len(text) > 10 for text in one["reasons"])
    answer(shop, conflict, "back_order", reason="Anna waits")
    told = oversell_views.conflicts(shop.books, shop.clock_ms)
    assert (told["open"], told["conflicts"]) == (0, [])
    (done,) = told["resolved"]
    assert (done["action"], done["status"], done["by"]["name"], done["owed"]) == ("back_order", "waiting", "mona", "1")
    assert [one["event_id"] for one in told["back_orders"]] == [done["event_id"]]


def test_a_policy_decides_only_what_is_written_and_nothing_with_money(shop: Shop) -> None:
    conflict = oversell(shop)
    policy = c.Who(user_id="policy:House rule", role="manager")
    for written, allowed in (("ask", ()), ("adjust", ("adjust",)), ("back_order", ("back_order",))):
        shop.set_store(oversell_policy=written)
        for action in {"adjust", "back_order", "void"} - set(allowed):
            with pytest.raises(NotAllowed, match="policy has no such answer"):
                answer(shop, conflict, action, policy)
    assert answer(shop, conflict, "back_order", policy).by == "policy:House rule"
