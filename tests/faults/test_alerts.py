"""Alerts on real tills: a real Prometheus with the rules that ship sees the trouble, and sees it go."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.running import Program, until
from tests.faults.small_store import build_store, running
from tests.monitoring import SHIPPED, program
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.service]
SEEN_S = 90.0


class Prometheus:
    """A Prometheus that asks the tills every two seconds, with the shipped rules and none of their patience."""

    def __init__(self, place: Path, tills: list[Program]) -> None:
        self.place, self.port = place, free_port()
        place.mkdir()
        rules = re.sub(r"^( +)for: \w+$", r"\1for: 0s", (SHIPPED / "alerts.yml").read_text(), flags=re.MULTILINE)
        (place / "alerts.yml").write_text(rules)
        targets = [{"targets": [f"127.0.0.1:{till.port}"], "labels": {"store": "corner"}} for till in tills]
        job = {"job_name": "till", "metrics_path": "/api/v1/metrics", "static_configs": targets}
        every = {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"}
        (place / "prometheus.yml").write_text(
            json.dumps({"global": every, "rule_files": ["alerts.yml"], "scrape_configs": [job]})
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        words = [f"--config.file={self.place}/prometheus.yml", f"--storage.tsdb.path={self.place}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"]  # fmt: skip
        with (self.place / "log").open("wb") as log:
            process = subprocess.Popen([program("prometheus"), *words], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def alarmed(self) -> set[str]:
        """Name the alerts that fire now."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/alerts", timeout=10) as answer:
                return {one["labels"]["alertname"] for one in json.load(answer)["data"]["alerts"]}
        except OSError:
            return {"Prometheus does not answer"}


def test_dead_tills_and_a_store_without_a_leader_raise_alerts_that_go_when_they_are_back(tmp_path: Path) -> None:
    tills = build_store(tmp_path, 3)
    watcher = Prometheus(tmp_path / "prometheus", tills)
    with running(tills), watcher.running():
        until(lambda: watcher.alarmed() == set(), "a store that is well raises no alert", SEEN_S)
        for till in tills[1:]:
            till.kill()
        until(lambda: {"TillDown", "Leaderless"} <= watcher.alarmed(), "the dead tills are seen", SEEN_S)
        told = [check["check"] for check in tills[0].get("/health").body["checks"] if not check["ok"]]
        assert "failover" in told
        for till in tills[1:]:
            till.start()
        until(lambda: _is_over(watcher.alarmed()), "the alerts go; that it took long is still said", SEEN_S)


def _is_over(alarmed: set[str]) -> bool:
    return "FailoverSlow" in alarmed and not {"TillDown", "Leaderless"} & alarmed
