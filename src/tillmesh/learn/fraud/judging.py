"""How a score is judged when one act in a hundred is theft: PR-AUC, and what 1 % of alerts finds. In numpy."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

BUDGET = 0.01  # of all acts a manager may be asked to look at

Scores = npt.NDArray[np.floating]


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One score on one set of acts. ``precision`` and ``recall`` are at the alert budget."""

    acts: int
    thefts: int
    prevalence: float
    pr_auc: float
    precision: float
    recall: float
    best_precision: float  # what a perfect score would reach: thefts may be fewer than alerts


def judge(truth: Scores, scores: Scores, budget: float = BUDGET) -> Judged:
    """Judge scores; ties are broken against us."""
    order = np.lexsort((truth, -scores))  # among equals the honest first
    hits = np.cumsum(truth[order])
    thefts = int(hits[-1])
    ranks = np.arange(1, len(truth) + 1)
    alerts = max(1, int(len(truth) * budget))
    return Judged(
        acts=len(truth),
        thefts=thefts,
        prevalence=thefts / len(truth),
        pr_auc=float(np.sum(hits / ranks * truth[order]) / max(1, thefts)),
        precision=float(hits[alerts - 1] / alerts),
        recall=float(hits[alerts - 1] / max(1, thefts)),
        best_precision=min(1.0, thefts / alerts),
    )


def platt(margins: Scores, truth: Scores, rounds: int = 100) -> tuple[float, float]:
    """Fit ``sigmoid(a * margin + b)`` by Newton's method, so that a score of 0.3 means three in ten.

    Source: Platt 1999, with the smoothed targets of Lin, Lin, Weng 2007.
    """
    thefts, honest = float(truth.sum()), float(len(truth) - truth.sum())
    wanted = np.where(truth > 0, (thefts + 1) / (thefts + 2), 1 / (honest + 2))
    columns = np.stack([margins.astype(np.float64), np.ones(len(margins))], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(rounds):
        said = 1 / (1 + np.exp(-np.clip(columns @ weights, -35, 35)))
        slope = columns.T @ (said - wanted)
        bend = (columns * (said * (1 - said))[:, None]).T @ columns + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        weights -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def calibration_error(truth: Scores, probabilities: Scores, bins: int = 15) -> float:
    """Give the expected calibration error over bins of equal numbers of acts."""
    order = np.argsort(probabilities, kind="stable")
    error = 0.0
    for part in np.array_split(order, bins):
        error += len(part) / len(truth) * abs(float(truth[part].mean()) - float(probabilities[part].mean()))
    return error
