"""What real processes told Prometheus, held for hours each, put before the alert rules that ship: promtool judges.

So nobody waits for the patience of a rule, and the rule file is the one that ships, to the byte.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring import SHIPPED, program

STEP_M = 2  # between two samples; a sample counts for five minutes
LONG_M = 150  # longer than any rule waits, and than most look back
LAST_M = 26 * 60  # longer than any rule looks back
Scrape = dict[str, float]  # by series


class Asked(NamedTuple):
    """A process that Prometheus asks."""

    instance: str
    port: int
    job: str = "till"
    store: str = "corner"


class Replay:
    """Scrapes of the same processes, one after the other."""

    def __init__(self) -> None:
        self._scrapes: list[Scrape] = []

    def take(self, *asked: Asked) -> int:
        """Ask each process as it is now; gives the number of this scrape."""
        found: Scrape = {}
        for one in asked:
            found |= _scrape(one)
        self._scrapes.append(found)
        return len(self._scrapes) - 1

    def judge(self, place: Path, fired: Sequence[Collection[str]]) -> None:
        """Let promtool look: after each scrape these alerts fire, and none at the end of the last one.

        At the first scrape and the last none is to fire at all.
        """
        assert len(fired) == len(self._scrapes)
        assert not fired[0]
        assert not fired[-1]
        place.mkdir()
        (place / "alerts.yml").write_bytes((SHIPPED / "alerts.yml").read_bytes())
        lengths = [LONG_M // STEP_M] * (len(fired) - 1) + [LAST_M // STEP_M]
        test = {
            "interval": f"{STEP_M}m",
            "input_series": self._series(lengths),
            "promql_expr_test": _questions(lengths, fired),
        }
        words = {"rule_files": ["alerts.yml"], "evaluation_interval": "2m", "tests": [test]}
        (place / "test.yml").write_text(json.dumps(words))
        done = subprocess.run(
            [program("promtool"), "test", "rules", "test.yml"], cwd=place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _series(self, lengths: Sequence[int]) -> list[dict[str, str]]:
        found = []
        for name in sorted({name for scrape in self._scrapes for name in scrape}):
            values = ["_" if name not in scrape else repr(scrape[name]) for scrape in self._scrapes]
            texts = [_held(value, length) for value, length in zip(values, lengths, strict=True)]
            found.append({"series": name, "values": " ".join(texts)})
        return found


def _held(value: str, times: int) -> str:
    """Write a value so many times; what is not told any more goes at once, as it does for Prometheus."""
    return f"stale _x{times - 2}" if value == "_" else f"{value}x{times - 1}"


def _questions(lengths: Sequence[int], fired: Sequence[Collection[str]]) -> list[dict[str, object]]:
    # The disk of the machine that runs the tests is nobody's concern but of a test about room.
    spared = "" if any("DiskScarce" in names for names in fired) else "DiskScarce"
    found: list[dict[str, object]] = []
    end_m = 0
    for length, names in zip(lengths, fired, strict=True):
        end_m += length * STEP_M
        for name in sorted(names):
            firing = f'ALERTS{{alertname="{name}",alertstate="firing"}}[{length * STEP_M - 1}m]'
            asked = f"count(count_over_time({firing})) > bool 0 or vector(0)"
            answer = [{"labels": "{}", "value": 1}]
            found.append({"expr": asked, "eval_time": f"{end_m - STEP_M}m", "exp_samples": answer})
        if not names:
            quiet = f'count by (alertname) (ALERTS{{alertstate="firing",alertname!="{spared}"}})'
            found.append({"expr": quiet, "eval_time": f"{end_m - STEP_M}m", "exp_samples": []})
    return found


def _scrape(one: Asked) -> Scrape:
    where = {"instance": one.instance, "store": one.store, "job": one.job}
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{one.port}/api/v1/metrics", timeout=30) as answer:
            text = answer.read().decode()
    except OSError:
        return {_name("up", where): 0}
    found = {_name("up", where): 1.0}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in WATCHED:
                found[_name(sample.name, {**sample.labels, **where})] = sample.value
    return found


def _name(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ",".join(f'{key}="{value}"' for key, value in sorted(labels.items())) + "}"


WATCHED = set(re.findall(r"\btillmesh_[a-z_]+", (SHIPPED / "alerts.yml").read_text(encoding="utf-8")))
