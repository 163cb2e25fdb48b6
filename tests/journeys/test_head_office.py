"""Head office in the browser: what two tills sell arrives, a price goes down to both, and people are let in and out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import listen
from tests.journeys.places import THEMES
from tests.journeys.test_accessibility import AUDITING, violations
from tests.services.hub.test_demo_office import Till
from tests.services.test_demo_program import call, demo, until
from tillmesh.demo.office import OFFICE_PASSWORD, OFFICE_USER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

SOON_MS = 60_000  # of a loaded machine; how soon it really is, is measured elsewhere
SIZES = {"wide": (1280, 800), "phone": (390, 844)}
LOAF = "FM-00301"
PAGES = {  # the hash of a page, and what shows that it is there
    "stores": ".shop",
    "sales": ".kpis",
    "products": ".priced-rows .list-row",
    "offers": ".accesses .access",
    "groups": ".group",
    "models": ".shop",
    "people": ".person",
    "access": ".access",
    "audit": ".timeline li",
}


class Visitor:
    """Somebody at head office."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.goto(url)

    def sign_in(self, user: str = OFFICE_USER, password: str = OFFICE_PASSWORD) -> None:
        self.page.get_by_label("Name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.keyboard.press("Enter")

    def go(self, page: str) -> None:
        self.page.evaluate("page => { location.hash = `#/${page}` }", page)
        expect(self.page.locator(PAGES.get(page, ".office-main")).first).to_be_visible(timeout=SOON_MS)
        expect(self.page.locator(".waiting:visible")).to_have_count(0, timeout=SOON_MS)

    def look(self, theme: str, size: tuple[int, int] = SIZES["wide"]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.evaluate("theme => localStorage.setItem('tillmesh.look', JSON.stringify({theme}))", theme)
        self.page.reload()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh profile; what the page complains about fails the test."""
    profile = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True, locale="en-GB")
    complaints: list[str] = []
    opened = profile.new_page()
    opened.add_init_script(AUDITING.read_text("utf-8"))
    listen(opened, complaints)
    yield opened
    profile.close()
    assert not complaints


def taken(hub: str, token: str) -> int:
    """What head office says was taken today."""
    return sum(int(one["today"]["net_minor"]) for one in call(hub, "GET", "/overview", token=token)["stores"])


def pounds(minor: int) -> str:
    return f"£{minor // 100:,}.{minor % 100:02}"


def looked_at(visitor: Visitor, root: Path) -> list[str]:
    """Keep every page in every look, and as a phone shows it; give what is wrong with it for anybody."""
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    found: list[str] = []
    for variant in (*THEMES, "phone"):
        visitor.look("light" if variant == "phone" else variant, SIZES["phone" if variant == "phone" else "wide"])
        for name in PAGES:
            visitor.go(name)
            visitor.page.evaluate("() => document.fonts.ready")
            visitor.page.screenshot(path=folder / f"office-{name}-{variant}.png", animations="disabled")
            wrong = [*violations(visitor.page, axe), *visitor.page.evaluate("auditing.fitting()")]
            wrong += visitor.page.evaluate("auditing.sideways()")
            found += [f"{name}, {variant}: {one}" for one in wrong]
    visitor.look("light")
    return found


def test_what_two_tills_sell_is_at_head_office_and_its_price_is_on_both(page: Page, tmp_path: Path, root: Path) -> None:
    with demo(tmp_path / "data", "--tills", "2") as (_, state):
        hub = state["hub"]["url"]
        token = call(hub, "POST", "/session", {"user": OFFICE_USER, "password": OFFICE_PASSWORD})["token"]
        tills = [Till(till["url"]) for till in state["tills"]]
        ann = Visitor(page, hub)
        axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
        expect(page.get_by_label("Name")).to_be_focused()
        found = [f"sign-in: {one}" for one in (*violations(page, axe), *page.evaluate("auditing.fitting()"))]
        ann.sign_in(password="not the password")
        expect(page.get_by_role("alert")).to_contain_text("Wrong name or password", timeout=SOON_MS)
        ann.sign_in()
        expect(page.locator(".shop")).to_contain_text("Online", timeout=SOON_MS)
        until(lambda: all(till.get("/sync")["complete"] for till in tills))
        before = taken(hub, token)

        sold = [till.sell(f"sale-{number}") for number, till in enumerate(tills)]
        after = before + sum(each["total_minor"] for each in sold)
        until(lambda: taken(hub, token) == after)
        expect(page.locator(".shop .kv")).to_have_text(pounds(after), timeout=SOON_MS)
        page.locator(".shop").click()
        expect(page.locator(".store-tills tbody tr")).to_have_count(2, timeout=SOON_MS)
        for each in sold:
            expect(page.locator(".timeline")).to_contain_text(each["receipt_number"], timeout=SOON_MS)

        found += a_price_goes_down(ann, tills, root)
        ann.go("stores")
        expect(page.locator(".shop")).to_contain_text(re.compile(r"Till \d leads, term"), timeout=SOON_MS)
        put_together(hub, token)
        found += looked_at(ann, root)
        assert not found, "\n".join(found)
        people_come_and_go(ann, hub)
        a_key_is_issued_and_revoked(ann)


def a_price_goes_down(ann: Visitor, tills: list[Till], root: Path) -> list[str]:
    """Change a price with the keyboard alone, and see it come to both tills; give what is wrong with the dialog."""
    page = ann.page
    ann.go("products")
    page.get_by_placeholder("Find a product").fill(LOAF)
    expect(page.locator(".priced-rows .list-row")).to_have_count(1, timeout=SOON_MS)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("New price")).to_be_focused(timeout=SOON_MS)
    page.keyboard.type("4.44")
    page.keyboard.press("Enter")
    said = page.locator(".refusal.fine")
    expect(said).to_contain_text("£4.44", timeout=SOON_MS)
    expect(said).to_contain_text("Every till has it", timeout=SOON_MS)
    expect(page.locator(".priced .pill")).to_have_text("On 2 of 2 tills")
    assert [till.get(f"/products/{LOAF}")["price_minor"] for till in tills] == [444, 444]
    page.screenshot(path=root / "artifacts" / "screenshots" / "office-price-light.png", animations="disabled")
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    found = [f"price: {one}" for one in (*violations(page, axe), *page.evaluate("auditing.fitting()"))]
    page.keyboard.press("Escape")
    ann.go("audit")
    expect(page.locator(".timeline")).to_contain_text(LOAF, timeout=SOON_MS)
    return found


def put_together(hub: str, token: str) -> None:
    """Put the only store into a group, and send it a promotion."""
    (store,) = call(hub, "GET", "/stores", token=token)["stores"]
    call(hub, "PUT", "/groups/North", {"stores": [store["store"]]}, token)
    week = {"promotion_id": "bread-week", "name": "Bread week", "kind": "percent", "percent": "10", "skus": [LOAF]}
    call(hub, "POST", "/promotions", week | {"groups_of_stores": ["North"]}, token)


def people_come_and_go(ann: Visitor, hub: str) -> None:
    """Somebody new may look, and may not once she is gone."""
    ann.go("people")
    ann.page.get_by_role("button", name="New person").click()
    ann.page.get_by_label("Name").fill("vera")
    ann.page.get_by_label("Password").fill("vera's long password")
    ann.page.keyboard.press("Enter")
    expect(ann.page.locator(".person")).to_have_count(2, timeout=SOON_MS)
    vera = call(hub, "POST", "/session", {"user": "vera", "password": "vera's long password"})
    assert vera["role"] == "viewer"
    ann.page.locator(".person", has_text="vera").click()
    ann.page.get_by_role("button", name="Remove").click()
    ann.page.get_by_role("heading", name="Remove vera?").wait_for()
    ann.page.locator("dialog").last.locator("button.danger").click()
    expect(ann.page.locator(".person")).to_have_count(1, timeout=SOON_MS)


def a_key_is_issued_and_revoked(ann: Visitor) -> None:
    """A second key comes as a file, and the page asks before it revokes it."""
    ann.go("access")
    before = ann.page.locator(".access").count()
    ann.page.get_by_role("button", name="Renew").first.click()
    with ann.page.expect_download() as coming:
        ann.page.locator("dialog").get_by_role("button", name="Issue").click()
    bundle: Any = coming.value
    assert bundle.suggested_filename == "hub.bundle"
    expect(ann.page.locator(".access")).to_have_count(before + 1, timeout=SOON_MS)
    ann.page.locator(".access").first.get_by_role("button", name="Revoke").click()
    ann.page.locator("dialog").get_by_role("button", name="Revoke").click()
    expect(ann.page.locator(".access.off")).to_have_count(1, timeout=SOON_MS)
