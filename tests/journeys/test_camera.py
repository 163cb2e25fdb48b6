"""Somebody holds a product before the camera: the till does not know it, is shown it, and knows it from then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import listen
from tests.journeys.pretended import seeing_apples
from tests.journeys.till import TillProcess, copy_shop
from tillmesh.demo.shop_data import SUPERVISOR

pytestmark = pytest.mark.journey
WAIT_MS = 60_000  # the worker has to start, on whatever machine this is


@pytest.fixture
def camera_browser(browser: Browser, chromium: str | None, tmp_path: Path) -> Iterator[Browser]:
    with seeing_apples(browser, chromium, tmp_path) as found:
        yield found


@pytest.fixture
def patient_till(shop: Path, tmp_path: Path) -> Iterator[TillProcess]:
    """A till that waits long for its models: this machine may be slow, and people are not what is tested here."""
    process = TillProcess(copy_shop(shop, tmp_path / "till"), "--model-deadline-ms", "4000")
    yield process
    process.close()


def show(page: Page, name: str) -> None:
    """Show the till what a product looks like, three times."""
    page.get_by_role("button", name="Show a new product").click()
    page.locator(".camera .picker input").fill(name)
    page.locator(".camera .row-main").filter(has_text=name).first.click()
    for shot in ("1 photo", "2 photos", "3 photos"):
        page.get_by_role("button", name="Take a photo").click()
        expect(page.locator(".camera").get_by_text(shot, exact=True)).to_be_visible(timeout=WAIT_MS)


def test_a_product_is_unknown_is_shown_to_the_till_and_is_recognised_from_then_on(
    camera_browser: Browser, patient_till: TillProcess
) -> None:
    complaints: list[str] = []
    page = camera_browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(WAIT_MS)
    listen(page, complaints)
    maya = Cashier(page, patient_till).sign_in()

    maya.key("Insert")
    expect(page.get_by_role("heading", name="What is it?")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("I don't know this")).to_be_visible(timeout=WAIT_MS)
    show(page, "Butter croissant")
    # Whoever may teach could sell lobster as carrots: a supervisor says yes on the spot, and the photos wait.
    page.get_by_role("button", name="Learn it").click()
    expect(maya.dialog).to_contain_text("Supervisor approval")
    maya.key("Escape")
    expect(page.get_by_text("3 photos", exact=True)).to_be_visible()
    page.get_by_role("button", name="Learn it").click()
    expect(maya.dialog).to_contain_text("Supervisor approval")
    maya.type_pin(SUPERVISOR.pin)
    expect(page.get_by_text("Butter croissant is known now, on every till")).to_be_visible(timeout=WAIT_MS)

    # Sure twice in a row: it is in the sale, and one tap takes it back.
    expect(page.get_by_text("Butter croissant added")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".line")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".line")).to_have_count(0)

    # And the next time it is known at once.
    maya.key("Insert")
    expect(page.get_by_text("Butter croissant added")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".line")).to_have_count(1)

    # What the model did is there for who wonders.
    maya.go("health")
    shown = page.locator(".card").filter(has_text="Recognises products")
    expect(shown).to_contain_text("half of them within", timeout=WAIT_MS)
    assert not complaints
