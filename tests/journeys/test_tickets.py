"""Tickets at the till: marked in the office, rights in stock, and a cart that says in time that none are left."""

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

CODE = "5901234123457"
pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]


def test_the_last_ticket_is_sold_and_the_cart_of_the_next_customer_says_that_none_is_left(
    till: TillProcess, at_till: OpenCashier
) -> None:
    gig = {"sku": "GIG-1", "name": "Harvest concert", "price_minor": 2_500, "barcodes": [CODE]}
    till.ask("/products", "POST", gig)
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("products")
    ruth.page.locator(".search input").fill("Harvest")
    ruth.page.locator(".product-row b", has_text="Harvest concert").click()
    ruth.dialog.get_by_text("Never sell more than there are").click()
    ruth.tap("Save", within=ruth.dialog)
    expect(ruth.page.locator("dialog[open]")).to_have_count(0)
    assert till.ask("/products/GIG-1")["hard_limited"]
    ruth.go("stock")
    ruth.page.locator(".search input").fill("Harvest")
    ruth.page.locator(".stock-row b", has_text="Harvest concert").click()
    expect(ruth.dialog.locator(".rights")).to_contain_text("This till")
    ruth.type("1")
    ruth.key("Enter")
    expect(ruth.page.locator("dialog[open]")).to_have_count(0)
    ruth.wait_until(lambda: till.ask("/rights/GIG-1")["here"] == "1")
    ruth.go("sell")
    expect(ruth.page.locator("button.pay")).to_be_visible()
    ruth.scan(CODE)
    ruth.expect_total("£25.00")
    ruth.expect_saved()
    expect(ruth.page.get_by_text("sold out")).to_have_count(0)
    ruth.pay_cash_exactly()
    ruth.go("sell")
    expect(ruth.page.locator("button.pay")).to_be_visible()
    ruth.scan(CODE)
    ruth.expect_total("£25.00")
    expect(ruth.page.get_by_role("alert")).to_contain_text("Harvest concert is sold out")
    till.ask("/stock/receipts", "POST", {"sku": "GIG-1", "quantity": 1})
    expect(ruth.page.get_by_text("sold out")).to_have_count(0)  # one more has come in while the cart is open
