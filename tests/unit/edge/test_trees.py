"""Trees as arrays: the score is the sum of leaves, the reasons add up to it, and a damaged file is refused."""

from random import Random

import msgspec
import pytest

from tillmesh.edge.features import COUNT, NAMES
from tillmesh.edge.risk import Rule, judge, reasons, score_of, usable
from tillmesh.edge.trees import Forest, checked, contributions, margin
from tillmesh.kernel.errors import Damaged


def grown(seed: int = 1, trees: int = 30, depth: int = 4) -> Forest:
    """Random trees of full depth."""
    dice = Random(seed)
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []

    def add(below: int) -> int:
        at = len(feature)
        feature.append(dice.randrange(COUNT) if below else -1)
        threshold.append(dice.uniform(-1, 1))
        value.append(dice.uniform(-0.5, 0.5))
        left.append(-1)
        right.append(-1)
        if below:
            left[at], right[at] = add(below - 1), add(below - 1)
            value[at] = (value[left[at]] + value[right[at]]) / 2
        return at

    roots = tuple(add(depth) for _ in range(trees))
    return Forest(
        base=-3.0, roots=roots, feature=tuple(feature), threshold=tuple(threshold), left=tuple(left),
        right=tuple(right), value=tuple(value),
    )  # fmt: skip


def rows(count: int = 50) -> list[list[float]]:
    dice = Random(7)
    return [[dice.uniform(-2, 2) for _ in range(COUNT)] for _ in range(count)]


STUMP = Forest(
    base=-2.0, roots=(0,), feature=(16, -1, -1), threshold=(2.0, 0.0, 0.0), left=(1, -1, -1), right=(2, -1, -1),
    value=(0.5, 0.0, 3.0),
)  # fmt: skip
QUIET = msgspec.structs.replace(STUMP, base=-20.0, value=(0.0, 0.0, 0.0))
RULE = Rule(names=NAMES, forest=STUMP, handbook=QUIET, slope=1.0, offset=0.0, medium=0.5, high=0.9)


def test_what_the_features_added_comes_to_the_score_exactly() -> None:
    forest = checked(grown(), COUNT)
    for row in rows():
        before, parts = contributions(forest, row)
        assert before + sum(parts) == pytest.approx(margin(forest, row), abs=1e-12)


def test_a_feature_that_is_in_no_tree_is_never_a_reason() -> None:
    _, parts = contributions(STUMP, [5.0] * COUNT)
    assert [at for at, part in enumerate(parts) if part] == [16]


def test_thresholds_are_compared_as_the_model_was_trained_in_32_bits() -> None:
    tenth = 0.10000000149011612  # 0.1 as a 32-bit number
    forest = msgspec.structs.replace(STUMP, threshold=(tenth, 0.0, 0.0))
    row = [0.0] * COUNT
    row[16] = 0.1  # below the threshold as a double, equal to it as it was in training
    assert margin(forest, row) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"left": (0, -1, -1)},  # a walk that never ends
        {"right": (7, -1, -1)},
        {"feature": (COUNT, -1, -1)},
        {"value": (0.5, 0.0)},
        {"roots": (9,)},
        {"roots": ()},
        {"base": float("nan")},
        {"threshold": (float("inf"), 0.0, 0.0)},
    ],
)
def test_trees_that_lead_nowhere_are_refused_before_anybody_walks_them(wrong: dict[str, object]) -> None:
    with pytest.raises(Damaged):
        checked(msgspec.structs.replace(STUMP, **wrong), COUNT)


def test_a_verdict_has_a_level_and_says_why() -> None:
    row = [0.0] * COUNT
    row[16] = 4.0
    found = judge(RULE, row, 0.93)
    assert (found.level, found.recommendation) == ("high", "look_soon")
    assert [(one.code, one.weight, one.value) for one in found.reasons] == [("void_excess", 2.5, 4.0)]
    assert judge(RULE, [0.0] * COUNT, 0.2).level == "low"


def test_whichever_of_trees_and_handbook_is_alarmed_is_heard_and_gives_the_reasons() -> None:
    row = [0.0] * COUNT
    row[11] = 1.0
    book = msgspec.structs.replace(STUMP, feature=(11, -1, -1), threshold=(0.5, 0.0, 0.0), value=(0.0, 0.0, 4.0))
    loud = msgspec.structs.replace(RULE, handbook=book)
    assert score_of(RULE, row) < 0.15 < 0.8 < score_of(loud, row)
    assert [one.code for one in judge(loud, row, score_of(loud, row)).reasons] == ["without_receipt"]


def test_what_is_said_twice_is_one_reason_and_a_usual_amount_is_none() -> None:
    row = [0.0] * COUNT
    for name, value in (("is_void", 1.0), ("kind_excess", 4.0), ("void_excess", 4.0), ("amount_ratio", 0.5)):
        row[NAMES.index(name)] = value
    columns: dict[str, tuple[float, ...]] = {
        "feature": (3, -1, -1, 7, -1, -1, 16, -1, -1),
        "threshold": (0.1, 0.0, 0.0) * 3,
        "left": (1, -1, -1, 4, -1, -1, 7, -1, -1),
        "right": (2, -1, -1, 5, -1, -1, 8, -1, -1),
        "value": (0.0, 0.0, 1.0) * 3,
    }
    three = checked(msgspec.structs.replace(STUMP, base=0.0, roots=(0, 3, 6), **columns), COUNT)
    (only,) = reasons(msgspec.structs.replace(RULE, forest=three), row)
    assert (only.code, only.weight) == ("void_excess", 2.0)


@pytest.mark.parametrize("row", [[0.0] * 19, [0.0] * 21, [float("nan")] * 20, [float("inf")] * 20, []])
def test_what_are_not_twenty_numbers_gets_no_verdict(row: list[float]) -> None:
    assert not usable(row)
    with pytest.raises(ValueError, match="20 finite"):
        judge(RULE, row, 0.5)


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan")])
def test_a_score_that_is_none_gets_no_verdict(score: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        judge(RULE, [0.0] * COUNT, score)
