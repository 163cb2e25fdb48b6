"""The fraud score: trees in ONNX Runtime for the number, the same trees as arrays for the reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from tillmesh.adapters.inference.engines import Engine, open_engine
from tillmesh.edge.bundle import Bundle, Refused
from tillmesh.edge.features import COUNT, NAMES, unpacked
from tillmesh.edge.risk import Rule, judge, usable
from tillmesh.edge.trees import checked

TREES_ONNX: Final = "fraud.onnx"
TREES: Final = "fraud.json"


class FraudTask:
    """Scores acts, each by its 20 features."""

    def __init__(self, engine: Engine, rule: Rule) -> None:
        self._engine = engine
        self._rule = rule

    def run(self, inputs: Sequence[bytes]) -> Sequence[Any]:
        """Give score, level and reasons of each act; raises ``ValueError`` for what are not 20 finite numbers."""
        rows = [_read(given) for given in inputs]
        (scores,) = self._engine.run(np.array(rows, dtype=np.float32))
        return [
            msgspec.to_builtins(judge(self._rule, row, float(score[0])))
            for row, score in zip(rows, scores, strict=True)
        ]

    def tell(self, state: bytes) -> None:
        """There is nothing a till could tell the trees."""


def _read(given: bytes) -> tuple[float, ...]:
    features = unpacked(given)
    if not usable(features):
        raise ValueError("a feature is no number")
    return features


def load(bundle: Bundle, _now_ms: Callable[[], int]) -> FraudTask:
    """Load the trees, if they were trained on the features that this program computes."""
    try:
        rule = msgspec.json.decode(bundle.files[TREES], type=Rule)
        model = bundle.files[TREES_ONNX]
    except (KeyError, msgspec.DecodeError) as cause:
        raise Refused(f"the fraud score does not read: {cause}", reason="manifest") from cause
    if rule.names != NAMES:
        raise Refused("the trees were trained on other features than this program computes", reason="contract")
    checked(rule.forest, COUNT)
    checked(rule.handbook, COUNT)
    return FraudTask(open_engine("onnx", model), rule)
