"""Head office in the language of whoever sits before it, with the right numbers, and nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import listen
from tests.journeys.test_accessibility import AUDITING
from tests.laws.hub_world import sale, sealed
from tests.services.hub.gateway import until
from tests.services.hub.office import PASSWORD, USER
from tests.services.hub.test_offers import A, Chain, opened_chain
from tillmesh.hub.running import now_ms
from tillmesh.kernel.envelope import Head

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

SOON_MS = 60_000
# A page, and a word that it says in German and in French.
PAGES = {
    "stores": ("Fehlende Ereignisse", "Événements en retard"),
    "store/vienna": ("Neueste Belege", "Derniers tickets"),
    "sales": ("Nach Tageszeit", "Par heure de la journée"),
    "products": ("Artikel", "Articles"),
    "offers": ("Aktionen", "Promotions"),
    "groups": ("Gruppen", "Groupes"),
    "people": ("Neue Person", "Nouvelle personne"),
    "access": ("Schlüssel", "Clés"),
    "audit": ("Protokoll", "Journal"),
}
SIZES = {"wide": (1280, 800), "upright": (800, 1280)}
THOUSANDS = 1_234_567  # cents: German and French write such an amount differently


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Three stores, a group, a promotion, and something sold in Vienna today."""
    with opened_chain(tmp_path_factory.mktemp("languages") / "hub") as made:
        assert made.office.call("PUT", "/groups/Euro", {"stores": ["vienna", "lisbon"]})[0] == 200
        week = {"promotion_id": "w", "name": "Week", "kind": "percent", "percent": "20", "skus": ["tea"]}
        assert made.office.call("POST", "/promotions", week | {"groups_of_stores": ["Euro"]})[0] == 200
        head = made.heads["vienna"]
        today = msgspec.structs.replace(sale(3, THOUSANDS), closed_at_ms=now_ms())
        sold = sealed(head, today, 3, "vienna")
        made.heads["vienna"] = Head(A, sold.seq, sold.hash)
        made.upload("vienna", [sold])
        report = "/reports/sales?currency=EUR"
        until(lambda: made.office.call("GET", report)[1]["total"]["sales"], bool, "the sale is in no report")
        yield made


def profile_of(browser: Browser, locale: str) -> BrowserContext:
    return browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True, locale=locale)


def opened(profile: BrowserContext, chain: Chain, complaints: list[str]) -> Page:
    page = profile.new_page()
    page.add_init_script(AUDITING.read_text("utf-8"))
    listen(page, complaints)
    page.goto(f"http://127.0.0.1:{chain.office.port}")
    return page


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label(name, exact=True).fill(USER)
    page.get_by_label(password, exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".shop").first).to_be_visible(timeout=SOON_MS)


def test_a_browser_from_vienna_is_spoken_to_in_german_and_whoever_chooses_french_keeps_it(
    browser: Browser, chain: Chain
) -> None:
    complaints: list[str] = []
    profile = profile_of(browser, "de-AT")
    page = opened(profile, chain, complaints)
    page.get_by_label("Name", exact=True).fill("nobody")
    page.get_by_label("Passwort", exact=True).fill("not a password of anybody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Falscher Name oder falsches Passwort", timeout=SOON_MS)
    sign_in(page, "Name", "Passwort")
    expect(page.get_by_role("link", name="Filialen")).to_be_visible()
    assert (page.evaluate("document.documentElement.lang"), page.title()) == ("de", "Zentrale")
    page.get_by_label("Sprache").select_option("fr")
    expect(page.get_by_role("link", name="Magasins")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="Magasins")).to_be_visible(timeout=SOON_MS)
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()
    page.get_by_label("Langue").select_option("de")  # somebody else sits down here
    expect(page.get_by_role("button", name="Anmelden")).to_be_visible()
    sign_in(page, "Name", "Passwort")
    expect(page.get_by_role("link", name="Magasins")).to_be_visible()  # who has chosen French is spoken to in French
    profile.close()
    assert complaints == []


@pytest.mark.parametrize(("language", "word", "shown"), [("de", 0, "12.345,67\xa0€"), ("fr", 1, "12\u202f345,67\xa0€")])
def test_every_page_of_head_office_is_in_the_language_with_its_numbers_and_nothing_is_cut_off(
    browser: Browser, chain: Chain, root: Path, language: str, word: int, shown: str
) -> None:
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    profile = profile_of(browser, language)
    page = opened(profile, chain, complaints)
    found: list[str] = []
    sign_in(page, *(("Name", "Passwort"), ("Nom", "Mot de passe"))[word])
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for name, words in PAGES.items():
            page.evaluate("page => { location.hash = `#/${page}` }", name)
            expect(page.locator(".office-main")).to_contain_text(words[word], timeout=SOON_MS)
            expect(page.locator(".waiting:visible")).to_have_count(0, timeout=SOON_MS)
            page.evaluate("() => document.fonts.ready")
            page.screenshot(
                path=folder / f"office-{name.partition('/')[0]}-{language}-{size}.png", animations="disabled"
            )
            wrong = [*page.evaluate("auditing.fitting()"), *page.evaluate("auditing.sideways()")]
            found += [f"{name}, {language}, {size}: {one}" for one in wrong]
            if name == "store/vienna":
                expect(page.locator(".timeline")).to_contain_text(shown)
    profile.close()
    assert found == []
    assert complaints == []
