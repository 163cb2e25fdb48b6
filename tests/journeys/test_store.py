"""A store of three tills in the browser: one is cut off, everybody sees it, and everybody sees it heal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.places import THEMES, set_look
from tests.journeys.test_accessibility import AUDITING, violations
from tests.journeys.till import TillProcess
from tests.services.test_demo_program import ctl, demo, reachable, until
from tillmesh.demo.processes import Child
from tillmesh.demo.shop_data import CASHIER, MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

TICKET = "GIG-1"
SOON_MS = 30_000  # of a loaded machine; how soon it really is, is measured elsewhere


class DemoTill(TillProcess):
    """A till that the demo started: it is there to be looked at."""

    def __init__(self, till: dict[str, Any]) -> None:
        place = Path(till["data_dir"])
        self.child = Child(n=till["n"], data_dir=place, port=int(till["url"].rpartition(":")[2]), log=place / "log")
        self._token = ""


def pill(person: Cashier, text: str) -> None:
    expect(person.page.locator(".pills")).to_contain_text(text, timeout=SOON_MS)


def store_page(person: Cashier) -> None:
    person.go("store")
    expect(person.page.locator(".store-tills tbody tr")).to_have_count(3, timeout=SOON_MS)


def pictures(person: Cashier, root: Path, name: str) -> list[str]:
    """Keep the store page in every look, and as a phone shows it; give what is wrong with it for anybody."""
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    size = person.page.viewport_size
    assert size is not None
    found = []
    for variant in (*THEMES, "phone"):
        set_look(person, theme="light" if variant == "phone" else variant)
        if variant == "phone":
            person.page.set_viewport_size({"width": 390, "height": 844})
        store_page(person)
        person.page.screenshot(path=folder / f"store-{name}-{variant}.png", animations="disabled", full_page=True)
        found += [*violations(person.page, axe), *person.page.evaluate("auditing.fitting()")]
        found += person.page.evaluate("auditing.sideways()")
    person.page.set_viewport_size(size)
    person.page.reload()
    store_page(person)
    return [f"{name}: {one}" for one in found]


def sell_two(person: Cashier) -> None:
    for _ in range(2):
        person.go("sell")
        person.scan(code_of("Sourdough loaf"))
        person.pay_cash_exactly()
        person.key("Enter")
    person.go("sell")


def on_a_phone(person: Cashier, root: Path) -> list[str]:
    """The badge has room beside the sale on the smallest screen."""
    size = person.page.viewport_size
    assert size is not None
    person.page.set_viewport_size({"width": 390, "height": 844})
    expect(person.page.locator(".pills a")).to_be_visible()
    person.page.screenshot(path=root / "artifacts" / "screenshots" / "sell-offline-phone.png", animations="disabled")
    found = [*person.page.evaluate("auditing.fitting()"), *person.page.evaluate("auditing.sideways()")]
    person.page.set_viewport_size(size)
    return [f"offline, phone: {one}" for one in found]


def sit_down(at_till: OpenCashier, till: DemoTill, pin: str) -> Cashier:
    """Sign in, with the tools at hand that look for what people can't use."""
    person = at_till(till, bypass_csp=True)
    person.page.add_init_script(AUDITING.read_text("utf-8"))
    return person.sign_in(pin)


def test_a_till_that_is_cut_off_sells_on_and_everybody_sees_it(
    at_till: OpenCashier, tmp_path: Path, root: Path
) -> None:
    data = tmp_path / "data"
    with demo(data, "--tills", "3") as (_, state):
        first, second, third = (DemoTill(till) for till in state["tills"])
        until(lambda: all(reachable(till["url"]) == 2 for till in state["tills"]))
        ruth, omar = sit_down(at_till, first, MANAGER.pin), sit_down(at_till, third, CASHIER.pin)
        store_page(ruth)
        expect(ruth.page.locator(".store-top")).to_contain_text("leads", timeout=SOON_MS)
        expect(ruth.page.locator(".store-top")).to_contain_text("3 of 3 tills agree", timeout=SOON_MS)
        expect(ruth.page.locator(".mesh .up")).to_have_count(3, timeout=SOON_MS)
        pill(omar, "3 of 3 tills")
        found = pictures(ruth, root, "whole")
        tickets_come(ruth, third)

        ctl(data, "cut", "3")
        pill(omar, "Offline")
        sell_two(omar)
        pill(omar, "Offline · 2 sales waiting")
        assert third.ask("/sync")["unreplicated"] == 2, "the badge says what the till itself says"
        found += on_a_phone(omar, root)
        expect(ruth.page.locator(".office-main")).to_contain_text("Till 3 is out of reach", timeout=SOON_MS)
        expect(ruth.page.locator(".mesh .cut")).to_have_count(2, timeout=SOON_MS)
        expect(ruth.page.locator(".store-top")).to_contain_text("leads", timeout=SOON_MS)
        pill(ruth, "2 of 3 tills")
        found += pictures(ruth, root, "cut")
        found += among_the_few(at_till, omar, third, root)
        found += nobody_may_sell_prints_yet(ruth, root)

        ctl(data, "heal")
        pill(omar, "3 of 3 tills")
        expect(ruth.page.locator(".mesh .up")).to_have_count(3, timeout=SOON_MS)
        expect(ruth.page.locator(".office-main")).to_contain_text("All tills hear each other", timeout=SOON_MS)
        until(lambda: third.ask("/sync")["unreplicated"] == 0)
        show_a_code(ruth)
        ctl(data, "cut", "3")
        remove_the_third(ruth)
        found += take_over_its_tickets(at_till, (first, second), root)
        assert not found, "\n".join(found)


def show_a_code(manager: Cashier) -> None:
    """Show the code for a new till for as long as somebody looks at it."""
    manager.tap("Add a till")
    expect(manager.dialog.locator("output")).to_have_text(re.compile(r"^\d{6}$"))
    assert manager.till.ask("/store/pairing")["open"]
    manager.key("Escape")
    manager.wait_until(lambda: not manager.till.ask("/store/pairing")["open"])


def remove_the_third(manager: Cashier) -> None:
    """A till that is gone for good is gone from the page, and the store is whole again."""
    expect(manager.page.locator(".office-main")).to_contain_text("Till 3 is out of reach", timeout=SOON_MS)
    manager.tap("Remove")
    expect(manager.dialog).to_contain_text("Remove Till 3 for good?")
    manager.tap("Remove", within=manager.dialog)
    expect(manager.page.locator(".store-tills tbody tr")).to_have_count(2, timeout=SOON_MS)
    expect(manager.page.locator(".office-main")).to_contain_text("All tills hear each other", timeout=SOON_MS)


def among_the_few(at_till: OpenCashier, cashier: Cashier, till: DemoTill, root: Path) -> list[str]:
    """What the cashier and the manager see on the till without a majority."""
    cashier.page.locator(".pills a").click()
    expect(cashier.page.locator(".office-main")).to_contain_text("selling goes on", timeout=SOON_MS)
    expect(cashier.page.locator(".store-tills tbody tr")).to_have_count(3)
    expect(cashier.page.locator(".mesh")).to_have_count(0)
    expect(cashier.page.locator(".pills")).not_to_contain_text("locked")
    cashier.go("sell")
    manager = sit_down(at_till, till, MANAGER.pin)
    pill(manager, "Shared settings locked")
    found = pictures(manager, root, "minority")
    manager.page.close()
    return found


def tickets_come(manager: Cashier, till: DemoTill) -> None:
    """Have a delivery of tickets at one till, and wait until the manager's knows who may sell how many."""
    till.ask("/products", "POST", {"sku": TICKET, "name": "Harvest concert", "price_minor": 2500, "hard_limited": True})
    till.ask("/stock/receipts", "POST", {"sku": TICKET, "quantity": "12"})
    mine = next(one["holder"] for one in till.ask(f"/rights/{TICKET}")["holders"] if one["here"])

    def known() -> bool:
        seen = manager.till.ask(f"/rights/{TICKET}")
        return seen["total"] == "12" and any(
            one["holder"] == mine and one["quantity"] != "0" for one in seen["holders"]
        )

    manager.wait_until(lambda: manager.till.ask(f"/products?q={TICKET}")["products"], within_ms=SOON_MS)
    manager.wait_until(known, within_ms=SOON_MS)


def rights_of(manager: Cashier, name: str) -> Locator:
    """Open the stock of something hard-limited; give the card that says who may sell how many."""
    manager.go("stock")
    manager.page.locator(".search input").fill(name)
    manager.page.locator(".stock-row b", has_text=name).click()
    card = manager.dialog.locator(".rights")
    expect(card).to_be_visible()
    return card


def looked_at(manager: Cashier, root: Path, name: str) -> list[str]:
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    page = manager.page
    page.screenshot(path=root / "artifacts" / "screenshots" / f"rights-{name}.png", animations="disabled")
    return [f"rights, {name}: {one}" for one in (*violations(page, axe), *page.evaluate("auditing.fitting()"))]


def nobody_may_sell_prints_yet(manager: Cashier, root: Path) -> list[str]:
    """Goods that were there before their limit are given out by nobody while a till is unheard, by hand neither."""
    manager.till.ask("/products", "POST", {"sku": "PRINT", "name": "Numbered print", "price_minor": 9000})
    manager.till.ask("/stock/receipts", "POST", {"sku": "PRINT", "quantity": "4"})
    manager.till.ask("/products/PRINT", "PATCH", {"hard_limited": True})
    card = rights_of(manager, "Numbered print")
    expect(card).to_contain_text("4 may be sold nowhere yet")
    expect(card).to_contain_text("Not heard now")
    manager.tap("Give out here", within=card)
    expect(card.locator(".refusal")).to_contain_text("not all tills are heard")
    found = looked_at(manager, root, "unheld")
    manager.key("Escape")
    store_page(manager)
    return found


def take_over_its_tickets(at_till: OpenCashier, tills: tuple[DemoTill, ...], root: Path) -> list[str]:
    """What the removed till may still sell is taken over by hand where the store is led; prints were given out."""
    found: list[str] = []
    before = next(one["quantity"] for one in tills[0].ask(f"/rights/{TICKET}")["holders"] if one["gone"])
    assert int(before) > 0

    def taken() -> bool:
        leader = next((till for till in tills if till.ask(f"/rights/{TICKET}")["leads"]), None)
        if leader is None:
            return False
        manager = sit_down(at_till, leader, MANAGER.pin)
        card = rights_of(manager, "Harvest concert")
        lost = card.locator("li", has_text="No longer in the store")
        expect(lost).to_contain_text(before)
        found.extend(looked_at(manager, root, "gone"))
        manager.tap("Take over", within=lost)
        manager.tap("Till lost or stolen", within=manager.dialog)
        manager.dialog.locator("button[type=submit]").click()
        manager.wait_until(lambda: not lost.count() or card.locator(".refusal").count())
        gone = not lost.count()
        manager.page.close()
        return gone

    until(taken)  # the leader says no while the others have told it less than they hold
    until(lambda: not any(one["gone"] for till in tills for one in till.ask(f"/rights/{TICKET}")["holders"]))
    until(lambda: {till.ask("/rights/PRINT")["unheld"] for till in tills} == {"0"})
    return found
