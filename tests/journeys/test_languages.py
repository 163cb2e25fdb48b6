"""The till in other languages: everything fits, formats are right, and each person has their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.places import EVERYWHERE, close_dialogs, fill_cart, set_look
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import CASHIER, MANAGER
from tillmesh.terminal.web.languages import languages

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]

AUDITING = Path(__file__).with_name("auditing.js")
OTHERS = [language for language in languages() if language != "en"]
SIZES = {"landscape": (1280, 800), "phone": (390, 844)}


@pytest.fixture(params=OTHERS)
def ruth(request: pytest.FixtureRequest, shop_window: TillProcess, at_till: OpenCashier) -> Iterator[Cashier]:
    """The manager, who speaks another language; she sees every page."""
    manager = at_till(shop_window)
    manager.page.add_init_script(AUDITING.read_text("utf-8"))
    manager.language = request.param
    shop_window.ask("/session", "PATCH", {"language": request.param})
    yield manager.sign_in(MANAGER.pin)
    shop_window.ask("/session", "PATCH", {"language": ""})


@pytest.mark.parametrize("size", SIZES)
def test_no_text_is_cut_off_in_any_language(ruth: Cashier, size: str, root: Path) -> None:
    width, height = SIZES[size]
    ruth.page.set_viewport_size({"width": width, "height": height})
    fill_cart(ruth)  # before letters grow: a short list has only those of its lines in the page that are seen
    phone = size == "phone"  # the tightest there is, with the largest letters
    set_look(ruth, theme="dark" if phone else "light", text="larger" if phone else "normal")
    expect(ruth.page.locator("html")).to_have_attribute("lang", ruth.language)
    found: list[str] = []
    for place in EVERYWHERE:
        place.visit(ruth)
        found += [f"{place.name}: {one}" for one in ruth.page.evaluate("auditing.fitting()")]
        place.shoot(ruth, root / "artifacts" / "screenshots", f"{ruth.language}-{size}")
        close_dialogs(ruth)
    assert not found, "\n".join(found)


def test_a_person_chooses_a_language_and_the_next_one_keeps_theirs(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.go("settings")
    maya.page.get_by_label("Language", exact=True).select_option("de")
    expect(maya.page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    maya.go("sell")
    maya.scan(code_of("Sourdough loaf"))
    expect(maya.page.locator("button.pay")).to_contain_text("Kassieren")
    maya.expect_total("3,80\u00a0£")
    maya.scan("99999999")
    expect(maya.toast("Unbekannter Barcode")).to_be_visible()
    refused = maya.page.evaluate(
        "fetch('/api/v1/customers/nobody', {headers: {'Tillmesh-Language': 'de'}}).then(one => one.json())"
    )
    assert refused["detail"] == "kein Kunde 'nobody'"
    maya.key("F10")
    maya.tap("Abmelden")
    expect(maya.page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
    maya.type_pin(MANAGER.pin)
    maya.expect_total("£3.80")
    assert {one["name"]: one["language"] for one in till.ask("/people")["people"]}[CASHIER.name] == "de"


@pytest.mark.parametrize(
    ("locale", "total", "slip"),
    [
        ("de-DE", "3,80\u00a0£", ("SUMME", "3,80\u00a0£", "Es bediente", "MwSt.")),
        ("fr-FR", "3,80\u00a0£GB", ("TOTAL", "3,80\u00a0£GB", "Servi par", "TVA")),
    ],
)
def test_a_store_speaks_its_language_on_screen_and_paper(
    till: TillProcess, at_till: OpenCashier, locale: str, total: str, slip: tuple[str, ...]
) -> None:
    till.ask("/settings", "PATCH", {"store": {"locale": locale}})
    maya = at_till(till)
    maya.language = locale[:2]
    maya.page.goto(till.url)
    expect(maya.page.get_by_role("heading", name=maya.say("Enter your PIN"))).to_be_visible()
    maya.type_pin(CASHIER.pin)
    expect(maya.page.locator(".grid .tile").first).to_be_visible()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_total(total)
    maya.page.get_by_role("button", name=maya.say("Price")).click()
    expect(maya.dialog.locator(".pad .btn").nth(9)).to_have_text(",")
    maya.type("4.2")
    expect(maya.dialog.locator(".numfield input")).to_have_value("4,2")
    maya.key("Escape")
    maya.charge()
    maya.key("Enter")
    expect(maya.page.locator(".payscr.done")).to_be_visible()
    maya.key("r")
    for words in slip:
        expect(maya.dialog).to_contain_text(words)
