"""Products: what may be entered, and that registers and products say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.errors import Invalid
from tillmesh.shop.catalogue import UNITS, Product, check_fields, check_new, check_quantity, from_fields, to_fields

TAXES = {"standard": 200_000, "zero": 0}

products = st.builds(
    Product,
    sku=st.text(min_size=1, max_size=20),
    name=st.text(min_size=1),
    price_minor=st.integers(0, 10**9),
    unit=st.sampled_from(sorted(UNITS)),
    barcodes=st.lists(st.text(min_size=1)).map(tuple),
    active=st.booleans(),
    favourite=st.booleans(),
    low_stock_milli=st.integers(0, 10**6),
)


@given(products)
def test_a_product_survives_its_register(product: Product) -> None:
    assert from_fields(product.sku, to_fields(product)) == product


def test_a_register_of_a_newer_program_still_makes_a_product() -> None:
    product = from_fields("tea", {"name": "Tea", "price_minor": 250, "hologram": "yes", "unit": None})
    assert product == Product(sku="tea", name="Tea", price_minor=250)


def test_a_register_with_one_late_field_is_a_product_already() -> None:
    assert from_fields("tea", {"price_minor": 250}).name == "tea"


def test_a_new_product_takes_its_sku_from_its_barcode() -> None:
    sku, fields = check_new({"name": "  Earl   Grey ", "price_minor": 399, "barcodes": ["4006381333931"]}, TAXES)
    assert sku == "4006381333931"
    assert fields == {"name": "Earl Grey", "price_minor": 399, "barcodes": ["4006381333931"]}


def test_low_stock_is_entered_as_people_say_it() -> None:
    assert check_fields({"low_stock": "2.5"}, TAXES) == {"low_stock_milli": 2_500}


def test_a_barcode_that_is_named_twice_is_kept_once() -> None:
    assert check_fields({"barcodes": ["1", "2", "1"]}, TAXES) == {"barcodes": ["1", "2"]}


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"name": "x" * 201}, "name must be a text"),
        ({"name": "a\x00b"}, "name must be a text"),
        ({"name": 7}, "name must be a text"),
        ({"price_minor": "4.99"}, "price_minor must be a whole number"),
        ({"price_minor": 4.99}, "price_minor must be a whole number"),
        ({"price_minor": True}, "price_minor must be a whole number"),
        ({"price_minor": -1}, "price_minor is -1"),
        ({"price_minor": 10**12}, "price_minor is 1000000000000"),
        ({"unit": "bushel"}, "'bushel' is not known"),
        ({"unit": 1}, "'1' is not known"),
        ({"tax_code": "luxury"}, "'luxury' has no rate"),
        ({"tax_code": 20}, "tax_code must be"),
        ({"barcodes": "123"}, "barcodes must be a list"),
        ({"barcodes": ["12 34"]}, "a barcode must be"),
        ({"barcodes": ["1"] * 51}, "at most 50"),
        ({"active": 1}, "active must be true or false"),
        ({"low_stock": "-1"}, "low_stock -1"),
        ({"low_stock": None}, "low_stock must be"),
        ({"low_stock_milli": "5"}, "low_stock_milli must be"),
        ({"colour": "x" * 33}, "colour must be"),
        ({"wings": 2}, "no field 'wings'"),
    ],
)
def test_what_can_not_be_a_product_is_refused_by_field(entered: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check_fields(entered, TAXES)


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"name": "Tea"}, "needs price_minor"),
        ({"price_minor": 5}, "needs name"),
        ({"name": "Tea", "price_minor": 5}, "a sku or a barcode"),
        ({"name": "Tea", "price_minor": 5, "sku": "a b"}, "sku must be"),
        ({"name": "Tea", "price_minor": 5, "sku": 5}, "sku must be"),
    ],
)
def test_what_a_new_product_lacks_is_named(entered: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check_new(entered, TAXES)


def test_half_a_bottle_is_not_sold_but_half_a_kilo_is() -> None:
    assert check_quantity("kg", 500, "Apples") == 500
    with pytest.raises(Invalid, match=r"Cola is sold by the piece in whole numbers, not 0\.5"):
        check_quantity("piece", 500, "Cola")
