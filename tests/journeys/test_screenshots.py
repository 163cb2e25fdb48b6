"""Pictures of every page and dialog in every look: for people, who see what no rule says."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import OpenCashier
from tests.journeys.places import EVERYWHERE, PAGES, THEMES, close_dialogs, fill_cart, set_look
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]

PORTRAIT = (800, 1280)
PHONE = (390, 844)


@pytest.mark.parametrize("theme", THEMES)
def test_pictures_in_every_colour(shop_window: TillProcess, at_till: OpenCashier, root: Path, theme: str) -> None:
    ruth = at_till(shop_window).sign_in(MANAGER.pin)
    set_look(ruth, theme=theme)
    fill_cart(ruth)
    folder = root / "artifacts" / "screenshots"
    places = EVERYWHERE if theme == "light" else PAGES
    for place in places:
        place.visit(ruth)
        place.shoot(ruth, folder, theme)
        close_dialogs(ruth)
    assert len(list(folder.glob(f"*-{theme}.png"))) >= len(places)


@pytest.mark.parametrize(("name", "size"), [("portrait", PORTRAIT), ("phone", PHONE)])
def test_pictures_of_upright_screens(
    shop_window: TillProcess, at_till: OpenCashier, root: Path, name: str, size: tuple[int, int]
) -> None:
    ruth = at_till(shop_window, width=size[0], height=size[1]).sign_in(MANAGER.pin)
    fill_cart(ruth)
    folder = root / "artifacts" / "screenshots"
    for place in PAGES:
        place.visit(ruth)
        place.shoot(ruth, folder, name)
        close_dialogs(ruth)
    assert len(list(folder.glob(f"*-{name}.png"))) >= len(PAGES)


def test_a_picture_of_the_first_page(shop_window: TillProcess, at_till: OpenCashier, root: Path) -> None:
    visitor = at_till(shop_window)
    visitor.page.goto(shop_window.url)
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        set_look(visitor, theme=theme)
        expect(visitor.page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
        visitor.page.screenshot(path=folder / f"sign-in-{theme}.png", animations="disabled")
    assert (folder / "sign-in-contrast.png").stat().st_size > 10_000
