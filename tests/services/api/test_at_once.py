"""Many requests at once, as an impatient page or two of them send them: each thing happens once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.api.shop import Json, Shop

CARD = [{"method": "card", "amount_minor": 250}]
pytestmark = pytest.mark.slow


def together(shop: Shop, calls: list[tuple[str, str, Json]], role: str = "manager") -> list[Any]:
    async def ask() -> list[Any]:
        return await asyncio.gather(*(shop.ask(*call, role=role) for call in calls))

    return shop.loop.run(ask())


def test_a_cart_that_is_paid_twenty_times_at_once_is_one_sale(shop: Shop) -> None:
    body = {"cart_id": "impatient", "lines": [{"sku": "tea", "quantity": 1}], "payments": CARD}
    answers = together(shop, [("POST", "/sales", body)] * 20)
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 19}
    assert len({one.json()["sale_id"] for one in answers}) == 1


def test_a_working_cart_is_paid_once_whoever_pays(shop: Shop) -> None:
    shop.ok("POST", "/carts/both/ops", {"ops": [{"op_id": "1", "op": "add", "line_id": "a", "sku": "tea"}]})
    sale = {"cart_id": "both", "lines": [{"sku": "tea", "quantity": 1}], "payments": CARD}
    pay: list[tuple[str, str, Json]] = [("POST", "/carts/both/pay", {"payments": CARD}), ("POST", "/sales", sale)]
    answers = together(shop, pay * 5)
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 9}
    assert len({one.json()["sale_id"] for one in answers}) == 1
    assert shop.call("GET", "/carts/both").status_code == 404


def test_refunds_at_once_never_give_back_more_than_was_sold(shop: Shop) -> None:
    sale = shop.sale("rush", quantity="3")["sale_id"]
    wanted = [
        (
            "POST",
            f"/sales/{sale}/refunds",
            {"lines": [{"line": 0, "quantity": 2}], "reason": "x", "refund_key": f"r{n}"},
        )
        for n in range(10)
    ]
    answers = together(shop, [*wanted, ("POST", f"/sales/{sale}/void", {"reason": "x"})])
    done = [one.json() for one in answers if one.status_code == 201]
    assert len(done) == 1
    assert {one.status_code for one in answers} == {201, 409}
    assert sum(back["total_minor"] for back in shop.ok("GET", f"/sales/{sale}")["refunds"]) <= 750


def test_a_shift_is_closed_once_and_loses_no_sale(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product()
    sales: list[tuple[str, str, Json]] = [
        ("POST", "/sales", {"cart_id": f"c{n}", "lines": [{"sku": "tea", "quantity": 1}], "payments": CARD})
        for n in range(20)
    ]
    calls = [*sales[:10], *[("POST", "/shifts/close", {"counted_minor": 0})] * 3, *sales[10:]]
    answers = together(shop, calls)
    closed = [one.json() for one in answers[10:13] if one.status_code == 201]
    assert len(closed) == 1
    sold = [one for one in (*answers[:10], *answers[13:]) if one.status_code == 201]
    assert closed[0]["sales"] == len(sold)
    assert closed[0]["sales_minor"] == 250 * len(sold)
    assert all(one.status_code in {201, 409} for one in answers)


def test_operations_sent_again_while_the_first_are_under_way_count_once(shop: Shop) -> None:
    ops = [{"op_id": f"o{n}", "op": "add", "line_id": f"l{n}", "sku": "tea"} for n in range(20)]
    answers = together(shop, [("POST", "/carts/again/ops", {"ops": ops})] * 10)
    assert {one.status_code for one in answers} == {200}
    assert {one.json()["total_minor"] for one in answers} == {5_000}
    assert all(one.json()["rejected"] == [] for one in answers)


def test_an_approval_sent_twice_at_once_serves_once(shop: Shop) -> None:
    sales = [shop.sale(f"twice{n}")["sale_id"] for n in range(2)]
    approval = shop.approval("void")
    calls: list[tuple[str, str, Json]] = [
        ("POST", f"/sales/{sale}/void", {"reason": "x", "approval": approval}) for sale in sales
    ]
    answers = together(shop, calls, role="cashier")
    assert sorted(one.status_code for one in answers) == [201, 403]


def test_a_parked_cart_is_taken_up_by_one_page(shop: Shop) -> None:
    shop.ok("POST", "/carts/coat/ops", {"ops": [{"op_id": "1", "op": "add", "line_id": "a", "sku": "tea"}]})
    park = shop.ok("POST", "/carts/coat/park", {})["park_id"]
    answers = together(shop, [("POST", f"/parked/{park}/resume", {})] * 5)
    assert Counter(one.status_code for one in answers) == {200: 1, 409: 4}


def test_two_managers_can_not_make_each_other_leave(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    other = shop.ok("POST", "/people", {"name": "Max", "role": "manager", "pin": "8888"})["user_id"]
    answers = together(
        shop, [("PATCH", "/people/manager", {"active": False}), ("PATCH", f"/people/{other}", {"active": False})]
    )
    assert sorted(one.status_code for one in answers) in ([200, 409], [200, 401])
