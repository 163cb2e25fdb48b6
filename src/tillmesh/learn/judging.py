"""How good recognition is on photos it never saw: accuracy, calibration, and whether it knows what it does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from tillmesh.edge.recognition import Calibration, Gallery
from tillmesh.edge.sight import Array

BINS: Final = 15
SURE: Final = 0.7
NONE: Final = -1


@dataclass(frozen=True)
class Photos:
    """Vectors of photos and which class each shows."""

    vectors: Array
    labels: Array

    def some(self, places: Array) -> Photos:
        """Give some of them."""
        return Photos(self.vectors[places], self.labels[places])


def gallery(photos: Photos, calibration: Calibration) -> Gallery:
    """Enrol photos, each under the number of its class."""
    examples = [(f"{label:04}", row) for label, row in zip(photos.labels, photos.vectors, strict=True)]
    return Gallery(examples, calibration)


def drawn(photos: Photos, classes: Sequence[int], shots: int, draw: np.random.Generator) -> Array:
    """Choose ``shots`` photos of each class."""
    return np.concatenate([draw.choice(np.flatnonzero(photos.labels == one), shots, replace=False) for one in classes])


def chances(held: Gallery, photos: Photos) -> tuple[Array, Array]:
    """Give for each photo the probability of each enrolled class and of none, and the classes' numbers."""
    rows = np.stack([held.chances(vector) for vector in photos.vectors])
    return rows, np.array([int(sku) for sku in held.skus])


def tops(rows: Array, numbers: Array, labels: Array) -> tuple[float, float]:
    """Give how often the right class is first, and among the first three."""
    order = numbers[np.argsort(-rows[:, :-1], axis=1)[:, :3]]
    hits = order == labels[:, None]
    return float(hits[:, 0].mean()), float(hits.any(1).mean())


def confidence(rows: Array, numbers: Array, labels: Array) -> tuple[Array, Array]:
    """Give the probability of the first answer, and whether it was right."""
    first = rows[:, :-1].argmax(1)
    return rows[np.arange(len(rows)), first], numbers[first] == labels


def calibration_error(sure: Array, right: Array) -> float:
    """Give the expected calibration error in 15 bins of equal width (Guo et al., 2017)."""
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(sure[bins == one].mean()) - float(right[bins == one].mean())) * float((bins == one).mean())
        for one in np.unique(bins)
    ]
    return float(sum(gaps))


def area(scores: Array, known: Array) -> float:
    """Give the area under the ROC curve: how often something known scores above something unknown."""
    order = np.argsort(np.argsort(scores)) + 1.0
    n, m = int(known.sum()), int((~known).sum())
    return float((order[known].sum() - n * (n + 1) / 2) / (n * m))


def judge(train: Photos, val: Photos, calibration: Calibration, seed: int = 7, draws: int = 5) -> dict[str, float]:
    """Give every figure of the model card."""
    draw = np.random.default_rng(seed)
    classes = [int(one) for one in np.unique(train.labels)]
    found: dict[str, float] = {}
    rows, numbers = chances(gallery(train, calibration), val)
    found["top1"], found["top3"] = tops(rows, numbers, val.labels)
    sure, right = confidence(rows, numbers, val.labels)
    found["ece"] = calibration_error(sure, right)
    found["share_at_0.7"] = float((sure >= SURE).mean())
    found["precision_at_0.7"] = float(right[sure >= SURE].mean()) if (sure >= SURE).any() else 0.0
    for shots in (1, 3, 5):
        each = []
        for _ in range(draws):
            rows, numbers = chances(gallery(train.some(drawn(train, classes, shots, draw)), calibration), val)
            each.append((*tops(rows, numbers, val.labels), calibration_error(*confidence(rows, numbers, val.labels))))
        found[f"top1_{shots}_shots"], found[f"top3_{shots}_shots"], found[f"ece_{shots}_shots"] = np.mean(each, 0)
    found |= open_set(train, val, calibration, draw, draws)
    return {name: round(float(value), 4) for name, value in found.items()}


def open_set(
    train: Photos, val: Photos, calibration: Calibration, draw: np.random.Generator, draws: int
) -> dict[str, float]:
    """Enrol half of the classes with five photos each, and show all: does it say "I don't know this" of the others?"""
    classes = np.unique(train.labels)
    each = []
    for _ in range(draws):
        enrolled = draw.permutation(classes)[: len(classes) // 2]
        rows, numbers = chances(gallery(train.some(drawn(train, list(enrolled), 5, draw)), calibration), val)
        known = np.isin(val.labels, enrolled)
        sure, right = confidence(rows, numbers, np.where(known, val.labels, NONE))
        at = sure >= SURE
        each.append((
            area(1 - rows[:, -1], known),
            calibration_error(sure, right),
            float(right[at].mean()) if at.any() else 1.0,
            float(at[~known].mean()),
            float((rows[~known, -1] > sure[~known]).mean()),
        ))  # fmt: skip
    names = ("auroc_open", "ece_open", "precision_at_0.7_open", "strangers_taken_at_0.7", "strangers_said_unknown")
    return dict(zip(names, np.mean(each, 0), strict=True))


@dataclass(frozen=True)
class Episode:
    """A shop with some products and some photos: likenesses and scores per photo, which product is right (-1: none)."""

    scores: Sequence[tuple[Array, Array]]
    right: Array
    fullness: float


def halves(labels: Array) -> Array:
    """Say of each photo whether it is in the first or the second part of its class.

    Photos of one visit to a shop follow each other and are nearly the same; a till is shown one and asked in another.
    """
    later = np.zeros(len(labels), bool)
    for one in np.unique(labels):
        own = np.flatnonzero(labels == one)
        later[own[len(own) // 2 :]] = True
    return later


def episodes(train: Photos, calibration: Calibration, count: int, draw: np.random.Generator) -> Iterator[Episode]:
    """Imagine shops of 8 to 64 products, enrolled with 1 to 12 photos each, a third of whose photos is of others."""
    classes = np.unique(train.labels)
    later = halves(train.labels)
    for number in range(count):
        shots = (1, 3, 5, 12)[number % 4]
        enrolled = draw.permutation(classes)[: int(draw.choice([8, 16, 32, 64]))]
        side = later == bool(draw.integers(2))
        shown, asked_of = np.flatnonzero(side), np.flatnonzero(~side)
        enough = [int(one) for one in enrolled if (train.labels[shown] == one).sum() >= shots]
        chosen = shown[drawn(train.some(shown), enough, shots, draw)]
        own = asked_of[np.isin(train.labels[asked_of], enough)]
        others = asked_of[~np.isin(train.labels[asked_of], enrolled)]
        asked = np.concatenate([draw.choice(own, 90), draw.choice(others, 45)])
        held = gallery(train.some(chosen), calibration)
        place = {int(sku): at for at, sku in enumerate(held.skus)}
        right = np.array([place.get(int(label), NONE) for label in train.labels[asked]])
        yield Episode([held.scores(train.vectors[one]) for one in asked], right, 1 - 1 / shots)


def surprise(held: Sequence[Episode], calibration: Calibration) -> float:
    """Give the mean negative logarithm of what was right: what calibration makes small."""
    lost = []
    for one in held:
        rows = np.stack([calibration.chances(*row, one.fullness) for row in one.scores])
        lost.append(-np.log(np.maximum(rows[np.arange(len(rows)), one.right], 1e-9)).mean())
    return float(np.mean(lost))


def fit(held: Sequence[Episode], start: Calibration) -> Calibration:
    """Find temperature and threshold by trying, in ever smaller steps: five numbers need no more than that."""
    best, lowest = start, surprise(held, start)
    steps = {"temperature": 0.03, "sharpening": 0.1, "none": 0.1, "per_fullness": 0.03, "softness": 0.03}
    for _ in range(7):
        for name, step in steps.items():
            for change in (step, -step):
                value = max(round(getattr(best, name) + change, 5), 0.005)
                tried = msgspec.structs.replace(best, **{name: value})
                if (lost := surprise(held, tried)) < lowest:
                    best, lowest = tried, lost
        steps = {name: step / 1.5 for name, step in steps.items()}
    return best
