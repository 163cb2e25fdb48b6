"""Head office misses its back-up, gets one, loses its disk and is whole again, with every sale once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.test_wrong_clock import Clock
from tests.services.hub.office import PASSWORD, USER, RunningOffice, running
from tests.services.hub.real_stores import found, open_store, until
from tests.services.hub.test_alerts_of_backlog import waiting
from tillmesh.adapters.wan.bundle import read_bundle

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(600)]

LATER = timedelta(days=380)  # of the 398 that a store's certificate lives


@contextmanager
def set_to(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let programs that start here go by a clock."""
    with monkeypatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


def run_hub(environment: dict[str, str], *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tillmesh", "hub", *words],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sold(office: RunningOffice, store: str) -> list[str]:
    return sorted(sale["receipt_number"] for sale in office.call("GET", f"/stores/{store}/sales")[1]["sales"])


def test_a_head_office_whose_disk_is_lost_comes_back_from_its_back_up_and_gets_the_rest_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, hub, disk, replay, clock = tmp_path / "corner", tmp_path / "hub", tmp_path / "disk", Replay(), Clock(tmp_path)
    disk.mkdir()
    environment = clock.environment()
    store = found(shop, hub, 1)
    key = Path(shutil.copy(hub / "keys" / "database.key", tmp_path / "safe.key"))
    with set_to(environment, monkeypatch), running(hub) as office:
        asked = Asked("office", office.port, "office", "")
        with open_store(shop, office.stores_url) as (till,):
            till.sell("before")
            until("head office has it all", lambda: waiting(till) == 0)
            replay.take(asked)
            clock.set(LATER)
            office.token = office.call("POST", "/session", {"user": USER, "password": PASSWORD})[1]["token"]
            replay.take(asked)
            said = office.call("GET", "/overview")[1]["concerns"]
            assert [one["check"] for one in said] == ["certificate", "backup"]
            assert said[0]["text"].startswith("The certificate of a store ends in 17 days.")
            bundle = b64decode(office.call("POST", f"/stores/{store}/credentials", {})[1]["bundle"])
            whole = run_hub(environment, "backup", "--data-dir", str(hub), "--to", str(disk))["backup"]
            assert office.call("GET", "/health")[1]["concerns"] == []
            replay.take(asked)
            till.token = till.program.sign_in("ruth")
            till.sell("after")
            until("head office has it all", lambda: waiting(till) == 0)
            everything = sold(office, store)
    shutil.rmtree(hub)
    run_hub(environment, "restore", "--from", whole, "--data-dir", str(hub), "--key-file", str(key))
    with set_to(environment, monkeypatch), running(hub, port=office.port) as anew:
        assert len(sold(anew, store)) == len(everything) - 1
        with open_store(shop, anew.stores_url) as (till,):
            until("the store has sent the rest again", lambda: sold(anew, store) == everything)
            till.sell("later")
            until("it takes in what is new", lambda: len(sold(anew, store)) == len(everything) + 1)
        assert read_bundle(bundle).store == store
    replay.judge(tmp_path / "alerts", [(), {"CertificateEnds", "BackupOld"}, ()])
