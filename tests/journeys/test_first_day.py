"""The first day in a shop, as the tutorial tells it, on a till that knows nothing yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.conftest import listen
from tests.journeys.first_day import first_day
from tests.journeys.places import STILL
from tests.journeys.test_accessibility import AUDITING, violations
from tests.journeys.till import TillProcess
from tillmesh.terminal import store_commands

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]


@pytest.fixture
def new_till(tmp_path: Path) -> Iterator[TillProcess]:
    """The first till of a store, as it is after it was installed."""
    store_commands.create(tmp_path / "till")
    process = TillProcess(tmp_path / "till", "--no-ai", "--no-mdns", "--link-bind", "127.0.0.1")
    yield process
    process.close()


def test_the_first_day_goes_as_the_tutorial_says(new_till: TillProcess, browser: Browser, root: Path) -> None:
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    profile = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True, locale="en-GB")
    page = profile.new_page()
    page.add_init_script(AUDITING.read_text("utf-8"))
    complaints: list[str] = []
    listen(page, complaints)
    found: list[str] = []
    for step in first_day(page, new_till):
        page.evaluate(STILL)
        found += [f"{step}: {one}" for one in (*violations(page, axe), *page.evaluate("auditing.fitting()"))]
    profile.close()
    assert not found, "\n".join(found)
    assert not complaints


@pytest.mark.parametrize(("language", "title"), [("de-DE", "Willkommen"), ("fr-FR", "Bienvenue")])
def test_a_new_till_greets_in_the_language_of_the_browser(
    new_till: TillProcess, browser: Browser, root: Path, language: str, title: str
) -> None:
    profile = browser.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True, locale=language)
    page = profile.new_page()
    page.add_init_script(AUDITING.read_text("utf-8"))
    page.goto(new_till.url)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert page.evaluate("auditing.fitting()") == []
    profile.close()
