"""Answers that got lost on their way: what is asked again under the same name is done once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.api.shop import Json, Shop
from tests.unit.till.shop_till import ORIGIN
from tests.unit.till.shop_till import Shop as Corner
from tillmesh.adapters.sqlite import requests_done
from tillmesh.adapters.sqlite.database import in_memory
from tillmesh.adapters.sqlite.store import FILE, open_database
from tillmesh.kernel.limits import REQUESTS_DONE_MAX
from tillmesh.till import commands as c


def twice(shop: Shop, method: str, path: str, body: Json, name: str) -> list[Json]:
    """Ask as a page does that had no answer the first time."""
    asked: dict[str, Any] = {"headers": {"Idempotency-Key": name}}
    return [shop.call(method, path, body, **asked).json() for _ in range(2)]


def test_goods_and_cash_and_customers_of_a_lost_answer_are_there_once(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product("lost-tea", name="Lost tea")
    goods = twice(shop, "POST", "/stock/receipts", {"sku": "lost-tea", "quantity": "7"}, "goods-a")
    assert [one["value"] for one in goods] == ["7", "7"]
    assert twice(shop, "POST", "/stock/receipts", {"sku": "lost-tea", "quantity": "7"}, "goods-b")[1]["value"] == "14"
    moved = twice(shop, "POST", "/shifts/cash", {"amount_minor": 500, "reason": "lost answer"}, "cash-a")
    assert [move["reason"] for move in moved[1]["cash_moves"]].count("lost answer") == 1
    ann, again = twice(shop, "POST", "/customers", {"name": "Ann of the lost answer"}, "ann-a")
    assert again == ann
    assert len(shop.ok("GET", "/customers?q=lost+answer")["customers"]) == 1


def test_a_name_counts_for_one_call_and_a_refused_wish_can_be_asked_again(shop: Shop) -> None:
    shop.product("named-tea", name="Named tea")
    named: dict[str, Any] = {"headers": {"Idempotency-Key": "goods-and-counts"}}
    assert shop.call("POST", "/stock/counts", {"sku": "named", "quantity": "2"}, **named).status_code == 404
    assert shop.call("POST", "/stock/counts", {"sku": "named-tea", "quantity": "2"}, **named).json()["value"] == "2"
    assert shop.call("POST", "/stock/receipts", {"sku": "named-tea", "quantity": "3"}, **named).json()["value"] == "5"
    assert shop.call("POST", "/stock/receipts", {}, headers={"Idempotency-Key": "x" * 101}).status_code == 422


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, bytes]:
    return tmp_path / FILE, os.urandom(32)


def test_a_till_that_was_killed_before_it_answered_remembers_what_it_did(place: tuple[Path, bytes]) -> None:
    shop = Corner(ORIGIN, open_database(*place)).furnish().open()
    move = c.MoveCash(amount_minor=500, reason="change")
    who = c.Who(user_id="sam", role="supervisor")
    first = shop.writer.execute(shop.till, who, move, shop.clock_ms, "cash-a")
    shop.writer.close()
    again = Corner(ORIGIN, open_database(*place))
    outcome = again.writer.execute(again.till, who, move, again.clock_ms, "cash-a")
    assert (outcome.reply, outcome.events) == (first.reply, ())
    assert again.types().count("cash_moved") == 1
    again.writer.close()


def test_only_the_newest_names_are_remembered() -> None:
    db = in_memory()
    for number in range(REQUESTS_DONE_MAX + 5):
        requests_done.keep(db, f"wish-{number}", "event")
    assert requests_done.find(db, "wish-4") is None
    assert requests_done.find(db, "wish-5") == "event"
    db.close()


def test_a_parked_sale_whose_answer_was_lost_is_given_again_to_who_took_it_up(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product()
    op = {"op_id": "1", "op": "add", "line_id": "a", "sku": "tea"}
    shop.ok("POST", "/carts/lost-coat/ops", {"ops": [op]})
    park = shop.ok("POST", "/carts/lost-coat/park", {})["park_id"]
    first, again = twice(shop, "POST", f"/parked/{park}/resume", {}, "take-up-a")
    assert (again["cart_id"], len(again["lines"]), again["revision"]) == ("lost-coat", 1, first["revision"])
    assert shop.call("POST", f"/parked/{park}/resume", {}).status_code == 409
