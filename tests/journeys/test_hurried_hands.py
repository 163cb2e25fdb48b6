"""Hands that are faster than the till: a key twice before the first is answered, a customer before the last is done."""

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

# Both keys before the page has painted what the first did, as on a screen that hangs.
TWICE = """key => {
  for (let n = 0; n < 2; n += 1) document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""
SEND_TWICE = "() => { for (let n = 0; n < 2; n += 1) document.querySelector('dialog form').requestSubmit(); }"
CLICK_ALL = "() => document.querySelectorAll('dialog .row-main').forEach((row) => row.click())"


class Held:
    """Calls of the page that have no answer yet."""

    def __init__(self, person: Cashier, pattern: str) -> None:
        self.routes: list[Route] = []
        self._person, self._is_over = person, False
        person.page.route(pattern, self._came)

    def _came(self, route: Route) -> None:
        if self._is_over:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self) -> None:
        self._person.wait_until(lambda: self.routes)

    def answer(self, count: int = 0) -> None:
        """Let the first so many through, or all of them and everything after them."""
        let, self.routes = self.routes[: count or None], self.routes[count:] if count else []
        self._is_over = not count
        for route in let:
            route.continue_()


@pytest.fixture
def maya(till: TillProcess, at_till: OpenCashier) -> Cashier:
    till.without_offers()
    return at_till(till).sign_in()


def park(maya: Cashier) -> None:
    maya.key("F6")
    expect(maya.dialog).to_be_visible()
    maya.key("Enter")
    expect(maya.dialog).to_have_count(0)


def test_what_is_scanned_while_the_till_is_slow_belongs_to_the_next_customer(till: TillProcess, maya: Cashier) -> None:
    maya.scan(code_of("Sourdough loaf"))
    maya.charge()
    paying = Held(maya, "**/pay")
    maya.page.evaluate(TWICE, "Enter")
    paying.wait()
    paying.answer(1)
    maya.paid()
    maya.scan(code_of("Avocado"))
    maya.expect_total("£0.95")
    assert not paying.routes  # a second answer would have begun the next sale once more, without what was scanned
    maya.expect_saved()

    parking = Held(maya, "**/park")
    park(maya)
    parking.wait()
    maya.scan(code_of("Flat white"))
    maya.expect_total("£2.95")
    parking.answer()
    expect(maya.toast("Sale parked")).to_be_visible()
    maya.expect_saved()
    assert [one["name"] for one in maya.cart_of_the_till()["lines"]] == ["Flat white"]
    parked = [one for one in till.ask("/parked")["parked"] if one["label"] == ""]
    assert [one["total_minor"] for one in parked] == [95]


def test_two_parked_sales_tapped_at_once_are_not_both_taken_up(till: TillProcess, maya: Cashier) -> None:
    before = len(till.ask("/parked")["parked"]) + 2
    for name in ("Sourdough loaf", "Avocado"):
        maya.scan(code_of(name))
        maya.expect_saved()
        park(maya)
        expect(maya.page.locator(".cart .empty")).to_be_visible()
    maya.wait_until(lambda: len(till.ask("/parked")["parked"]) == before, within_ms=60_000)
    maya.key("F6")
    expect(maya.page.locator("dialog .row-main")).to_have_count(before)
    maya.scan(code_of("Flat white"))  # behind the list
    maya.expect_total("£2.95")
    resuming = Held(maya, "**/resume")
    maya.page.evaluate(CLICK_ALL)
    resuming.wait()
    resuming.answer()
    expect(maya.dialog).to_have_count(0)
    maya.expect_saved()
    assert len(till.ask("/parked")["parked"]) == before - 1
    maya.pay_cash_exactly()
    maya.key("Enter")
    maya.expect_total("£2.95")  # what was scanned behind the list comes back


def test_a_part_that_was_paid_is_still_paid_after_something_was_added_and_the_page_loaded_anew(
    till: TillProcess, maya: Cashier
) -> None:
    maya.scan(code_of("Sourdough loaf"))
    maya.page.evaluate(TWICE, "Home")
    expect(maya.dialog).to_have_count(1)
    maya.key("Escape")
    expect(maya.dialog).to_have_count(0)
    maya.charge()
    maya.type("100")
    maya.key("Enter")
    expect(maya.page.locator(".taken li")).to_have_count(1)
    maya.key("Escape")
    maya.scan(code_of("Avocado"))
    maya.expect_saved()
    expect(maya.page.locator("#paid")).to_contain_text("£1.00")
    maya.page.evaluate("localStorage.clear()")  # as another browser at this till
    maya.page.reload()
    maya.expect_total("£4.75")
    expect(maya.page.locator("#paid")).to_contain_text("£1.00")
    maya.charge()
    expect(maya.page.locator(".taken li")).to_have_count(1)
    expect(maya.page.locator("#due")).to_have_text("£3.75")
    maya.key("Enter")
    maya.paid()
    assert [one["amount_minor"] for one in till.sales()[0]["payments"]] == [100, 375]


def test_enter_pressed_twice_moves_cash_once_and_throws_nothing_away(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    before = len(till.ask("/shifts/current")["cash_moves"])
    ruth.go("shift")
    ruth.tap("Cash in")
    ruth.type("500")
    ruth.dialog.get_by_role("textbox").last.fill("Change from the bank")
    lost: list[int] = []

    def lose_the_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    ruth.page.route("**/shifts/cash", lose_the_first)
    ruth.page.evaluate(SEND_TWICE)
    expect(ruth.dialog.get_by_role("alert")).to_contain_text("what was asked twice is done once")
    assert lost == [201]
    ruth.page.evaluate(SEND_TWICE)
    expect(ruth.dialog).to_have_count(0)
    assert len(till.ask("/shifts/current")["cash_moves"]) == before + 1

    ruth.go("sell")
    ruth.scan(code_of("Sourdough loaf"))
    ruth.expect_saved()
    ruth.page.get_by_role("button", name="Clear").first.focus()
    ruth.key("Enter")
    expect(ruth.dialog).to_be_visible()
    ruth.key("Enter")
    expect(ruth.dialog).to_have_count(0)
    expect(ruth.lines).to_have_count(1)
