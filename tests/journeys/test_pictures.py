"""A product gets a picture: from a file, from the camera, and off again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import listen
from tests.journeys.pretended import seeing_apples
from tests.journeys.till import TillProcess
from tests.pictures import drawn
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]
SKU, NAME = "FM-00301", "Sourdough loaf"


@pytest.fixture
def camera_browser(browser: Browser, chromium: str | None, tmp_path: Path) -> Iterator[Browser]:
    with seeing_apples(browser, chromium, tmp_path) as found:
        yield found


@pytest.fixture
def ruth(till: TillProcess, camera_browser: Browser) -> Iterator[Cashier]:
    complaints: list[str] = []
    profile = camera_browser.new_context(viewport={"width": 1280, "height": 800}, permissions=["camera"])
    profile.on("page", lambda page: listen(page, complaints))
    yield Cashier(profile.new_page(), till).sign_in(MANAGER.pin)
    profile.close()
    assert complaints == []


def edit(ruth: Cashier) -> None:
    ruth.go("products")
    ruth.page.get_by_role("textbox").first.fill(NAME)
    ruth.page.locator("button.product-row").filter(has_text=NAME).click()
    expect(ruth.dialog.get_by_role("group", name="Picture")).to_be_visible()


def save(ruth: Cashier) -> None:
    ruth.tap("Save", within=ruth.dialog)
    expect(ruth.dialog).to_have_count(0)  # it closes once all is saved; a toast may be that of the time before
    ruth.go("sell")


def tile(ruth: Cashier) -> Locator:
    return ruth.page.locator(".tile").filter(has_text=NAME)


def painted(picture: Locator) -> None:
    """Wait until a picture shows something: an address alone may lead nowhere."""
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("one => one.naturalWidth") > 0


def test_a_product_gets_a_picture_that_its_tile_and_the_customer_s_display_show(
    till: TillProcess, ruth: Cashier, root: Path, tmp_path: Path
) -> None:
    large = tmp_path / "loaf.png"
    drawn(1600, 1200).save(large)
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)

    edit(ruth)
    with ruth.page.expect_file_chooser() as choosing:
        ruth.tap("Choose a file", within=ruth.dialog)
    choosing.value.set_files(large)
    painted(ruth.dialog.get_by_alt_text(f"Picture of {NAME}"))
    ruth.page.screenshot(path=folder / "picture-form.png", animations="disabled")
    save(ruth)
    painted(tile(ruth).locator("img"))
    before, name = tile(ruth).locator("img").bounding_box(), tile(ruth).locator("b").bounding_box()
    assert before is not None
    assert name is not None
    assert before["x"] + before["width"] <= name["x"], "the name stands beside its picture, and not under it"
    ruth.page.screenshot(path=folder / "picture-tile.png", animations="disabled")
    first = till.ask(f"/products/{SKU}")["image"]
    assert first.split(".")[1] == "webp"

    display = ruth.page.context.new_page()
    display.goto(f"{till.url}/display")
    tile(ruth).click()
    painted(display.locator("li img"))
    display.screenshot(path=folder / "picture-display.png", animations="disabled")
    display.close()

    edit(ruth)
    ruth.tap("Take a photo", within=ruth.dialog)
    ruth.tap("Take it")
    painted(ruth.dialog.get_by_alt_text(f"Picture of {NAME}"))
    save(ruth)
    second = till.ask(f"/products/{SKU}")["image"]
    assert second not in {"", first}
    expect(tile(ruth).locator("img")).to_have_attribute("src", f"/api/v1/pictures/{second[:64]}")

    edit(ruth)
    ruth.tap("Remove the picture", within=ruth.dialog)
    save(ruth)
    expect(tile(ruth).locator("img")).to_have_count(0)
    expect(tile(ruth).locator("svg")).to_have_count(1)
    assert till.ask(f"/products/{SKU}")["image"] == ""
