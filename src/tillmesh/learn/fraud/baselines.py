"""What the trees have to beat: rules as a careful manager writes them, and a logistic regression."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from tillmesh.edge.features import COUNT, NAMES
from tillmesh.edge.trees import Forest, checked

Floats = npt.NDArray[np.floating]
# Points for what security handbooks tell shops to look at: all of these features at least so large.
HANDBOOK: Final = (
    (2.0, ("without_receipt", 0.5)),
    (0.5, ("kept_share", 0.5)),
    (1.0, ("given_share", 0.2)),
    (1.5, ("given_share", 0.4)),
    (1.0, ("cheaper_share", 0.1)),
    (1.5, ("refund_excess", 4.0)),
    (1.5, ("refund_excess", 7.0)),
    (1.5, ("void_excess", 4.0)),
    (1.5, ("void_excess", 7.0)),
    (1.5, ("drawer_excess", 4.0)),
    (1.5, ("drawer_excess", 7.0)),
    (1.0, ("given_excess", 0.08)),
    (1.0, ("given_excess", 0.15)),
    (1.0, ("tie", 1.0)),
    (0.5, ("odd_hour", 2.0)),
    (2.0, ("is_void", 0.5), ("cash_share", 0.01), ("minutes_since", math.log1p(3.0))),
    (1.5, ("is_refund", 0.5), ("gift_share", 0.01)),
)


def handbook(worth: float = 1.0, base: float = 0.0) -> Forest:
    """Write the handbook as trees: a row of questions each, and the points, ``worth`` each, at the end of it."""
    roots: list[int] = []
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []

    def add(name: int, least: float, points: float) -> int:
        for column, entry in ((feature, name), (left, -1), (right, -1)):
            column.append(entry)
        threshold.append(float(np.float32(least)))
        value.append(points)
        return len(feature) - 1

    for points, *questions in HANDBOOK:
        before = -1
        for name, least in questions:
            node = add(NAMES.index(name), least, 0.0)
            left[node] = add(-1, 0.0, 0.0)
            if before < 0:
                roots.append(node)
            else:
                right[before] = node
            before = node
        right[before] = add(-1, 0.0, points * worth)
    return checked(
        Forest(
            base=base, roots=tuple(roots), feature=tuple(feature), threshold=tuple(threshold), left=tuple(left),
            right=tuple(right), value=tuple(value),
        ),
        COUNT,
    )  # fmt: skip


class Logistic:
    """Logistic regression on standardised features with a ridge, fitted by Newton's method."""

    def __init__(self, x: Floats, y: Floats, ridge: float = 1.0, rounds: int = 30) -> None:
        self._mean, self._scale = x.mean(axis=0), x.std(axis=0) + 1e-6
        columns = self._columns(x)
        self._weights = np.zeros(columns.shape[1])
        for _ in range(rounds):
            said = 1 / (1 + np.exp(-np.clip(columns @ self._weights, -35, 35)))
            slope = columns.T @ (said - y) + ridge * self._weights
            bend = (columns * (said * (1 - said))[:, None]).T @ columns + ridge * np.eye(columns.shape[1])
            step = np.linalg.solve(bend, slope)
            self._weights -= step
            if float(np.abs(step).max()) < 1e-7:
                break

    def _columns(self, x: Floats) -> Floats:
        standard = (x.astype(np.float64) - self._mean) / self._scale
        return np.concatenate([standard, np.ones((len(x), 1))], axis=1)

    def score(self, x: Floats) -> Floats:
        """Give log-odds."""
        return np.asarray(self._columns(x) @ self._weights)
