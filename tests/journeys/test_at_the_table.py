"""A table that pays apart: quick keys by number, one bill by items, the rest in equal shares."""

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.cashier import code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]


def test_quick_keys_by_number_and_a_bill_that_is_split_twice(till: TillProcess, at_till: OpenCashier) -> None:
    found = till.ask("/products?q=flat%20white")["products"] + till.ask("/products?q=croissant")["products"]
    coffee, bread = found[0], found[1]
    keys = [{"sku": coffee["sku"], "colour": "red"}, {"sku": bread["sku"], "colour": ""}]
    till.ask("/settings", "PATCH", {"terminal": {"quick_keys": keys}})
    maya = at_till(till).sign_in()
    expect(maya.page.locator(".grid .tile").first).to_contain_text(coffee["name"])
    maya.type("3*1/")
    maya.type("2/")
    expect(maya.lines).to_have_count(2)
    maya.expect_saved()
    maya.key("F9")
    maya.key("s")
    maya.dialog.get_by_role("button", name=f"More of {coffee['name']}").click()
    maya.key("Enter")
    expect(maya.dialog).to_have_count(0)
    expect(maya.page.locator("#due")).to_have_text(money(coffee["price_minor"]))
    maya.page.reload()
    maya.expect_total(money(coffee["price_minor"]))
    maya.charge()
    maya.key("Enter")
    expect(maya.page.locator(".payscr.done")).to_be_visible()
    maya.key("Enter")
    expect(maya.lines).to_have_count(2)  # what is left comes back by itself
    maya.key("F9")
    maya.key("s")
    maya.dialog.get_by_role("button", name="Equal shares").click()
    maya.dialog.locator("[type=submit]").click()
    expect(maya.page.locator(".due")).to_contain_text("share 1 of 2")
    maya.key("Enter")
    expect(maya.page.locator(".due")).to_contain_text("share 2 of 2")
    maya.key("Enter")
    expect(maya.page.locator(".payscr.done")).to_be_visible()
    left = 2 * coffee["price_minor"] + bread["price_minor"]
    last, first = till.sales()[:2]
    assert (first["total_minor"], last["total_minor"]) == (coffee["price_minor"], left)
    shares = [one["amount_minor"] for one in last["payments"]]
    assert shares == [-(-left // 2), left // 2]


def test_a_quick_enter_after_a_part_waits_until_it_is_known_what_is_left(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Flat white"))
    expect(maya.lines).to_have_count(1)
    maya.expect_saved()
    maya.key("F9")
    maya.type("50")
    expect(maya.page.locator("#tendered")).to_have_text(money(50))
    held: list[Route] = []
    is_slow = True

    def answer(route: Route) -> None:
        held.append(route) if is_slow else route.continue_()

    maya.page.route("**/quote", answer)
    maya.key("+")
    maya.key("c")
    maya.key("Enter")
    expect(maya.page.locator(".taken li")).to_have_count(1)
    expect(maya.page.locator(".payscr.done")).to_have_count(0)
    is_slow = False
    for route in held:
        route.continue_()
    expect(maya.page.locator(".payscr.done")).to_be_visible()
    sale = till.sales()[0]
    assert [one["amount_minor"] for one in sale["payments"]] == [50, sale["total_minor"] - 50]
    assert sale["change_minor"] == 0


def money(minor: int) -> str:
    return f"£{minor / 100:.2f}"
