"""Pages and dialogs of the till that one comes to now and then: empty lists, refusals, what only some goods have.

Only the tour of all pages goes there each time (``scripts/tour.py``); :mod:`tests.journeys.places` is the everyday.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from playwright.sync_api import Route, expect

from tests.journeys.cashier import AnyTill, Cashier
from tests.journeys.places import DIALOG, Place, both, press, row, tap
from tillmesh.shop.gtin import check_digit

Step = Callable[[Cashier], None]
WINE: Final = "841000000001" + check_digit("841000000001")
UNKNOWN: Final = "4006381333931"
TICKET: Final = "GIG-1"
NOBODY: Final = "zzzz"
LONG_AGO: Final = "2020-01-05"
ANSWERED_MS: Final = 20_000


def stock_up(till: AnyTill) -> None:
    """Have the goods that show these corners: wine with an age, an apron in sizes, tickets against rights."""
    wine = {"sku": "wine", "name": "Rioja", "price_minor": 1100, "barcodes": [WINE], "min_age": 18}
    apron = {"sku": "apron", "name": "Apron", "price_minor": 1500, "department": "Household"}
    ticket = {"sku": TICKET, "name": "Harvest concert", "price_minor": 2500, "hard_limited": True}
    for one in (wine, apron, ticket):
        till.ask("/products", "POST", one)
    options = ["Size=S,M", "Colour=Red,Blue"]
    till.ask("/products/apron/variants", "POST", {"options": options})
    till.ask("/stock/receipts", "POST", {"sku": TICKET, "quantity": "40"})


def _find(text: str) -> Step:
    return lambda person: person.page.locator(".search input, input[type=search]").first.fill(text)


def _press_in_the_bar(at: int) -> Step:
    return lambda person: person.page.locator(".list-tools .seg button").nth(at).click()


def _press_in_the_dialog(at: int) -> Step:
    return lambda person: person.dialog.locator(".seg button").nth(at).click()


def _choose_some(person: Cashier) -> None:
    if person.page.locator(".savebar").count():
        return
    _find("")(person)
    tap("Choose several")(person)
    for at in range(3):
        person.page.locator("button.product-row").nth(at).click()


def _chosen(at: int) -> Step:
    return both(_choose_some, lambda person: person.page.locator(".savebar button").nth(at).click())


def _scan(code: str) -> Step:
    def scan(person: Cashier) -> None:
        expect(person.page.get_by_role("searchbox")).to_be_visible()
        person.scan(code)

    return scan


def _lose_a_till(person: Cashier) -> None:
    """Show the rights as if a till were gone, and as if some were given out nowhere: the store itself is well."""

    def answer(route: Route) -> None:
        found: dict[str, Any] = route.fetch().json()
        if rights := found.get("rights"):
            gone = {"holder": "gone", "name": "Till 7", "quantity": "3", "here": False, "gone": True, "heard": False}
            found["rights"] = rights | {"unheld": "2", "holders": [*rights["holders"], gone]}
        route.fulfill(body=json.dumps(found), content_type="application/json")

    person.page.route(f"**/api/v1/stock/{TICKET}", answer)


def _tickets(person: Cashier) -> None:
    _lose_a_till(person)
    _press_in_the_bar(2)(person)
    _find("Harvest")(person)
    person.page.locator(".stock-row b", has_text="Harvest").click()
    expect(person.dialog.locator(".rights")).to_be_visible()


def _unreachable(person: Cashier) -> None:
    """Let the till's program fall silent while somebody changes the sale."""
    person.page.context.set_offline(True)
    person.page.locator(".linebar .stepper button").last.click()
    expect(person.page.locator(".cart .line.unsaved").first).to_be_visible()


SEARCH_EMPTY: Final = ".office-main .empty, .empty"
EMPTY_CART: Final = (
    Place("sell-empty", "sell", ".cart .empty"),
    Place("parked", "sell", DIALOG, press("F6")),
    Place("unknown-code", "sell", ".toast", _scan(UNKNOWN)),
)
CORNERS: Final = (
    Place("nothing-found", "sell", SEARCH_EMPTY, _find(NOBODY)),
    Place("age", "sell", DIALOG, both(_find(""), _scan(WINE))),
    Place("variants", "sell", DIALOG, both(_find("apron"), row(".tile"))),
    Place("sales-none", "sales", SEARCH_EMPTY, _find(NOBODY)),
    Place("customers-none", "customers", SEARCH_EMPTY, _find(NOBODY)),
    Place("customer", "customers/c-cafe", ".purses"),
    Place("correct", "customers/c-cafe", DIALOG, tap("Correct")),
    Place("erase", "customers/c-cafe", DIALOG, row(".sale-head .btn.ghost:not(.only-s)")),
    Place("products-none", "products", SEARCH_EMPTY, _find(NOBODY)),
    Place("chosen", "products", ".savebar", _choose_some),
    Place("labels", "products", DIALOG, _chosen(1)),
    Place("bulk", "products", DIALOG, _chosen(2)),
    Place("promotions", "promotions", ".promo-list .row-main"),
    Place("promotion-new", "promotions/new", ".office-main form"),
    Place("prices-list", "prices", ".office-main .row-main"),
    Place("prices-new", "prices/new", ".office-main form"),
    Place("price-add", "prices/trade", DIALOG, tap("Add a price")),
    Place("stock-all", "stock", ".stock-row b", _press_in_the_bar(2)),
    Place("stock-soon", "stock", ".stock-row b, .empty", _press_in_the_bar(1)),
    Place("stock-none", "stock", SEARCH_EMPTY, _find(NOBODY)),
    Place("count", "stock", DIALOG, both(_find(""), row(".stock-row b"), _press_in_the_dialog(1))),
    Place("adjust", "stock", DIALOG, both(_find(""), row(".stock-row b"), _press_in_the_dialog(2))),
    Place("rights", "stock", DIALOG + " .rights", _tickets),
    Place("rights-over", "stock", DIALOG, both(_tickets, row(".rights .row-main button"))),
    Place("closes", "reports/closes", ".office-main table, .office-main .empty"),
    Place("day-without-sales", f"reports/day?date={LONG_AGO}", SEARCH_EMPTY),
    Place("flags-none", "flags", SEARCH_EMPTY),
    Place("audit-none", "audit", SEARCH_EMPTY, _find(NOBODY)),
    Place("code", "store", DIALOG + " output", tap("Add a till")),
    Place("quick-keys", "settings", DIALOG, tap("Arrange quick keys")),
    Place("mail", "settings", DIALOG, tap("Mail server")),
    Place("training", "settings", DIALOG, tap("Begin training")),
)
UNREACHABLE: Final = Place("unreachable", "sell", ".cart .line.unsaved", _unreachable)


def reach_again(person: Cashier) -> None:
    """Let the page hear its till again, and wait until all is saved."""
    person.page.context.set_offline(False)
    person.expect_saved(timeout_ms=ANSWERED_MS)
