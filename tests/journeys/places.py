"""Every page and every dialog of the till, and how to get there: for looking, measuring and auditing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import expect

from tests.journeys.cashier import Cashier, code_of


@dataclass(frozen=True, slots=True)
class Place:
    """A page (by its hash) or a dialog over it, and what shows that it is there."""

    name: str
    hash: str
    ready: str
    open: Callable[[Cashier], None] | None = None

    def shoot(self, person: Cashier, folder: Path, variant: str) -> None:
        """Keep a picture."""
        folder.mkdir(parents=True, exist_ok=True)
        person.page.screenshot(path=folder / f"{self.name}-{variant}.png", animations="disabled")

    def visit(self, person: Cashier) -> None:
        """Go there and wait until it is painted."""
        person.page.evaluate("page => { location.hash = '#/'; location.hash = `#/${page}` }", self.hash)
        if self.open:
            self.open(person)
        expect(person.page.locator(self.ready).first).to_be_visible()
        expect(person.page.locator(".waiting:visible")).to_have_count(0)
        person.page.evaluate("() => document.fonts.ready")
        person.page.evaluate(STILL)


def fill_cart(person: Cashier) -> None:
    """Have a cart that shows what carts show: pieces, a weight, a long name, a selected line."""
    person.go("sell")
    expect(person.page.get_by_role("searchbox")).to_be_visible()
    if not any(cart["lines"] for cart in person.till.ask("/carts")["carts"]):
        for name in ("Sourdough loaf", "Farmhouse cheddar, cut to order", "Dishwasher tablets, 30"):
            code = code_of(name)
            if name.startswith("Farm"):
                person.scan(code)
                expect(person.dialog).to_be_visible()
                person.type("0.35")
                person.key("Enter")
                expect(person.dialog).to_have_count(0)
            else:
                person.scan(code)
    expect(person.lines).to_have_count(3)
    person.expect_saved()


def press(*keys: str) -> Callable[[Cashier], None]:
    """Press keys once the page of the sale is there."""

    def open_it(person: Cashier) -> None:
        expect(person.page.get_by_role("searchbox")).to_be_visible()
        person.key(*keys)

    return open_it


def tap(name: str) -> Callable[[Cashier], None]:
    """Press the button with an English text, in the person's language."""

    def open_it(person: Cashier) -> None:
        person.page.get_by_role("button", name=person.say(name)).first.click()

    return open_it


def row(locator: str) -> Callable[[Cashier], None]:
    """Press the first of what a locator finds."""

    def open_it(person: Cashier) -> None:
        person.page.locator(locator).first.click()

    return open_it


def both(*steps: Callable[[Cashier], None]) -> Callable[[Cashier], None]:
    """Do one after the other."""

    def open_it(person: Cashier) -> None:
        for step in steps:
            step(person)

    return open_it


def _search(person: Cashier) -> None:
    person.page.get_by_role("searchbox").fill("choc")


def _unsearch(person: Cashier) -> None:
    person.page.get_by_role("searchbox").fill("")


def devices(person: Cashier) -> None:
    """Choose a scale and a pole display on the page of settings, without saving: they show what else is asked."""
    for label, chosen in (("How it speaks", "lines"), ("How it is told", "epson")):
        person.page.get_by_label(person.say(label), exact=True).select_option(chosen)
    person.page.get_by_label(person.say("Greeting"), exact=True).scroll_into_view_if_needed()


def _sent(person: Cashier) -> None:
    both(row(".sale-row"), row(".sale-acts button:nth-of-type(2)"))(person)
    tap("Send or save")(person)


STILL: Final = """() => Promise.all(document.getAnimations()
  .filter((one) => isFinite(one.effect?.getComputedTiming().endTime ?? Infinity))
  .map((one) => one.finished.catch(() => {})))"""
DIALOG: Final = "dialog[open]"
PAGES: Final = (
    Place("sell", "sell", ".grid .tile"),
    Place("pay", "pay", "#due"),
    Place("sales", "sales", ".sale-row"),
    Place("sale", "sales", ".sale-card table", row(".sale-row")),
    Place("customers", "customers", ".office-main .list-row, .office-main .row-main"),
    Place("shift", "shift", ".kpis"),
    Place("reports", "reports/day", ".kpis"),
    Place("reports-days", "reports/days", ".office-main .card svg >> visible=true"),
    Place("reports-z", "reports/z", ".zcols"),
    Place("reports-books", "reports/books", "form .two"),
    Place("products", "products", ".product-row b"),
    Place("promotion", "promotions/scones", ".preview-box"),
    Place("prices", "prices/trade", ".sale-card table"),
    Place("stock", "stock", ".list-tools"),
    Place("purchasing", "purchasing", ".office-main .kv"),
    Place("transfers", "transfers", ".office-main .empty"),
    Place("conflicts", "conflicts", ".office-main .card"),
    Place("store", "store", ".office-main .empty"),
    Place("people", "people", ".person"),
    Place("audit", "audit", ".office-main .rows li, .office-main .list-row, .timeline li"),
    Place("health", "health", ".office-main .card"),
    Place("settings", "settings", "#set-address"),
    Place("settings-devices", "settings", "#set-address", devices),
)
DIALOGS: Final = (
    Place("search", "sell", ".tile.active", _search),
    Place("menu", "sell", DIALOG, both(_unsearch, press("F10"))),
    Place("keyboard", "sell", DIALOG, press("F1")),
    Place("customer", "sell", DIALOG + " .rows li", press("F4")),
    Place("customer-new", "sell", DIALOG + " form", both(press("F4"), tap("New customer"))),
    Place("park", "sell", DIALOG, press("F6")),
    Place("discount", "sell", DIALOG, press("F7")),
    Place("quantity", "sell", DIALOG, row(".cart .line .q")),
    Place("price", "sell", DIALOG, tap("Price")),
    Place("note", "sell", DIALOG, tap("Note")),
    Place("clear", "sell", DIALOG, tap("Clear")),
    Place("pay-card", "pay", ".cardfields", tap("Card")),
    Place("pay-gift", "pay", ".cardfields", tap("Gift card")),
    Place("gift-card", "sell", DIALOG, press("Home")),
    Place("split", "pay", DIALOG, tap("Split")),
    Place("send", "sales", DIALOG + " .send-code svg", _sent),
    Place("statement", "customers/c-cafe", DIALOG, tap("Statement")),
    Place("receipt", "sales", DIALOG, both(row(".sale-row"), row(".sale-acts button:nth-of-type(2)"))),
    Place("refund", "sales", DIALOG, both(row(".sale-row"), row(".sale-acts .primary"))),
    Place("void", "sales", DIALOG, both(row(".sale-row"), row(".sale-acts .bad-ink"))),
    Place("return", "sales", DIALOG, tap("Return without receipt")),
    Place("product", "products", DIALOG, row(".product-row b")),
    Place("product-new", "products", DIALOG, tap("New product")),
    Place("import", "products", DIALOG, tap("Import")),
    Place("shelf", "settings", DIALOG + " .quick-keys", tap("Arrange departments")),
    Place("person", "people", DIALOG, row(".person")),
    Place("person-new", "people", DIALOG, tap("New person")),
    Place("cash-in", "shift", DIALOG, tap("Put cash in")),
    Place("drawer", "shift", DIALOG, tap("Open the drawer")),
    Place("stock-move", "stock", DIALOG, row(".stock-row b")),
    Place("order", "purchasing", DIALOG + " .buy-line", tap("New order")),
    Place("arrival", "purchasing", DIALOG, tap("Receive")),
    Place("supplier", "purchasing", DIALOG, tap("Add a supplier")),
    Place("transfer", "transfers", DIALOG, tap("Send to another store")),
    Place("close-shift", "shift", DIALOG, tap("Close the shift")),
)
EVERYWHERE: Final = PAGES + DIALOGS
THEMES: Final = ("light", "dark", "contrast")


def set_look(person: Cashier, **look: object) -> None:
    """Choose colours and text size as the settings page keeps them, and reload."""
    person.page.evaluate("look => localStorage.setItem('tillmesh.look', JSON.stringify(look))", look)
    person.page.reload()


def close_dialogs(person: Cashier) -> None:
    """Leave whatever is open, without doing it."""
    while person.page.locator(DIALOG).count():
        person.page.locator(DIALOG).last.evaluate("one => one.dispatchEvent(new Event('cancel', {cancelable: true}))")
        person.page.wait_for_timeout(20)
