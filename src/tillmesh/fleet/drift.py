"""Whether a model does on the tills what it did when it was new: a written rule over what tills report.

Three things are looked at: how sure the answers are (the population stability index of the confidences against those of
the first time), how often a person corrects a suggestion, and how often nobody got an answer in time. A rate counts as
worse only when it is so beyond chance: the whole 95 % interval lies above what it is compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log, sqrt
from typing import Final

from msgspec import Struct

from tillmesh.kernel.limits import MODEL_CONFIDENCE_BINS
from tillmesh.sync.model_orders import Report

ANSWERS_MIN: Final = 100  # below it nothing is said
REFERENCE_ANSWERS: Final = 500  # the first ones of a version, unless its maker says how sure it was
VERDICTS_MIN: Final = 30  # of people, before a rate of corrections says anything
PSI_WATCH: Final = 0.1  # the usual limits of this index in scoring
PSI_DRIFT: Final = 0.25
WORSE_BY: Final = 0.02  # a rate that is worse by less is nobody's trouble
SLOWER_BY: Final = 2.0  # times, and
SLOW_MS: Final = 100.0  # at least
_Z: Final = 1.96
_FLOOR: Final = 1e-4  # of a bin, so that an empty one does not make the index infinite
_GROUPED: Final = 2  # bins of reports in one of the index: ten are usual


class Sum(Struct, frozen=True, kw_only=True):
    """What some reports say together."""

    asked: int = 0
    fell_back: int = 0
    confirmed: int = 0
    corrected: int = 0
    confidences: tuple[int, ...] = (0,) * MODEL_CONFIDENCE_BINS
    p95_ms: float = 0.0  # the middle one of the reports that had questions

    @property
    def answers(self) -> int:
        """How many answers had a confidence."""
        return sum(self.confidences)

    @property
    def verdicts(self) -> int:
        """How often a person said yes or no."""
        return self.confirmed + self.corrected


class Verdict(Struct, frozen=True, kw_only=True):
    """What the rule says of one version."""

    state: str = "unknown"  # unknown | fine | watch | drift
    psi: float | None = None
    reasons: tuple[str, ...] = ()  # words: confidence, corrections, fallbacks, slow

    @property
    def retrain_wanted(self) -> bool:
        """Whether somebody should make a new version."""
        return self.state == "drift"


def summed(reports: Iterable[Report]) -> Sum:
    """Add reports up."""
    asked = fell_back = confirmed = corrected = 0
    confidences = [0] * MODEL_CONFIDENCE_BINS
    slow = []
    for one in reports:
        asked += one.asked
        fell_back += min(sum(one.fallbacks.values()), one.asked)
        confirmed += one.confirmed
        corrected += one.corrected
        confidences = [a + b for a, b in zip(confidences, one.confidence_histogram, strict=True)]
        if one.asked:
            slow.append(one.p95_ms)
    middle = sorted(slow)[len(slow) // 2] if slow else 0.0
    return Sum(
        asked=asked, fell_back=fell_back, confirmed=confirmed, corrected=corrected, confidences=tuple(confidences),
        p95_ms=middle,
    )  # fmt: skip


def split_reference(reports: Sequence[Report]) -> tuple[list[Report], list[Report]]:
    """Give the reports on the first answers of a version, and those that came after them."""
    answers = first = 0
    ordered = sorted(reports, key=lambda one: (one.window_end, one.terminal))
    while first < len(ordered) and answers < REFERENCE_ANSWERS:
        answers += sum(ordered[first].confidence_histogram)
        first += 1
    return ordered[:first], ordered[first:]


def psi(reference: Sequence[int], now: Sequence[int]) -> float:
    """Give the population stability index of two histograms, less what chance alone makes of it; 0: the same shape."""
    before, after = _shares(reference), _shares(now)
    by_chance = (len(before) - 1) * (1 / sum(reference) + 1 / sum(now))
    return max(0.0, sum((b - a) * log(b / a) for a, b in zip(before, after, strict=True)) - by_chance)


def judge(reference: Sum, now: Sum) -> Verdict:
    """Compare what a version does now with what it did first."""
    index = None
    if min(reference.answers, now.answers) >= ANSWERS_MIN:
        index = psi(reference.confidences, now.confidences)
    reasons = [*(["confidence"] if index is not None and index >= PSI_DRIFT else []), *_worse(reference, now)]
    if reasons:
        state = "drift"
    elif index is not None:
        state = "watch" if index >= PSI_WATCH else "fine"
    else:
        state = "unknown"
    return Verdict(state=state, psi=index, reasons=tuple(reasons))


def canary_does_worse(canary: Sum, others: Sum) -> tuple[str, ...]:
    """Say in which ways the tills that try a version do worse than those that do not; nothing is fine, or unknown."""
    slower = (
        min(canary.asked, others.asked) >= ANSWERS_MIN
        and canary.p95_ms > SLOW_MS
        and canary.p95_ms > SLOWER_BY * others.p95_ms
    )
    return (*_worse(others, canary), *(["slow"] if slower else []))


def _worse(reference: Sum, now: Sum) -> list[str]:
    found = []
    if min(reference.verdicts, now.verdicts) >= VERDICTS_MIN and _above(
        now.corrected, now.verdicts, reference.corrected / reference.verdicts
    ):
        found.append("corrections")
    if min(reference.asked, now.asked) >= ANSWERS_MIN and _above(
        now.fell_back, now.asked, reference.fell_back / reference.asked
    ):
        found.append("fallbacks")
    return found


def _above(hits: int, of: int, rate: float) -> bool:
    return lowest_rate(hits, of) > rate + WORSE_BY


def lowest_rate(hits: int, of: int) -> float:
    """Give the lower end of the 95 % interval of a rate (Wilson)."""
    share, z2 = hits / of, _Z * _Z
    spread = _Z * sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, (share + z2 / (2 * of) - spread) / (1 + z2 / of))


def _shares(counts: Sequence[int]) -> list[float]:
    grouped = [sum(counts[at : at + _GROUPED]) for at in range(0, len(counts), _GROUPED)]
    total = sum(grouped)
    return [max(count / total, _FLOOR) for count in grouped]
