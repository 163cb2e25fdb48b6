"""Everybody can work here: axe on every page and dialog, big targets, text that fits, focus that stays visible."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import OpenCashier
from tests.journeys.places import DIALOGS, EVERYWHERE, PAGES, THEMES, close_dialogs, fill_cart, set_look
from tests.journeys.till import TillProcess
from tests.journeys.trouble import out_of_order
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AUDITING = Path(__file__).with_name("auditing.js")
SIZES = [(1280, 800), (1366, 768), (1024, 768), (800, 1280), (390, 844)]


@pytest.fixture
def ruth(shop_window: TillProcess, at_till: OpenCashier) -> Cashier:
    """The manager: she sees every page."""
    manager = at_till(shop_window, bypass_csp=True)
    manager.page.add_init_script(AUDITING.read_text("utf-8"))
    return manager.sign_in(MANAGER.pin)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_on_any_page_or_dialog(ruth: Cashier, theme: str, root: Path) -> None:
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    set_look(ruth, theme=theme)
    fill_cart(ruth)
    found: list[str] = []
    for place in EVERYWHERE:
        place.visit(ruth)
        found += [f"{place.name}: {one}" for one in violations(ruth.page, axe)]
        close_dialogs(ruth)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_on_the_sign_in_page(shop_window: TillProcess, at_till: OpenCashier, root: Path) -> None:
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    visitor = at_till(shop_window, bypass_csp=True)
    visitor.page.goto(shop_window.url)
    for theme in THEMES:
        set_look(visitor, theme=theme)
        expect(visitor.page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
        assert not violations(visitor.page, axe), theme


def test_a_till_that_is_out_of_order_says_so_to_everybody_and_goes_on_unaided(
    shop_window: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    page = at_till(shop_window).page
    shown = out_of_order(page, f"{shop_window.url}/", "de")
    next(shown)
    assert not violations(page, axe)
    assert next(shown, None) is None  # the till opens its data
    expect(page.get_by_role("heading", name="Enter your PIN")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_targets_are_large_and_no_label_is_cut_off(ruth: Cashier, width: int, height: int) -> None:
    ruth.page.set_viewport_size({"width": width, "height": height})
    found: list[str] = []
    for text in ("normal", "larger"):
        set_look(ruth, text=text)
        fill_cart(ruth)
        for place in PAGES if text == "normal" else EVERYWHERE:
            place.visit(ruth)
            found += [f"{place.name} ({text}): {one}" for one in ruth.page.evaluate("auditing.fitting()")]
            close_dialogs(ruth)
    assert not found, "\n".join(found)


def test_the_page_works_at_twice_its_size(ruth: Cashier) -> None:
    # A browser's zoom of 200 % halves the layout: 1280 x 800 becomes 640 x 400 (WCAG 1.4.10).
    ruth.page.set_viewport_size({"width": 640, "height": 400})
    fill_cart(ruth)
    found: list[str] = []
    for place in EVERYWHERE:
        place.visit(ruth)
        found += [f"{place.name}: {one}" for one in ruth.page.evaluate("auditing.sideways()")]
        close_dialogs(ruth)
    assert not found, "\n".join(found)
    ruth.go("sell")
    ruth.charge()


def test_dialogs_trap_the_focus_and_show_where_it_is(ruth: Cashier) -> None:
    fill_cart(ruth)
    found: list[str] = []
    for place in DIALOGS:
        place.visit(ruth)
        if ruth.page.locator("dialog[open]").count() == 0:
            continue
        for _ in range(12):
            ruth.key("Tab")
            problem = ruth.page.evaluate("auditing.focus()")
            if problem:
                found.append(f"{place.name}: {problem}")
        close_dialogs(ruth)
    assert not found, "\n".join(found)


def test_nothing_moves_for_people_who_asked_for_calm(shop_window: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(shop_window, reduced_motion="reduce").sign_in()
    maya.key("F10")
    expect(maya.dialog).to_be_visible()
    assert maya.page.evaluate("() => document.getAnimations().every(a => a.effect.getComputedTiming().duration < 50)")


def violations(page: Page, axe: str) -> list[str]:
    """Run axe; give what it finds as sentences."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe)
    answer: Any = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
    )
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} - {node['failureSummary'][:200]}"
        for one in answer["violations"]
        for node in one["nodes"]
    ]
