"""The owner at the end of the month: accounts are typed in once, the books of a week go to the accountant."""

import csv
import io
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

ACCOUNTS = {
    "Cash in drawers": "1000", "Card payments": "1360", "Clearing of a day": "1590", "Cash in transit": "1361",
    "Over and short": "2300", "Rounding of cash": "2700", "Owed on gift cards": "1795", "Owed by customers": "1410",
}  # fmt: skip


def test_the_books_of_a_week_are_set_up_looked_at_and_downloaded(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("reports/books")
    last = date.fromisoformat(till.ask("/reports/day")["date"]) - timedelta(days=1)
    first = last - timedelta(days=6)
    ruth.page.get_by_label("To", exact=True).fill(last.isoformat())
    ruth.page.get_by_label("From", exact=True).fill(first.isoformat())
    expect(ruth.page.get_by_text("No account is set for")).to_be_visible()
    expect(ruth.page.get_by_role("link", name="Download file")).to_have_count(0)
    for code in till.ask("/settings")["store"]["tax_rates"]:
        ruth.page.get_by_label(f"Revenue, {code}").fill("8400")
        ruth.page.get_by_label(f"Tax, {code}").fill("1776")
    for label, number in ACCOUNTS.items():
        ruth.page.get_by_label(label).fill(number)
    ruth.tap("Save")
    expect(ruth.toast("Saved")).to_be_visible()
    expect(ruth.page.get_by_text("No account is set for")).to_have_count(0)
    with ruth.page.expect_download() as coming:
        ruth.page.get_by_role("link", name="Download file").click()
    assert coming.value.suggested_filename == f"books-{first}-{last}.csv"
    rows = list(csv.DictReader(io.StringIO(coming.value.path().read_text("utf-8"))))
    assert {row["date"] for row in rows} <= {(first + timedelta(days=n)).isoformat() for n in range(7)}
    through = [
        (1 if row["debit_account"] == "1590" else -1) * int(row["amount"].replace(".", ""))
        for row in rows
        if "1590" in (row["debit_account"], row["credit_account"])
    ]
    assert len(through) > 7
    assert sum(through) == 0
    ruth.tap("DATEV")
    expect(ruth.page.get_by_text("Consultant's number, Client's number")).to_be_visible()
