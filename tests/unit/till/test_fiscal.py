"""Closes of days, months and years: every receipt in exactly one, across midnights, summers and wrong clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.unit.till.shop_till import MANAGER, SUPERVISOR, Shop
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.shop import events as e
from tillmesh.till import commands as c

BERLIN = ZoneInfo("Europe/Berlin")
MUG = 1_250


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    to(shop, "2026-10-24 09:00")
    shop.furnish().open()
    shop.set_store(time_zone="Europe/Berlin", fiscal_closes=True)
    return shop


def to(shop: Shop, wall: str) -> None:
    """Put the clock where the shop's wall shows this."""
    shop.clock_ms = int(datetime.fromisoformat(wall).replace(tzinfo=BERLIN).timestamp() * 1000)


def sell(shop: Shop, wall: str) -> str:
    to(shop, wall)
    return shop.sell(cart_id=wall)


def closes(shop: Shop, kind: str = "day") -> list[e.PeriodClosed]:
    return shop.books.periods_after(kind, 0)


def test_a_day_is_closed_before_the_first_receipt_of_a_later_one_and_never_changes(shop: Shop) -> None:
    sell(shop, "2026-10-24 10:00")
    sell(shop, "2026-10-24 23:59")
    assert closes(shop) == []
    sell(shop, "2026-10-25 00:01")
    (saturday,) = closes(shop)
    assert (saturday.period, saturday.number, saturday.totals.sales) == ("2026-10-24", 1, 2)
    assert (saturday.perpetual_minor, saturday.gross_minor) == (2 * MUG, 2 * MUG)
    assert (saturday.totals.first_receipt, saturday.totals.last_receipt) == ("4F9A-000001", "4F9A-000002")
    assert shop.types()[-2:] == ["period_closed", "sale_closed"]


def test_the_day_on_which_summer_ends_has_25_hours_and_the_day_it_begins_23(shop: Shop) -> None:
    sell(shop, "2026-10-25 00:00")
    sell(shop, "2026-10-25 23:59")  # 24 hours and 59 minutes later
    sell(shop, "2026-10-26 00:00")
    sell(shop, "2027-03-28 00:00")
    sell(shop, "2027-03-28 23:59")
    sell(shop, "2027-03-29 00:00")
    assert [(one.period, one.totals.sales) for one in closes(shop)] == [
        ("2026-10-25", 2), ("2026-10-26", 1), ("2027-03-28", 2),
    ]  # fmt: skip


def test_months_are_sums_of_their_days_and_years_of_their_months_whatever_lay_between(shop: Shop) -> None:
    for wall in ("2026-10-24 10:00", "2026-10-31 10:00", "2026-11-01 10:00", "2026-12-31 23:59", "2027-02-01 08:00"):
        sell(shop, wall)
    months = closes(shop, "month")
    assert [(one.period, one.number, one.totals.sales, one.parts) for one in months] == [
        ("2026-10", 1, 2, (1, 2)), ("2026-11", 2, 1, (3, 3)), ("2026-12", 3, 1, (4, 4)),
    ]  # fmt: skip
    (year,) = closes(shop, "year")
    assert (year.period, year.totals.sales, year.totals.sales_minor, year.parts) == ("2026", 4, 4 * MUG, (1, 3))
    assert year.perpetual_minor == months[-1].perpetual_minor == closes(shop)[-1].perpetual_minor == 4 * MUG
    assert year.totals.rates == months[0].totals.rates[:0] + year.totals.rates
    assert sum(one.totals.tax_minor for one in closes(shop)) == year.totals.tax_minor


def test_what_comes_back_sinks_the_perpetual_total_and_never_the_gross_one(shop: Shop) -> None:
    sale_id = sell(shop, "2026-10-24 10:00")
    sell(shop, "2026-10-24 11:00")
    to(shop, "2026-10-25 09:00")
    shop.do(c.VoidSale(sale_id=sale_id, reason="mistake"), SUPERVISOR)
    to(shop, "2026-10-26 09:00")
    assert len(shop.do(c.ClosePeriods(), MANAGER).events) == 1
    sunday = closes(shop)[-1]
    assert (sunday.totals.voids_minor, sunday.perpetual_minor, sunday.gross_minor) == (MUG, MUG, 2 * MUG)
    assert shop.do(c.ClosePeriods(), MANAGER).events == ()


def test_a_clock_that_went_back_reopens_nothing_and_loses_nothing(shop: Shop) -> None:
    sell(shop, "2026-10-24 10:00")
    sell(shop, "2026-10-25 10:00")
    sell(shop, "2026-10-23 10:00")  # the battery of the clock
    sell(shop, "2026-10-26 10:00")
    found = closes(shop)
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    receipts = [event for event in shop.log() if event.type == "sale_closed"]
    assert sum(one.totals.sales for one in found) == len(receipts) - 1  # today's is open
    assert found[-1].gross_minor == MUG * (len(receipts) - 1)


def test_nothing_is_closed_until_the_store_wants_it_and_then_with_everything_before() -> None:
    shop = Shop()
    to(shop, "2026-10-24 09:00")
    shop.furnish().open()
    sell(shop, "2026-10-24 10:00")
    sell(shop, "2026-10-25 10:00")
    assert closes(shop) == []
    assert shop.do(c.ClosePeriods(), MANAGER).events == ()
    shop.set_store(time_zone="Europe/Berlin", fiscal_closes=True)
    sell(shop, "2026-10-26 10:00")
    (first,) = closes(shop)
    assert (first.period, first.totals.sales) == ("2026-10-25", 2)


def test_closes_are_found_again_when_the_tables_are_made_anew(shop: Shop) -> None:
    for wall in ("2026-10-24 10:00", "2026-11-25 10:00", "2027-10-25 10:00"):
        sell(shop, wall)
    held = [closes(shop, kind) for kind in ("day", "month", "year")]
    Ledger(shop.writer.db, "corner0shop0").rebuild()
    assert [closes(shop, kind) for kind in ("day", "month", "year")] == held
    assert [len(one) for one in held] == [2, 2, 1]
