"""Gift cards, accounts and offers at the till: paid with, seen by the customer, on paper."""

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.offers import GIFT_CARDS
from tillmesh.demo.shop_data import MANAGER

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(120)]


def test_a_gift_card_pays_what_is_on_it_and_cash_the_rest(till: TillProcess, at_till: OpenCashier) -> None:
    code, _ = GIFT_CARDS[1]
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.scan(code_of("Laundry gel 1.5 l"))
    maya.expect_total("£10.30")
    maya.charge()
    maya.key("g")
    expect(maya.page.get_by_label("Code of the card")).to_be_focused()
    maya.type(code)
    maya.key("Enter")
    expect(maya.page.locator(".held")).to_contain_text("£10.00 on the card")
    maya.key("Enter")
    expect(maya.page.locator("#due")).to_have_text("£0.30")
    maya.key("Enter")
    maya.paid()
    paid = [(one["method"], one["amount_minor"]) for one in till.sales()[0]["payments"]]
    assert paid == [("gift_card", 1_000), ("cash", 30)]
    assert till.ask("/gift-cards/balance", "POST", {"code": code})["balance_minor"] == 0


# A hand on the key as the field appears: what it types stands in the field before the browser has painted it.
FIRST_KEY = """() => new MutationObserver((_, watching) => {
    const field = document.querySelector(".cardfields input");
    if (!field) return;
    watching.disconnect();
    field.value = "D";
    field.dispatchEvent(new Event("input", { bubbles: true }));
}).observe(document.body, { childList: true, subtree: true })"""


def test_the_first_letter_of_a_cards_code_is_not_lost_to_a_field_that_just_appeared(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_total("£3.80")
    maya.charge()
    maya.page.evaluate(FIRST_KEY)
    maya.key("g")
    expect(maya.page.get_by_label("Code of the card")).to_be_focused()
    maya.type("EMO")
    expect(maya.page.get_by_label("Code of the card")).to_have_value("DEMO")


def test_an_offer_that_comes_in_changes_an_open_sale_only_before_the_cashiers_eyes(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_total("£3.80")
    maya.expect_saved()
    offer = {"promotion_id": "bread", "name": "Bread day", "kind": "percent", "percent": "50", "skus": ["FM-00301"]}
    till.ask("/promotions", "POST", offer)
    notice = maya.page.locator(".repriced")
    expect(notice).to_contain_text("£3.80 was shown, now it is £1.90")
    expect(notice).to_contain_text("Bread day: \u2212£1.90")
    maya.expect_total("£1.90")
    maya.charge()
    expect(notice).to_be_visible()  # until somebody has seen it
    till.ask("/promotions/bread", "PATCH", {"active": False})
    expect(maya.page.locator("#due")).to_have_text("£3.80")
    maya.tap("The customer knows")
    expect(notice).to_have_count(0)
    maya.key("Enter")
    maya.paid()
    assert till.sales()[0]["total_minor"] == 380


def test_a_customer_s_account_is_paid_off_and_its_statement_comes_as_a_pdf(
    till: TillProcess, at_till: OpenCashier
) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("customers/c-cafe")
    purses = ruth.page.locator(".purses")
    expect(purses).to_contain_text("£35.40")
    ruth.tap("Statement")
    expect(ruth.dialog).to_contain_text("£35.40")
    path = ruth.dialog.get_by_role("link", name="Print as PDF").get_attribute("href")
    paper = ruth.page.request.get(f"{till.url}{path}")
    assert paper.body().startswith(b"%PDF-")
    assert b"The Corner Cafe" in paper.body()
    ruth.key("Escape")
    ruth.tap("Pay off")
    ruth.tap("Into the sale")
    ruth.expect_total("£35.40")
    ruth.pay_cash_exactly()
    assert till.ask("/customers/c-cafe/purses")["owes_minor"] == 0


def test_a_gift_card_is_corrected_and_when_it_is_lost_blocked_in_the_office_and_the_till_says_why(
    till: TillProcess, at_till: OpenCashier
) -> None:
    code, _ = GIFT_CARDS[1]
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("customers")
    wide, owed = ruth.page.viewport_size, ruth.page.get_by_role("link", name="What is owed")
    assert wide is not None
    expect(owed).to_have_count(0)  # it stands beside the list
    ruth.page.set_viewport_size({"width": 1024, "height": 768})
    owed.click()
    ruth.tap("Gift card")
    ruth.dialog.get_by_label("Code of the card").fill(code)
    expect(ruth.dialog.locator(".held")).to_contain_text("£10.00 on the card")
    ruth.tap("Correct", within=ruth.dialog, exact=True)
    ruth.dialog.get_by_label("By what amount").fill("-2.50")
    expect(ruth.dialog).to_contain_text("Then £7.50 is on it.")
    expect(ruth.dialog.locator("button[type=submit]")).to_be_disabled()
    ruth.dialog.get_by_label("Reason").fill("Charged twice")
    ruth.dialog.locator("button[type=submit]").click()
    expect(ruth.toast("Corrected")).to_be_visible()
    ruth.tap("Gift card")
    ruth.dialog.get_by_label("Code of the card").fill(code)
    expect(ruth.dialog.locator(".held")).to_contain_text("£7.50 on the card")
    expect(ruth.dialog.locator("button[type=submit]")).to_be_disabled()  # not without a reason
    ruth.tap("Lost", within=ruth.dialog, exact=True)
    ruth.dialog.locator("button[type=submit]").click()
    expect(ruth.toast("The card is blocked")).to_be_visible()
    ruth.page.set_viewport_size(wide)
    ruth.go("sell")
    expect(ruth.page.locator("button.pay")).to_be_visible()
    ruth.scan(code_of("Sourdough loaf"))
    ruth.expect_total("£3.80")
    ruth.charge()
    ruth.key("g")
    ruth.page.get_by_label("Code of the card").fill(code)
    ruth.key("Enter")
    expect(ruth.page.locator(".held")).to_contain_text("This card is blocked. Lost")
