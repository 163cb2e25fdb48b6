"""What evidence is worth, and from which confidence a command is asked about or done: on voices that never trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from tillmesh.edge.voice import Calibration
from tillmesh.edge.voice.commands import BY_NAME
from tillmesh.edge.voice.decoding import confidence
from tillmesh.learn.voice.judging import NOTHING, Judged, is_done, natural

DONE_PER_HOUR: Final = 0.5  # half the aim of one an hour: new voices are heard worse than those that choose
CHANGED_PER_HOUR: Final = 0.0  # and none that would change the sale
ASKED_PER_HOUR: Final = 30.0  # of speech that is none; what is asked needs a hand to be done
COMMANDS_TO_OTHERS: Final = 1.0  # the mix for which a confidence is a share: who holds the key mostly means it; guess
ROUNDS: Final = 200
KINDS: Final = ("per_gap", "per_clear", "per_stray", "per_doubt", "per_spare", "per_lone")  # as Calibration.weights


def fit(found: Sequence[Judged]) -> Calibration:
    """Fit what each kind of evidence is worth by logistic regression, then set both thresholds."""
    x = np.array([(1.0, *one.evidence.terms()) for one in found])
    y = np.array([float(one.is_right) for one in found])
    wanted = np.array([bool(one.wanted) for one in found])
    mix = np.where(wanted, COMMANDS_TO_OTHERS / max(1, wanted.sum()), 1 / max(1, (~wanted).sum()))
    mix *= len(found) / mix.sum()
    weights = np.zeros(x.shape[1])
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        hessian = (x * (mix * p * (1 - p))[:, None]).T @ x + 1e-2 * np.eye(len(weights))
        weights += np.linalg.solve(hessian, x.T @ (mix * (y - p)) - 1e-2 * weights)
    return set_thresholds(found, _calibration([float(one) for one in weights]))


def set_thresholds(found: Sequence[Judged], by: Calibration) -> Calibration:
    """Set from when a command is asked about and done, by how much other speech would be in an hour."""
    others = natural(found)
    hours = sum(one.seconds for one in others) / 3_600
    by = msgspec.structs.replace(by, accept=0.0, sure=0.0, certain=0.0)
    harmful = [one for one in others if is_done(one, by)]
    changing = [one for one in harmful if BY_NAME[one.heard.command].changes]
    accept = _above(others, by, ASKED_PER_HOUR * hours)
    sure = max(accept, _above(harmful, by, DONE_PER_HOUR * hours))
    return msgspec.structs.replace(
        by, accept=accept, sure=sure, certain=max(sure, _above(changing, by, CHANGED_PER_HOUR * hours))
    )


def _above(found: Sequence[Judged], by: Calibration, allowed: float) -> float:
    """Give the least threshold that no more than so many reach."""
    ordered = sorted((confidence(one.evidence, by) for one in found), reverse=True)
    return round(ordered[int(allowed)] + 1e-4, 4) if len(ordered) > int(allowed) else 0.01


def _calibration(weights: Sequence[float]) -> Calibration:
    given = dict(zip(KINDS, weights[1:], strict=True))
    return Calibration(bias=weights[0], accept=0.0, sure=0.0, nothing=NOTHING, **given)
