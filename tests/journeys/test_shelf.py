"""A manager arranges what the page of the sale shows at this till, with the keyboard alone, and it follows at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def departments(maya: Cashier) -> Locator:
    return maya.page.get_by_role("group", name="Departments").get_by_role("button")


def test_departments_are_arranged_with_the_keyboard_and_the_page_of_the_sale_follows_at_once(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    maya = at_till(till).sign_in()
    expect(departments(maya).nth(1)).to_have_text("Fruit & veg")
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("settings")
    ruth.tap("Arrange departments")
    up = ruth.dialog.get_by_role("button", name="Move Bakery up")
    up.focus()
    ruth.key("Enter")
    expect(ruth.dialog.locator("li").first).to_contain_text("Bakery")
    expect(ruth.dialog.get_by_role("button", name="Move Bakery down")).to_be_focused()  # there is no further up
    ruth.dialog.get_by_role("switch", name="Household").focus()
    ruth.key("Space")
    ruth.dialog.get_by_role("switch", name="Favourites").focus()
    ruth.key("Space")
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    ruth.page.screenshot(path=folder / "shelf.png", animations="disabled")
    ruth.tap("Save", within=ruth.dialog)
    expect(ruth.toast("Saved")).to_be_visible()
    expect(departments(maya).nth(1)).to_have_text("Bakery")
    expect(departments(maya).filter(has_text="Household")).to_have_count(0)
    expect(maya.page.locator(".tile").filter(has_text="Carrier bag")).to_have_count(0)
    departments(maya).filter(has_text="Favourites").click()
    expect(maya.page.locator(".tile").filter(has_text="Sourdough loaf")).to_be_visible()
    expect(maya.page.locator(".tile").filter(has_text="All bran flakes")).to_have_count(0)
    maya.page.get_by_role("searchbox").fill("carrier")
    expect(maya.page.locator(".tile").filter(has_text="Carrier bag")).to_be_visible()  # hidden, and found
    ruth.tap("Arrange departments")
    ruth.tap("Back to the usual order", within=ruth.dialog)
    maya.page.get_by_role("searchbox").fill("")
    expect(departments(maya).nth(1)).to_have_text("Fruit & veg")
    expect(departments(maya).filter(has_text="Household")).to_have_count(1)
