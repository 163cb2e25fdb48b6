"""Sales of many stores, each by the clock on its own wall: per day, per hour of the day, per store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tillmesh.fleet.standing import Takings
from tillmesh.kernel.times import day_bounds, local

QUARTER_MS: Final = 900_000  # every time zone in use is whole quarters of an hour from UTC
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
HOURS: Final = 24


class QuarterRow(NamedTuple):
    """Net sales of one store in one quarter of an hour, or in a whole one."""

    store: str
    at_ms: int
    sales: int
    net_minor: int
    tax_minor: int


@dataclass(slots=True)
class Report:
    """Sums over stores with one currency."""

    days: dict[str, Takings]
    hours: list[Takings] = field(default_factory=lambda: [Takings()] * HOURS)
    stores: dict[str, Takings] = field(default_factory=dict)
    total: Takings = field(default_factory=Takings)


def bounds(first: date, last: date, zones: Iterable[ZoneInfo]) -> tuple[int, int]:
    """Give the span that holds the local days [first, last] of every zone."""
    every = list(zones) or [ZoneInfo("UTC")]
    return (
        min(day_bounds(first, zone)[0] for zone in every),
        max(day_bounds(last, zone)[1] for zone in every),
    )


def step_of(zones: Iterable[ZoneInfo], first_ms: int, last_ms: int) -> int:
    """Give how finely sales must be told apart for these clocks: by the hour wherever that is enough, for speed."""
    whole = all(
        (offset := local(at_ms, where).utcoffset()) is not None and offset % timedelta(hours=1) == timedelta()
        for where in set(zones)
        for at_ms in (*range(first_ms, last_ms, DAY_MS), last_ms)
    )
    return HOUR_MS if whole else QUARTER_MS


def add_up(rows: Iterable[QuarterRow], zones: Mapping[str, ZoneInfo], first: date, last: date) -> Report:
    """Add up the rows of the stores in ``zones`` on the local days [first, last]; empty days stand there too."""
    count = (last - first).days + 1
    report = Report({(first + timedelta(days=n)).isoformat(): Takings() for n in range(count)})
    for row in rows:
        where = zones.get(row.store)
        if where is None:
            continue
        moment = local(row.at_ms, where)
        if not first <= moment.date() <= last:
            continue
        day = moment.date().isoformat()
        report.days[day] = plus(report.days[day], row)
        report.hours[moment.hour] = plus(report.hours[moment.hour], row)
        report.stores[row.store] = plus(report.stores.get(row.store, Takings()), row)
        report.total = plus(report.total, row)
    return report


def plus(sums: Takings, row: QuarterRow) -> Takings:
    """Add a row to sums."""
    return Takings(sums.sales + row.sales, sums.net_minor + row.net_minor, sums.tax_minor + row.tax_minor)
