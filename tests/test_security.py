"""The page of security tells the truth: every requirement is there, and names tests that exist or is open."""

from tests.proof_rows import rows, wrong
from tests.tracked_files import ROOT

PAGE = (ROOT / "docs" / "reference" / "security.md").read_text("utf-8")
REQUIREMENTS = PAGE[PAGE.index("## What is required") :]


def test_every_requirement_names_a_test_that_attacks_or_is_open() -> None:
    assert wrong(REQUIREMENTS) == []


def test_no_requirement_is_forgotten() -> None:
    assert [number for number, _, _ in rows(REQUIREMENTS)] == [f"S{number}" for number in range(1, 18)]
