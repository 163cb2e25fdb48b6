"""What somebody at the till does: keys, scans and taps, and what the screen then says."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from playwright.sync_api import Locator, Page, expect

from tillmesh.demo.shop_data import CASHIER, OWN_GOODS, Own, in_store_code
from tillmesh.shop.gtin import check_digit
from tillmesh.terminal.web.languages import LOCALES

WEDGE_GAP_MS = 2  # between two keys of a scanner that types


class AnyTill(Protocol):
    """A till that is served somewhere, and answers beside the browser."""

    @property
    def url(self) -> str:
        """Where its page is."""
        ...

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Call the API as the manager."""


class Cashier:
    """A person before one browser window."""

    def __init__(self, page: Page, till: AnyTill) -> None:
        self.page = page
        self.till = till
        self.language = "en"

    def say(self, english: str) -> str:
        """Give a text of the pages in the language of this person."""
        key = next(key for key, text in words_of("en").items() if text == english)
        return str(words_of(self.language)[key])

    # ------------------------------------------------------------ coming and going
    def sign_in(self, pin: str = CASHIER.pin) -> Cashier:
        """Open the till's page and type the PIN as fast as keys go."""
        self.page.goto(self.till.url)
        expect(self.page.get_by_role("heading", name="Enter your PIN")).to_be_visible()
        self.type_pin(pin)
        expect(self.page.get_by_role("searchbox")).to_be_visible()
        expect(self.page.locator(".grid .tile").first).to_be_visible()
        return self

    def type_pin(self, pin: str) -> None:
        self.page.keyboard.type(pin, delay=1)
        self.key("Enter")

    def go(self, page: str) -> None:
        self.page.evaluate("page => { location.hash = `#/${page}` }", page)

    # ------------------------------------------------------------ hands
    def key(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)

    def type(self, text: str) -> None:
        """Type like a person: slower than any scanner."""
        self.page.keyboard.type(text, delay=70)

    def scan(self, code: str) -> None:
        """Scan with a scanner that is a very fast keyboard."""
        self.page.keyboard.type(code, delay=WEDGE_GAP_MS)
        self.key("Enter")

    def tap(self, name: str, *, within: Locator | None = None, exact: bool = False) -> None:
        (within or self.page).get_by_role("button", name=name, exact=exact).first.click()

    # ------------------------------------------------------------ eyes
    @property
    def lines(self) -> Locator:
        return self.page.locator(".cart .line")

    def line(self, name: str) -> Locator:
        return self.lines.filter(has_text=name)

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]").last

    def toast(self, text: str) -> Locator:
        return self.page.locator(".toast").filter(has_text=text)

    def wait_until(self, happened: Callable[[], object], *, within_ms: int = 10_000) -> None:
        """Look again and again for what happens outside of the page."""
        for _ in range(within_ms // 50):
            if happened():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"did not happen within {within_ms} ms")

    def expect_total(self, text: str) -> None:
        expect(self.page.locator("#total")).to_have_text(text)

    def expect_saved(self, *, timeout_ms: float = 10_000) -> None:
        """Wait until the till has confirmed everything that is painted."""
        expect(self.page.locator("button.pay")).to_be_enabled(timeout=timeout_ms)
        expect(self.page.locator(".cart .line.unsaved")).to_have_count(0)

    def charge(self) -> None:
        self.expect_saved()
        self.key("F9")
        expect(self.page.locator("#due")).to_be_visible()

    def pay_cash_exactly(self) -> str:
        """Complete the sale with exact cash; give its receipt number."""
        self.charge()
        self.key("Enter")
        return self.paid()

    def paid(self) -> str:
        """Wait for the page that says so; give the receipt number."""
        title = self.page.locator(".payscr.done h1")
        expect(title).to_contain_text("Sale ")
        return str(title.inner_text()).split("Sale ")[1].strip()

    def cart_of_the_till(self) -> dict[str, Any]:
        """Ask the till, not the page, what the cart holds."""
        (cart,) = [cart for cart in self.till.ask("/carts")["carts"] if cart["lines"]]
        return dict(cart)


@cache
def words_of(language: str) -> dict[str, Any]:
    """Read the words of the pages in a language."""
    found: dict[str, Any] = json.loads((LOCALES / f"{language}.json").read_text("utf-8"))
    return found


def own(name: str) -> Own:
    """Find one of the demo shop's own goods."""
    return next(one for one in OWN_GOODS if one.name == name)


def code_of(name: str) -> str:
    """Give the barcode that the shop prints for one of its goods."""
    return in_store_code(own(name))


def weighed_code(name: str, grams: int) -> str:
    """Give the label that the scale prints: item and weight in one EAN-13."""
    body = f"21{own(name).item}{grams:05d}"
    return body + check_digit(body)
