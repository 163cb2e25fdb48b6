"""XGBoost, and its trees as arrays and as ONNX. The only module that imports a training library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tillmesh.edge.features import COUNT, NAMES
from tillmesh.edge.risk import Rule
from tillmesh.edge.trees import Forest, checked

# Two kinds of trees, half a voice each: deep ones know the scenarios that they were shown; trees of a single question
# add up what each number says by itself, and are less led astray by what nobody showed them.
KINDS: Final = (
    (200, {"max_depth": 5, "eta": 0.1, "min_child_weight": 4, "lambda": 2.0, "colsample_bytree": 0.7}),
    (150, {"max_depth": 1, "eta": 0.2, "min_child_weight": 20, "lambda": 5.0, "colsample_bytree": 0.5}),
)
# More of these never makes an act look more honest: what holds for a scenario nobody trained on, too.
RISING: Final = frozenset(NAMES) - {"amount_ratio", "minutes_since"}
# What kind of act it is: trees that may ask would learn that a kind nobody stole with in training is honest.
UNASKED: Final = ("is_refund", "is_void", "is_drawer")
Floats = npt.NDArray[np.floating]


def train(x: Floats, y: Floats, *, seed: int = 1) -> list[Any]:
    """Train trees of both kinds; in one thread, so that the same rows give the same trees."""
    xgboost = import_module("xgboost")  # the package is called xgboost-cpu
    rows = xgboost.DMatrix(_asked(x), label=y)
    common = {
        "objective": "binary:logistic", "subsample": 0.8, "tree_method": "hist", "seed": seed, "nthread": 1,
        "monotone_constraints": "(" + ",".join(str(int(name in RISING)) for name in NAMES) + ")",
    }  # fmt: skip
    return [xgboost.train(common | kind, rows, num_boost_round=trees) for trees, kind in KINDS]


def _asked(x: Floats) -> Floats:
    """Hide what the trees are not to ask for: a column without differences is never split."""
    hidden = x.copy()
    hidden[:, [NAMES.index(name) for name in UNASKED]] = 0.0
    return hidden


def margins(boosters: Sequence[Any], x: Floats) -> Floats:
    """Give the log-odds as the library computes them, the mean of both kinds."""
    xgboost = import_module("xgboost")  # the package is called xgboost-cpu
    rows = xgboost.DMatrix(_asked(x))
    return np.asarray(np.mean([one.predict(rows, output_margin=True) for one in boosters], axis=0, dtype=np.float64))


def forest(boosters: Sequence[Any]) -> Forest:
    """Read the trees out of trained boosters; a node's value is the cover-weighted mean of the leaves under it."""
    base, share = float(np.mean([_base(one) for one in boosters])), 1 / len(boosters)
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []

    def add(node: dict[str, Any]) -> tuple[int, float]:
        at = len(feature)
        for column, blank in ((feature, -1), (left, -1), (right, -1)):
            column.append(blank)
        threshold.append(0.0)
        value.append(0.0)
        if "leaf" in node:
            value[at] = float(np.float32(node["leaf"] * share))
            return at, float(node["cover"])
        children = {child["nodeid"]: child for child in node["children"]}
        feature[at] = int(node["split"].removeprefix("f"))
        threshold[at] = float(np.float32(node["split_condition"]))
        left[at], cover_left = add(children[node["yes"]])
        right[at], cover_right = add(children[node["no"]])
        whole = cover_left + cover_right
        value[at] = (value[left[at]] * cover_left + value[right[at]] * cover_right) / whole if whole else 0.0
        return at, whole

    dumps = [tree for one in boosters for tree in one.get_dump(dump_format="json", with_stats=True)]
    roots = [add(json.loads(tree))[0] for tree in dumps]
    return checked(
        Forest(
            base=base, roots=tuple(roots), feature=tuple(feature), threshold=tuple(threshold),
            left=tuple(left), right=tuple(right), value=tuple(value),
        ),
        COUNT,
    )  # fmt: skip


def _base(booster: Any) -> float:
    """Give the log-odds that the trees start from."""
    said = json.loads(booster.save_config())["learner"]["learner_model_param"]["base_score"]
    share = float(str(said).strip("[]"))
    return float(np.log(share / (1 - share)))


def save_onnx(rule: Rule, path: Path) -> None:
    """Write the score as ONNX: ``features`` float32 [n, 20] in, ``score`` float32 [n, 1] out."""
    onnx = import_module("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT

    def ensemble(trees: Forest, out: str) -> Any:
        return helper.make_node(
            "TreeEnsembleRegressor", ["features"], [out], domain="ai.onnx.ml", n_targets=1, **_attributes(trees)
        )

    graph = helper.make_graph(
        [
            ensemble(rule.forest, "trees"),
            ensemble(rule.handbook, "handbook"),
            helper.make_node("Concat", ["trees", "handbook"], ["both"], axis=1),
            helper.make_node("ReduceLogSumExp", ["both"], ["either"], axes=[1], keepdims=1),
            helper.make_node("Mul", ["either", "slope"], ["scaled"]),
            helper.make_node("Add", ["scaled", "offset"], ["shifted"]),
            helper.make_node("Sigmoid", ["shifted"], ["score"]),
        ],
        "fraud",
        [helper.make_tensor_value_info("features", floats, [None, COUNT])],
        [helper.make_tensor_value_info("score", floats, [None, 1])],
        [
            helper.make_tensor("slope", floats, [1], [rule.slope]),
            helper.make_tensor("offset", floats, [1], [rule.offset]),
        ],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tillmesh")
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _attributes(trees: Forest) -> dict[str, Any]:
    """Number the nodes of each tree from 0, as ONNX wants them."""
    found: dict[str, list[Any]] = {name: [] for name in (
        "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes", "nodes_truenodeids",
        "nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids", "target_weights",
    )}  # fmt: skip
    ends = [*trees.roots[1:], len(trees.feature)]
    for tree, (root, end) in enumerate(zip(trees.roots, ends, strict=True)):
        for node in range(root, end):
            leaf = trees.feature[node] < 0
            row = (
                tree, node - root, max(0, trees.feature[node]), trees.threshold[node], "LEAF" if leaf else "BRANCH_LT",
                0 if leaf else trees.left[node] - root, 0 if leaf else trees.right[node] - root,
            )  # fmt: skip
            for name, entry in zip(list(found)[:7], row, strict=True):
                found[name].append(entry)
            if leaf:
                for name, entry in zip(list(found)[7:], (tree, node - root, 0, trees.value[node]), strict=True):
                    found[name].append(entry)
    return {**found, "base_values": [trees.base], "nodes_missing_value_tracks_true": [0] * len(found["nodes_values"])}
