"""What changes under a sale while it is open: prices, tax rates, shifts, days and the clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from tests.unit.till.shop_till import MANAGER, SUPERVISOR, Shop, add, cash, op
from tests.unit.till.test_purses import hear, other_till
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.shop import events as e
from tillmesh.shop.offers import price_key
from tillmesh.till import commands as c
from tillmesh.till.checkout import TotalChanged
from tillmesh.till.shifts import shift_totals

BERLIN = ZoneInfo("Europe/Berlin")


def change_price(shop: Shop, price: int) -> None:
    fields: dict[str, e.Value] = {"price_minor": price}
    shop.do(c.ChangeRecords(entity="product", changes=(e.Change(key="mug", fields=fields),)), MANAGER)


def at(shop: Shop, wall: str, fold: int = 0) -> None:
    """Put the clock so that the next thing happens when the wall shows this."""
    moment = datetime.fromisoformat(wall).replace(tzinfo=BERLIN, fold=fold)
    shop.clock_ms = int(moment.timestamp() * 1000) - 1_000


def prices_in(shop: Shop, cart_id: str) -> list[int]:
    found = shop.books.cart(cart_id)
    assert found is not None
    return [row.list_price_minor for row in found[0].lines]


def test_a_price_that_changes_while_it_lies_in_open_carts_of_two_tills_holds_for_what_is_scanned_later(
    shop: Shop,
) -> None:
    other = other_till(shop)
    for till in (shop, other):
        till.ops(add("1"), cart_id="open")
    change_price(shop, 1_500)
    hear(other, shop)
    for till in (shop, other):
        till.ops(add("2"), cart_id="open")
        assert prices_in(till, "open") == [1_250, 1_500]
    sale_id = str(shop.do(c.PayCart(cart_id="open", payments=cash(2_750), total_minor=2_750)).reply)
    assert [row.unit_price_minor for row in shop.read(sale_id, e.SaleClosed).lines] == [1_250, 1_500]
    wanted = (c.WantedRefund(line=0, quantity_milli=1_000),)
    back = c.RefundSale(sale_id=sale_id, lines=wanted, reason="chipped", refund_key="k")
    assert shop.read(shop.do(back, MANAGER).reply, e.SaleRefunded).total_minor == 1_250
    other.writer.close()


def test_a_planned_price_begins_on_its_millisecond_at_every_till(shop: Shop) -> None:
    begins = shop.clock_ms + 60_000
    fields: dict[str, e.Value] = {"price_minor": 999}
    plan = e.Change(key=price_key("", begins, "mug"), fields=fields)
    shop.do(c.ChangeRecords(entity="price", changes=(plan,)), MANAGER)
    other = other_till(shop)
    for till in (shop, other):
        till.clock_ms = begins - 1_001
        till.ops(add("1"), cart_id="open")
        till.clock_ms = begins - 1_000
        till.ops(add("2"), cart_id="open")
        assert prices_in(till, "open") == [1_250, 999]
        customer = till.ops(op("customer", "x", customer_id=""), cart_id="open")
        assert [row.list_price_minor for row in customer.cart.lines] == [1_250, 999]
    other.writer.close()


def test_two_tills_apart_close_their_shifts_in_the_same_moment_and_each_report_stays_as_it_was(shop: Shop) -> None:
    other = other_till(shop)
    other.clock_ms = shop.clock_ms
    closed = {}
    sale_id = shop.sell()
    other.sell(cart_id="there")
    for till, counted in ((shop, 11_250), (other, 11_250)):
        till.clock_ms = shop.clock_ms if till is shop else other.clock_ms
        closed[till] = till.do(c.CloseShift(counted_minor=counted), SUPERVISOR).reply
    hear(shop, other)
    hear(other, shop)
    assert state_parts(shop.writer.db) == state_parts(other.writer.db)
    for till in (shop, other):
        report = till.read(closed[till], e.ShiftClosed)
        assert (report.z_number, report.totals.sales, report.totals.expected_cash_minor) == (1, 1, 11_250)
    # What was sold in the shift that is closed goes back out of the shift that is open, of either till.
    other.do(c.OpenShift(float_minor=11_250))
    wanted = (c.WantedRefund(line=0, quantity_milli=1_000),)
    other.do(c.RefundSale(sale_id=sale_id, lines=wanted, reason="chipped", refund_key="k"), MANAGER)
    shift = other.books.current_shift()
    assert shift is not None
    assert shift_totals(other.books, shift).expected_cash_minor == 10_000
    hear(shop, other)
    assert shop.read(closed[shop], e.ShiftClosed).totals.refunds == 0
    other.writer.close()


def test_a_sale_over_midnight_belongs_to_the_day_it_was_paid_on_and_to_the_prices_it_was_scanned_at(
    shop: Shop,
) -> None:
    shop.set_store(time_zone="Europe/Berlin", fiscal_closes=True)
    at(shop, "2026-11-30 23:00")
    shop.sell(cart_id="before")
    until = int(datetime(2026, 12, 1, tzinfo=BERLIN).timestamp() * 1000)
    offer: dict[str, e.Value] = {"name": "Today", "kind": "percent", "rate_ppm": 500_000, "until_ms": until}
    shop.do(c.ChangeRecords(entity="promotion", changes=(e.Change(key="today", fields=offer),)), MANAGER)
    at(shop, "2026-11-30 23:59:59")
    shop.ops(add("1"))
    at(shop, "2026-12-01 00:00:30")
    shop.ops(add("2"))
    sale = shop.read(shop.do(c.PayCart(cart_id="cart-1", payments=cash(1_875), total_minor=1_875)).reply, e.SaleClosed)
    assert [row.total_minor for row in sale.lines] == [625, 1_250]
    days = [(one.period, one.totals.sales) for one in shop.books.periods_after("day", 0)]
    assert days == [("2026-11-30", 1)]  # and the new day holds the sale


def test_an_offer_for_the_hour_that_summer_time_ends_in_holds_in_both_of_them(shop: Shop) -> None:
    shop.set_store(time_zone="Europe/Berlin")
    night: dict[str, e.Value] = {"name": "Night", "kind": "percent", "rate_ppm": 500_000, "from_minute": 120,
                                 "until_minute": 180}  # fmt: skip
    shop.do(c.ChangeRecords(entity="promotion", changes=(e.Change(key="night", fields=night),)), MANAGER)
    totals = []
    for number, (wall, fold) in enumerate(
        (("2026-10-25 01:59:58", 0), ("2026-10-25 02:30:00", 0), ("2026-10-25 02:30:00", 1), ("2026-10-25 03:00:00", 0))
    ):
        at(shop, wall, fold)
        edited = shop.ops(add(f"n{number}"), cart_id=f"night-{number}")
        assert edited.sums is not None
        totals.append(edited.sums.total_minor)
    assert totals == [1_250, 625, 625, 1_250]


@pytest.mark.parametrize("included", [True, False])
def test_a_rate_that_changes_while_a_cart_is_open_is_charged_as_it_is_when_it_is_paid_and_never_unseen(
    shop: Shop, included: bool
) -> None:
    shop.set_store(prices_include_tax=included)
    edited = shop.ops(add("1"))
    assert edited.sums is not None
    shown = edited.sums.total_minor
    shop.set_store(tax_rates=["standard=250000", "reduced=50000", "zero=0"])
    pay = c.PayCart(cart_id="cart-1", payments=cash(shown), total_minor=shown)
    if not included:
        with pytest.raises(TotalChanged):
            shop.do(pay)
        pay = structs.replace(pay, payments=cash(1_563), total_minor=1_563)
    sale = shop.read(shop.do(pay).reply, e.SaleClosed)
    assert [(one.rate_ppm, one.tax_minor) for one in sale.taxes] == [(250_000, 250 if included else 313)]
