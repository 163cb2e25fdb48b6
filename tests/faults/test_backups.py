"""A till that works alone misses its back-up, gets one, loses its disk and sells on from it: on real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.checker import History
from tests.faults.corner_shop import found_shop
from tests.faults.running import Program, until
from tests.faults.small_store import trade
from tests.faults.test_alerts_of_upkeep import says, told
from tests.faults.test_wrong_clock import Clock
from tillmesh.till.upkeep import BACKUP_AGE_S_MAX

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(600)]

AGE, OK = "tillmesh_backup_age_seconds", "tillmesh_backup_ok"


def run_backup(clock: Clock, *words: str, code: int = 0) -> Any:
    """Run the command with the machine's clock, and give what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tillmesh", "backup", *words],
        env={**os.environ, **clock.environment()}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_a_lone_till_without_a_new_back_up_raises_alerts_and_comes_back_from_one_when_its_disk_is_lost(
    tmp_path: Path,
) -> None:
    shop, disk, key, replay, history = tmp_path / "till", tmp_path / "disk", tmp_path / "safe.key", Replay(), History()
    found_shop(shop, pins=True)
    shutil.copy(shop / "keys" / "database.key", key)
    clock = Clock(tmp_path)
    here = ("--data-dir", str(shop), "--to", str(disk))
    with Program(shop, environment=clock.environment(), arguments=("--no-ai",)) as till:
        asked = Asked("till", till.port)
        replay.take(asked)
        clock.set(timedelta(days=4))
        until(lambda: told(till, AGE) > BACKUP_AGE_S_MAX, "nobody else holds its data, and there was never a back-up")
        [text] = says(till, "backup")
        assert text.startswith("For 4 days nobody else has held this data, and no back-up was ever made.")
        assert "is not there" in run_backup(clock, "make", *here, code=1)
        assert told(till, OK) == 0
        replay.take(asked)
        disk.mkdir()
        receipts = trade(till, history, "before")
        whole = run_backup(clock, "make", *here)["backup"]
        assert told(till, OK) == 1
        assert not says(till, "backup")
        assert run_backup(clock, "drill", *here)["ok"]
        replay.take(asked)
        trade(till, history, "after", 1)  # of this there will be the paper
        till.kill()
    shutil.rmtree(shop)
    said = run_backup(clock, "restore", whole, "--data-dir", str(shop), "--key-file", str(key))
    with till:
        found = till.get("/sales?limit=50", till.sign_in("ruth")).body["sales"]
        assert {one["receipt_number"] for one in found} == set(receipts)
        anew = trade(till, history, "restored")
        assert [number[:4] for number in anew] == [said["receipts_begin_with"]] * len(anew)
        assert said["receipts_begin_with"] not in {number[:4] for number in receipts}
        assert till.stop() == 0
    replay.judge(tmp_path / "alerts", [(), {"BackupOld", "BackupFailed"}, ()])
