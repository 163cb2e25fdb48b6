"""Yen without decimals and dinars with three: on tiles, in the number pad, in fields, on paper, in reports."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.faults.corner_shop import PINS, found_shop
from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("browser"), pytest.mark.timeout(240)]


@pytest.fixture
def corner(tmp_path: Path) -> Iterator[TillProcess]:
    """A small till that has sold nothing yet, so that it can still take another currency."""
    found_shop(tmp_path / "till", pins=True)
    till = TillProcess(tmp_path / "till", "--no-ai")
    yield till
    till.close()


# Currency, locale, the price as typed and in minor units, what is handed over, and how price and change are shown.
YEN = ("JPY", "en-JP", "150", 150, "1000", "¥150", "¥850")
DINARS = ("KWD", "en-KW", "1.255", 1_255, "2000", "1.255", "0.745")


@pytest.mark.parametrize("row", [YEN, DINARS], ids=["yen", "dinars"])
def test_a_sale_from_the_price_to_the_report(
    corner: TillProcess, at_till: OpenCashier, row: tuple[str, str, str, int, str, str, str]
) -> None:
    currency, locale, typed, price, given, tile, change = row
    store = {"currency": currency, "locale": locale, "cash_step_minor": 0}
    corner.ask("/settings", "PATCH", {"store": store})
    ruth = at_till(corner).sign_in(PINS["ruth"])
    ruth.go("products")
    ruth.page.get_by_text("Bread").first.click()
    price_field = ruth.dialog.get_by_label("Price", exact=False).first
    price_field.fill(typed)
    ruth.dialog.locator("[type=submit]").click()
    expect(ruth.dialog).to_have_count(0)
    assert corner.ask("/products/BREAD")["price_minor"] == price

    ruth.go("sell")
    bread = ruth.page.locator(".grid .tile", has_text="Bread")
    expect(bread).to_contain_text(tile)
    bread.click()
    ruth.expect_saved()
    ruth.key("F9")
    expect(ruth.page.locator("#due")).to_contain_text(tile)
    ruth.type(given)
    expect(ruth.page.locator("#change")).to_contain_text(change)
    ruth.key("Enter")
    expect(ruth.page.locator(".payscr.done")).to_contain_text(change)
    (sale,) = corner.sales()
    assert (sale["total_minor"], sale["change_minor"]) == (price, int(given) - price)
    paper = corner.ask(f"/sales/{sale['sale_id']}/receipt")["text"]
    assert tile in paper.replace("\u00a0", " ")
    ruth.key("Enter")
    ruth.go("reports")
    expect(ruth.page.locator("main")).to_contain_text(tile)
    assert "NaN" not in json.dumps(ruth.page.locator("main").inner_text())
