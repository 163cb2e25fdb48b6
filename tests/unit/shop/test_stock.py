"""What every event does to the shelf."""

from tests.unit.shop.builders import cart, line, policy, refunded, sold, voided
from tillmesh.shop.events import CashMoved, StockAdjusted, StockCounted, StockMove, StockReceived
from tillmesh.shop.refund import Wanted
from tillmesh.shop.stock import movements

MOVES = (StockMove(sku="tea", quantity_milli=5_000), StockMove(sku="oil", quantity_milli=-250))


def test_a_sale_takes_from_the_shelf_once_per_product() -> None:
    sale = sold(cart(line(100, 2), line(300), line(100)), policy())
    assert movements(sale) == [("sku-100", -3_000), ("sku-300", -1_000)]


def test_a_void_puts_everything_back() -> None:
    sale = sold(cart(line(100, 2), line(300)), policy())
    assert sorted(movements(voided(sale))) == sorted((sku, -delta) for sku, delta in movements(sale))


def test_a_refund_puts_back_only_what_can_be_sold_again() -> None:
    sale = sold(cart(line(100, 2), line(300)), policy())
    back = refunded(
        sale, [], policy(), Wanted(line=0, quantity_milli=1000), Wanted(line=1, quantity_milli=1000, restock=False)
    )
    assert movements(back) == [("sku-100", 1_000)]


def test_goods_received_and_corrected_move_as_they_say() -> None:
    assert movements(StockReceived(moves=MOVES, by="ana")) == [("tea", 5_000), ("oil", -250)]
    assert movements(StockAdjusted(moves=MOVES, by="ana", reason="broken")) == [("tea", 5_000), ("oil", -250)]


def test_a_count_moves_by_its_correction_and_a_count_that_agrees_moves_nothing() -> None:
    counted = StockCounted(sku="tea", counted_milli=7_000, correction_milli=-2_000, vector=(), by="ana")
    assert movements(counted) == [("tea", -2_000)]
    agreed = StockCounted(sku="tea", counted_milli=7_000, correction_milli=0, vector=(), by="ana")
    assert movements(agreed) == []


def test_money_moves_no_stock() -> None:
    assert movements(CashMoved(shift_id="s", amount_minor=5, reason="change", by="ana")) == []
