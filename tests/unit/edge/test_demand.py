"""Forecasts from the till's own sales: what steady, slow, seasonal, new and dead goods look like, and what to order."""

import math
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tillmesh.edge.demand import (
    HIGH,
    LOW,
    SERVICE,
    croston,
    forecast,
    imapa,
    level,
    order,
    quantile,
    seasonal_naive,
    total_quantile,
    tsb,
    week,
)


def poisson(dice: Random, mean: float) -> int:
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count


def test_steady_sales_are_forecast_as_they_are() -> None:
    found = forecast([4.0] * 100, 14)
    assert [day.quantity for day in found.days] == pytest.approx([4.0] * 14)
    assert all(day.low <= 4 <= day.high for day in found.days)


def test_a_slow_product_is_forecast_at_its_rate() -> None:
    history = [1.0 if day % 10 == 0 else 0.0 for day in range(200)]
    assert level(history) == pytest.approx(0.1, abs=0.03)


def test_what_stopped_selling_fades_with_tsb_and_not_with_croston() -> None:
    history = [2.0] * 60 + [0.0] * 60
    assert tsb(history) < 0.01
    assert croston(history) == pytest.approx(2.0)
    assert level(history) < 0.4


def test_a_busy_saturday_is_expected_on_saturday() -> None:
    history = ([2.0, 2.0, 2.0, 2.0, 2.0, 9.0, 2.0] * 15)[:-2]  # ends on the day before Saturday
    days = [day.quantity for day in forecast(history, 7).days]
    assert max(days) == days[0]
    assert days[0] > 2 * days[1]


def test_with_little_known_every_weekday_is_alike() -> None:
    assert week([1.0, 0.0, 0.0]) == [1.0] * 7
    few = [0.0] * 13 + [1.0]
    assert max(week(few)) < 2.5


def test_nothing_sold_means_nothing_to_order_and_no_division() -> None:
    for history in ([], [0.0] * 50):
        found = forecast(history, 9)
        assert found.level == 0
        wanted = order(found, stock=0, lead_days=2, review_days=7)
        assert (wanted.quantity, wanted.soon, wanted.lasts_days) == (0, False, None)


def test_the_interval_holds_about_eight_of_ten_days() -> None:
    dice = Random(3)
    sold = [float(poisson(dice, 6.0)) for _ in range(526)]
    held = []
    for day in range(126, 526):
        (coming,) = forecast(sold[day - 126 : day], 1).days
        held.append(coming.low <= sold[day] <= coming.high)
    assert 0.75 < sum(held) / len(held) < 0.95


def test_an_order_lasts_until_the_delivery_after_the_next() -> None:
    found = forecast([5.0, 7.0, 3.0, 5.0, 6.0, 4.0, 5.0] * 16, 9)
    low = order(found, stock=8, lead_days=2, review_days=7)
    assert low.soon
    assert low.quantity == low.up_to - 8
    assert low.needed == pytest.approx(45, abs=3)
    assert low.up_to > low.needed
    assert low.lasts_days == pytest.approx(1.6, abs=0.1)
    full = order(found, stock=60, lead_days=2, review_days=7)
    assert (full.soon, full.quantity) == (False, 0)


def test_what_is_oversold_already_is_ordered_on_top() -> None:
    found = forecast([5.0] * 100, 9)
    empty, owed = (order(found, stock=stock, lead_days=2, review_days=7) for stock in (0, -6))
    assert owed.quantity == empty.quantity + 6
    assert owed.lasts_days == 0


@pytest.mark.parametrize(("mean", "variance"), [(0.3, 0.3), (0.3, 2.0), (6.0, 6.0), (6.0, 40.0), (150.0, 900.0)])
def test_quantiles_cut_off_the_share_they_say(mean: float, variance: float) -> None:
    low, high, most = (quantile(share, mean, variance) for share in (LOW, HIGH, SERVICE))
    assert low <= mean + 1
    assert low <= high <= most


def test_very_uneven_sales_have_an_interval_too() -> None:
    low, high = quantile(LOW, 400.0, 1_000_000.0), quantile(HIGH, 400.0, 1_000_000.0)
    assert 0 < low < 400 < high


def test_the_smooth_quantile_takes_over_without_a_jump() -> None:
    for share in (LOW, HIGH, SERVICE):
        assert quantile(share, 199.9, 800.0) == pytest.approx(quantile(share, 200.1, 800.0), rel=0.01)


@given(st.lists(st.floats(0, 10_000) | st.sampled_from([5e-324, 1e-200, 1e-9]), max_size=60))
@example([1e-200] * 50)
@example([0.0] * 49 + [10_000.0])
@example([10_000.0] * 14 + [0.0] * 40)
def test_every_forecast_is_finite_and_its_interval_in_order(history: list[float]) -> None:
    found = forecast(history, 9)
    for day in found.days:
        assert 0 <= day.low <= day.high < math.inf
        assert math.isfinite(day.quantity)
    assert math.isfinite(total_quantile(SERVICE, found, 9))
    assert all(math.isfinite(method(history)) for method in (tsb, croston, imapa))
    assert len(seasonal_naive(history, 9)) == 9
