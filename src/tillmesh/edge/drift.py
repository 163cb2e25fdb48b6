"""How a model did in a stretch of time, for head office: counts only, nothing of people, products or pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tillmesh.kernel.limits import MODEL_CONFIDENCE_BINS, MODEL_REASONS_MAX
from tillmesh.sync.model_orders import Report

OTHER: Final = "other"


class Counts(NamedTuple):
    """What was counted of a model since the till started."""

    asked: int = 0
    fallbacks: Mapping[str, int] = {}
    confirmed: int = 0
    corrected: int = 0
    confidences: Sequence[int] = (0,) * MODEL_CONFIDENCE_BINS
    given_up: int = 0  # the version that failed at work here, and is not taken again by itself; 0: none


def bin_of(confidence: float) -> int:
    """Say which of the equal parts of [0, 1] a confidence lies in."""
    return min(max(int(confidence * MODEL_CONFIDENCE_BINS), 0), MODEL_CONFIDENCE_BINS - 1)


def report_of(
    till: str,
    model: tuple[str, int],
    window_ms: tuple[int, int],
    counts: tuple[Counts, Counts],
    latencies_ms: Sequence[float],
) -> Report:
    """Give what happened between two counts: ``model`` is name and version, times are of the answers in between."""
    before, after = counts
    reasons = {reason: count - before.fallbacks.get(reason, 0) for reason, count in after.fallbacks.items()}
    ordered = sorted(latencies_ms)
    return Report(
        terminal=till,
        name=model[0],
        version=model[1],
        window_start=window_ms[0],
        window_end=window_ms[1],
        asked=max(0, after.asked - before.asked),
        fallbacks=_bounded({reason: count for reason, count in reasons.items() if count > 0}),
        confirmed=max(0, after.confirmed - before.confirmed),
        corrected=max(0, after.corrected - before.corrected),
        confidence_histogram=[max(0, b - a) for a, b in zip(before.confidences, after.confidences, strict=True)],
        p50_ms=_share(ordered, 0.5),
        p95_ms=_share(ordered, 0.95),
        given_up=after.given_up,
    )


def _bounded(reasons: dict[str, int]) -> dict[str, int]:
    """Keep the reasons that count most, and add the others up."""
    if len(reasons) <= MODEL_REASONS_MAX:
        return reasons
    ordered = sorted(reasons, key=lambda reason: (-reasons[reason], reason))
    kept = {reason: reasons[reason] for reason in ordered[: MODEL_REASONS_MAX - 1]}
    return kept | {OTHER: sum(reasons.values()) - sum(kept.values())}


def _share(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else 0.0
