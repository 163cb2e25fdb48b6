"""Conformance: every scenario of the files here, and of the file TILLMESH_RAFT_SCENARIOS names, if it is set."""

import json
import os
from pathlib import Path

import pytest

from tests.scenarios import adapter

HERE = Path(__file__).parent
FILES = [*sorted(HERE.glob("*.json")), *map(Path, filter(None, [os.environ.get("TILLMESH_RAFT_SCENARIOS")]))]
SCENARIOS = [
    pytest.param(scenario, id=f"{path.stem}-{scenario['name']}")
    for path in FILES
    for scenario in json.loads(path.read_text(encoding="utf-8"))["scenarios"]
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_store_behaves_as_the_scenario_says(scenario: adapter.Json) -> None:
    lacking = adapter.missing(scenario)
    if lacking:
        pytest.skip(f"needs {', '.join(sorted(lacking))}")
    adapter.run(scenario)
