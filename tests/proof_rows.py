"""Tables whose last column names the tests that prove a row, or says that it is open."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tracked_files import ROOT

ROW = re.compile(r"^\| (?P<area>[^|]+) \| (?P<what>[^|]+) \| (?P<how>[^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"\[`(?P<name>test_\w+)`\]\(\.\./\.\./(?P<path>tests/[\w/]+\.py)\)")


def rows(text: str) -> list[tuple[str, str, str]]:
    """List the rows of all three-column tables of a page, without their heads."""
    found = [(row["area"].strip(), row["what"].strip(), row["how"].strip()) for row in ROW.finditer(text)]
    return [row for row in found if row[0] not in {"area", "#", "---"}]


def wrong(text: str) -> list[str]:
    """Name rows that are neither tested nor open, and tests that are not there."""
    found = []
    for area, what, how in rows(text):
        tests = [(m["name"], m["path"]) for m in TEST.finditer(how)]
        if not tests and not how.startswith("open"):
            found.append(f"{area}, {what}: neither a test nor open")
        found += [f"{area}, {what}: {path} has no {name}" for name, path in tests if name not in defined(ROOT / path)]
    return found


def defined(path: Path) -> set[str]:
    """Name the functions that stand in a module."""
    if not path.exists():
        return set()
    body = ast.parse(path.read_text("utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
