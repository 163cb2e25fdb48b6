"""The same data makes the same model to the last byte: in another process, with other hashes of words, later on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tillmesh.kernel.errors import Invalid
from tillmesh.learn.program import made_ms

pytestmark = [pytest.mark.service, pytest.mark.slow]
ROOT = Path(__file__).parents[3]


def made(name: str, hashing: str) -> dict[str, str]:
    environment = {**os.environ, "PYTHONHASHSEED": hashing, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.unit.learn.making", name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", ["fraud", "recognition"])
def test_the_same_data_makes_the_same_signed_bundle(name: str) -> None:
    first = made(name, "1")
    assert made(name, "2") == first
    assert {"manifest", "signature", "check_input.bin", "check_output.json"} < set(first)


def test_a_bundle_says_the_time_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795348800")
    assert made_ms() == 1_795_348_800_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    with pytest.raises(Invalid):
        made_ms()
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert made_ms() > 1_700_000_000_000
