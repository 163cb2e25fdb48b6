"""How finely sales have to be told apart, for every clock on a wall to cut its days and hours right."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tillmesh.fleet.reporting import HOUR_MS, QUARTER_MS, step_of

WHOLE = ["Europe/Vienna", "Europe/London", "America/New_York", "UTC"]


def ms(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]


def test_clocks_that_are_whole_hours_from_greenwich_need_only_hours_across_summer_time_too() -> None:
    assert step_of(map(ZoneInfo, WHOLE), ms(2026, 1, 1), ms(2027, 1, 1)) == HOUR_MS


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "Australia/Lord_Howe"])
def test_one_clock_that_is_not_makes_it_quarters(name: str) -> None:
    assert step_of(map(ZoneInfo, [*WHOLE, name]), ms(2026, 6, 1), ms(2026, 6, 2)) == QUARTER_MS


def test_a_clock_that_leaves_whole_hours_within_the_span_makes_it_quarters() -> None:
    lord_howe = [ZoneInfo("Australia/Lord_Howe")]  # half an hour of summer time: +10:30 in winter, +11 in summer
    assert step_of(lord_howe, ms(2026, 1, 1), ms(2026, 1, 2)) == HOUR_MS
    assert step_of(lord_howe, ms(2026, 1, 1), ms(2026, 5, 1)) == QUARTER_MS
