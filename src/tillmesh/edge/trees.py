"""Boosted trees as plain arrays: the score, and exactly what each feature added to it.

The model file comes from `tillmesh models train fraud`, beside the same trees as ONNX. Walking 200 trees of depth 5
takes well under a millisecond in plain Python, so the reasons need no training library on a till.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from tillmesh.kernel.errors import Damaged
from tillmesh.kernel.limits import FRAUD_NODES_MAX, FRAUD_TREES_MAX

_FLOAT32 = struct.Struct("<f")


class Forest(msgspec.Struct, frozen=True, kw_only=True):
    """All trees in one row of nodes. An inner node goes left if its feature is below the threshold; a leaf has
    ``feature == -1``. ``value`` is the mean score under a node: of a leaf what it adds.

    Invariant (held by :func:`checked`): children come after their parents, so every walk ends.
    """

    base: float
    roots: tuple[int, ...]
    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]


def checked(forest: Forest, features: int) -> Forest:
    """Give the forest if every walk through it ends in a leaf; raises :class:`Damaged`."""
    size = len(forest.feature)
    columns = (forest.threshold, forest.left, forest.right, forest.value)
    if not 1 <= len(forest.roots) <= FRAUD_TREES_MAX or not 1 <= size <= FRAUD_NODES_MAX:
        raise Damaged(f"{len(forest.roots)} trees of {size} nodes", hint="Fetch the model again.")
    if any(len(column) != size for column in columns) or any(not 0 <= root < size for root in forest.roots):
        raise Damaged("the trees' columns differ in length", hint="Fetch the model again.")
    for node, name in enumerate(forest.feature):
        inner_ends = name < features and node < forest.left[node] < size and node < forest.right[node] < size
        if not (name == -1 or (name >= 0 and inner_ends)):
            raise Damaged(f"node {node} of the trees leads nowhere", hint="Fetch the model again.")
    numbers = (forest.base, *forest.threshold, *forest.value)
    if not all(math.isfinite(number) for number in numbers):
        raise Damaged("the trees hold a number that is none", hint="Fetch the model again.")
    return forest


def margin(forest: Forest, features: Sequence[float]) -> float:
    """Give the sum of the leaves (log-odds before calibration)."""
    given = _as_float32(features)
    return forest.base + math.fsum(forest.value[_path(forest, root, given)[-1]] for root in forest.roots)


def contributions(forest: Forest, features: Sequence[float]) -> tuple[float, list[float]]:
    """Split the margin: what is there before anything is known, and what each feature added on the way to the leaves.

    Exact: both together are the margin. Source: Saabas 2014 (path contributions); the order of the splits decides how
    features that act together share what they add, which Shapley values would average.
    """
    given = _as_float32(features)
    before, parts = forest.base, [0.0] * len(features)
    for root in forest.roots:
        path = _path(forest, root, given)
        before += forest.value[root]
        for parent, child in pairwise(path):
            parts[forest.feature[parent]] += forest.value[child] - forest.value[parent]
    return before, parts


def _path(forest: Forest, root: int, given: Sequence[float]) -> list[int]:
    node, path = root, [root]
    feature, threshold, left, right = forest.feature, forest.threshold, forest.left, forest.right
    while (name := feature[node]) >= 0:
        node = left[node] if given[name] < threshold[node] else right[node]
        path.append(node)
    return path


def _as_float32(features: Sequence[float]) -> list[float]:
    """Round as the model was trained: its thresholds are 32-bit numbers, and a double may fall on the other side."""
    return [_FLOAT32.unpack(_FLOAT32.pack(value))[0] for value in features]
