"""The first day in a shop, as the tutorial tells it: each step is done before a real till, and then can be pictured."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.journeys.cashier import AnyTill, Cashier

PIN, CASHIER_PIN = "4821", "1357"
CODE = "4006381333931"
PENCIL = "Pencil HB"


def first_day(page: Page, till: AnyTill) -> Iterator[str]:
    """Live it, and say after each step what can be seen now."""
    anna = Cashier(page, till)
    yield from _begin(anna)
    yield from _furnish(anna)
    yield from _sell(anna)
    yield from _afterwards(anna)


def _begin(anna: Cashier) -> Iterator[str]:
    page = anna.page
    page.goto(anna.till.url)
    expect(page.get_by_label("Name of the shop")).to_be_focused()
    page.keyboard.type("Bell's Stationery")
    page.get_by_label("Your name").fill("Anna Bell")
    page.get_by_label("PIN", exact=False).first.fill(PIN)
    page.get_by_label("PIN again").fill(PIN)
    yield "welcome"
    anna.tap("Begin")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.get_by_label("Address").fill("3 Market Square\nFernhill")
    expect(page.get_by_label("Address")).to_have_value("3 Market Square\nFernhill")
    yield "settings"
    anna.tap("Save")
    expect(anna.toast("Saved")).to_be_visible()


def _furnish(anna: Cashier) -> Iterator[str]:
    anna.go("products")
    anna.tap("New product")
    anna.dialog.get_by_label("Name").fill(PENCIL)
    anna.dialog.get_by_label("Price").first.fill("0.99")
    anna.dialog.get_by_label("Barcodes").fill(CODE)
    anna.dialog.get_by_label("Name").focus()
    yield "product"
    anna.tap("Save", within=anna.dialog)
    expect(anna.dialog).to_have_count(0)
    anna.go("people")
    anna.tap("New person")
    anna.dialog.get_by_label("Name").fill("Ben Carter")
    anna.dialog.get_by_label("PIN").fill(CASHIER_PIN)
    yield "person"
    anna.tap("Save", within=anna.dialog)
    expect(anna.page.locator(".person").filter(has_text="Ben Carter")).to_be_visible()


def _sell(anna: Cashier) -> Iterator[str]:
    anna.go("shift")
    anna.page.locator(".office-main form input").first.fill("100")
    yield "shift"
    anna.tap("Open the shift")
    expect(anna.page.locator(".kpis")).to_be_visible()
    anna.go("sell")
    expect(anna.page.locator(".grid .tile")).to_have_count(1)
    anna.scan(CODE)
    anna.scan(CODE)
    anna.expect_total("£1.98")
    anna.expect_saved()
    yield "sell"
    anna.charge()
    anna.type("500")
    expect(anna.page.locator("#change")).to_have_text("£3.02")
    yield "pay"
    anna.key("Enter")
    anna.paid()
    yield "paid"


def _afterwards(anna: Cashier) -> Iterator[str]:
    page = anna.page
    anna.go("settings")
    page.get_by_label("Printer", exact=True).select_option("network")
    page.get_by_label("Printer", exact=True).scroll_into_view_if_needed()
    yield "printer"
    anna.go("store")
    anna.tap("Add a till")
    expect(anna.dialog.locator("output")).to_be_visible()
    yield "second-till"
    anna.key("Escape")
    anna.go("shift")
    anna.tap("Close the shift")
    anna.type("101.98")
    yield "close"
    anna.key("Enter")
    expect(anna.dialog).to_contain_text("Exact")
    yield "report"
