"""The customer's display: the basket as it grows, what is to pay, the change, and a quiet page."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier, listen
from tests.journeys.till import TillProcess

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def beside(maya: Cashier, till: TillProcess, complaints: list[str]) -> Page:
    """Open the second window of this till's browser."""
    window = maya.page.context.new_page()
    listen(window, complaints)
    window.goto(f"{till.url}/display")
    return window


def test_the_customer_sees_the_basket_the_total_and_the_change(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    complaints: list[str] = []
    maya = at_till(till).sign_in()
    display = beside(maya, till, complaints)
    expect(display.get_by_text("Welcome")).to_be_visible()
    maya.scan(code_of("Sourdough loaf"))
    maya.scan(code_of("Avocado"))
    maya.expect_saved()
    expect(display.locator("aside output")).to_have_text("£4.75")
    expect(display.locator("li")).to_have_count(2)
    expect(display.locator("li").first).to_contain_text("Sourdough loaf")
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    display.screenshot(path=folder / "display-basket.png")
    maya.charge()
    maya.type("1000")
    maya.key("Enter")
    maya.paid()
    expect(display.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(display.locator("aside output")).to_have_text("£5.25")
    display.screenshot(path=folder / "display-change.png")
    maya.key("Enter")
    maya.scan(code_of("Avocado"))
    expect(display.locator("aside output")).to_have_text("£0.95")
    assert complaints == []


def test_a_display_speaks_the_store_s_language_and_goes_quiet_when_nobody_is_signed_in(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    till.ask("/settings", "PATCH", {"store": {"locale": "de-DE"}})
    maya = at_till(till)
    complaints: list[str] = []
    display = beside(maya, till, complaints)
    expect(display.get_by_text("Willkommen")).to_be_visible()
    display.screenshot(path=root / "artifacts" / "screenshots" / "display-idle.png")
    assert complaints == []
