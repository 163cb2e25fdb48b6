"""Numbers with their spread: samples, percentiles, and ratios taken between short blocks of the same run.

A shared machine is noisy, so one comparison means little. Ours and the peer's blocks alternate within seconds; each
pair gives one ratio, and the report shows the median ratio with the lowest and the highest.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How samples are distributed, in the unit of the row."""

    n: int
    median: float
    p95: float
    p99: float
    least: float
    most: float


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """Ours divided by a peer's, one value per pair of neighbouring blocks."""

    peer: str
    median: float
    least: float
    most: float
    pairs: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity. ``limit`` is the most that the median (or the percentile it names) should be."""

    what: str
    unit: str
    spread: Spread
    ratio: Ratio | None = None
    aim: str = ""
    met: bool | None = None
    note: str = ""


def spread(samples: Iterable[float]) -> Spread:
    """Describe samples; percentiles are samples themselves (nearest rank), never interpolated."""
    ordered = sorted(samples)
    assert ordered, "nothing was measured"
    return Spread(
        n=len(ordered),
        median=statistics.median(ordered),
        p95=percentile(ordered, 95),
        p99=percentile(ordered, 99),
        least=ordered[0],
        most=ordered[-1],
    )


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Give the smallest sample that at least ``percent`` of all samples do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def ratio(peer: str, ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Compare blocks pair by pair."""
    each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return Ratio(peer=peer, median=statistics.median(each), least=min(each), most=max(each), pairs=len(each))


def times_ms(work: Callable[[], object], count: int) -> list[float]:
    """Run ``work`` so many times and give the wall time of each in milliseconds."""
    found = []
    for _ in range(count):
        begun = time.perf_counter_ns()
        work()
        found.append((time.perf_counter_ns() - begun) / 1e6)
    return found


def cpu_us(work: Callable[[], object], count: int) -> float:
    """Give the CPU of this process (user and system, all threads) per operation of a block, in microseconds."""
    begun = time.process_time_ns()
    work()
    return (time.process_time_ns() - begun) / count / 1e3


def best_cpu_us(work: Callable[[], object], count: int, blocks: int) -> list[float]:
    """Give the CPU per operation of several equal blocks."""
    return [cpu_us(work, count) for _ in range(blocks)]
