"""Stock coming in, being counted and being corrected, while sales go on."""

import pytest

from tests.unit.till.shop_till import SUPERVISOR, Shop, line
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import QUANTITY_MILLI_MAX
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.audit_text import describe


def test_what_came_in_less_what_was_sold_is_on_the_shelf(shop: Shop) -> None:
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=10_000, reason="delivery"))
    shop.sell(line("mug", 3))
    shop.do(c.AdjustStock(sku="mug", quantity_milli=-1_000, reason="broken"), SUPERVISOR)
    assert shop.books.stock_milli("mug") == 6_000
    assert shop.books.stock_columns("mug") == {shop.till.identity.actor: (10_000, 4_000)}


def test_a_count_is_kept_as_a_correction_against_what_was_known(shop: Shop) -> None:
    shop.do(c.ReceiveStock(sku="mug", quantity_milli=10_000))
    shop.sell(line("mug", 3))
    counted = shop.read(shop.do(c.CountStock(sku="mug", quantity_milli=5_000), SUPERVISOR).reply, e.StockCounted)
    assert (counted.counted_milli, counted.correction_milli) == (5_000, -2_000)
    assert dict(counted.vector)[shop.till.identity.actor] == shop.till.head.seq - 1
    shop.sell(line("mug"), cart_id="later")
    assert shop.books.stock_milli("mug") == 4_000


@pytest.mark.parametrize(
    "command",
    [
        c.ReceiveStock(sku="mug", quantity_milli=1_500),
        c.AdjustStock(sku="mug", quantity_milli=-500, reason="broken"),
        c.CountStock(sku="mug", quantity_milli=1_500),
    ],
)
def test_half_a_mug_is_nothing_that_lies_on_a_shelf(shop: Shop, command: c.Command) -> None:
    with pytest.raises(Invalid, match="whole numbers"):
        shop.do(command, SUPERVISOR)
    assert shop.books.stock_milli("mug") == 0


def test_counts_and_corrections_keep_who_approved_them(shop: Shop) -> None:
    count, adjust = (
        c.CountStock(sku="mug", quantity_milli=5_000),
        c.AdjustStock(sku="mug", quantity_milli=-1_000, reason="broken"),
    )
    counted = shop.do(count, approved=["count_stock"]).events[0]
    adjusted = shop.do(adjust, approved=["adjust_stock"]).events[0]
    for event in (counted, adjusted):
        told = describe(shop.books, event)
        assert (told["by"], told["approved_by"]) == ("cara", "sam")
    assert describe(shop.books, shop.do(count, SUPERVISOR).events[0])["approved_by"] == ""


def test_stock_may_fall_below_zero_because_selling_never_waits(shop: Shop) -> None:
    shop.sell(line("mug", 2))
    assert shop.books.stock_milli("mug") == -2_000


@pytest.mark.parametrize("quantity_milli", [0, -1, QUANTITY_MILLI_MAX + 1])
def test_a_delivery_of_nothing_or_of_too_much_is_refused(shop: Shop, quantity_milli: int) -> None:
    with pytest.raises(Invalid):
        shop.do(c.ReceiveStock(sku="mug", quantity_milli=quantity_milli))


def test_a_correction_needs_a_size_and_a_reason(shop: Shop) -> None:
    with pytest.raises(Invalid, match="zero"):
        shop.do(c.AdjustStock(sku="mug", quantity_milli=0, reason="nothing"), SUPERVISOR)
    with pytest.raises(Invalid, match="reason"):
        shop.do(c.AdjustStock(sku="mug", quantity_milli=1_000, reason=""), SUPERVISOR)


def test_unknown_goods_are_not_counted(shop: Shop) -> None:
    with pytest.raises(NotFound):
        shop.do(c.CountStock(sku="unobtainium", quantity_milli=1_000), SUPERVISOR)
