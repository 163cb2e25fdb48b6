"""A cashier's day in a real browser at a real till."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import Cashier, code_of, weighed_code
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER, SUPERVISOR

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_scans_weighs_counts_and_splits_the_payment(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_total("£3.80")
    maya.scan(code_of("Sourdough loaf"))
    expect(maya.lines).to_have_count(1)
    maya.expect_total("£7.60")
    maya.scan(weighed_code("Bananas", 850))
    expect(maya.line("Bananas")).to_contain_text("0.85 kg")
    maya.expect_total("£8.61")  # 0.850 kg at 1.19 is 1.0115
    maya.type("3*")
    expect(maya.page.locator(".multiplier")).to_contain_text("3 \N{MULTIPLICATION SIGN}")
    maya.scan(code_of("Flat white"))
    maya.expect_total("£17.46")
    maya.charge()
    expect(maya.page.locator("#due")).to_have_text("£17.46")
    maya.type("1000")
    maya.key("Enter")  # takes ten pounds, then asks for the rest by card
    expect(maya.page.locator("#due")).to_have_text("£7.46")
    maya.page.get_by_label("Approval code").fill("A1B2C3")
    maya.page.get_by_label("Last four").fill("4242")
    maya.page.get_by_label("Last four").blur()
    maya.key("F9")
    receipt = maya.paid()
    sale = till.sales()[0]
    assert sale["receipt_number"] == receipt
    assert sale["total_minor"] == 1746
    tenders = [(one["method"], one["amount_minor"]) for one in sale["payments"]]
    assert tenders == [("cash", 1000), ("card", 746)]
    maya.key("r")
    expect(maya.dialog).to_contain_text("17.46")
    expect(maya.dialog).to_contain_text("4242")


def test_gives_a_discount_that_a_supervisor_approves(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Laundry gel 1.5 l"))
    maya.expect_total("£6.50")
    maya.key("F7")
    maya.tap("20 %", within=maya.dialog)
    maya.tap("Damaged", within=maya.dialog)
    maya.key("Enter")
    expect(maya.dialog).to_contain_text("Supervisor approval")
    maya.type_pin(SUPERVISOR.pin)
    maya.expect_total("£5.20")
    maya.expect_saved()
    maya.pay_cash_exactly()
    sale = till.sales()[0]
    assert sale["total_minor"] == 520
    entries = till.ask("/audit?limit=5")["entries"]
    approvers = [entry["approved_by"] for entry in entries if entry["approved_by"]]
    assert approvers, entries


def test_declined_approval_changes_nothing(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Laundry gel 1.5 l"))
    maya.key("F7")
    maya.tap("50 %", within=maya.dialog)
    maya.tap("Damaged", within=maya.dialog)
    maya.key("Enter")
    expect(maya.dialog).to_contain_text("Supervisor approval")
    maya.key("Escape")
    expect(maya.dialog).to_have_count(0)
    maya.expect_total("£6.50")


def test_parks_serves_the_next_and_takes_the_sale_up_again(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    already = len(till.ask("/parked")["parked"])
    maya.scan(code_of("Cheese scone"))
    maya.scan(code_of("Cinnamon bun"))
    maya.expect_saved()
    maya.key("F6")
    maya.type("Blue coat")
    maya.key("Enter")
    expect(maya.page.locator(".cart")).to_contain_text(f"Parked ({already + 1})")
    maya.scan(code_of("Avocado"))
    maya.expect_total("£0.95")
    maya.pay_cash_exactly()
    maya.key("Enter")
    maya.key("F6")
    maya.tap("Blue coat", within=maya.dialog)
    maya.expect_total("£3.85")
    maya.pay_cash_exactly()
    assert [sale["total_minor"] for sale in till.sales()[:2]] == [385, 95]
    assert len(till.ask("/parked")["parked"]) == already


def test_finds_a_customer_and_makes_a_new_one(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Kitchen roll, 2"))
    maya.key("F4")
    maya.type("okon")
    expect(maya.dialog.locator(".rows li")).to_have_count(1)
    maya.key("Enter")
    expect(maya.page.locator(".cart header")).to_contain_text("Samuel Okonjo")
    maya.pay_cash_exactly()
    assert till.sales()[0]["customer"]["name"] == "Samuel Okonjo"
    maya.scan(code_of("Kitchen roll, 2"))
    maya.key("F4")
    maya.type("Zoe Quill")
    expect(maya.dialog).to_contain_text("Nobody found")
    maya.tap("New customer", within=maya.dialog)
    expect(maya.dialog.get_by_label("Name")).to_have_value("Zoe Quill")
    maya.key("Enter")
    expect(maya.page.locator(".cart header")).to_contain_text("Zoe Quill")
    maya.pay_cash_exactly()
    assert till.sales()[0]["customer"]["name"] == "Zoe Quill"


def test_refunds_part_of_a_sale_to_the_card_it_was_paid_with(till: TillProcess, at_till: OpenCashier) -> None:
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.type("3*")
    ruth.scan(code_of("Candles, 6"))
    ruth.expect_total("£7.50")
    ruth.charge()
    ruth.key("k", "Enter")
    receipt = ruth.paid()
    ruth.key("Enter")
    ruth.key("F8")
    expect(ruth.page.get_by_label("Receipt number, product or customer")).to_be_focused()
    ruth.type(receipt)
    expect(ruth.page.locator(".sale-card")).to_contain_text("Candles")
    ruth.tap("Refund", exact=True)
    ruth.tap("Candles, 6: one more", within=ruth.dialog)
    ruth.tap("Faulty", within=ruth.dialog)
    ruth.tap("Give back £2.50", within=ruth.dialog)
    expect(ruth.dialog.get_by_role("heading", name="Receipt")).to_be_visible()
    ruth.key("Escape")
    expect(ruth.page.locator(".sale-card")).to_contain_text("Part refunded")
    sale = till.sales()[0]
    (refund,) = sale["refunds"]
    assert abs(refund["total_minor"]) == 250
    paper = till.ask(f"/refunds/{refund['refund_id']}/receipt?format=json")
    assert "card" in str(paper).lower()


def test_voids_a_sale_that_was_a_mistake(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Matches, 3 boxes"))
    receipt = maya.pay_cash_exactly()
    maya.key("Enter", "F8")
    maya.page.locator(".sale-row").filter(has_text=receipt).click()
    maya.tap("Void", exact=True)
    maya.tap("Mistake", within=maya.dialog)
    maya.tap("Void the sale", within=maya.dialog)
    expect(maya.dialog).to_contain_text("Supervisor approval")
    maya.type_pin(SUPERVISOR.pin)
    expect(maya.page.locator(".sale-card .sale-head .pill")).to_have_text("Voided")
    assert till.sales()[0]["state"] == "voided"


def test_pays_with_the_keyboard_alone(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.page.evaluate(
        "() => { window.mouse = 0; for (const kind of ['pointerdown', 'mousedown', 'touchstart'])"
        " addEventListener(kind, () => { window.mouse += 1 }, true); }"
    )
    maya.key("F2")
    maya.type("sourdough")
    expect(maya.page.locator(".tile.active")).to_contain_text("Sourdough")
    maya.key("Enter")
    maya.expect_total("£3.80")
    maya.key("Escape")
    maya.key("ArrowDown", "+", "+", "-")
    maya.expect_total("£7.60")
    maya.key("F7")
    maya.key("Escape")
    maya.charge()
    maya.type("1000")
    expect(maya.page.locator("#change")).to_have_text("£2.40")
    maya.key("Enter")
    maya.paid()
    expect(maya.page.locator("#change")).to_have_text("£2.40")
    maya.key("Enter")
    expect(maya.page.get_by_role("searchbox")).to_be_visible()
    assert maya.page.evaluate("window.mouse") == 0
    assert till.sales()[0]["change_minor"] == 240


def test_opens_a_shift_moves_cash_reads_x_and_closes_blind(till: TillProcess, at_till: OpenCashier) -> None:
    daniel = at_till(till).sign_in(SUPERVISOR.pin)
    shown = close_shift(daniel, "5")
    assert re.search(r"Difference", shown)
    daniel.key("Escape")
    daniel.go("sell")
    expect(daniel.page.locator(".cart .empty")).to_contain_text("No shift is open")
    daniel.page.get_by_role("link", name="Open the shift").click()
    expect(daniel.page.locator(".office-main form input").first).to_be_focused()
    daniel.type("100")
    daniel.key("Enter")
    expect(daniel.page.locator(".kpis")).to_contain_text("£100.00")
    daniel.tap("Put cash in")
    daniel.type("20")
    daniel.tap("Change", within=daniel.dialog, exact=True)
    daniel.key("Enter")
    expect(daniel.dialog).to_have_count(0)
    daniel.tap("Take cash out")
    daniel.type("5.50")
    daniel.tap("Petty cash", within=daniel.dialog)
    daniel.key("Enter")
    expect(daniel.page.locator(".timeline li")).to_have_count(2)
    expect(daniel.page.locator(".kpis")).to_contain_text("£114.50")
    daniel.go("sell")
    daniel.scan(code_of("Avocado"))
    daniel.pay_cash_exactly()
    daniel.go("shift")
    daniel.tap("X report")
    expect(daniel.page.locator(".office-main")).to_contain_text("£115.45")
    shown = close_shift(daniel, "115.45")
    assert "Exact" in shown
    newest = till.ask("/reports/z")["reports"][0]
    report = till.ask(f"/reports/z/{newest['z_number']}")
    assert (report["expected_cash_minor"], report["variance_minor"], report["sales"]) == (11_545, 0, 1)


def close_shift(person: Cashier, counted: str) -> str:
    """Count the drawer without being told what should be in it; give what the Z report says."""
    person.go("shift")
    person.tap("Close the shift")
    expect(person.dialog.get_by_label("Counted")).to_be_visible()
    assert "Should be in the drawer" not in person.dialog.inner_text()
    person.type(counted)
    person.key("Enter")
    expect(person.dialog).to_contain_text("Shift closed")
    return str(person.dialog.inner_text())
