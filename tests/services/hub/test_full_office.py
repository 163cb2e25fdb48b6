"""Head office's disk is full while a real till sells: nothing is lost, both say what is wrong, it heals by itself."""

from __future__ import annotations

import functools
import re
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.small_disk import small_disk
from tests.services.hub.office import RunningOffice, running
from tests.services.hub.real_stores import found, open_store, until
from tillmesh.hub.commands import rebuild_master

AHEAD_MAX = 200  # sales that wait
SALES_MAX = 50_000


def says_so(office: RunningOffice, path: str) -> bool:
    return "disk is full" in str(office.call("GET", path)[1]["trouble"])


def refusals(office: RunningOffice) -> float:
    with urlopen(f"http://127.0.0.1:{office.port}/api/v1/metrics", timeout=60) as answer:
        told = answer.read().decode()
    return sum(map(float, re.findall(r'^tillmesh_hub_batches_total{status="5.."} (.*)$', told, re.MULTILINE)))


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.timeout(400)
def test_a_full_disk_at_head_office_is_said_on_both_sides_and_loses_no_sale(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64m") as disk:
        hub = disk.place / "hub"
        found(tmp_path / "corner", hub, 1)
        with running(hub) as office, open_store(tmp_path / "corner", office.stores_url) as (till,):
            taken = [till.sell("before")]
            until("the first sale has arrived", lambda: till.get("/sync")["complete"] > 0)
            assert office.call("GET", "/health")[1]["trouble"] is None
            replay, asked = Replay(), Asked("office", office.port, "office", "")
            replay.take(asked)
            disk.fill()
            number = 0
            # Until the room in the files is used up. A quick till must not sell all before any of it is sent.
            while (sync := till.get("/sync"))["hub_trouble"] is None:
                if len(taken) - sync["complete"] > AHEAD_MAX:
                    time.sleep(0.02)
                    continue
                taken.append(till.sell(f"meanwhile-{number}"))
                number += 1
                assert number < SALES_MAX, "the disk is not full"
            taken += [till.sell(f"all-the-same-{n}") for n in range(5)]
            checks = {check["check"]: check for check in till.get("/health")["checks"]}
            assert checks["hub"]["ok"] is False
            assert "the disk is full" in checks["hub"]["text"]
            replay.take(asked)
            seen = refusals(office)
            until("it goes on refusing", lambda: refusals(office) > seen)
            replay.take(asked)
            for path in ("/health", "/overview"):  # it says so whenever it has just tried
                until(f"{path} says so", functools.partial(says_so, office, path))
            disk.clear()
            until("it has caught up by itself", lambda: office.call("GET", "/stores")[1]["stores"][0]["revenue_minor"]
                  == sum(taken))  # fmt: skip
            until("the till says that all is well", lambda: till.get("/sync")["hub_trouble"] is None)
            until("so does head office", lambda: office.call("GET", "/health")[1]["trouble"] is None)
            assert "hub" not in {check["check"] for check in till.get("/health")["checks"]}
            assert office.call("GET", "/stores")[1]["stores"][0]["sales"] == len(taken)
            replay.take(asked)
        replay.judge(tmp_path / "alerts", [(), (), {"OfficeRefuses"}, ()])
        assert rebuild_master(hub)["same"] is True
