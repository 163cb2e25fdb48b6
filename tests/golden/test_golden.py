"""1,000 golden baskets: the file, the reference and the shop agree to the last minor unit."""

from collections import Counter
from itertools import chain, product

import pytest

from tests.golden import generate, reference, till
from tests.golden.generate import Json
from tillmesh.shop.events import ShiftOpened
from tillmesh.shop.shift import add, finish, net_sales_minor, start


@pytest.fixture(scope="module")
def golden() -> Json:
    return generate.load()


def stored(golden: Json, basket: Json) -> Json:
    store: Json = golden["stores"][basket["store"]]
    return store


def test_there_are_a_thousand_baskets_and_they_differ(golden: Json) -> None:
    assert len({str(basket["lines"]) + str(basket["products"]) for basket in golden["baskets"]}) == 1_000


@pytest.mark.slow
def test_the_file_is_what_the_seed_gives(golden: Json) -> None:
    assert generate.make_all() == golden


def test_the_reference_says_what_the_file_says(golden: Json) -> None:
    wrong = [
        basket["basket"]
        for basket in golden["baskets"]
        if reference.expect(basket, stored(golden, basket)) != basket["expected"]
    ]
    assert wrong == []


def test_the_shop_says_what_the_file_says(golden: Json) -> None:
    wrong = [
        basket["basket"]
        for basket in golden["baskets"]
        if till.said(*till.events_of(basket, stored(golden, basket))) != basket["expected"]
    ]
    assert wrong == []


def test_a_shift_over_all_baskets_of_a_store_sums_what_the_file_says(golden: Json) -> None:
    for number, store in enumerate(golden["stores"]):
        sums = start(ShiftOpened(by="ana", float_minor=0), store["currency"])
        expected = Counter[str]()
        for basket in golden["baskets"]:
            if basket["store"] == number:
                sale, refunds, void = till.events_of(basket, store)
                for event in (sale, *refunds, *([void] if void else [])):
                    add(sums, event)
                expected.update(balance(basket["expected"]))
        totals = finish(sums)
        assert (net_sales_minor(totals), totals.tax_minor, totals.rounding_minor) == (
            expected["total_minor"],
            expected["tax_minor"],
            expected["rounding_minor"],
        )


def balance(expected: Json) -> dict[str, int]:
    backs = [*expected["refunds"], *([expected["void"]] if expected["void"] else [])]
    return {
        name: expected["sale"][name] - sum(back[name] for back in backs)
        for name in ("total_minor", "tax_minor", "rounding_minor")
    }


def test_money_balances_in_every_basket(golden: Json) -> None:
    for basket in golden["baskets"]:
        sale = basket["expected"]["sale"]
        paid = sum(payment["amount_minor"] for payment in basket["payments"])
        assert paid - sale["change_minor"] == sale["total_minor"] + sale["rounding_minor"]
        for back in basket["expected"]["refunds"]:
            handed = sum(payment["amount_minor"] for payment in back["payments"])
            assert handed == back["total_minor"] + back["rounding_minor"]


def test_the_baskets_reach_every_corner(golden: Json) -> None:
    """A thousand easy baskets would prove nothing: count the hard ones."""
    stores, baskets = golden["stores"], golden["baskets"]
    ways = {(store["decimals"], store["prices_include_tax"], store["tax_rounding"]) for store in stores}
    assert ways == set(product((0, 2, 3), (True, False), ("line", "total")))
    assert {store["rounding"] for store in stores} == set(generate.MODES)
    lines = list(chain.from_iterable(basket["lines"] for basket in baskets))
    corner = {
        "weighed": sum("." in line["quantity"] for line in lines),
        "price from a label": sum("line_total_minor" in line for line in lines),
        "price overridden": sum("unit_price_minor" in line for line in lines),
        "line discount": sum("discount" in line for line in lines),
        "cart discount": sum(basket["discount"] is not None for basket in baskets),
        "free sale": sum(basket["expected"]["sale"]["total_minor"] == 0 for basket in baskets),
        "split tender": sum(len({each["method"] for each in basket["payments"]}) == 2 for basket in baskets),
        "two cards": sum(sum(each["method"] == "card" for each in basket["payments"]) == 2 for basket in baskets),
        "change": sum(basket["expected"]["sale"]["change_minor"] > 0 for basket in baskets),
        "cash rounded up": sum(basket["expected"]["sale"]["rounding_minor"] > 0 for basket in baskets),
        "cash rounded down": sum(basket["expected"]["sale"]["rounding_minor"] < 0 for basket in baskets),
        "refund in one visit": sum(len(basket["refunds"]) == 1 for basket in baskets),
        "refund in several visits": sum(len(basket["refunds"]) > 1 for basket in baskets),
        "refund to card and cash": sum(
            len(back["payments"]) > 1 for basket in baskets for back in basket["expected"]["refunds"]
        ),
        "void": sum(basket["void"] for basket in baskets),
    }
    assert {name: count for name, count in corner.items() if count < 20} == {}


def test_line_and_total_rounding_differ_somewhere(golden: Json) -> None:
    def tax(basket: Json, by: str) -> int:
        owed: int = reference.price(basket, {**stored(golden, basket), "tax_rounding": by})["tax_minor"]
        return owed

    assert sum(tax(basket, "line") != tax(basket, "total") for basket in golden["baskets"]) > 100
