"""A cashier in a hurry: keys that are held or pressed twice, and screens with little room."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.cashier import code_of
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import SUPERVISOR

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

# A press at a chosen time: how busy the machine is must not decide whether two of them are close together.
PRESS = """([key, at]) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  Object.defineProperty(event, "timeStamp", { value: at });
  document.body.dispatchEvent(event);
}"""


def payments_sent(page: Page) -> list[str]:
    """Collect what asks the till to take the money."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/pay") else None)
    return sent


def test_a_charge_key_that_is_held_down_takes_no_money(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    sent = payments_sent(maya.page)
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_saved()
    maya.page.keyboard.down("F9")
    expect(maya.page.locator("#due")).to_have_text("£3.80")
    maya.page.keyboard.down("F9")
    maya.page.keyboard.down("F9")
    maya.page.keyboard.up("F9")
    maya.key("5")
    expect(maya.page.locator("#tendered")).to_have_text("£0.05")
    assert sent == []


def test_an_enter_that_is_held_down_leaves_the_change_on_the_screen(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.charge()
    maya.type("500")
    maya.page.keyboard.down("Enter")
    maya.paid()
    maya.page.keyboard.down("Enter")
    maya.page.keyboard.up("Enter")
    expect(maya.page.locator("#change")).to_have_text("£1.20")
    maya.key("r")
    expect(maya.dialog).to_contain_text("TOTAL")


def test_the_second_of_two_quick_presses_is_none_and_a_later_one_counts(
    till: TillProcess, at_till: OpenCashier
) -> None:
    maya = at_till(till).sign_in()
    sent = payments_sent(maya.page)
    maya.scan(code_of("Sourdough loaf"))
    maya.expect_saved()
    maya.page.evaluate(PRESS, ["F9", 1_000_000])
    expect(maya.page.locator("#due")).to_have_text("£3.80")
    maya.page.evaluate(PRESS, ["F9", 1_000_150])
    maya.key("5")
    expect(maya.page.locator("#tendered")).to_have_text("£0.05")
    assert sent == []
    maya.key("Delete")
    maya.page.evaluate(PRESS, ["F9", 2_000_000])
    maya.paid()
    assert len(sent) == 1


def test_two_charges_of_quick_hands_with_a_sale_between_are_two(till: TillProcess, at_till: OpenCashier) -> None:
    """However little time lies between them: whoever pressed another key in between means it."""
    maya = at_till(till).sign_in()
    for at in (3_000_000, 3_000_050):
        maya.scan(code_of("Sourdough loaf"))
        maya.expect_saved()
        maya.page.evaluate(PRESS, ["F9", at])
        expect(maya.page.locator("#due")).to_have_text("£3.80")
        maya.key("Enter")
        maya.paid()
        maya.key("Enter")


@pytest.mark.parametrize("method", ["Cash", "Card"])
def test_the_amount_to_take_is_seen_on_a_phone_before_it_is_taken(
    till: TillProcess, at_till: OpenCashier, method: str
) -> None:
    maya = at_till(till, width=390, height=844).sign_in()
    maya.scan(code_of("Sourdough loaf"))
    maya.charge()
    maya.tap(method)
    amount, complete = (maya.page.locator(one).bounding_box() for one in ("#tendered", "button.pay"))
    assert amount is not None
    assert complete is not None
    assert amount["y"] + amount["height"] <= complete["y"]


CUT = """id => {
  const text = document.createRange();
  text.selectNodeContents(document.getElementById(id));
  const [seen, room] = [text, document.querySelector(".due, .paid")].map((one) => one.getBoundingClientRect());
  return seen.left < room.left || seen.right > room.right;
}"""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 768), (800, 1280), (390, 844)])
def test_the_largest_amount_is_seen_to_its_last_digit(
    till: TillProcess, at_till: OpenCashier, width: int, height: int
) -> None:
    till.ask("/products", "POST", {"sku": "PIANO", "name": "Piano", "price_minor": 999_999_999, "tax_code": "zero"})
    maya = at_till(till, width=width, height=height).sign_in()
    maya.page.get_by_role("searchbox").fill("piano")
    maya.tap("Piano")
    maya.expect_total("£9,999,999.99")
    maya.charge()
    expect(maya.page.locator("#due")).to_have_text("£9,999,999.99")
    assert not maya.page.evaluate(CUT, "due")
    assert not maya.page.evaluate(CUT, "tendered")
    assert not maya.page.evaluate(CUT, "change")


def test_a_reduced_piece_and_a_whole_one_of_the_same_product_are_two_lines(
    till: TillProcess, at_till: OpenCashier
) -> None:
    daniel = at_till(till).sign_in(SUPERVISOR.pin)
    for name in ("Sourdough loaf", "Dishwasher tablets, 30"):
        daniel.scan(code_of(name))
    daniel.expect_saved()
    daniel.line("Sourdough").locator(".line-main").click()
    daniel.tap("Price")
    daniel.type("1.00")
    daniel.tap("Damaged", within=daniel.dialog)
    daniel.key("Enter")
    daniel.expect_total("£8.25")
    daniel.line("Dishwasher").locator(".line-main").click()
    daniel.key("F7")
    daniel.type("20")
    daniel.tap("Damaged", within=daniel.dialog)
    daniel.key("Enter")
    daniel.expect_total("£6.80")
    for name in ("Sourdough loaf", "Dishwasher tablets, 30", "Sourdough loaf"):
        daniel.scan(code_of(name))
    daniel.expect_total("£21.65")
    expect(daniel.lines).to_have_count(4)
