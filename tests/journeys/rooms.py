"""What others than the manager see: a cashier, a customer, a device of the shop's network, the first person of all.

Each is a way through some pages that stops at what is worth a look, and names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from playwright.sync_api import Page, Route, expect

from tests.journeys.cashier import Cashier, code_of
from tests.journeys.corners import EMPTY_CART, UNREACHABLE, reach_again
from tests.journeys.places import DIALOG, close_dialogs
from tests.journeys.till import TillProcess
from tests.services.test_demo_program import call
from tillmesh.demo.shop_data import CASHIER, MANAGER

WRONG_PIN: Final = "000000"
WRONG_CODE: Final = "00000000"
ARRIVES_MS: Final = 60_000  # of a loaded machine
_REFUSED: Final[dict[str, tuple[int, str]]] = {}
DEVICE_PAGES: Final = {"products": ".product-row b", "stock": ".list-tools", "reports/day": ".kpis"}


def _still(page: Page) -> None:
    expect(page.locator(".waiting:visible")).to_have_count(0, timeout=ARRIVES_MS)
    page.evaluate("() => document.fonts.ready")


def cashiers_day(maya: Cashier) -> Iterator[str]:
    """Live through what a cashier sees and a manager does not: refusals, approvals, the end of a sign-in."""
    _refuse_wrong_pins(maya)
    maya.type_pin(WRONG_PIN)
    expect(maya.page.locator(".pin-dots.bad")).to_be_visible()
    yield "wrong-pin"
    maya.wait_until(lambda: _signed_in(maya, CASHIER.pin), within_ms=ARRIVES_MS)  # who was wrong waits
    for place in EMPTY_CART:
        place.visit(maya)
        yield place.name
        close_dialogs(maya)
    maya.go("sell")
    maya.scan(code_of("Laundry gel 1.5 l"))
    maya.expect_saved()
    UNREACHABLE.visit(maya)
    yield UNREACHABLE.name
    reach_again(maya)
    yield from _asks_for_half_the_price(maya)
    maya.key("F10")
    expect(maya.dialog).to_be_visible()
    yield "menu-of-a-cashier"
    close_dialogs(maya)
    maya.charge()
    maya.key("Enter")
    expect(maya.page.locator(".payscr.done")).to_be_visible()
    yield "paid"
    maya.key("r")
    expect(maya.dialog).to_be_visible()
    expect(maya.dialog.locator(".spin")).to_have_count(0)
    yield "paid-receipt"
    close_dialogs(maya)
    maya.page.evaluate("fetch('/api/v1/session', {method: 'DELETE'})")
    maya.go("customers")
    expect(maya.page.locator(".pin-dlg")).to_be_visible(timeout=ARRIVES_MS)
    yield "sign-in-again"


def _refuse_wrong_pins(person: Cashier) -> None:
    """Let the till refuse a wrong PIN once in each language, and repeat its words: each makes everybody wait longer."""

    def answer(route: Route) -> None:
        if WRONG_PIN not in (route.request.post_data or ""):
            return route.continue_()
        if person.language not in _REFUSED:
            said = route.fetch()
            _REFUSED[person.language] = said.status, said.text()
        status, body = _REFUSED[person.language]
        return route.fulfill(status=status, body=body, content_type="application/problem+json")

    for path in ("session", "approvals"):
        person.page.route(f"**/api/v1/{path}", answer)


def _signed_in(person: Cashier, pin: str) -> bool:
    person.type_pin(pin)
    shown = person.page.locator(".grid .tile, .pin-dots.bad").first
    expect(shown).to_be_visible()
    return person.page.locator(".grid .tile").count() > 0


def _asks_for_half_the_price(maya: Cashier) -> Iterator[str]:
    maya.key("F7")
    maya.dialog.locator(".quick button").last.click()
    maya.dialog.locator(".chips button").first.click()
    maya.key("Enter")
    expect(maya.page.locator(f"{DIALOG} .pin")).to_be_visible()
    yield "approval"
    maya.type_pin(WRONG_PIN)
    expect(maya.page.locator(f"{DIALOG} .pin-dots.bad")).to_be_visible()
    yield "approval-refused"
    maya.key("Escape")
    close_dialogs(maya)


def customers_side(maya: Cashier, window: Page) -> Iterator[str]:
    """See on the customer's display: nothing, a basket, many things, thanks and the change."""
    window.goto(f"{maya.till.url}/display")
    expect(window.locator(".customer.idle h1")).to_have_text("Fernhill Market", timeout=ARRIVES_MS)
    yield "idle"
    for name in ("Sourdough loaf", "Avocado", "Candles, 6", "Butter croissant", "Flat white"):
        maya.scan(code_of(name))
    expect(window.locator(".customer li")).to_have_count(5, timeout=ARRIVES_MS)
    yield "basket"
    maya.charge()
    maya.type("5000")
    maya.key("Enter")
    expect(maya.page.locator(".payscr.done")).to_be_visible()
    expect(window.locator(".customer .change")).to_be_visible(timeout=ARRIVES_MS)
    yield "change"
    maya.key("Enter")


def first_person(page: Page, till: TillProcess) -> Iterator[str]:
    """See a till that belongs to nobody yet, and what it says to digits that are wrong."""
    page.goto(till.url)
    expect(page.locator("form.welcome")).to_be_visible(timeout=ARRIVES_MS)
    page.wait_for_load_state("networkidle")  # its language has come
    yield "welcome"
    for field, text in zip(page.locator("form.welcome input").all(), ("Corner shop", "Ann", "12", "99"), strict=True):
        field.fill(text)
    yield "welcome-wrong"


def strange_device(page: Page, url: str, code: Callable[[], str]) -> Iterator[str]:
    """Come to the door for other devices: unknown, with a wrong code, then let in and signed in."""
    page.goto(url)
    expect(page.locator("#code")).to_be_visible(timeout=ARRIVES_MS)
    yield "pair"
    code()
    _pair(page, WRONG_CODE)
    expect(page.get_by_role("alert")).to_be_visible(timeout=ARRIVES_MS)
    yield "pair-refused"
    _pair(page, code())
    expect(page.locator(".signin-pad")).to_be_visible(timeout=ARRIVES_MS)
    yield "sign-in"
    page.keyboard.type(MANAGER.pin, delay=1)
    page.keyboard.press("Enter")
    expect(page.locator(".signin-pad")).to_have_count(0, timeout=ARRIVES_MS)
    for name, ready in DEVICE_PAGES.items():
        page.evaluate("page => { location.hash = `#/${page}` }", name)
        expect(page.locator(ready).first).to_be_visible(timeout=ARRIVES_MS)
        _still(page)
        yield name.replace("/", "-")


def _pair(page: Page, code: str) -> None:
    page.locator("#code").fill(code)
    page.locator("button.primary").click()


def open_door(ruth: Cashier) -> Iterator[str]:
    """See at the till what lets a device in, and a till that works alone."""
    ruth.go("settings")
    expect(ruth.page.locator("#set-address")).to_be_visible()
    button = ruth.page.get_by_role("button", name=ruth.say("Pair a device"))
    button.scroll_into_view_if_needed()
    _still(ruth.page)
    yield "devices"
    button.click()
    expect(ruth.dialog.locator("img")).to_be_visible()
    yield "device-code"
    close_dialogs(ruth)
    for page in ("store", "transfers", "purchasing"):
        ruth.go(page)
        expect(ruth.page.locator(".office-main .empty, .office-main .kv").first).to_be_visible(timeout=ARRIVES_MS)
        _still(ruth.page)
        yield f"{page}-alone"


HUB_PAGES: Final = {
    "models": ".shop", "products": ".list-row", "offers": ".access", "groups": ".group", "people": ".person",
    "access": ".access",
}  # fmt: skip


def head_offices_corners(page: Page, hub: str, token: str) -> Iterator[str]:
    """Open what head office's pages open: a model, a price, forms, questions that destroy something, empty lists."""

    def go(name: str, ready: str) -> None:
        page.evaluate("page => { location.hash = `#/${page}` }", name)
        expect(page.locator(ready).first).to_be_visible(timeout=ARRIVES_MS)
        _still(page)

    def opened(locator: str) -> None:
        page.locator(locator).first.click()
        expect(page.locator(DIALOG)).to_be_visible(timeout=ARRIVES_MS)
        _still(page)

    def leave() -> None:
        while page.locator(DIALOG).count():
            page.locator(DIALOG).last.evaluate("d => d.dispatchEvent(new Event('cancel', {cancelable: true}))")
            page.wait_for_timeout(20)

    for model in call(hub, "GET", "/models", token=token)["models"][:2]:
        go(f"model/{model['name']}", ".kpis")
        yield f"model-{model['name']}"
    forms = {
        "price": ("products", ".list-row"), "offer-new": ("offers", ".btn.primary"),
        "offer-edit": ("offers", ".access button"), "offer-end": ("offers", ".access .bad-ink"),
        "group-new": ("groups", ".btn.primary"), "group-edit": ("groups", ".group"),
        "person-new": ("people", ".btn.primary"), "person-edit": ("people", ".person"),
        "key-new": ("access", ".btn.primary"), "key-renew": ("access", ".access .btn:not(.bad-ink)"),
        "key-revoke": ("access", ".access .bad-ink"),
    }  # fmt: skip
    for name, (where, button) in forms.items():
        go(where, HUB_PAGES[where])
        opened(f".office-main {button}")
        yield name
        leave()
    (store,) = call(hub, "GET", "/stores", token=token)["stores"]
    go(f"store/{store['store']}", ".store-tills")
    opened(".office-main .hd .btn:not(.icon)")
    yield "term"
    leave()
    go("products", ".list-row")
    page.locator(".search input").fill("zzzz")
    expect(page.locator(".office-main .empty")).to_be_visible(timeout=ARRIVES_MS)
    yield "products-none"
    go("offers", ".access")
    page.locator(".tools .seg button").last.click()
    expect(page.locator(".office-main .empty, .office-main .access").first).to_be_visible(timeout=ARRIVES_MS)
    yield "planned"
    opened(".office-main .btn.primary")
    yield "planned-new"
    leave()
    go("sales", ".kpis")
    for field in page.locator(".tools input[type=date]").all():
        field.fill("2020-01-05")
    expect(page.locator(".office-main .empty")).to_be_visible(timeout=ARRIVES_MS)
    yield "sales-none"
