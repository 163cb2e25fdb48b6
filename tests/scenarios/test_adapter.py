"""The adapter itself: a scenario that expects what does not happen fails, whatever it expects."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import adapter

ELECTED = [{"op": "campaign", "node": 1}, {"op": "deliver"}]


def scenario(*steps: dict[str, Any], **more: Any) -> adapter.Json:
    return {"nodes": [1, 2, 3], "steps": [*ELECTED, *steps], **more}


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": {"1": "follower"}},
        {"roles": {"2": ["leader", "candidate"]}},
        {"terms": {"2": 2}},
        {"voted_for": {"2": None}},
        {"last_index": {"3": 0}},
        {"commit": {"1": 2}},
        {"commit_at_least": {"1": 2}},
        {"log_terms": {"1": [1, 1]}},
        {"applied": {"1": ["a"]}},
        {"leader_known": {"2": 3}},
        {"voters": {"1": [1, 2]}},
        {"learners": {"1": [2]}},
        {"leaders": {"among": [1, 2, 3], "count": 0}},
        {"not_leader": [1]},
        {"same_term": [1, 2], "min_term": 2},
    ],
    ids=lambda wrong: str(next(iter(wrong))),
)
def test_wrong_expectations_fail(wrong: adapter.Json) -> None:
    with pytest.raises(adapter.Failed):
        adapter.run(scenario(expect=wrong))
    with pytest.raises(adapter.Failed, match="step 3"):
        adapter.run(scenario({"op": "expect", **wrong}))


@pytest.mark.parametrize(
    "step",
    [
        {"op": "propose", "node": 2, "data": "x", "result": "accepted"},
        {"op": "propose", "node": 1, "data": "x", "result": "rejected"},
        {"op": "propose", "node": {"leader_among": [2, 3]}, "data": "x"},
        {"op": "conf", "node": 2, "remove": 3},
        {"op": "deliver", "until": {"roles": {"2": "leader"}}},
    ],
)
def test_steps_that_go_otherwise_fail(step: adapter.Json) -> None:
    with pytest.raises(adapter.Failed, match="step 3"):
        adapter.run(scenario(step))


def test_different_logs_are_not_the_same() -> None:
    cut = {"op": "partition", "groups": [[1], [2, 3]]}
    with pytest.raises(adapter.Failed, match="same_log"):
        adapter.run(scenario(cut, {"op": "propose", "node": 1, "data": "x"}, expect={"same_log": [1, 2]}))


def test_a_capability_we_lack_is_named() -> None:
    assert adapter.missing({"needs": ["transfer", "time_travel"]}) == {"time_travel"}


def test_the_public_scenarios_need_nothing_we_lack() -> None:
    public = json.loads(Path(__file__).with_name("raft.json").read_text(encoding="utf-8"))["scenarios"]
    assert len(public) == 21
    assert not any(adapter.missing(one) for one in public)
