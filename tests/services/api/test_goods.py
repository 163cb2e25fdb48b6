"""Variants, ages, many products at once, and labels."""

from datetime import date
from typing import Any

import pytest

from tests.services.api.shop import Shop
from tillmesh.till.ages import born_by

SHIRT = {"name": "T-shirt", "price_minor": 1500, "department": "Clothes", "tax_code": "standard"}


def operation(shop: Shop, cart: str, op: dict[str, object], role: str = "cashier") -> Any:
    answer: Any = shop.ok("POST", f"/carts/{cart}/ops", {"ops": [op]}, role=role)
    return answer


def test_each_size_and_colour_is_a_product_with_its_own_stock_and_barcode(shop: Shop) -> None:
    shop.product("shirt", **SHIRT)
    made = shop.ok("POST", "/products/shirt/variants", {"options": ["Size=S,M", "Colour=Red, Navy blue"]})["made"]
    assert [one["sku"] for one in made] == ["shirt.s.red", "shirt.s.navy_blue", "shirt.m.red", "shirt.m.navy_blue"]
    assert made[1]["name"] == "T-shirt, S, Navy blue"
    assert (made[1]["parent"], made[1]["options"]) == ("shirt", ["Size=S", "Colour=Navy blue"])
    shop.ok("POST", "/stock/receipts", {"sku": "shirt.m.red", "quantity": "7"})
    shop.sale("shirt-sale", sku="shirt.m.red", quantity="2")
    assert shop.ok("GET", "/stock/shirt.m.red")["value"] == "5"
    assert shop.ok("GET", "/stock/shirt.s.red")["value"] == "0"
    shown = shop.ok("GET", "/catalogue")["variants"]
    assert shown["shirt"] == ["", ["Size=S,M", "Colour=Red,Navy blue"]]
    assert shown["shirt.m.red"] == ["shirt", ["Size=M", "Colour=Red"]]


def test_a_product_that_comes_in_variants_is_sold_only_as_one_of_them(shop: Shop) -> None:
    shop.product("cap", name="Cap", price_minor=900)
    shop.ok("POST", "/products/cap/variants", {"options": ["Size=S,M"]})
    (rejected,) = operation(shop, "cap-cart", {"op_id": "1", "op": "add", "line_id": "1", "sku": "cap"})["rejected"]
    assert rejected["problem"]["detail"] == "'Cap' comes in several variants"


def test_a_size_that_comes_later_is_added_and_the_others_stay_as_they_are(shop: Shop) -> None:
    shop.product("sock", name="Sock", price_minor=400)
    shop.ok("POST", "/products/sock/variants", {"options": ["Size=S,M"]})
    shop.ok("PATCH", "/products/sock.m", {"price_minor": 450})
    made = shop.ok("POST", "/products/sock/variants", {"options": ["Size=S,M,L"]})["made"]
    assert [one["sku"] for one in made] == ["sock.l"]
    assert shop.ok("GET", "/products/sock.m")["price_minor"] == 450


@pytest.mark.parametrize(
    "options", [[], ["Size"], ["Size=A,A"], ["Size=a b,a-b"], [f"Size={','.join(map(str, range(101)))}"]]
)
def test_options_that_make_no_variants_are_refused(shop: Shop, options: list[str]) -> None:
    shop.product("hat", name="Hat")
    assert shop.call("POST", "/products/hat/variants", {"options": options}).status_code == 422
    assert shop.call("POST", "/products/nothing/variants", {"options": ["Size=S"]}).status_code == 404


def test_wine_is_sold_once_somebody_has_seen_the_age_and_both_answers_are_noted(shop: Shop) -> None:
    shop.product("wine", name="Red wine", price_minor=900, min_age=18)
    shop.product("vodka", name="Vodka", price_minor=1900, min_age=21)
    add = {"op": "add", "line_id": "1", "sku": "wine"}
    asked = operation(shop, "wine-cart", {**add, "op_id": "1"})
    (rejected,) = asked["rejected"]
    assert asked["lines"] == []
    assert (rejected["problem"]["kind"], rejected["problem"]["min_age"]) == ("age-check", 18)
    assert len(rejected["problem"]["born_by"]) == len("2008-11-25")
    operation(shop, "wine-cart", {"op_id": "2", "op": "age_refused", "sku": "wine"})
    sold = operation(shop, "wine-cart", {**add, "op_id": "3", "age_checked": 18})
    assert len(sold["lines"]) == 1
    again = operation(shop, "wine-cart", {**add, "op_id": "4", "line_id": "2"})
    assert again["rejected"] == [], "the customer is as old as before"
    older = operation(shop, "wine-cart", {"op_id": "5", "op": "add", "line_id": "3", "sku": "vodka"})
    assert older["rejected"][0]["problem"]["min_age"] == 21
    noted = [(one["action"], one["subject"], one["detail"]) for one in shop.ok("GET", "/audit?q=Red wine")["entries"]]
    assert ("age_checked", "Red wine", "18") in noted
    assert ("age_refused", "Red wine", "18") in noted


@pytest.mark.parametrize(
    ("today", "years", "born"),
    [
        (date(2026, 11, 25), 18, date(2008, 11, 25)),
        (date(2028, 2, 29), 18, date(2010, 2, 28)),
        (date(2028, 2, 29), 16, date(2012, 2, 29)),
    ],
)
def test_the_latest_birthday_that_is_old_enough(today: date, years: int, born: date) -> None:
    assert born_by(today, years) == born


def test_many_products_change_in_one_event_and_change_back(shop: Shop) -> None:
    for at in range(30):
        shop.product(f"bulk-{at}", name=f"Thing {at}", price_minor=100 + at, department="Old")
    skus = [f"bulk-{at}" for at in range(30)]
    before = shop.events()
    answer = shop.ok("POST", "/products/bulk", {"skus": skus, "fields": {"department": "New", "favourite": True}})
    assert (answer["changed"], shop.events()) == (30, before + 1)
    assert shop.ok("GET", "/products/bulk-7")["department"] == "New"
    raised = {sku: {"price_minor": 500} for sku in skus[:2]}
    prices = shop.ok("POST", "/products/bulk", {"changes": raised})["before"]
    assert prices == {"bulk-0": {"price_minor": 100}, "bulk-1": {"price_minor": 101}}
    shop.ok("POST", "/products/bulk", {"changes": prices})
    shop.ok("POST", "/products/bulk", {"changes": answer["before"]})
    back = shop.ok("GET", "/products/bulk-1")
    assert (back["price_minor"], back["department"], back["favourite"]) == (101, "Old", False)


def test_one_wrong_product_or_field_changes_none(shop: Shop) -> None:
    shop.product("one", name="One")
    for body in (
        {"skus": ["one", "nothing"], "fields": {"favourite": True}},
        {"skus": ["one"], "fields": {"price_minor": -1}},
        {"skus": ["one"], "fields": {"barcodes": ["1"]}},
        {"skus": [], "fields": {"favourite": True}},
    ):
        assert shop.call("POST", "/products/bulk", body).status_code in {404, 422}, body
    assert shop.ok("GET", "/products/one")["favourite"] is False
    assert shop.call("POST", "/products/bulk", {"skus": ["one"]}, role="supervisor").status_code == 403


def test_labels_come_as_a_pdf_with_name_price_and_code(shop: Shop) -> None:
    shop.product("jam", name="Jam (apricot)", price_minor=345, barcodes=["4006381333931x"])
    answer = shop.call("GET", "/labels?skus=jam tea&sheet=a4-65&copies=2&skip=3", role="cashier")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-1.4")
    assert answer.content.count(b"(Jam \\(apricot\\))") == 2
    assert answer.content.count(b"(Green tea)") == 2
    assert b"3.45" in answer.content
    for wrong in ("skus=nothing", "skus=jam&sheet=a3", "skus=jam&copies=0", "skus=jam&skip=99", "skus="):
        assert shop.call("GET", f"/labels?{wrong}").status_code in {404, 422}, wrong
