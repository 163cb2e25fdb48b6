"""Product files of other programs are taken as they come."""

import pytest

from tillmesh.shop.events import Change
from tillmesh.shop.product_columns import Reading
from tillmesh.shop.product_file import Report, plan_import
from tillmesh.shop.product_matching import Shelf

READING = Reading(tax_rates_ppm={"standard": 200_000})
EMPTY = Shelf(product=lambda _: None, owner=lambda _: None)

SHOPIFY = """Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Variant Barcode,Image Src,Image Position,Cost per item,\
Status
mug,Enamel mug,<p>A</p>,Falcon,Kitchen,,true,Title,Default Title,,,MUG 1,300,12,12.50,5012345678900,\
https://x/1.jpg,1,4.00,active
mug,,,,,,,,,,,,,,,,https://x/2.jpg,2,,
shirt,T-shirt,,Falcon,Clothes,,true,Size,M,Colour,Blue,SH-M,200,3,15.00,,,,,draft
shirt,,,,,,,,L,,Blue,SH-L,200,3,16.00,,,,,
"""
SHOPIFY_NEW = """Title,URL handle,Vendor,Type,Status,SKU,Barcode,Option1 name,Option1 value,Price,Cost per item
Oat milk,oat-milk,Oatly,Dairy,Active,OAT,4006381333931,,,1.99,1.10
"""
LOYVERSE = """Handle,SKU,Name,Category,Description,Sold by weight,Option 1 name,Option 1 value,Cost,Barcode,\
Track stock,Available for sale [Fernhill],Price [Fernhill],In stock [Fernhill],Low stock [Fernhill]
apples,10001,Apples,Fruit,,Y,,,1.10,,Y,Y,2.40,12.5,5
tea,10002,Tea,Drinks,,N,Size,Small,0.80,4006381333931,Y,Y,2.95,7,
tea,10003,,,,N,,Large,1.20,,Y,Y,4.95,3,2
"""


def imported(text: str) -> tuple[dict[str, Change], Report]:
    plan = plan_import(text.splitlines(keepends=True), READING, EMPTY)
    assert plan.report.error_count == 0, plan.report.errors
    return {change.key: change for change in plan.changes}, plan.report


def test_a_shopify_export_is_products_and_each_variant_is_one() -> None:
    found, report = imported(SHOPIFY)
    assert list(found) == ["MUG-1", "SH-M", "SH-L"]
    mug = found["MUG-1"].fields
    wanted = {"name": "Enamel mug", "price_minor": 1250, "cost_minor": 400, "department": "Kitchen"}
    assert {key: mug[key] for key in wanted} == wanted
    assert mug["barcodes"] == ["5012345678900"]
    assert found["SH-M"].fields["name"] == "T-shirt, M, Blue"
    assert found["SH-L"].fields["name"] == "T-shirt, L, Blue"
    assert [found[sku].fields["active"] for sku in found] == [True, False, False]
    assert report.rows == 3  # the second picture of the mug is no product


def test_a_shopify_export_with_the_new_titles_is_understood_too() -> None:
    found, _ = imported(SHOPIFY_NEW)
    assert (found["OAT"].fields["name"], found["OAT"].fields["price_minor"]) == ("Oat milk", 199)


def test_a_loyverse_export_keeps_weight_price_of_the_shop_and_the_low_limit() -> None:
    found, _ = imported(LOYVERSE)
    apples = found["10001"].fields
    assert (apples["unit"], apples["price_minor"], apples["low_stock_milli"]) == ("kg", 240, 5_000)
    assert found["10002"].fields["name"] == "Tea, Small"
    assert (found["10003"].fields["name"], found["10003"].fields["department"]) == ("Tea, Large", "Drinks")


def test_a_wrong_price_in_another_program_s_file_is_named_by_its_line() -> None:
    plan = plan_import(LOYVERSE.replace("2.95", "two").splitlines(keepends=True), READING, EMPTY)
    assert [(finding.line, finding.value) for finding in plan.report.errors] == [(3, "two")]
    assert plan.changes == []


@pytest.mark.parametrize("header", ["sku,name,price\nA,Apple,1.00\n", "Handle,SKU,Name\nx,A,Apple\n"])
def test_any_other_file_is_read_as_ever(header: str) -> None:
    plan = plan_import(header.splitlines(keepends=True), READING, EMPTY)
    assert plan.report.rows == 1
