"""A catalogue of 100,000 products: the page stays small, and every one of them is scanned while nobody answers."""

from __future__ import annotations

import json
from functools import cache

import pytest
from playwright.sync_api import Route, expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.bench.goods import invented

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]

MANY = 100_000
NODES_MAX = 2_300  # near it at any size of the catalogue, says the design of the page

# The page's own module takes the catalogue in, and is then asked for each code as a scan asks it.
ALL = """async () => {
  const { loadCatalogue, product, rowOfCode, count } = await import("/static/state/catalogue.js");
  await loadCatalogue();
  const { columns } = await (await fetch("/api/v1/catalogue")).json();
  const lost = columns.barcodes.filter((code, at) => product(rowOfCode(code))?.sku !== columns.sku[at]);
  return [count(), lost.length];
}"""


@cache
def catalogue() -> str:
    """Write the answer that a till with so many products gives."""
    goods = list(invented(MANY))

    def column(name: str) -> list[object]:
        return [change.fields[name] for change in goods]

    columns = {
        "sku": [change.key for change in goods],
        "name": column("name"),
        "price_minor": column("price_minor"),
        "unit": column("unit"),
        "tax_code": column("tax_code"),
        "department": column("department"),
        "barcodes": [change.key for change in goods],
        "favourite": [0] * MANY,
        "track_stock": [1] * MANY,
    }
    return json.dumps({"version": "many", "count": MANY, "columns": columns, "variants": {}, "images": {}})


def last_product() -> tuple[str, int]:
    """Give code and price of the product that comes last."""
    columns = json.loads(catalogue())["columns"]
    return columns["sku"][-1], columns["price_minor"][-1]


def with_many(person: Cashier) -> Cashier:
    """Let this person's page be told of a big shop; the till itself is the small one of the demo."""

    def answer(route: Route) -> None:
        route.fulfill(body=catalogue(), content_type="application/json")

    person.page.route("**/api/v1/catalogue", answer)
    return person


def test_a_page_with_100000_products_stays_small_and_scans_the_last_of_them_while_nobody_answers(
    shop_window: TillProcess, at_till: OpenCashier
) -> None:
    maya = with_many(at_till(shop_window)).sign_in()
    last, (code, price_minor) = f"{MANY - 1}", last_product()
    grid = maya.page.locator(".grid")
    for share in (0, 0.5, 1):
        grid.evaluate("(grid, share) => { grid.scrollTop = grid.scrollHeight * share }", share)
        expect(maya.page.locator(f'.tile[data-i="{int((MANY - 1) * share)}"]')).to_be_visible()
        assert maya.page.evaluate("() => document.querySelectorAll('*').length") <= NODES_MAX
    assert maya.page.evaluate(ALL) == [MANY, 0]
    maya.key("F2")
    maya.type(last)
    expect(maya.page.locator(".tile.active")).to_contain_text(last)  # so the page's own index is built, too
    maya.key("Escape", "Escape")
    maya.page.context.set_offline(True)
    maya.scan(code)
    expect(maya.line(last)).to_contain_text(f"£{price_minor / 100:.2f}")
