"""Goods with more to them: sizes and colours, an age to be proven, many changed at once and back."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import OpenCashier
from tests.journeys.till import TillProcess
from tillmesh.demo.shop_data import MANAGER
from tillmesh.shop.gtin import check_digit

pytestmark = [pytest.mark.journey, pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_a_shirt_is_sold_in_the_size_and_colour_that_is_tapped(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    shirt = {"sku": "shirt", "name": "Apron", "price_minor": 1500, "department": "Clothes", "favourite": True}
    till.ask("/products", "POST", shirt)
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("products")
    ruth.page.get_by_role("textbox").first.fill("apron")
    ruth.page.locator(".product-row").filter(has_text="Apron").last.click()
    ruth.page.get_by_text("Variants", exact=True).click()
    ruth.page.get_by_label("Options").fill("Size = S, M\nColour = Red, Blue")
    ruth.tap("Make variants")
    expect(ruth.toast("4 variants made")).to_be_visible()
    till.ask("/stock/receipts", "POST", {"sku": "shirt.m.blue", "quantity": "3"})
    ruth.go("sell")
    ruth.page.locator(".tile").filter(has_text="Apron").click()
    expect(ruth.dialog.get_by_role("heading", name="M", exact=True)).to_be_visible()
    folder = root / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    ruth.page.screenshot(path=folder / "variants.png", animations="disabled")
    ruth.dialog.locator("section").last.get_by_role("button").filter(has_text="Blue").click()
    expect(ruth.line("Apron, M, Blue")).to_have_count(1)
    ruth.page.locator(".tile").filter(has_text="Apron").click()
    ruth.dialog.locator("section").first.get_by_role("button").filter(has_text="Red").click()
    expect(ruth.line("Apron, S, Red")).to_have_count(1)
    ruth.expect_total("£30.00")
    ruth.pay_cash_exactly()
    assert till.ask("/stock/shirt.m.blue")["value"] == "2"


def test_wine_waits_until_the_cashier_has_looked_at_the_age(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    code = "841000000001" + check_digit("841000000001")
    wine = {"sku": "wine", "name": "Rioja", "price_minor": 1100, "barcodes": [code], "min_age": 18}
    till.ask("/products", "POST", wine)
    maya = at_till(till).sign_in()
    maya.scan(code)
    expect(maya.dialog).to_contain_text("At least 18 years old?")
    maya.page.screenshot(path=root / "artifacts" / "screenshots" / "age.png", animations="disabled")
    maya.key("Enter")  # alone it sells nothing
    expect(maya.dialog).to_have_count(0)
    expect(maya.lines).to_have_count(0)
    maya.scan(code)
    expect(maya.dialog).to_be_visible()
    maya.tap("Old enough")
    expect(maya.line("Rioja")).to_have_count(1)
    maya.expect_total("£11.00")
    maya.pay_cash_exactly()
    noted = [one["action"] for one in till.ask("/audit?q=rioja")["entries"]]
    assert noted.count("age_refused") == 1
    assert noted.count("age_checked") == 1


def test_many_products_change_at_once_and_one_tap_takes_it_back(
    till: TillProcess, at_till: OpenCashier, root: Path
) -> None:
    for at in range(3):
        thing = {"sku": f"mug-{at}", "name": f"Zebra mug {at}", "price_minor": 1000, "department": "Kitchen"}
        till.ask("/products", "POST", thing)
    ruth = at_till(till).sign_in(MANAGER.pin)
    ruth.go("products")
    ruth.page.get_by_role("textbox").first.fill("zebra mug")
    expect(ruth.page.locator("button.product-row")).to_have_count(3)
    ruth.tap("Choose several")
    ruth.tap("All shown")
    expect(ruth.page.get_by_text("3 products chosen")).to_be_visible()
    ruth.page.screenshot(path=root / "artifacts" / "screenshots" / "bulk.png", animations="disabled")
    with ruth.page.expect_download() as download:
        ruth.tap("Labels")
        ruth.tap("Make the PDF")
    pdf = Path(download.value.path()).read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"(Zebra mug 1)" in pdf
    ruth.tap("Change", exact=True)
    ruth.page.get_by_label("Price up or down").fill("-12,5")
    ruth.dialog.get_by_role("button", name="Change", exact=True).click()
    expect(ruth.toast("3 products changed")).to_be_visible()
    assert till.ask("/products/mug-1")["price_minor"] == 875
    ruth.tap("Undo")
    expect(ruth.toast("Taken back")).to_be_visible()
    assert till.ask("/products/mug-1")["price_minor"] == 1000
