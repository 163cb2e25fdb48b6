"""Promotions and prices of the office: made on a page, tried on a basket, and there at the till."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]


def test_a_promotion_made_in_the_office_is_tried_there_and_applied_at_the_till(
    till: TillProcess, at_till: OpenCashier
) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("promotions/new")
    form = ruth.page.locator(".sale-card form")
    form.get_by_label("Name").fill("Loaves: 2 for 6.00")
    form.get_by_label("What it takes off").select_option("mix")
    form.get_by_label("Price of a set").fill("6.00")
    form.get_by_role("searchbox").or_(form.get_by_placeholder("Search products")).first.fill("sourdough")
    form.get_by_role("button", name=re.compile("Sourdough loaf")).first.click()
    ruth.tap("Goods of this promotion")
    expect(ruth.page.locator("#preview-total")).to_have_text("£6.00")
    ruth.tap("Make it")
    expect(ruth.page.locator(".promo-list")).to_contain_text("Loaves: 2 for 6.00")
    ruth.go("sell")
    ruth.scan(code_of("Sourdough loaf"))
    ruth.scan(code_of("Sourdough loaf"))
    ruth.expect_total("£6.00")
    expect(ruth.line("Sourdough loaf")).to_contain_text("Loaves: 2 for 6.00")
    ruth.pay_cash_exactly()
    (named,) = till.sales()[0]["promotions"]
    assert (named["name"], named["amount_minor"]) == ("Loaves: 2 for 6.00", 160)


def test_what_was_done_to_offers_by_mistake_is_taken_back_with_one_tap(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    states = {one["promotion_id"]: one["state"] for one in till.ask("/promotions")["promotions"]}
    assert (states["scones"], states["wine"], states["harvest"], states["logs"]) == ("now", "planned", "over", "off")
    ruth.go("promotions/scones")
    with ruth.page.expect_response(lambda answer: answer.request.method == "PATCH") as ended:
        ruth.tap("End now")
    ruth.toast("Scones: 3 for 2 is over").get_by_role("button", name="Undo").click()
    assert ended.value.json()["state"] == "over"
    expect(ruth.toast("Taken back")).to_be_visible()
    (scones,) = (one for one in till.ask("/promotions")["promotions"] if one["promotion_id"] == "scones")
    assert (scones["state"], scones["until"]) == ("now", "")
    ruth.go("prices/trade")
    rows = ruth.page.locator(".sale-card tbody tr")
    expect(rows).to_have_count(3)
    ruth.tap("Take the price of Farmhouse cheddar, cut to order back")
    expect(rows).to_have_count(2)
    ruth.toast("Price taken back").get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(3)
    held = {one["sku"]: one["price_minor"] for one in till.ask("/prices?price_list=trade")["prices"]}
    assert held == {"FM-00203": 1_150, "FM-00302": 110, "FM-00201": 1_120}
