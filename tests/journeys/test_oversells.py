"""Two tills sell the last loaf while they do not hear each other; the manager sees it on both, and decides on one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.cashier import Cashier, code_of, own
from tests.journeys.conftest import OpenCashier
from tests.journeys.test_accessibility import AUDITING, violations
from tests.services.test_demo_program import call, ctl, demo
from tillmesh.demo.shop_data import MANAGER, SUPERVISOR

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.service, pytest.mark.xdist_group("browser"),
              pytest.mark.timeout(300)]  # fmt: skip

LOAF = "Sourdough loaf"
OTHER = "Butter croissant"
HEARD_MS = 30_000  # a loaded machine; a quiet one needs less than a second


@dataclass
class DemoTill:
    """One till of a running demo."""

    url: str
    token: str = field(default="", init=False)

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        if not self.token:
            self.token = call(self.url, "POST", "/session", {"pin": MANAGER.pin})["token"]
        return call(self.url, method, path, body, self.token)


@dataclass
class Store:
    """A demo of two tills that can be kept apart."""

    data: Path
    tills: list[DemoTill]

    def wait(self, person: Cashier, *, reachable: bool) -> None:
        """Wait until the tills know whether they hear each other."""
        expected = [reachable] * len(self.tills)

        def told() -> bool:
            peers = [till.ask("/sync")["peers"] for till in self.tills]
            return [any(peer["reachable"] for peer in each) for each in peers] == expected

        person.wait_until(told, within_ms=HEARD_MS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with demo(tmp_path / "data", "--tills", "2") as (_, state):
        yield Store(tmp_path / "data", [DemoTill(till["url"]) for till in state["tills"]])


def sku(name: str) -> str:
    return f"FM-{own(name).item}"


def one_left(store: Store, person: Cashier, name: str) -> None:
    """Count one on the shelf, and wait until both tills know."""
    store.tills[0].ask("/stock/counts", "POST", {"sku": sku(name), "quantity": "1"})
    person.wait_until(
        lambda: all(till.ask(f"/stock/{sku(name)}")["value"] == "1" for till in store.tills), within_ms=HEARD_MS
    )


def sell(cashier: Cashier, name: str) -> str:
    cashier.scan(code_of(name))
    expect(cashier.line(name)).to_be_visible()
    receipt = cashier.pay_cash_exactly()
    cashier.go("sell")
    return receipt


def test_the_last_loaf_sold_on_two_tills_apart_is_the_managers_to_decide(
    store: Store, at_till: OpenCashier, root: Path
) -> None:
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    ann, ben = (at_till(till).sign_in() for till in store.tills)
    receipts = sell_apart(store, (ann, ben))

    # A cashier is not asked; a manager is told wherever they are, without a reload.
    ruth = at_till(store.tills[0], bypass_csp=True)
    ruth.page.add_init_script(AUDITING.read_text("utf-8"))
    ruth.sign_in(MANAGER.pin)
    sam = at_till(store.tills[1]).sign_in(SUPERVISOR.pin)
    assert ctl(store.data, "heal").returncode == 0
    for person in (ruth, sam):
        expect(person.page.locator(".pills")).to_contain_text("2 products oversold", timeout=HEARD_MS)
    expect(ann.page.locator(".pills")).not_to_contain_text("oversold")
    ruth.page.screenshot(path=folder / "oversold-pill.png", animations="disabled")
    check_that_no_money_moved(store)

    ruth.page.get_by_role("link", name="2 products oversold").click()
    card = ruth.page.get_by_role("article", name=LOAF)
    expect(card).to_contain_text("Sold on Till ")
    for receipt in receipts:
        expect(card).to_contain_text(receipt)
    expect(card.locator(".suggestion")).to_have_count(3)
    audit_page(ruth, root, folder)
    correct_by_keyboard(ruth)
    void_with_the_managers_pin(sam)
    for person in (ruth, sam):
        expect(answered(person, OTHER)).to_contain_text("voided", timeout=HEARD_MS)
        expect(person.page.locator(".pills")).not_to_contain_text("oversold")
        expect(person.page.get_by_text("Nothing is oversold")).to_be_visible()
    ruth.page.screenshot(path=folder / "oversold-answered.png", animations="disabled")
    assert [till.ask(f"/stock/{sku(LOAF)}")["value"] for till in store.tills] == ["0", "0"]
    settle_money_given_back_twice(store, ruth, folder)


def sell_apart(store: Store, cashiers: tuple[Cashier, Cashier]) -> list[str]:
    """Let both sell the last loaf and the last croissant while they do not hear each other."""
    store.wait(cashiers[0], reachable=True)
    for name in (LOAF, OTHER):
        one_left(store, cashiers[0], name)
    assert ctl(store.data, "cut", "2").returncode == 0
    store.wait(cashiers[0], reachable=False)
    receipts = [sell(cashier, LOAF) for cashier in cashiers]
    for cashier in cashiers:
        sell(cashier, OTHER)
    assert [till.ask("/conflicts")["open"] for till in store.tills] == [0, 0], "apart, neither knows"
    return receipts


def check_that_no_money_moved(store: Store) -> None:
    """One alert on every till with the same name, and every sale as it was."""
    told = [till.ask("/conflicts") for till in store.tills]
    assert [one["open"] for one in told] == [2, 2]
    assert [one["id"] for one in told[0]["conflicts"]] == [one["id"] for one in told[1]["conflicts"]]
    for till in store.tills:
        assert till.ask(f"/stock/{sku(LOAF)}")["value"] == "-1"
        assert {sale["state"] for sale in till.ask("/sales?limit=4")["sales"]} == {"closed"}


def answered(person: Cashier, name: str) -> Locator:
    return person.page.locator(".timeline li").filter(has_text=name)


def correct_by_keyboard(ruth: Cashier) -> None:
    """Take the first suggestion with the keyboard alone."""
    card = ruth.page.get_by_role("article", name=LOAF)
    card.get_by_role("button", name="Correct stock by 1").focus()
    ruth.key("Enter")
    expect(ruth.toast("stock corrected by 1")).to_be_visible()
    expect(card).to_have_count(0)
    expect(answered(ruth, LOAF)).to_contain_text("stock corrected by 1")


def void_with_the_managers_pin(sam: Cashier) -> None:
    """See on the other till what was answered, and answer the rest as a supervisor with the manager beside."""
    sam.go("conflicts")
    expect(answered(sam, LOAF)).to_contain_text("Ruth", timeout=HEARD_MS)
    expect(sam.page.get_by_role("article", name=LOAF)).to_have_count(0)
    sam.page.get_by_role("article", name=OTHER).get_by_role("button", name="Void sale").click()
    expect(sam.dialog).to_contain_text("goes back to the customer")
    sam.tap("Void", within=sam.dialog)
    expect(sam.dialog).to_contain_text("needs a manager")
    sam.type_pin(MANAGER.pin)
    expect(sam.toast("sale voided")).to_be_visible()


def settle_money_given_back_twice(store: Store, ruth: Cashier, folder: Path) -> None:
    """Two tills void one sale while they do not hear each other; the manager says how it ended."""
    sale = store.tills[0].ask("/sales?limit=50")["sales"]
    voidable = next(one for one in sale if one["state"] == "closed")
    assert ctl(store.data, "cut", "2").returncode == 0
    store.wait(ruth, reachable=False)
    for till in store.tills:
        till.ask(f"/sales/{voidable['sale_id']}/void", "POST", {"reason": "mistake"})
    assert ctl(store.data, "heal").returncode == 0
    ruth.wait_until(lambda: all(till.ask("/conflicts")["money"] for till in store.tills), within_ms=HEARD_MS)
    ruth.page.reload()
    card = ruth.page.get_by_role("article", name="was given back than was sold")
    expect(card).to_contain_text(voidable["receipt_number"])
    expect(card.locator(".timeline li")).to_have_count(2)
    ruth.page.screenshot(path=folder / "oversold-money.png", animations="disabled")
    ruth.tap("Say how it ended", within=card)
    ruth.tap("Customer told", within=ruth.dialog)
    ruth.tap("Settled", within=ruth.dialog)
    expect(ruth.toast("Noted how it ended")).to_be_visible()
    expect(card).to_have_count(0)


def audit_page(person: Cashier, root: Path, folder: Path) -> None:
    """Look at the page as an auditor does, in every size and look, and keep pictures."""
    axe = (root / "node_modules/axe-core/axe.min.js").read_text("utf-8")
    found: list[str] = []
    for width, height in ((1280, 800), (800, 1280), (390, 844)):
        person.page.set_viewport_size({"width": width, "height": height})
        found += [f"{width}: {one}" for one in person.page.evaluate("auditing.fitting()")]
        if person.page.evaluate("() => document.documentElement.scrollHeight > innerHeight + 1"):
            found.append(f"{width}: the page scrolls behind its own scrolling part")
        person.page.screenshot(path=folder / f"oversold-{width}.png", animations="disabled")
    person.page.set_viewport_size({"width": 1280, "height": 800})
    for theme in ("light", "dark", "contrast"):
        person.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        found += [f"{theme}: {one}" for one in violations(person.page, axe)]
        person.page.screenshot(path=folder / f"oversold-{theme}.png", animations="disabled")
    person.page.evaluate("() => { document.documentElement.dataset.theme = 'light' }")
    assert not found, "\n".join(found)
