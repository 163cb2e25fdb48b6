"""A card at the (simulated) terminal: refused, paid with a lost answer, taken back, and the sale it pays."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

SLOW_MS = 30_000  # a terminal is asked again after a second, and a machine may be slow
pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_a_card_is_refused_then_paid_although_the_answer_is_lost_and_nothing_is_charged_twice(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    till.ask("/products", "POST", {"sku": "kettle", "name": "Kettle", "price_minor": 3950, "favourite": True})
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("settings")
    ruth.page.get_by_label("Card terminal of this till").select_option("simulated")
    expect(ruth.page.get_by_label("What the simulated one does")).to_have_value("ask")
    ruth.go("sell")
    ruth.page.locator(".tile").filter(has_text="Kettle").click()
    ruth.charge()
    ruth.key("k")
    expect(ruth.page.get_by_text("The amount goes to the card terminal.")).to_be_visible()
    ruth.key("Enter")
    expect(ruth.dialog.get_by_text("Please hold or insert the card")).to_be_visible(timeout=SLOW_MS)
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    ruth.page.screenshot(path=folder / "card-terminal.png", animations="disabled")
    ruth.tap("Card is refused")
    expect(ruth.dialog.get_by_text("The bank refused the card.")).to_be_visible(timeout=SLOW_MS)
    ruth.tap("Back to payment")
    expect(ruth.page.locator("dialog[open]")).to_have_count(0)
    ruth.key("Enter")
    ruth.tap("Pays, answer is lost")
    expect(ruth.page.locator(".paid")).to_be_visible(timeout=SLOW_MS)  # the till asked for it by itself
    ruth.paid()
    (sale,) = till.ask("/sales?limit=1")["sales"]
    (paid,) = sale["payments"]
    assert (paid["method"], paid["amount_minor"], paid["last_four"]) == ("card", 3950, "0000")
    payments = till.ask("/card-payments")["payments"]
    assert [one["state"] for one in payments] == ["approved", "declined"]
    assert payments[0]["used_by"] == sale["sale_id"]


def test_a_card_that_was_charged_counts_after_the_page_was_left_and_is_given_back_when_it_is_dropped(
    till: TillProcess, at_till: OpenCashier
) -> None:
    till.ask("/settings", "PATCH", {"terminal": {"card_terminal": "simulated", "card_simulation": "accept"}})
    till.ask("/products", "POST", {"sku": "kettle", "name": "Kettle", "price_minor": 3950, "favourite": True})
    maya = at_till(till).sign_in()
    maya.page.locator(".tile").filter(has_text="Kettle").click()
    maya.charge()
    maya.key("k")
    maya.type("1000")
    maya.key("Enter")
    expect(maya.page.locator(".taken")).to_contain_text("£10.00", timeout=SLOW_MS)
    maya.page.reload()
    expect(maya.lines).to_have_count(1)
    maya.charge()
    expect(maya.page.locator(".taken")).to_contain_text("£10.00", timeout=SLOW_MS)
    expect(maya.page.locator("#due")).to_have_text("£29.50")
    maya.tap("Take back Card")
    maya.tap("Give back", within=maya.dialog)
    expect(maya.page.locator(".taken")).to_have_count(0, timeout=SLOW_MS)
    expect(maya.page.locator("#due")).to_have_text("£39.50")
    maya.key("c", "Enter")
    maya.paid()
    kinds = [("payment", "approved"), ("refund", "approved")]

    def stands() -> bool:
        return sorted((one["kind"], one["state"]) for one in till.ask("/card-payments")["payments"]) == kinds

    maya.wait_until(stands, within_ms=SLOW_MS)  # the terminal is told after the page
