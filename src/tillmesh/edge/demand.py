"""How much of a product will be sold: a level, the shape of the week, how far off it usually is, and what to order.

Plain arithmetic on the till's own daily sales, nothing trained: a new product has a forecast on its second day. What is
in here was chosen by measurement ([models](docs/reference/models.md)); quantities are pieces, or kilograms, as floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

WEEK: Final = 7
SMOOTHING: Final = 0.1  # of TSB, both of size and of probability
IMAPA_SMOOTHING: Final = 0.2
IMAPA_LEVELS: Final = (1, 2, 3, 7, 14)  # days added up together before smoothing
MEAN_DAYS: Final = (28, 56)
SEASON_PRIOR: Final = 8.0  # weeks' worth of "every day is alike"
SPREAD_DAYS: Final = 84  # how far back the errors are looked at
SPREAD_PRIOR: Final = 14.0  # days' worth of "as a Poisson count"
NOTHING: Final = 1e-9  # less than this is nothing, and nothing is divided by it
EXACT_MEAN_MAX: Final = 200.0  # above it quantiles are a smooth approximation
LOW, HIGH, SERVICE = 0.1, 0.9, 0.95
SERVICE_SPREAD: Final = 2.0  # tails are longer than a negative binomial's; set on the months before the last ones
_Z: Final = {LOW: -1.2815515655446004, HIGH: 1.2815515655446004, SERVICE: 1.6448536269514722}


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast of one day; eight of ten days fall between ``low`` and ``high``."""

    quantity: float
    low: float
    high: float


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """Some days ahead. ``variance`` is of one day around its forecast, ``variance_week`` of a week around the sum of
    its days: more than seven times that of a day, as good and bad days come together and the level is a guess.
    """

    days: tuple[Day, ...]
    level: float
    variance: float
    variance_week: float
    known_days: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to order, and why: what is needed until the order after this one arrives, with a margin for bad luck."""

    quantity: float
    soon: bool  # stock may not last until a delivery that is ordered now
    lasts_days: float | None  # at the forecast rate; None: nothing is sold
    needed: float  # expected until the next delivery but one
    up_to: float  # enough in 19 of 20 cases


def tsb(history: Sequence[float], smoothing: float = SMOOTHING) -> float:
    """Smooth how often and how much apart, the first every day, so that what no longer sells fades away.

    Source: Teunter, Syntetos, Babai, "Intermittent demand: linking forecasting to inventory obsolescence", 2011.
    """
    sold = [quantity for quantity in history if quantity > 0]
    if not sold:
        return 0.0
    often, size = len(sold) / len(history), sum(sold) / len(sold)
    for quantity in history:
        often += smoothing * ((quantity > 0) - often)
        if quantity > 0:
            size += smoothing * (quantity - size)
    return often * size


def croston(history: Sequence[float], smoothing: float = SMOOTHING) -> float:
    """Smooth the sizes and the gaps between sales; only here to be compared with.

    Source: Croston, "Forecasting and stock control for intermittent demands", 1972.
    """
    size = gap = 0.0
    since = 1
    for quantity in history:
        if quantity > 0:
            first = size == 0.0
            size = quantity if first else size + smoothing * (quantity - size)
            gap = float(since) if first else gap + smoothing * (since - gap)
            since = 1
        else:
            since += 1
    return size / gap if gap else 0.0


def imapa(history: Sequence[float], smoothing: float = IMAPA_SMOOTHING) -> float:
    """Average exponential smoothing over several lengths of period: slow products look smooth when days are added up.

    Source: Petropoulos, Kourentzes, "Forecast combinations for intermittent demand", 2015.
    """
    rates = [_smoothed(history, level, smoothing) for level in IMAPA_LEVELS if len(history) >= 2 * level]
    return sum(rates) / len(rates) if rates else mean(history, len(history))


def _smoothed(history: Sequence[float], level: int, smoothing: float) -> float:
    skipped = len(history) % level
    sums = [sum(history[at : at + level]) for at in range(skipped, len(history), level)]
    rate = sum(sums[: max(1, len(sums) // 4)]) / max(1, len(sums) // 4)
    for one in sums:
        rate += smoothing * (one - rate)
    return rate / level


def mean(history: Sequence[float], days: int) -> float:
    """Average the newest days."""
    newest = history[-days:] if days else history
    return sum(newest) / len(newest) if newest else 0.0


def seasonal_naive(history: Sequence[float], ahead: int) -> list[float]:
    """Repeat the last week; only here to be compared with."""
    if len(history) < WEEK:
        return [mean(history, len(history))] * ahead
    return [history[len(history) - WEEK + at % WEEK] for at in range(ahead)]


def level(history: Sequence[float]) -> float:
    """Give the rate per day: TSB, IMAPA and two means, averaged. No single one was best everywhere."""
    parts = [tsb(history), imapa(history), *(mean(history, days) for days in MEAN_DAYS)]
    return sum(parts) / len(parts)


def week(history: Sequence[float]) -> list[float]:
    """Give the shape of the week as factors around 1, drawn to 1 when little is known; the last one is for the newest
    day's weekday.
    """
    whole = len(history) // WEEK * WEEK
    total = sum(history[-whole:]) if whole else 0.0
    if total < NOTHING:
        return [1.0] * WEEK
    weeks = whole // WEEK
    usual = total / whole
    sums = [sum(history[len(history) - whole + at :: WEEK]) for at in range(WEEK)]
    # Sales come in counts: what a weekday sold beyond the usual is worth more, the more was sold at all.
    sure = total / (total + SEASON_PRIOR * WEEK)
    return [1.0 + sure * (one / weeks / usual - 1.0) for one in sums]


def forecast(history: Sequence[float], ahead: int) -> Forecast:
    """Forecast the days after a history of daily sales, oldest first, that begins when the product was first sold."""
    rate, shape = level(history), week(history)
    variance = _variance(history, rate, shape)
    days = []
    for at in range(ahead):
        quantity = rate * shape[at % WEEK]
        scale = quantity / rate if rate > NOTHING else 1.0
        spread = variance * scale
        days.append(Day(quantity=quantity, low=quantile(LOW, quantity, spread), high=quantile(HIGH, quantity, spread)))
    return Forecast(
        days=tuple(days),
        level=rate,
        variance=variance,
        variance_week=max(WEEK * variance, _variance_week(history, rate)),
        known_days=len(history),
    )


def _variance(history: Sequence[float], rate: float, shape: Sequence[float]) -> float:
    """Give how far a day usually is from the rate of the weeks before it, never less than a fair count would be."""
    newest = history[-SPREAD_DAYS:]
    usual = [mean(newest, len(newest)) * shape[(at - len(newest)) % WEEK] for at in range(len(newest))]
    errors = sum((sold - one) ** 2 for sold, one in zip(newest, usual, strict=True))
    return (errors + SPREAD_PRIOR * rate) / (len(newest) + SPREAD_PRIOR)


def _variance_week(history: Sequence[float], rate: float) -> float:
    """Give how far weeks were from what the four weeks before each said; as a Poisson count while little is known."""
    errors, weeks = 0.0, 0
    for end in range(len(history), max(MEAN_DAYS[0] + WEEK, len(history) - SPREAD_DAYS) - 1, -WEEK):
        said = WEEK * mean(history[: end - WEEK], MEAN_DAYS[0])
        errors += (sum(history[end - WEEK : end]) - said) ** 2
        weeks += 1
    return (errors + SPREAD_PRIOR / WEEK * WEEK * rate) / (weeks + SPREAD_PRIOR / WEEK)


def total_quantile(share: float, found: Forecast, days: int) -> float:
    """Give what the sales of the first days together stay under, in this share of cases."""
    expected = sum(day.quantity for day in found.days[:days])
    weeks = days / WEEK
    together = found.variance_week * weeks * max(1.0, math.sqrt(weeks))  # a wrong level is wrong for all of them
    alone = found.variance * days
    shared = min(1.0, (days - 1) / (WEEK - 1))
    spread = alone + shared * (together - alone)
    return quantile(share, expected, spread * SERVICE_SPREAD if share == SERVICE else spread)


def order(found: Forecast, *, stock: float, lead_days: int, review_days: int) -> Order:
    """Say what to order now: the stock should last until the delivery after the next with a margin.

    Source: the periodic order-up-to rule, Silver, Pyke, Thomas, "Inventory and Production Management in Supply Chains".
    """
    days = lead_days + review_days
    assert len(found.days) >= days, "the forecast reaches to the delivery after the next"
    needed = sum(day.quantity for day in found.days[:days])
    up_to = total_quantile(SERVICE, found, days)
    soon = found.level >= NOTHING and stock <= total_quantile(SERVICE, found, lead_days + 1)
    return Order(
        quantity=max(0.0, up_to - stock) if soon else 0.0,
        soon=soon,
        lasts_days=_lasts(found, stock),
        needed=needed,
        up_to=up_to,
    )


def _lasts(found: Forecast, stock: float) -> float | None:
    if found.level < NOTHING:
        return None
    return max(0.0, stock) / found.level


def quantile(share: float, expected: float, variance: float) -> float:
    """Give the quantile of a count with this mean and variance: negative binomial, or Poisson if it spreads less."""
    if expected < NOTHING:
        return 0.0
    if expected > EXACT_MEAN_MAX:
        return _gamma(share, expected, max(variance, expected))
    if variance <= expected * 1.001:
        return float(_count(share, math.exp(-expected), lambda k: expected / k))
    size = expected * expected / (variance - expected)
    miss = expected / (size + expected)
    nothing = math.exp(size * math.log(expected / variance))
    return float(_count(share, nothing, lambda k: (size + k - 1) / k * miss))


def _count(share: float, nothing: float, times: Callable[[int], float]) -> int:
    """Add up probabilities, each ``times(k)`` the one before, until they reach the share."""
    here = below = nothing
    count = 0
    while below < share and count < 100 * EXACT_MEAN_MAX:
        count += 1
        here *= times(count)
        below += here
    return count


def _gamma(share: float, expected: float, variance: float) -> float:
    """Approximate a quantile of a gamma distribution (Wilson, Hilferty 1931); of a lognormal where it does not hold."""
    shape = expected * expected / variance
    if shape < 1:
        width = math.sqrt(math.log1p(1 / shape))
        return math.exp(math.log(expected) - width * width / 2 + _Z[share] * width)
    root = 1 - 1 / (9 * shape) + _Z[share] / (3 * math.sqrt(shape))
    return max(0.0, expected * root**3)
