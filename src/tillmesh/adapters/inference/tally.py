"""What models did and did not do for people, counted per model: for metrics, for health in words, for the page."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

from tillmesh.edge.drift import Counts, bin_of
from tillmesh.kernel.limits import MODEL_CONFIDENCE_BINS

LATENCIES_KEPT: Final = 512
REASONS: Final = ("deadline", "crash", "error", "memory", "busy")  # why people go on without, most of the time


@dataclass(slots=True)
class Tally:
    """One model's counts since this till started.

    Invariant: ``asked`` is what was answered, plus the fallbacks, plus what still waits.
    """

    asked: int = 0
    answered: int = 0
    cached: int = 0
    late: int = 0  # answers that came after their deadline and were thrown away
    fallbacks: Counter[str] = field(default_factory=Counter)  # why people went on without
    confirmed: int = 0  # suggestions that a person took
    corrected: int = 0  # suggestions that a person replaced by another product or command
    confidences: list[int] = field(default_factory=lambda: [0] * MODEL_CONFIDENCE_BINS)  # of answers, in equal parts
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def sure(self, confidence: float) -> None:
        """Count how sure the model was of an answer."""
        self.confidences[bin_of(confidence)] += 1

    def counts(self) -> Counts:
        """Give what head office hears of, as it is now."""
        return Counts(self.asked, dict(self.fallbacks), self.confirmed, self.corrected, tuple(self.confidences))

    def percentile_ms(self, share: float) -> float:
        """Give the time that this share of the last answers stayed within; 0 without any."""
        ordered = sorted(self.latencies_ms)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else 0.0

    def fallback_share(self) -> float:
        """Give which part of what was asked people had to do without."""
        return sum(self.fallbacks.values()) / self.asked if self.asked else 0.0

    def agreement(self) -> float | None:
        """Give which part of what people judged was right; None before anybody did."""
        judged = self.confirmed + self.corrected
        return self.confirmed / judged if judged else None

    def view(self) -> dict[str, Any]:
        """Give the counts as the API shows them."""
        agreement = self.agreement()
        return {
            "asked": self.asked,
            "answered": self.answered,
            "cached": self.cached,
            "late": self.late,
            "fallbacks": dict(self.fallbacks),
            "fallback_share": round(self.fallback_share(), 4),
            "confirmed": self.confirmed,
            "corrected": self.corrected,
            "agreement": None if agreement is None else round(agreement, 4),
            "p50_ms": self.percentile_ms(0.5),
            "p99_ms": self.percentile_ms(0.99),
        }
