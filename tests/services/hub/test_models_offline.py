"""The registry in head office's folder, while it is not running: what drifts, and what comes to tills from there."""

import json
from pathlib import Path

import pytest

from tests.services.hub.office import enrolled
from tests.services.hub.test_models import made
from tillmesh.adapters.inference.shelf import read_folder
from tillmesh.edge.bundle import open_bundle
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.publishing import main
from tillmesh.hub.running import now_ms
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.learn.shipping import SHIPPED, shipped_keys
from tillmesh.sync.model_orders import Report

pytestmark = pytest.mark.slow
DAY = 86_400_000


def asked(hub: Path, *words: str) -> tuple[int, dict[str, object]]:
    said: list[str] = []
    status = main([*words, "--hub-data", str(hub)], said.append)
    return status, json.loads(said[0])


def report(terminal: str, days_ago: int, bin_: int, now: int) -> Report:
    shipped = open_bundle(read_folder(SHIPPED / "voice"), shipped_keys()).manifest
    histogram = [0] * 20
    histogram[bin_] = 600
    end = now - days_ago * DAY
    return Report(
        terminal=terminal, name="voice", version=shipped.version, window_start=end - DAY, window_end=end, asked=600,
        confidence_histogram=histogram,
    )  # fmt: skip


def test_a_model_whose_answers_got_less_sure_is_named_for_whoever_trains_it(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    enrolled(hub, "one")
    assert asked(hub, "registry", "--wanted") == (1, {"models": []})
    opened, now = open_hub(hub), now_ms()
    opened.models.take("one", [report("till1", 20, 19, now), report("till1", 1, 19, now)], now)
    opened.close()
    assert asked(hub, "registry", "--wanted")[0] == 1
    opened = open_hub(hub)
    opened.models.take("one", [report("till2", 1, 3, now)], now)
    opened.close()
    status, said = asked(hub, "registry", "--wanted")
    assert (status, [one["name"] for one in said["models"]]) == (0, ["voice"])  # type: ignore[attr-defined]


def test_a_version_is_published_and_taken_back_in_the_folder(tmp_path: Path) -> None:
    hub, out = tmp_path / "hub", made(3, "barcode", tmp_path / "made").parent
    enrolled(hub, "one")
    status, said = asked(hub, "publish", "barcode", "--out", str(out), "--everywhere")
    assert (status, said["known_answer"], said["version"]) == (0, "given", 3)
    status, said = asked(hub, "rollback", "barcode", "--to", "1")
    assert (status, said["stage"], said["champion"]) == (0, "rollback", 1)
    with pytest.raises(NotFound, match="version 2 is not in the registry, which has 3, 1"):
        asked(hub, "rollback", "barcode", "--to", "2")
    with pytest.raises(Invalid, match="exclude each other"):
        asked(hub, "publish", "barcode", "--out", str(out), "--everywhere", "--share", "5")
