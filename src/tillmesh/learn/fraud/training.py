"""Train the fraud score and judge it on months and scenarios that it never saw."""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillmesh.edge.features import NAMES
from tillmesh.edge.risk import Rule, reasons, score_of
from tillmesh.edge.trees import Forest
from tillmesh.learn.fraud import baselines, boosting, scenarios
from tillmesh.learn.fraud.judging import BUDGET, Judged, calibration_error, judge, platt
from tillmesh.learn.fraud.table import HONEST, TEST, TRAIN, VALIDATE, Table

HIGH_BUDGET: Final = BUDGET / 4
PARITY_ROWS: Final = 2_000
# How loud the handbook is beside the trees: chosen on the validation months, with the scenarios that were left out.
HANDBOOK_WORTH: Final = 1.5
HANDBOOK_BASE: Final = -5.0
# Pairs that are left out of training together: one kind of act each has to be found without an example of it.
LEFT_OUT: Final = (
    (scenarios.SWEETHEARTING, scenarios.VOID_AFTER),
    (scenarios.DISCOUNT, scenarios.NO_SALE),
    (scenarios.EMPTY_REFUND, scenarios.GIFT_CARD),
)
Mask = npt.NDArray[np.bool_]


def train(rows: Table) -> Rule:
    """Train on the first months with all scenarios; calibrate, and set the thresholds, on the months after them."""
    fit, check = rows.part == TRAIN, rows.part == VALIDATE
    forest = boosting.forest(boosting.train(rows.x[fit], rows.y[fit]))
    handbook = baselines.handbook(HANDBOOK_WORTH, HANDBOOK_BASE)
    either = np.logaddexp(margins_of(forest, rows.x[check]), margins_of(handbook, rows.x[check]))
    slope, offset = platt(either, rows.y[check])
    scores = _sigmoid(slope * either + offset)
    medium, high = (float(np.quantile(scores, 1 - share)) for share in (BUDGET, HIGH_BUDGET))
    return Rule(
        names=NAMES, forest=forest, handbook=handbook, slope=slope, offset=offset, medium=medium, high=high
    )  # fmt: skip


def evaluate(rows: Table, rule: Rule) -> dict[str, Any]:
    """Judge on the last months: every scenario known, and each pair of scenarios left out of training."""
    test = rows.part == TEST
    scores = score(rule, rows.x[test])
    parts = (("train", TRAIN), ("validate", VALIDATE), ("test", TEST))
    return {
        "rows": {name: int((rows.part == part).sum()) for name, part in parts},
        "budget": BUDGET,
        "known": _judge_all(rows, test, ()),
        "left_out": {"+".join(pair): _judge_all(rows, test & _only(rows, pair), pair) for pair in LEFT_OUT},
        "calibration_error": calibration_error(rows.y[test], scores),
        "alerts_at_threshold": float((scores >= rule.medium).mean()),
        "recall_by_scenario": {
            name: float((scores[rows.scenario[test] == name] >= rule.medium).mean())
            for name in sorted(scenarios.SCENARIOS)
            if (rows.scenario[test] == name).any()
        },
    }


def _only(rows: Table, pair: tuple[str, ...]) -> Mask:
    return np.asarray((rows.scenario == HONEST) | np.isin(rows.scenario, pair), dtype=np.bool_)


def _judge_all(rows: Table, where: Mask, without: tuple[str, ...]) -> dict[str, Judged]:
    """Train on the first months with no act of the scenarios left out, and judge beside rules and regression."""
    fit = (rows.part == TRAIN) & ~np.isin(rows.scenario, without)
    x, y = rows.x[where], rows.y[where]
    trees = boosting.margins(boosting.train(rows.x[fit], rows.y[fit]), x)
    points = margins_of(baselines.handbook(), x)
    return {
        "rules": judge(y, points),
        "logistic": judge(y, baselines.Logistic(rows.x[fit], rows.y[fit]).score(x)),
        "trees": judge(y, trees),
        "score": judge(y, np.logaddexp(trees, HANDBOOK_WORTH * points + HANDBOOK_BASE)),
    }


def score(rule: Rule, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Score rows as a till does."""
    either = np.logaddexp(margins_of(rule.forest, x), margins_of(rule.handbook, x))
    return _sigmoid(rule.slope * either + rule.offset)


def margins_of(forest: Forest, x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Walk all rows through the trees at once."""
    feature, threshold = np.array(forest.feature), np.array(forest.threshold, dtype=np.float32)
    left, right, value = np.array(forest.left), np.array(forest.right), np.array(forest.value)
    given = x.astype(np.float32)
    total = np.full(len(x), forest.base)
    every = np.arange(len(x))
    for root in forest.roots:
        node = np.full(len(x), root)
        while (inner := feature[node] >= 0).any():
            below = given[every, np.maximum(feature[node], 0)] < threshold[node]
            node = np.where(inner, np.where(below, left[node], right[node]), node)
        total += value[node]
    return total


def _sigmoid(margins: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.asarray(1 / (1 + np.exp(-np.clip(margins, -60, 60))))


def parity(rows: Table, rule: Rule, onnx_bytes: bytes) -> dict[str, float]:
    """Compare ONNX, arrays and the till's plain arithmetic on test rows, and time a row as a till asks for it."""
    import onnxruntime

    x = rows.x[rows.part == TEST][:PARITY_ROWS]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    onnx_scores = session.run(None, {"features": x})[0][:, 0]
    ours = score(rule, x)
    plain = np.array([score_of(rule, row.tolist()) for row in x[:200]])
    return {
        "onnx_difference_max": float(np.abs(onnx_scores - ours).max()),
        "plain_difference_max": float(np.abs(plain - ours[:200]).max()),
        "onnx_ms": _median_ms(lambda at: session.run(None, {"features": x[at : at + 1]}), 500),
        "reasons_ms": _median_ms(lambda at: reasons(rule, x[at].tolist()), 200),
    }


def _median_ms(work: Any, count: int) -> float:
    found = []
    for at in range(count):
        began = time.perf_counter_ns()
        work(at)
        found.append((time.perf_counter_ns() - began) / 1e6)
    return float(np.median(found))
