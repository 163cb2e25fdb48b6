"""Planned prices begin and end by the clock alone: open pages are told, on time and once."""

from tests.services.api.shop import Shop
from tillmesh.shop.events import Change
from tillmesh.shop.offers import price_key
from tillmesh.terminal.price_clock import LOOK_MS, PriceClock
from tillmesh.till.commands import ChangeRecords, Who

MANAGER = Who(user_id="mona", role="manager")


def test_a_price_that_begins_or_ends_is_told_to_the_open_pages_when_it_does(shop: Shop) -> None:
    shop.product("clock-tea", name="Loose leaf")
    begins = 2_000_000_000_000  # in 2033: no other price of these tests turns near it
    clock = [begins - 50_000]
    told: list[list[str]] = []
    prices = PriceClock(shop.driver, told.append, clock_ms=lambda: clock[0])
    for start, end in ((begins, begins + 5_000), (begins + 60_000, 0)):
        plan = Change(key=price_key("", start, "clock-tea"), fields={"price_minor": 199, "until_ms": end})
        shop.loop.run(shop.driver.do(MANAGER, ChangeRecords(entity="price", changes=(plan,))))
    moments = (-50_000, -20_000, -1, 0, 4_999, 5_000, 59_999, 60_000, 61_000)
    waits = []
    for moment in moments:
        clock[0] = begins + moment
        waits.append(shop.loop.run(prices.look()))
    assert told == [["clock-tea"]] * 3
    assert waits == [LOOK_MS, 20_000, 1, 5_000, 1, LOOK_MS, 1, LOOK_MS, LOOK_MS]
    clock[0] = begins + 59_000  # a clock that was put back
    shop.loop.run(prices.look())
    clock[0] = begins + 60_000
    shop.loop.run(prices.look())
    assert len(told) == 4
