"""Scanning as fast as a scanner can while the page is busy: no scan is lost, none counts twice, totals agree."""

import os
from collections import Counter
from random import Random

import pytest
from playwright.sync_api import expect

from tests.journeys.cashier import Cashier
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import OWN_GOODS, in_store_code

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

# The demand is for a thousand; the everyday suite takes the first of them.
SCANS = 1000 if os.environ.get("TILLMESH_HYPOTHESIS") == "soak" else 120
BETWEEN_SCANS_MS = 30
PIECES = [one for one in OWN_GOODS if one.unit == "piece"]

# Keeps the page as busy as live news, a report being drawn and a garbage collection do together.
BUSY = """() => {
  const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
  setInterval(() => spin(12), 40);
  setInterval(() => {
    document.body.style.setProperty("--busy", String(Math.random()));
    document.body.getBoundingClientRect();
  }, 16);
}"""


def test_no_scan_is_lost_and_none_counts_twice(till: TillProcess, at_till: OpenCashier) -> None:
    till.without_offers()
    maya = at_till(till).sign_in()
    maya.page.evaluate(BUSY)
    scanned = scan_many(maya)
    expect(maya.page.locator(".cart header .pill").first).to_have_text(f"{SCANS} items", timeout=30_000)
    maya.expect_saved(timeout_ms=60_000)
    cart = maya.cart_of_the_till()
    assert {line["sku"]: int(line["quantity"]) for line in cart["lines"]} == dict(scanned)
    prices = {f"FM-{one.item}": one.price_minor for one in PIECES}
    total = sum(prices[sku] * count for sku, count in scanned.items())
    assert cart["total_minor"] == total
    maya.expect_total(f"£{total / 100:,.2f}")


def scan_many(person: Cashier) -> Counter[str]:
    """Scan products at random with 2 to 5 ms between keys; give what was scanned by sku."""
    random = Random(SCANS)
    scanned: Counter[str] = Counter()
    for _ in range(SCANS):
        one = random.choice(PIECES)
        scanned[f"FM-{one.item}"] += 1
        person.page.keyboard.type(in_store_code(one), delay=random.uniform(2, 5))
        person.key("Enter")
        person.page.wait_for_timeout(BETWEEN_SCANS_MS)
    return scanned


def test_a_scan_under_a_dialog_reaches_the_sale_and_not_the_field(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan(in_store_code(PIECES[0]))
    maya.key("F7")
    maya.type("5")
    maya.scan(in_store_code(PIECES[1]))
    expect(maya.lines).to_have_count(2)
    expect(maya.dialog.get_by_label("Percent off")).to_have_value("5")


def test_an_unknown_barcode_says_so_and_sells_nothing(till: TillProcess, at_till: OpenCashier) -> None:
    maya = at_till(till).sign_in()
    maya.scan("4006381333931")
    expect(maya.toast("Unknown barcode")).to_be_visible()
    expect(maya.lines).to_have_count(0)
    expect(maya.page.locator(".cart .empty")).to_be_visible()
