"""The page of features tells the truth: every row of both tables is there, and names tests that exist or is open."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tracked_files import ROOT

PAGE = ROOT / "docs" / "reference" / "features.md"
ROW = re.compile(r"^\| (?P<area>[^|]+) \| (?P<what>[^|]+) \| (?P<how>[^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"\[`(?P<name>test_\w+)`\]\(\.\./\.\./(?P<path>tests/[\w/]+\.py)\)")
AREAS = {
    "Checkout", "Tender", "Price and tax", "Promotions", "Barcodes", "Products", "Customers", "Refund, void", "Park",
    "People", "Shift and cash", "Receipts", "Stock", "Reports", "Back office", "Other",
}  # fmt: skip
COMPLAINTS = {f"Complaint {number}" for number in range(1, 16)}


def rows(text: str) -> list[tuple[str, str, str]]:
    found = [(row["area"].strip(), row["what"].strip(), row["how"].strip()) for row in ROW.finditer(text)]
    return [row for row in found if row[0] not in {"area", "---"}]


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
    if not path.exists():
        return set()
    body = ast.parse(path.read_text("utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_row_of_the_page_names_a_test_that_exists_or_is_open() -> None:
    assert wrong(PAGE.read_text("utf-8")) == []


def test_every_area_and_every_complaint_is_on_the_page() -> None:
    areas = {area for area, _, _ in rows(PAGE.read_text("utf-8"))}
    assert areas == AREAS | COMPLAINTS


def test_a_row_without_a_test_and_a_link_to_nothing_are_caught() -> None:
    text = "| Tender | cash | some day |\n| Tender | card | [`test_gone`](../../tests/test_gone.py) |\n"
    assert wrong(text) == ["Tender, cash: neither a test nor open", "Tender, card: tests/test_gone.py has no test_gone"]
