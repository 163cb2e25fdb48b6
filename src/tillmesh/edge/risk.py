"""What a fraud score means for people: a level, reasons in order of weight, what to do. It accuses nobody.

Invariant: nothing here stops, voids or refunds anything (ADR 8); it only says what a manager might look at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from tillmesh.edge.features import COUNT, NAMES
from tillmesh.edge.trees import Forest, contributions, margin
from tillmesh.kernel.limits import FRAUD_REASONS_MAX

LOW, MEDIUM, HIGH = "low", "medium", "high"
LOOK: Final = {LOW: "none", MEDIUM: "look_when_convenient", HIGH: "look_soon"}
LEAST_PART: Final = 0.1  # log-odds; what adds less is no reason
# Features that mean nothing to a person by themselves: they say what kind of act it is.
SILENT: Final = frozenset({"is_refund", "is_void", "is_drawer"})
# `kind_excess` says the same as the excess of an act's own kind: one reason, not two.
OWN_EXCESS: Final = {"is_refund": "refund_excess", "is_void": "void_excess", "is_drawer": "drawer_excess"}
USUAL_AMOUNT: Final = math.log(2)  # an amount within twice the usual is no reason that a person would see


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Trained trees, a handbook of rules as trees, their calibration, and the scores from which an act is worth a look,
    and from which soon.

    ``score = sigmoid(slope * log(exp(forest) + exp(handbook)) + offset)``: whichever of both is alarmed is heard.
    """

    names: tuple[str, ...]
    forest: Forest
    handbook: Forest
    slope: float
    offset: float
    medium: float
    high: float


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that raised the score: by how much (log-odds), and the number itself."""

    code: str
    weight: float
    value: float


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about an act."""

    score: float
    level: str
    reasons: tuple[Reason, ...]

    @property
    def recommendation(self) -> str:
        """What a manager might do."""
        return LOOK[self.level]


def usable(features: Sequence[float]) -> bool:
    """Say whether these are the numbers of an act: all there, all finite."""
    return len(features) == COUNT and all(math.isfinite(value) for value in features)


def level_of(rule: Rule, score: float) -> str:
    """Give the level of a score."""
    return HIGH if score >= rule.high else MEDIUM if score >= rule.medium else LOW


def score_of(rule: Rule, features: Sequence[float]) -> float:
    """Compute the score in plain arithmetic: what the ONNX file computes, for checks of it."""
    return 1 / (
        1
        + math.exp(-rule.slope * _either(margin(rule.forest, features), margin(rule.handbook, features)) - rule.offset)
    )


def _either(one: float, other: float) -> float:
    """Give the logarithm of the sum of both exponentials."""
    most = max(one, other)
    return most + math.log(math.exp(one - most) + math.exp(other - most))


def reasons(rule: Rule, features: Sequence[float]) -> tuple[Reason, ...]:
    """Give what raised the score most, the weightiest first; trees and handbook each by what they have to say in it."""
    before, learned = contributions(rule.forest, features)
    base, written = contributions(rule.handbook, features)
    trees, book = before + math.fsum(learned), base + math.fsum(written)
    share = math.exp(trees - _either(trees, book))
    parts = [share * one + (1 - share) * other for one, other in zip(learned, written, strict=True)]
    _join_excess(parts, features)
    named = [
        Reason(code=name, weight=round(rule.slope * part, 3), value=round(float(value), 4))
        for name, part, value in zip(NAMES, parts, features, strict=True)
        if name not in SILENT
        and rule.slope * part >= LEAST_PART
        and not (name == "amount_ratio" and abs(value) < USUAL_AMOUNT)
    ]
    return tuple(sorted(named, key=lambda one: (-one.weight, one.code))[:FRAUD_REASONS_MAX])


def _join_excess(parts: list[float], features: Sequence[float]) -> None:
    kind = NAMES.index("kind_excess")
    for flag, excess in OWN_EXCESS.items():
        if features[NAMES.index(flag)] > 0:
            parts[NAMES.index(excess)] += parts[kind]
            parts[kind] = 0.0


def judge(rule: Rule, features: Sequence[float], score: float) -> Verdict:
    """Put level and reasons to a score; raises ``ValueError`` for features or a score that are none."""
    if not usable(features) or not 0.0 <= score <= 1.0:
        raise ValueError("a score needs 20 finite features, and lies between 0 and 1")
    return Verdict(score=score, level=level_of(rule, score), reasons=reasons(rule, features))
