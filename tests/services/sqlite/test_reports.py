"""A day of the shop added up: by hour, department, product, person, tender and rate, and all of it the same money."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from tests.unit.till.shop_till import MANAGER, SUPERVISOR, Shop, add, line, op
from tillmesh.adapters.sqlite import listings, reporting
from tillmesh.adapters.sqlite.listings import SaleFilter
from tillmesh.kernel.times import zone
from tillmesh.shop import events as e
from tillmesh.till import commands as c

LONDON = zone("Europe/London")
SUNDAY = date(2026, 11, 22)


def at(shop: Shop, year: int, month: int, day: int, hour: int, minute: int = 0) -> None:
    """Set the clock on the wall, in London."""
    shop.clock_ms = int(datetime(year, month, day, hour, minute, tzinfo=LONDON).timestamp() * 1000)


@pytest.fixture
def shop() -> Iterator[Shop]:
    found = Shop()
    at(found, 2026, 11, 15, 8)
    found.furnish().open()
    changes = (
        e.Change(key="milk", fields={"department": "Chilled"}),
        e.Change(key="mug", fields={"department": "Home"}),
    )
    found.do(c.ChangeRecords(entity="product", changes=changes), MANAGER)
    found.set_store(time_zone="Europe/London", currency="GBP")
    yield found
    found.writer.close()


def day(shop: Shop, when: date = SUNDAY) -> dict[str, Any]:
    return reporting.day(shop.writer.db, shop.books, when)


def busy_day(shop: Shop) -> None:
    at(shop, 2026, 11, 22, 9, 15)
    big = shop.sell(line("mug", 3), line("milk", 2), paid=5_000, cart_id="a")
    at(shop, 2026, 11, 22, 9, 45)
    shop.sell(line("apples", milli=500), cart_id="b", method="card")
    at(shop, 2026, 11, 22, 14, 0)
    mistake = shop.sell(line("milk", 4), cart_id="c")
    shop.do(c.VoidSale(sale_id=mistake, reason="mistake"), SUPERVISOR)
    shop.do(c.RefundSale(sale_id=big, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="x"), SUPERVISOR)


def test_a_day_adds_up_from_every_side(shop: Shop) -> None:
    busy_day(shop)
    report = day(shop)
    total = 3 * 1_250 + 2 * 199 + 160 - 1_250
    assert (report["sales"], report["total_minor"], report["currency"]) == (3, total, "GBP")
    assert (report["voids_minor"], report["refunds_minor"]) == (4 * 199, 1_250)
    for section in ("departments", "products"):
        assert sum(row["total_minor"] for row in report[section]) == total, section
    assert sum(row["net_minor"] for row in report["tenders"]) == total
    assert sum(row["net_minor"] + row["tax_minor"] for row in report["taxes"]) == total
    assert sum(row["tax_minor"] for row in report["taxes"]) == report["tax_minor"]
    assert sum(row["total_minor"] for row in report["hours"]) == report["sales_minor"]


def test_what_was_voided_is_no_best_seller(shop: Shop) -> None:
    busy_day(shop)
    sold = {row["sku"]: (row["quantity"], row["total_minor"]) for row in day(shop)["products"]}
    assert sold == {"mug": ("2", 2_500), "milk": ("2", 398), "apples": ("0.5", 160)}
    assert [row["name"] for row in day(shop)["departments"]] == ["Home", "Chilled", "Other"]


def test_a_sale_counts_in_its_hour_on_the_wall(shop: Shop) -> None:
    busy_day(shop)
    hours = {row["hour"]: row["sales"] for row in day(shop)["hours"] if row["sales"]}
    assert hours == {9: 2, 14: 1}


def test_people_are_named_and_last_week_stands_beside(shop: Shop) -> None:
    at(shop, 2026, 11, 15, 12)
    shop.sell(cart_id="last week")
    busy_day(shop)
    report = day(shop)
    assert [(row["name"], row["sales"]) for row in report["cashiers"]] == [("cara", 3)]
    assert report["previous"] == {"date": "2026-11-15", "total_minor": 1_250, "sales": 1}


def test_a_void_of_yesterday_s_sale_counts_today(shop: Shop) -> None:
    at(shop, 2026, 11, 21, 18)
    sale = shop.sell(cart_id="yesterday")
    at(shop, 2026, 11, 22, 10)
    shop.do(c.VoidSale(sale_id=sale, reason="brought back"), SUPERVISOR)
    assert (day(shop)["total_minor"], day(shop)["sales"]) == (-1_250, 0)
    assert day(shop)["products"] == [
        {"sku": "mug", "name": "Enamel mug", "quantity": "-1", "total_minor": -1_250, "margin_minor": None}
    ]
    assert day(shop, date(2026, 11, 21))["total_minor"] == 1_250


def test_days_sum_up_to_what_each_day_says(shop: Shop) -> None:
    at(shop, 2026, 11, 20, 12)
    shop.sell(cart_id="friday")
    busy_day(shop)
    rows = reporting.days(shop.writer.db, shop.books, date(2026, 11, 16), SUNDAY)
    assert [row["date"] for row in rows] == [f"2026-11-{number}" for number in range(16, 23)]
    for row in rows:
        report = day(shop, date.fromisoformat(row["date"]))
        assert (row["total_minor"], row["sales"], row["tax_minor"]) == (
            report["total_minor"],
            report["sales"],
            report["tax_minor"],
        )
        assert row["refunds_minor"] == report["refunds_minor"] + report["voids_minor"]


@pytest.mark.parametrize(
    ("when", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25)], ids=["spring forward", "fall back"]
)
def test_every_hour_of_a_day_when_clocks_change_is_counted_once(shop: Shop, when: date, hours: int) -> None:
    at(shop, when.year, when.month, when.day, 0)
    first = shop.clock_ms
    for hour in range(-1, hours + 1):  # an hour before the day, and one after it
        shop.clock_ms = first + hour * 3_600_000 + 60_000
        shop.sell(line("milk"), cart_id=f"hour {hour}")
    assert day(shop, when)["sales"] == hours
    assert sum(row["sales"] for row in day(shop, when)["hours"]) == hours
    assert max(row["sales"] for row in day(shop, when)["hours"]) == (2 if hours == 25 else 1)


def test_an_empty_day_is_all_zeros(shop: Shop) -> None:
    report = day(shop)
    assert (report["sales"], report["total_minor"], report["average_minor"], report["products"]) == (0, 0, 0, [])


# Lists.


def test_sales_are_listed_newest_first_and_from_a_time_on_oldest_first(shop: Shop) -> None:
    ids = [shop.sell(line("milk"), cart_id=f"{number}") for number in range(4)]
    assert [event.id for event in listings.sales(shop.books, SaleFilter(limit=3))] == ids[:0:-1]
    since = shop.clock_ms - 1_000
    assert [event.id for event in listings.sales(shop.books, SaleFilter(since_ms=since))] == ids[2:]


def test_a_sale_is_found_by_any_of_its_receipts_and_by_its_customer(shop: Shop) -> None:
    shop.do(c.ChangeRecords(entity="customer", changes=(e.Change(key="c1", fields={"name": "Zoë Ångström"}),)))
    paid = (e.Payment(method="cash", amount_minor=2_500),)
    hers = c.CloseSale(cart_id="hers", lines=(line("mug", 2),), payments=paid, customer_id="c1")
    sale = str(shop.do(hers).reply)
    shop.sell(cart_id="somebody's")
    refund = shop.do(
        c.RefundSale(sale_id=sale, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="x"), SUPERVISOR
    )
    slip = shop.read(refund.reply, e.SaleRefunded).receipt_number
    for wanted in (
        SaleFilter(receipt="4f9a-000001"),
        SaleFilter(receipt=slip),
        SaleFilter(text="ångs"),
        SaleFilter(text="000001"),
        SaleFilter(customer_id="c1"),
    ):
        assert [event.id for event in listings.sales(shop.books, wanted)] == [sale], wanted
    assert listings.sales(shop.books, SaleFilter(text="%")) == []


def test_low_stock_lists_what_runs_out_first(shop: Shop) -> None:
    low = (
        e.Change(key="milk", fields={"low_stock_milli": 5_000}),
        e.Change(key="mug", fields={"low_stock_milli": 1_000}),
    )
    shop.do(c.ChangeRecords(entity="product", changes=low), MANAGER)
    for sku, quantity in (("milk", 2_000), ("mug", 9_000)):
        shop.do(c.ReceiveStock(sku=sku, quantity_milli=quantity))
    shop.sell(line("apples", milli=100))
    found = listings.stock(shop.writer.db, text="", low=True, limit=10)
    assert [(row["sku"], row["value"]) for row in found] == [("milk", "2"), ("apples", "-0.1")]


def test_the_cart_that_was_touched_last_comes_first(shop: Shop) -> None:
    for cart_id in ("b", "c", "a"):
        shop.ops(add("1"), cart_id=cart_id)
    shop.ops(op("set_quantity", "q", line_id="1", quantity=2), cart_id="b")
    assert [cart.cart_id for cart, _ in listings.carts(shop.writer.db)] == ["b", "a", "c"]
