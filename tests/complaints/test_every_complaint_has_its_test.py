"""The page that lists the complaints tells the truth: every row names tests, and they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "complaints.md"
ROW = re.compile(r"^\| (?P<number>\d+) \|.*\| (?P<tests>[^|]*) \|$", re.MULTILINE)
TEST = re.compile(r"\[(?P<name>test_\w+)\]\(\.\./\.\./(?P<path>tests/[\w/]+\.py)\)")


def rows(text: str) -> dict[int, list[tuple[str, str]]]:
    """The tests that each row links to, as pairs of name and path."""
    return {
        int(row["number"]): [(m["name"], m["path"]) for m in TEST.finditer(row["tests"])] for row in ROW.finditer(text)
    }


def missing(text: str) -> list[str]:
    """Name rows without a test, and tests that are not where the page says."""
    found = []
    for number, tests in rows(text).items():
        if not tests:
            found.append(f"row {number} names no test")
        found += [f"row {number}: {path} has no {name}" for name, path in tests if name not in defined(ROOT / path)]
    return found


def defined(path: Path) -> set[str]:
    if not path.exists():
        return set()
    return {node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)}


def test_every_complaint_on_the_page_links_to_a_test_that_exists() -> None:
    text = PAGE.read_text("utf-8")
    assert rows(text).keys() == set(range(1, 16))
    assert missing(text) == []


def test_every_test_of_a_complaint_is_on_the_page() -> None:
    named = {path for tests in rows(PAGE.read_text("utf-8")).values() for _, path in tests}
    there = {f"tests/complaints/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert there - named == {f"tests/complaints/{Path(__file__).name}"}


def test_a_row_without_a_test_and_a_link_to_nothing_are_caught() -> None:
    text = "| 1 | x | y | nothing |\n| 2 | x | y | [test_gone](../../tests/complaints/test_gone.py) |\n"
    assert missing(text) == ["row 1 names no test", "row 2: tests/complaints/test_gone.py has no test_gone"]
