"""The page of failures tells the truth: what is named there as detector, words, runbook and test is really there."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from tests.docs_rules import anchors
from tests.proof_rows import TEST, defined
from tests.tracked_files import ROOT

OPERATIONS = ROOT / "docs" / "operations"
PAGE = OPERATIONS / "failure-modes.md"
# What a till and a head office must live with.
FAILURES = {
    "Leader crash", "Follower crash", "Store partition", "Split brain", "Slow leader", "All terminals down",
    "Internet outage", "Hub unavailable", "Local database corruption", "Event log full", "Delta lost", "Clock skew",
    "Tombstone and counter growth", "Model file corrupt", "Inference timeout", "Out of memory", "Wrong prediction",
    "Model drift", "A certificate ends", "No back-up", "A till silent for months",
}  # fmt: skip
LINK = re.compile(r"\]\(\.\./\.\./([\w/.-]+)\)")
QUOTED = re.compile(r'"([^"]+)"')


class Row(NamedTuple):
    """One failure."""

    failure: str
    detector: str
    by_itself: str
    seen: str
    runbook: str
    tests: str


def rows(text: str) -> list[Row]:
    """List the rows of the table without its head."""
    found = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]
    return [Row(*cells) for cells in found if len(cells) == len(Row._fields) and cells[0] != "failure"]


def wrong(text: str) -> list[str]:
    """Name what a row lacks or names and is not there."""
    found, parts = [], anchors((OPERATIONS / "runbook.md").read_text("utf-8"))
    for row in rows(text):
        detectors = LINK.findall(row.detector)
        found += [f"{row.failure}: nothing is named that notices it"] * (not detectors)
        found += [f"{row.failure}: there is no {path}" for path in detectors if not (ROOT / path).exists()]
        found += [f"{row.failure}: nobody reads of it"] * (not row.seen)
        found += [f"{row.failure}: no page says {words!r}" for words in QUOTED.findall(row.seen) if not _is_said(words)]
        anchor = row.runbook.partition("(runbook.md#")[2].rstrip(")")
        found += [f"{row.failure}: the runbook has no part {anchor!r}"] * (anchor not in parts)
        tests = [(match["name"], match["path"]) for match in TEST.finditer(row.tests)]
        found += [f"{row.failure}: no test brings it about"] * (not tests)
        found += [f"{row.failure}: {path} has no {name}" for name, path in tests if name not in defined(ROOT / path)]
    return found


def _is_said(words: str) -> bool:
    """Say whether these words stand in the program, with anything in their holes."""
    pieces = [re.escape(piece.strip()) for piece in words.split("…") if piece.strip()]
    return re.search(r"[^\n]{0,80}?".join(pieces), _said()) is not None


@cache
def _said() -> str:
    places = (ROOT / "src" / "tillmesh").rglob("*")
    return "\n".join(path.read_text("utf-8") for path in places if path.suffix == ".py" or path.name == "en.json")


def test_every_failure_is_on_the_page_once() -> None:
    named = [row.failure for row in rows(PAGE.read_text("utf-8"))]
    assert sorted(named) == sorted(FAILURES)


def test_each_has_a_detector_words_a_part_of_the_runbook_and_a_test_that_are_there() -> None:
    assert wrong(PAGE.read_text("utf-8")) == []


def test_what_is_not_there_is_named() -> None:
    text = (
        '| Flood | nobody | swims | "The till … is under the waterline." | [part](runbook.md#flood) | some day |\n'
        "| Fire | [`smoke.py`](../../src/tillmesh/smoke.py) | burns | smoke | [part](runbook.md#the-printer) "
        "| [`test_fire`](../../tests/test_tidy.py) |\n"
    )
    assert wrong(text) == [
        "Flood: nothing is named that notices it",
        "Flood: no page says 'The till … is under the waterline.'",
        "Flood: the runbook has no part 'flood'",
        "Flood: no test brings it about",
        "Fire: there is no src/tillmesh/smoke.py",
        "Fire: tests/test_tidy.py has no test_fire",
    ]
