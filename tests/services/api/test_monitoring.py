"""Alerts, dashboards and runbook fit each other and the program."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring import SHIPPED, program
from tests.services.api.shop import Shop
from tests.tracked_files import ROOT
from tillmesh.adapters.lan.roster import ROSTER_MEMBERS_MAX
from tillmesh.hub.metrics import Metrics
from tillmesh.terminal import ai
from tillmesh.till import upkeep, watching

RULES = (SHIPPED / "alerts.yml").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "operations" / "runbook.md").read_text(encoding="utf-8")
GIVEN_BY_PROMETHEUS = {"up"}
MODELS = {  # exported by a till that runs models, which is tried where models are
    "tillmesh_inferences_total", "tillmesh_inference_fallbacks_total", "tillmesh_suggestions_total",
    "tillmesh_inference_ms", "tillmesh_model_worker_bytes", "tillmesh_model_given_up",
    "tillmesh_model_unusable",
}  # fmt: skip


def alert(name: str) -> str:
    """Give the part of the rules that is about one alert."""
    found = re.search(rf"- alert: {name}\n(.*?)(?=\n      - alert:|\n  - name:|\Z)", RULES, re.DOTALL)
    assert found, f"no alert {name}"
    return found[1]


def test_every_alert_fires_over_its_limit_and_not_on_it() -> None:
    for words in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")):
        done = subprocess.run([program("promtool"), *words], cwd=SHIPPED, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    tests = (SHIPPED / "alerts.test.yml").read_text(encoding="utf-8")
    for name in re.findall(r"- alert: (\w+)", RULES):
        assert f"name: {name} fires" in tests, name
        assert f"name: {name} stays quiet" in tests, name


def test_every_alert_is_caused_on_real_processes_and_goes_again() -> None:
    caused = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        if re.search(r"^from tests\.alert_replay import", text, re.MULTILINE) or path.name == "test_alerts.py":
            caused |= set(re.findall(r'"([A-Z]\w+)"', text))
    assert set(re.findall(r"- alert: (\w+)", RULES)) - caused == set()


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("Elections", watching.ELECTIONS_HOUR_MAX),
        ("Leaderless", watching.FAILOVER_S_MAX),
        ("SyncLag", watching.LEADER_LAG_S_MAX),
        ("QueueDeep", watching.QUEUE_EVENTS_MAX),
        ("Conflicts", watching.CONFLICT_SHARE_MAX),
        ("InferenceSlow", ai.P99_MS_MAX),
        ("ClockWrong", upkeep.CLOCK_SKEW_S_MAX),
        ("CertificateEnds", upkeep.LINK_CERTIFICATE_S_MIN),
        ("CertificateEnds", upkeep.CERTIFICATE_S_MIN),
        ("TillSilent", upkeep.SILENT_S_MAX),
        ("NamesRunOut", ROSTER_MEMBERS_MAX * 4 // 5),
        ("ModelFallbacks", ai.FALLBACK_SHARE_MAX),
    ],
)
def test_alerts_and_the_words_on_the_till_have_the_same_limits(name: str, limit: float) -> None:
    assert re.search(rf"[<>] {re.escape(str(limit).removesuffix('.0'))}\b", alert(name)), alert(name)


def test_every_alert_sends_people_to_a_part_of_the_runbook_that_is_there() -> None:
    heads = re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in heads}
    for name in re.findall(r"- alert: (\w+)", RULES):
        named = re.search(r"docs/operations/runbook\.md#([\w-]+)", alert(name))
        assert named, name
        assert named[1] in anchors, name


def test_whatever_alerts_and_dashboards_ask_for_is_exported(shop: Shop) -> None:
    exported = _names(generate_latest(shop.services.extra["registry"]).decode()) | _names(Metrics().text().decode())
    asked = set(re.findall(r"\b(?:tillmesh|process)_[a-z_]+", _expressions(RULES)))
    for path in (SHIPPED / "grafana").glob("*.json"):
        asked |= set(re.findall(r"\b(?:tillmesh|process)_[a-z_]+", " ".join(_asked(json.loads(path.read_text())))))
    assert len(asked) > 15
    assert asked - exported - MODELS == set()


def test_dashboards_name_their_panels_and_ask_something_in_each() -> None:
    boards = sorted((SHIPPED / "grafana").glob("*.json"))
    assert [board.name for board in boards] == ["office.json", "store.json"]
    for board in boards:
        panels = json.loads(board.read_text())["panels"]
        assert len({panel["title"] for panel in panels}) == len(panels) >= 6
        assert all(target["expr"] for panel in panels for target in panel["targets"])


def test_whatever_is_watched_or_asked_for_by_an_alert_has_a_panel() -> None:
    page = (ROOT / "docs" / "operations" / "monitoring.md").read_text(encoding="utf-8")
    watched = _series("\n".join(line for line in page.splitlines() if line.startswith("| "))) | _series(
        _expressions(RULES)
    )
    boards = [json.loads(path.read_text()) for path in (SHIPPED / "grafana").glob("*.json")]
    shown = _series(
        " ".join(target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"])
    )
    assert len(watched) > 30
    assert watched - shown == set()


def _series(text: str) -> set[str]:
    """Name the metrics in a text; a histogram by its own name."""
    return {re.sub(r"_(?:bucket|count)$", "", name) for name in re.findall(r"\btillmesh_[a-z_]+", text)}


def _names(text: str) -> set[str]:
    found = set()
    for family in text_string_to_metric_families(text):
        found.add(family.name)
        found |= {sample.name for sample in family.samples}
        if family.type == "histogram":
            found |= {f"{family.name}_bucket", f"{family.name}_count"}
        if family.type == "counter":
            found.add(f"{family.name}_total")
    return found


def _expressions(rules: str) -> str:
    """Give what alerts compute, without what they say."""
    return re.sub(r"^ +(summary|action):.*$", "", rules, flags=re.MULTILINE)


def _asked(board: Any) -> list[str]:
    variables = [str(one["query"].get("query")) for one in board["templating"]["list"] if one["type"] == "query"]
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]] + variables


def test_the_configuration_that_ships_is_one(tmp_path: Path) -> None:
    place = tmp_path / "prometheus.yml"
    place.write_text((SHIPPED / "prometheus.yml").read_text())
    (tmp_path / "alerts.yml").write_text(RULES)
    done = subprocess.run(
        [program("promtool"), "check", "config", str(place)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
