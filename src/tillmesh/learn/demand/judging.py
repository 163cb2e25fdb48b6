"""Forecasts against what was sold: weekly origins over the last months, each seeing only the days before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from tillmesh.edge import demand

AHEAD: Final = 7
COVER_DAYS: Final = 9  # two days until the goods come, seven until the next order
LEARN_DAYS: Final = 126  # as on a till
KNOWN_DAYS_MIN: Final = 56

Method = Callable[[Sequence[float], int], list[float]]


def _flat(level: Callable[[Sequence[float]], float]) -> Method:
    return lambda history, ahead: [level(history)] * ahead


def _ours(history: Sequence[float], ahead: int) -> list[float]:
    return [day.quantity for day in demand.forecast(history, ahead).days]


METHODS: Final[dict[str, Method]] = {
    "ours": _ours,
    "ours, no week": _flat(demand.level),
    "TSB": _flat(demand.tsb),
    "Croston": _flat(demand.croston),
    "IMAPA": _flat(demand.imapa),
    "28-day mean": _flat(lambda history: demand.mean(history, 28)),
    "56-day mean": _flat(lambda history: demand.mean(history, 56)),
    "seasonal naive": demand.seasonal_naive,
}


class Judged(msgspec.Struct, kw_only=True):
    """Means over products and origins. Scales are each product's own, from the days before the origin.

    ``mase`` is daily, scaled by the naive forecast of the same weekday a week before; ``rmsse_week`` is of weekly sums.
    """

    products: int = 0
    origins: int = 0
    mase: dict[str, float] = {}
    rmsse_week: dict[str, float] = {}
    covered_day: float = 0.0  # by the interval that is to hold 0.8
    covered_week: float = 0.0
    served: float = 0.0  # order-up-to levels that lasted; to be 0.95 or more


def judge(series: Sequence[Sequence[float]], first: int) -> Judged:
    """Judge all methods on daily series of one length; origins are every 7 days from day ``first`` on."""
    absolute = dict.fromkeys(METHODS, 0.0)
    squared = dict.fromkeys(METHODS, 0.0)
    held_day = held_week = served = origins = products = 0.0
    for whole in series:
        begun = next((at for at, quantity in enumerate(whole) if quantity > 0), len(whole))
        used = 0
        for origin in range(first, len(whole) - COVER_DAYS + 1, AHEAD):
            history = whole[max(begun, origin - LEARN_DAYS) : origin]
            scales = _scales(history)
            if scales is None:
                continue
            coming = whole[origin : origin + AHEAD]
            for name, method in METHODS.items():
                said = method(history, AHEAD)
                absolute[name] += sum(abs(a - b) for a, b in zip(said, coming, strict=True)) / AHEAD / scales[0]
                squared[name] += ((sum(said) - sum(coming)) / scales[1]) ** 2
            day, week, lasted = _held(history, whole[origin : origin + COVER_DAYS])
            held_day, held_week, served, used = held_day + day, held_week + week, served + lasted, used + 1
        origins += used
        products += used > 0
    count = max(1.0, origins)
    return Judged(
        products=int(products),
        origins=int(origins),
        mase={name: total / count for name, total in absolute.items()},
        rmsse_week={name: math.sqrt(total / count) for name, total in squared.items()},
        covered_day=held_day / count,
        covered_week=held_week / count,
        served=served / count,
    )


def _scales(history: Sequence[float]) -> tuple[float, float] | None:
    """Give the mean absolute weekly difference of days, and the root mean square difference of weekly sums."""
    if len(history) < KNOWN_DAYS_MIN:
        return None
    days = [abs(history[at] - history[at - AHEAD]) for at in range(AHEAD, len(history))]
    sums = [sum(history[at - AHEAD : at]) for at in range(len(history), AHEAD - 1, -AHEAD)]
    weeks = [(one - other) ** 2 for one, other in pairwise(sums)]
    day, week = sum(days) / len(days), math.sqrt(sum(weeks) / len(weeks))
    return (day, week) if day > 0 and week > 0 else None


def _held(history: Sequence[float], coming: Sequence[float]) -> tuple[float, float, float]:
    found = demand.forecast(history, COVER_DAYS)
    days = [day.low <= sold <= day.high for day, sold in zip(found.days[:AHEAD], coming[:AHEAD], strict=True)]
    week = sum(coming[:AHEAD])
    low, high = (demand.total_quantile(share, found, AHEAD) for share in (demand.LOW, demand.HIGH))
    up_to = demand.total_quantile(demand.SERVICE, found, COVER_DAYS)
    return sum(days) / AHEAD, float(low <= week <= high), float(sum(coming) <= up_to)


def table(found: Judged) -> dict[str, Any]:
    """Give the numbers rounded, as they are reported."""
    return {
        "products": found.products,
        "origins": found.origins,
        "mase": {name: round(value, 3) for name, value in found.mase.items()},
        "rmsse_week": {name: round(value, 3) for name, value in found.rmsse_week.items()},
        "interval_80_day": round(found.covered_day, 3),
        "interval_80_week": round(found.covered_week, 3),
        "served_95": round(found.served, 3),
    }
