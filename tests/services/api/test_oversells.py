"""Oversold goods through the API: who sees them, who answers, and what an answer leaves behind."""

from collections.abc import Callable

import pytest

from tests.services.api.shop import Json, Shop

SALE = {"sale_id", "receipt_number", "at", "terminal", "cashier", "customer", "quantity", "total_minor", "over"}


@pytest.fixture
def shop(fresh: Callable[[], Shop]) -> Shop:
    """One tin of tea on the shelf, sold twice."""
    shop = fresh()
    shop.product()
    shop.ok("POST", "/stock/receipts", {"sku": "tea", "quantity": "1"})
    shop.sale("first")
    shop.sale("second")
    return shop


def only(shop: Shop) -> Json:
    (found,) = shop.ok("GET", "/conflicts", role="supervisor")["conflicts"]
    assert isinstance(found, dict)
    return found


def resolve(shop: Shop, action: str, role: str = "manager", **more: str) -> Json:
    found: Json = shop.ok("POST", f"/conflicts/{only(shop)['id']}/resolve", {"action": action, **more}, role=role)
    return found


def test_an_oversell_is_listed_with_ranked_suggestions_and_its_sales(shop: Shop) -> None:
    found = only(shop)
    assert (found["kind"], found["sku"], found["name"], found["stock"], found["missing"]) == (
        "oversold", "tea", "Green tea", "-1", "1",
    )  # fmt: skip
    confidences = [one["confidence"] for one in found["suggestions"]]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= one <= 1 for one in confidences)
    assert {one["action"] for one in found["suggestions"]} == {"back_order", "void", "adjust"}
    assert all(one["reasons"] and all(isinstance(text, str) for text in one["reasons"]) for one in found["suggestions"])
    assert [sale["over"] for sale in found["sales"]] == [True, False]
    assert all(sale.keys() >= SALE for sale in found["sales"])


def test_a_cashier_does_not_see_the_list_and_a_supervisor_does(shop: Shop) -> None:
    assert shop.call("GET", "/conflicts", role="cashier").status_code == 403
    assert shop.call("GET", "/conflicts", role=None).status_code == 401
    assert shop.ok("GET", "/conflicts", role="supervisor")["open"] == 1


@pytest.mark.parametrize(("action", "stock"), [("adjust", "0"), ("void", "0"), ("back_order", "-1")])
def test_an_answer_by_its_name_alone_is_enough(shop: Shop, action: str, stock: str) -> None:
    done = resolve(shop, action)
    assert (done["action"], done["quantity"], done["by"]["name"]) == (action, "1", "Mona")
    assert shop.ok("GET", "/stock/tea")["value"] == stock
    told = shop.ok("GET", "/conflicts")
    assert told["conflicts"] == []
    assert [one["event_id"] for one in told["resolved"]] == [done["event_id"]]
    assert len(told["back_orders"]) == (action == "back_order")
    voided = [sale for sale in shop.ok("GET", "/sales")["sales"] if sale["state"] == "voided"]
    assert len(voided) == (action == "void")


def test_the_same_answer_again_changes_nothing_and_another_is_refused(shop: Shop) -> None:
    conflict = only(shop)["id"]
    first = shop.ok("POST", f"/conflicts/{conflict}/resolve", {"action": "adjust"})
    events = shop.events()
    assert shop.ok("POST", f"/conflicts/{conflict}/resolve", {"action": "adjust"}) == first
    assert shop.events() == events
    other = shop.call("POST", f"/conflicts/{conflict}/resolve", {"action": "void"})
    assert (other.status_code, other.json()["kind"]) == (409, "conflict")


def test_a_supervisor_answers_with_a_managers_pin(shop: Shop) -> None:
    conflict = only(shop)["id"]
    refused = shop.call("POST", f"/conflicts/{conflict}/resolve", {"action": "adjust"}, role="supervisor")
    assert (refused.status_code, refused.json()["action"], refused.json()["needs"]) == (
        403, "resolve_oversell", "manager",
    )  # fmt: skip
    approval = shop.approval("resolve_oversell", asker="supervisor")
    done = resolve(shop, "adjust", role="supervisor", approval=approval)
    assert (done["by"]["name"], done["approved_by"]["name"]) == ("Sam", "Mona")


def test_an_oversell_that_nobody_knows_is_not_found(shop: Shop) -> None:
    answer = shop.call("POST", "/conflicts/0000000000000000/resolve", {"action": "adjust"})
    assert (answer.status_code, answer.json()["kind"]) == (404, "not-found")


def test_a_void_without_an_open_shift_is_refused_and_nothing_is_noted(shop: Shop) -> None:
    shop.ok("POST", "/shifts/close", {"counted_minor": 0})
    events = shop.events()
    answer = shop.call("POST", f"/conflicts/{only(shop)['id']}/resolve", {"action": "void"})
    assert (answer.status_code, answer.json()["kind"]) == (409, "conflict")
    assert shop.events() == events
    assert resolve(shop, "back_order")["status"] == "waiting", "the other answers need no drawer"


def test_an_answer_stands_in_the_audit_log_with_who_and_why(shop: Shop) -> None:
    resolve(shop, "adjust", reason="One more in the window")
    entries = shop.ok("GET", "/audit?q=oversell")["entries"]
    assert [(one["action"], one["subject"], one["by"]) for one in entries] == [("oversell_resolved", "tea", "Mona")]
    assert "One more in the window" in entries[0]["reason"]


def test_goods_that_were_never_booked_in_are_listed_but_raise_no_alarm(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product()
    shop.sale("first")
    told = shop.ok("GET", "/conflicts")
    assert (told["open"], told["never_booked"]) == (0, 1)
    assert told["conflicts"][0]["never_booked"] is True
    assert told["conflicts"][0]["suggestions"][0]["action"] == "adjust"


def test_the_pages_hear_of_an_oversell_and_of_its_answer_as_it_happens(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product()
    shop.ok("POST", "/stock/receipts", {"sku": "tea", "quantity": "1"})
    told = Told(shop)
    shop.sale("first")
    shop.sale("second")
    told.wait_for(1)
    assert shop.ok("GET", "/state", role="supervisor")["oversold"] == 1
    assert "oversold" not in shop.ok("GET", "/state", role="cashier")
    assert "tillmesh_oversold_products 1.0" in shop.call("GET", "/metrics").text
    resolve(shop, "back_order")
    told.wait_for(0)
    shop.sale("third")
    told.wait_for(1)
    shop.ok("PATCH", "/products/tea", {"track_stock": False})
    told.wait_for(0)


class Told:
    """What an open page is told of oversells."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.counts = shop, list[int]()
        send = shop.services.live.send

        def listen(kind: str, data: Json) -> None:
            send(kind, data)
            if kind == "oversold":
                self.counts.append(data["open"])

        shop.services.live.send = listen  # type: ignore[method-assign]

    def wait_for(self, count: int) -> None:
        self.shop.wait_for(lambda: True if self.counts[-1:] == [count] else None)


def test_the_written_policy_is_a_setting_of_the_store_and_off_until_somebody_says_so(shop: Shop) -> None:
    assert shop.ok("GET", "/settings")["store"]["oversell_policy"] == "ask"
    change = {"oversell_policy": "adjust", "oversell_adjust_max_milli": 2_000, "oversell_policy_name": "House rule 4"}
    store = shop.ok("PATCH", "/settings", {"store": change})["store"]
    assert {name: store[name] for name in change} == change
    for wrong in ({"oversell_policy": "void"}, {"oversell_adjust_max_milli": 99_000}):
        assert shop.call("PATCH", "/settings", {"store": wrong}).status_code == 422


def test_money_that_was_taken_or_given_back_twice_stands_beside_the_oversells(shop: Shop) -> None:
    assert shop.ok("GET", "/conflicts", role="supervisor")["money"] == []
    answer = shop.call("POST", "/conflicts/money/paid-0123/settle", {"reason": "given back"}, role="manager")
    assert answer.status_code == 404
    assert shop.call("POST", "/conflicts/money/paid-0123/settle", {"reason": "x"}, role="cashier").status_code == 403
