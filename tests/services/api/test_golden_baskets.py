"""1,000 golden baskets through a real till: answer = slip = ledger = X = Z = day report = reference, to the cent."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.golden import generate
from tests.golden.generate import Json
from tests.services.api import slip as slips
from tests.services.api.basket import Sold, expected_sums, in_one_call, sell, set_up, with_labels
from tests.services.api.shop import Shop
from tillmesh.shop.events import SaleClosed, SaleRefunded, SaleVoided
from tillmesh.terminal.verifying import verify

LINE = ("gross_minor", "discount_minor", "cart_discount_minor", "tax_minor", "total_minor")
SALE = ("discount_minor", "tax_minor", "total_minor", "rounding_minor", "change_minor")
BACK = ("tax_minor", "total_minor", "rounding_minor")
TAX = ("code", "rate_ppm", "net_minor", "tax_minor")


@pytest.fixture(scope="module")
def golden() -> Json:
    return generate.load()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(generate.STORES))
def test_a_store_sells_its_golden_baskets_to_the_cent(number: int, golden: Json, fresh: Callable[[], Shop]) -> None:
    store, shop = golden["stores"][number], fresh()
    set_up(shop, store)
    baskets = [with_labels(basket, store) for basket in golden["baskets"] if basket["store"] == number]
    assert len(baskets) == generate.BASKETS_PER_STORE
    day = shop.ok("GET", "/state")["shift"]["opened_at"][:10]
    sold = [sell(shop, basket, one_call=in_one_call(basket) and place % 2 == 0) for place, basket in enumerate(baskets)]
    for one in sold:
        check_answer(shop, one)
        check_ledger(shop, one)
        check_slips(shop, one, store["decimals"])
    sums = expected_sums(sold)
    x = shop.ok("GET", "/reports/x")
    check_shift(x, sums)
    check_day(shop, day, sums, sold)
    z = shop.ok("POST", "/shifts/close", {"counted_minor": max(0, x["expected_cash_minor"])})
    check_shift(z, sums)
    assert shop.ok("GET", f"/reports/z/{z['z_number']}") == z
    check_report_slip(shop, z, sums, store["decimals"])
    verified = verify(shop.data_dir)
    assert verified["ok"], verified


@pytest.mark.slow
def test_the_baskets_sold_in_one_call_and_in_steps_are_many(golden: Json) -> None:
    stores = golden["stores"]
    labelled = [with_labels(basket, stores[basket["store"]]) for basket in golden["baskets"]]
    assert sum(in_one_call(basket) for basket in labelled[::2]) > 200
    assert sum("barcode" in line for basket in labelled for line in basket["lines"]) > 200
    # Only where a label can't carry the quantity of the file is the reference asked anew.
    same = sum(new["refunds"] == old["refunds"] for new, old in zip(labelled, golden["baskets"], strict=True))
    assert same > 950


def some(names: tuple[str, ...], of: Any) -> Json:
    return {name: of[name] if isinstance(of, dict) else getattr(of, name) for name in names}


def check_answer(shop: Shop, one: Sold) -> None:
    """The answer to the sale, to its refunds and to the void says what the reference says; reading it again too."""
    expected = one.basket["expected"]
    assert some(SALE, one.sale) == some(SALE, expected["sale"]), one.basket["basket"]
    assert [some(LINE, line) for line in one.sale["lines"]] == expected["sale"]["lines"]
    assert [some(TAX, tax) for tax in one.sale["taxes"]] == expected["sale"]["taxes"]
    assert [tenders(back["payments"]) for back in one.refunds] == [tenders(b["payments"]) for b in expected["refunds"]]
    for back, want in zip(one.refunds, expected["refunds"], strict=True):
        assert some(BACK, back) == some(BACK, want), one.basket["basket"]
        assert [some(("line", "quantity", "total_minor", "tax_minor"), line) for line in back["lines"]] == want["lines"]
    if one.void is not None:
        assert some(BACK, one.void) == some(BACK, expected["void"])
        assert tenders(one.void["payments"]) == tenders(expected["void"]["payments"])
    now = shop.ok("GET", f"/sales/{one.sale['sale_id']}")
    assert some(SALE, now) == some(SALE, one.sale)
    assert len(now["refunds"]) == len(one.refunds) + (one.void is not None)
    assert sum(back["total_minor"] for back in now["refunds"]) <= now["total_minor"]


def check_ledger(shop: Shop, one: Sold) -> None:
    """The stored events say the same, and their money balances."""
    expected = one.basket["expected"]
    body = shop.body(one.sale["event_id"])
    assert isinstance(body, SaleClosed)
    assert some(SALE, body) == some(SALE, expected["sale"])
    assert [some(LINE, line) for line in body.lines] == expected["sale"]["lines"]
    paid = sum(payment.amount_minor for payment in body.payments)
    assert paid - body.change_minor == body.total_minor + body.rounding_minor
    for back, want in zip(one.refunds, expected["refunds"], strict=True):
        refund = shop.body(back["event_id"])
        assert isinstance(refund, SaleRefunded)
        assert some(BACK, refund) == some(BACK, want)
        assert sum(p.amount_minor for p in refund.payments) == refund.total_minor + refund.rounding_minor
    if one.void is not None:
        void = shop.body(one.void["event_id"])
        assert isinstance(void, SaleVoided)
        assert some(BACK, void) == some(BACK, expected["void"])


def check_slips(shop: Shop, one: Sold, decimals: int) -> None:
    """What is printed adds up to what was charged."""
    expected = one.basket["expected"]["sale"]
    slip = slips.read(shop.call("GET", f"/sales/{one.sale['sale_id']}/receipt?format=text").text, decimals)
    assert slip.amounts("TOTAL")[0] == expected["total_minor"], one.basket["basket"]
    assert slip.amount("Cash rounding", 0) == expected["rounding_minor"]
    assert slip.amount("Change", 0) == expected["change_minor"]
    assert tax_table(slip) == sorted((t["net_minor"], t["tax_minor"]) for t in expected["taxes"])
    items = slips.read("\n".join(line for line in slip.sections[1] if not line.startswith(" ")), decimals)
    assert [amount for _, amount in items.rows] == [line["gross_minor"] for line in expected["lines"]]
    off = -sum(amount for label, amount in slip.rows if label.startswith("Discount"))
    assert off == expected["discount_minor"]
    handed = Counter({name: sum(slip.amounts(label)) for name, label in (("cash", "Cash"), ("card", "Card"))})
    handed["cash"] -= slip.amount("Cash rounding", 0)
    assert +handed == +tenders(one.basket["payments"])
    for back, want in zip(one.refunds, one.basket["expected"]["refunds"], strict=True):
        check_back_slip(shop, back, want, "TOTAL REFUNDED", decimals)
    if one.void is not None:
        check_back_slip(shop, one.void, one.basket["expected"]["void"], "TOTAL VOIDED", decimals)


def check_back_slip(shop: Shop, back: Json, want: Json, label: str, decimals: int) -> None:
    slip = slips.read(shop.call("GET", f"/refunds/{back['refund_id']}/receipt?format=text").text, decimals)
    assert slip.amount(label) == want["total_minor"]
    assert slip.amount("Cash rounding", 0) == want["rounding_minor"]
    given = Counter({"cash": sum(slip.amounts("Cash")) - slip.amount("Cash rounding", 0),
                     "card": sum(slip.amounts("Card"))})  # fmt: skip
    assert +given == +tenders(want["payments"])


def check_shift(report: Json, sums: Json) -> None:
    for name in ("sales", "sales_minor", "voids", "voids_minor", "refunds", "refunds_minor", "discount_minor",
                 "rounding_minor", "tax_minor"):  # fmt: skip
        assert report[name] == sums.get(name, 0), name
    net = sums["sales_minor"] - sums.get("voids_minor", 0) - sums.get("refunds_minor", 0)
    assert (report["net_sales_minor"], report["perpetual_minor"]) == (net, net)
    for tender in report["tenders"]:
        assert some(("taken_minor", "returned_minor"), tender) == {
            "taken_minor": 0, "returned_minor": 0, **sums["tenders"][tender["method"]]
        }, tender["method"]  # fmt: skip
    assert {tender["method"] for tender in report["tenders"]} >= {
        name for name, sum_ in sums["tenders"].items() if sum_
    }
    in_drawer = sums["tenders"]["cash"]["taken_minor"] - sums["tenders"]["cash"]["returned_minor"]
    assert report["expected_cash_minor"] == in_drawer
    check_taxes(report["taxes"], sums)


def check_taxes(shown: list[Json], sums: Json) -> None:
    found = Counter[tuple[str, str]]()
    for tax in shown:
        found.update({(tax["code"], name): tax[name] for name in ("net_minor", "tax_minor")})
    assert {key: value for key, value in found.items() if value} == {k: v for k, v in sums["taxes"].items() if v}


def check_day(shop: Shop, day: str, sums: Json, sold: list[Sold]) -> None:
    report = shop.ok("GET", f"/reports/day?date={day}")
    net = sums["sales_minor"] - sums.get("voids_minor", 0) - sums.get("refunds_minor", 0)
    assert (report["total_minor"], report["tax_minor"], report["sales"]) == (net, sums["tax_minor"], sums["sales"])
    assert report["discount_minor"] == sums["discount_minor"]
    # Hours and cashiers say when and who sold; departments and products what stayed sold.
    assert sum(hour["total_minor"] for hour in report["hours"]) == sums["sales_minor"]
    assert sum(one["total_minor"] for one in report["cashiers"]) == sums["sales_minor"]
    assert sum(one["total_minor"] for one in report["departments"]) == net
    for name in ("sales_minor", "refunds_minor", "voids_minor", "rounding_minor"):
        assert report[name] == sums.get(name, 0), name
    for tender in report["tenders"]:
        want = sums["tenders"][tender["method"]]
        assert tender["net_minor"] == want["taken_minor"] - want["returned_minor"]
    check_taxes(report["taxes"], sums)
    (one_day,) = shop.ok("GET", f"/reports/days?from={day}&to={day}")["days"]
    assert (one_day["total_minor"], one_day["tax_minor"], one_day["sales"]) == (net, sums["tax_minor"], len(sold))
    assert one_day["refunds_minor"] == sums.get("voids_minor", 0) + sums.get("refunds_minor", 0)


def check_report_slip(shop: Shop, z: Json, sums: Json, decimals: int) -> None:
    """The Z slip as it is printed, and as it can be read later."""
    slip = slips.read(shop.call("GET", f"/sales/{z['event_id']}/receipt?format=text").text, decimals)
    assert slip.amount("NET SALES") == z["net_sales_minor"]
    assert slip.amount(f"Sales ({sums['sales']})") == sums["sales_minor"]
    assert slip.amount("Tax total") == sums["tax_minor"]
    assert slip.amount("Total since first day") == z["perpetual_minor"]
    assert slip.amount("Expected in drawer") == z["expected_cash_minor"]


def tax_table(slip: slips.Slip) -> list[tuple[int, int]]:
    rows = slips.tax_rows(slip)
    assert all(net + tax == gross for net, tax, gross in rows)
    return sorted((net, tax) for net, tax, _ in rows)


def tenders(payments: list[Json]) -> Counter[str]:
    found = Counter[str]()
    for payment in payments:
        found[payment["method"]] += payment["amount_minor"]
    return found
