"""Which of the enrolled products a photo shows, how sure that is, and whether it may be none of them.

Every product is the average of its examples; a regression over all examples, fitted here in a moment whenever the shop
enrols something, tells apart what averages confuse. Two questions are answered apart: whether it is a product of this
shop at all (how much it has in common with the nearest average), and if so, which one. Both become probabilities by
five numbers that the pipeline fits on imagined shops, so that 0.7 means right in seven of ten cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tillmesh.edge.sight import Array, unit, unpack

SHOWN: Final = 3


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was fitted on imagined shops: how likeness becomes probability."""

    temperature: float  # of choosing among products, with one example of each
    sharpening: float  # by which power of two it is lower with very many of each
    none: float  # the likeness to the nearest product at which it is as likely to be none, with one example of each
    per_fullness: float  # how much higher that is with very many of each
    softness: float  # how far likeness has to go from there to be e times as likely
    regression: float = 0.0  # how much the regression counts beside the averages
    ridge: float = 1.0  # how strongly it is held back, in parts of the mean variance

    def chances(self, common: Array, scores: Array, fullness: float) -> Array:
        """Give the probability of each product, and of none as the last.

        ``fullness`` is 0 with one example of each product, and goes to 1 with very many.
        """
        raised = scores / (self.temperature * 2.0 ** (-self.sharpening * fullness))
        raised = np.exp(raised - raised.max())
        above = (float(common.max()) - self.none - self.per_fullness * fullness) / self.softness
        known = 1 / (1 + np.exp(-np.clip(above, -30, 30)))
        return np.append(raised / raised.sum() * known, 1 - known)


class Known(msgspec.Struct, array_like=True, frozen=True):
    """What a till knows: examples of products, and products that are called as one of the names in the model."""

    shown: list[tuple[str, bytes]]
    named: list[tuple[str, str]]

    def examples(self, length: int, starters: Mapping[str, Array]) -> list[tuple[str, Array]]:
        """Give sku and vector of all that can be used; what was shown counts more than what is only named."""
        shown = [(sku, vector) for sku, data in self.shown if (vector := unpack(data, length)) is not None]
        skus = {sku for sku, _ in shown}
        named = [(sku, row) for sku, name in self.named if sku not in skus for row in starters.get(name, ())]
        return shown + named


class Gallery:
    """The products a photo is compared with. Immutable once made."""

    def __init__(self, examples: Sequence[tuple[str, Array]], calibration: Calibration) -> None:
        self._calibration = calibration
        self.skus = sorted({sku for sku, _ in examples})
        if not self.skus:
            return
        vectors = np.stack([vector for _, vector in examples]).astype(np.float32)
        number = {sku: place for place, sku in enumerate(self.skus)}
        owner = np.array([number[sku] for sku, _ in examples])
        counts = np.bincount(owner)
        member = np.zeros((len(self.skus), len(examples)), np.float32)
        member[owner, np.arange(len(examples))] = 1 / counts[owner]
        self._averages = unit(member @ vectors)
        self._regression: tuple[Array, Array] | None = None
        if calibration.regression and len(self.skus) > 1:
            self._regression = regression(vectors, owner, counts, calibration.ridge)
        self._fullness = float((1 - 1 / counts).mean())

    def scores(self, vector: Array) -> tuple[Array, Array]:
        """Give what a photo has in common with each product's average, and the score that tells products apart."""
        common: Array = self._averages @ unit(vector)
        if self._regression is None:
            return common, common
        weights, offset = self._regression
        return common, common + self._calibration.regression * (vector @ weights + offset)

    def chances(self, vector: Array) -> Array:
        """Give the probability of each product, and of none of them as the last."""
        return self._calibration.chances(*self.scores(vector), self._fullness)

    def rank(self, vector: Array) -> tuple[list[tuple[str, float]], float]:
        """Give the likeliest products with their probabilities, and the probability of none of them."""
        if not self.skus:
            return [], 1.0
        chances = self.chances(vector)
        best = np.argsort(-chances[:-1], kind="stable")[:SHOWN]
        return [(self.skus[place], float(chances[place])) for place in best], float(chances[-1])


def regression(vectors: Array, owner: Array, counts: Array, ridge: float) -> tuple[Array, Array]:
    """Fit one ridge regression per product, every product weighing the same; give weights and offsets.

    Solved in the smaller of both dimensions: for a few examples in the number of them.
    """
    mean = vectors.mean(0)
    weight = 1 / np.sqrt(counts[owner].astype(np.float32))
    scaled = (vectors - mean) * np.sqrt(weight)[:, None]
    wanted = np.full((len(owner), len(counts)), -1 / len(counts), np.float32)
    wanted[np.arange(len(owner)), owner] += 1
    wanted *= np.sqrt(weight)[:, None]
    held = ridge * float((scaled**2).sum()) / scaled.shape[1]
    if len(owner) < scaled.shape[1]:
        inner = scaled @ scaled.T + held * np.eye(len(owner), dtype=np.float32)
        weights = scaled.T @ np.linalg.solve(inner, wanted)
    else:
        inner = scaled.T @ scaled + held * np.eye(scaled.shape[1], dtype=np.float32)
        weights = np.linalg.solve(inner, scaled.T @ wanted)
    return weights, -mean @ weights


def answer_of(ranked: tuple[list[tuple[str, float]], float]) -> dict[str, Any]:
    """Give a ranking as it travels from the worker to the till."""
    return {"ranked": [list(one) for one in ranked[0]], "unknown": ranked[1]}
