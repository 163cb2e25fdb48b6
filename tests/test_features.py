"""The page of features tells the truth: every row of both tables is there, and names tests that exist or is open."""

from __future__ import annotations

from tests.proof_rows import rows, wrong
from tests.tracked_files import ROOT

PAGE = ROOT / "docs" / "reference" / "features.md"
AREAS = {
    "Checkout", "Tender", "Price and tax", "Promotions", "Barcodes", "Products", "Customers", "Refund, void", "Park",
    "People", "Shift and cash", "Receipts", "Stock", "Reports", "Back office", "Fiscal", "Other",
}  # fmt: skip
COMPLAINTS = {f"Complaint {number}" for number in range(1, 16)}


def test_every_row_of_the_page_names_a_test_that_exists_or_is_open() -> None:
    assert wrong(PAGE.read_text("utf-8")) == []


def test_every_area_and_every_complaint_is_on_the_page() -> None:
    areas = {area for area, _, _ in rows(PAGE.read_text("utf-8"))}
    assert areas == AREAS | COMPLAINTS


def test_a_row_without_a_test_and_a_link_to_nothing_are_caught() -> None:
    text = "| Tender | cash | some day |\n| Tender | card | [`test_gone`](../../tests/test_gone.py) |\n"
    assert wrong(text) == ["Tender, cash: neither a test nor open", "Tender, card: tests/test_gone.py has no test_gone"]
