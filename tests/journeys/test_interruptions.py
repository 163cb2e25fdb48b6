"""Whatever happens in mid-sale: the page goes on, nothing is lost, nothing is sold twice."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.conftest import OpenCashier, listen
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import CASHIER, OWN_GOODS, in_store_code

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

SAYS_IT_LIVES = re.compile(r"/api/v1/screen$")
PIECES = [one for one in OWN_GOODS if one.unit == "piece"]


def test_a_reload_in_mid_cart_keeps_the_cart(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.scan(code_of("Avocado"))
    with maya.page.expect_request(SAYS_IT_LIVES):
        maya.page.reload()
    maya.expect_total("£4.75")
    expect(maya.lines).to_have_count(2)
    with maya.page.expect_request(SAYS_IT_LIVES):
        pass  # again and again: who watches the screen starts a silent browser anew
    assert till.ask("/screen")["silent_s"] is not None
    maya.pay_cash_exactly()
    assert till.sales()[0]["total_minor"] == 475


def test_another_browser_takes_the_open_cart_up(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_saved()
    other = at_till(till).sign_in()
    other.expect_total("£3.80")
    other.pay_cash_exactly()
    assert till.sales()[0]["total_minor"] == 380


def test_a_till_killed_in_mid_cart_comes_back_and_sells_once(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    before = len(till.sales())
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_saved()
    till.kill()
    maya.scan(code_of("Avocado"))  # painted while nobody answers
    maya.expect_total("£4.75")
    expect(maya.page.locator("header.top")).to_contain_text("not answering")
    drawn = maya.page.locator("header.top .pill use").first  # a drawing that this page has not shown before
    assert drawn.evaluate("one => one.getBBox().width") > 0
    till.start()
    sign_in_again(maya)
    maya.expect_saved(timeout_ms=20_000)
    maya.expect_total("£4.75")
    maya.pay_cash_exactly()
    sales = till.sales()
    assert sales[0]["total_minor"] == 475
    assert [len(line["quantity"]) for line in sales[0]["lines"]] == [1, 1]
    assert len({sale["cart_id"] for sale in sales[:2]}) == 2
    assert before == 50  # as many as are asked for: the count says nothing, the cart ids do


def test_a_till_killed_while_it_takes_the_money_sells_once(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.charge()
    till.kill()
    # A browser asks again by itself: the button is disabled once it knows, so the key comes at once.
    maya.key("Enter")
    expect(maya.page.get_by_role("alert")).to_contain_text("Do not take the money again")
    till.start()
    sign_in_again(maya)
    maya.paid()
    sales = [sale for sale in till.sales() if sale["total_minor"] == 380 and sale["cashier"]["name"] == CASHIER.name]
    carts = [sale["cart_id"] for sale in sales]
    assert till.sales()[0]["total_minor"] == 380
    assert len(carts) == len(set(carts))


def test_twenty_scans_are_painted_while_the_till_is_frozen(till: TillProcess, at_till: OpenCashier) -> None:
    till.without_offers()
    maya = at_till(till).sign_in()
    maya.scan(in_store_code(PIECES[0]))
    maya.expect_saved()
    till.freeze()
    for one in PIECES[1:21]:
        maya.scan(in_store_code(one))
    expect(maya.page.locator(".cart .pill").first).to_have_text("21 items")
    total = sum(one.price_minor for one in PIECES[:21])
    maya.expect_total(f"£{total / 100:.2f}")
    expect(maya.page.locator("button.pay")).to_be_disabled()
    maya.page.wait_for_timeout(3000)  # frozen as long as a full garbage collection of a bad day
    till.thaw()
    maya.expect_saved(timeout_ms=20_000)
    cart = maya.cart_of_the_till()
    assert len(cart["lines"]) == 21
    assert cart["total_minor"] == total


def test_a_lost_sign_in_asks_for_the_pin_over_the_page(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_saved()
    maya.page.context.clear_cookies()
    maya.scan(code_of("Avocado"))
    expect(maya.dialog).to_contain_text("Please sign in again")
    expect(maya.lines).to_have_count(2)
    maya.type_pin(CASHIER.pin)
    expect(maya.dialog).to_have_count(0)
    maya.expect_saved()
    maya.expect_total("£4.75")
    maya.pay_cash_exactly()


def test_two_windows_on_one_till_double_nothing(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_saved()
    twin = Cashier(maya.page.context.new_page(), till)
    listen(twin.page, [])
    twin.page.goto(till.url)
    twin.expect_total("£3.80")
    twin.scan(code_of("Avocado"))
    twin.expect_saved()
    maya.page.bring_to_front()
    maya.expect_total("£4.75")
    maya.charge()
    twin.charge()
    maya.key("Enter")
    twin.key("Enter")
    maya.paid()
    # The twin is told of the sale, or its own payment turned out to be the same one: either way the cart is gone.
    expect(twin.page.locator(".payscr.done, .cart .empty")).to_be_visible()
    sales = till.sales()
    assert sales[0]["total_minor"] == 475
    assert sales[1]["cart_id"] != sales[0]["cart_id"]


def test_the_printer_writes_what_was_sold(till: TillProcess, at_till: OpenCashier) -> None:
    paper = till.child.data_dir / "paper.bin"
    printer = {"printer_kind": "file", "printer_target": paper.name, "print_receipts": True}
    till.ask("/settings", "PATCH", {"terminal": printer})
    maya = at_till(till).sign_in()
    maya.scan(code_of("Flat white"))
    receipt = maya.pay_cash_exactly()
    maya.wait_until(lambda: paper.exists() and receipt.encode() in paper.read_bytes())
    printed = paper.read_bytes()
    assert b"Fernhill Market" in printed
    assert b"Flat white" in printed
    assert b"2.95" in printed
    assert till.ask("/printer")["state"] == "ready"


SECOND = "**/static/backoffice.js?*"
CAME = (
    "() => performance.getEntriesByType('resource').some(one => one.name.includes('backoffice.js') && one.responseEnd)"
)


def test_a_back_office_page_opens_for_the_first_time_while_the_till_program_is_down(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till).sign_in()
    maya.page.wait_for_function(CAME, timeout=30_000)
    till.kill()
    maya.go("settings")
    expect(maya.page.get_by_role("heading", name="This screen")).to_be_visible()


def test_a_back_office_page_that_could_not_come_is_painted_when_it_can_and_the_sale_goes_on(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till)
    maya.page.route(SECOND, lambda route: route.abort())
    maya.sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.go("health")
    expect(maya.page.locator(".office-main .waiting")).to_be_visible()
    maya.go("sell")
    maya.expect_total("£3.80")
    maya.pay_cash_exactly()
    maya.go("health")
    maya.page.unroute(SECOND)
    expect(maya.page.get_by_role("heading", name="Health and sync")).to_be_visible(timeout=20_000)


def test_a_page_of_before_an_upgrade_loads_anew_for_the_back_office_and_never_for_a_sale(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till)
    asked: list[str] = []

    def upgraded(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body='throw new Error("upgraded");', content_type="text/javascript")

    maya.page.route(SECOND, upgraded)
    maya.sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.wait_until(lambda: asked)
    maya.expect_total("£3.80")
    maya.page.unroute(SECOND)
    maya.go("health")
    expect(maya.page.get_by_role("heading", name="Health and sync")).to_be_visible(timeout=20_000)
    maya.go("sell")
    maya.expect_total("£3.80")


def sign_in_again(person: Cashier) -> None:
    """Type the PIN over the page where the till has forgotten who is there; a restart may have kept it."""
    again = person.page.get_by_role("heading", name="Please sign in again")
    expect(again).to_be_visible(timeout=15_000)
    person.type_pin(CASHIER.pin)
    expect(again).to_have_count(0)
