"""Charging by the simulated terminal through the API: every way it can end, and one sale for one approval."""

from collections.abc import Callable

import pytest

from tests.services.api.shop import Json, Shop
from tests.services.cards.terminal import certificate


@pytest.fixture
def till(fresh: Callable[[], Shop]) -> Shop:
    shop = fresh()
    shop.product("tea")
    return shop


def simulate(till: Shop, script: str) -> None:
    till.ok("PATCH", "/settings", {"terminal": {"card_terminal": "simulated", "card_simulation": script}})
    till.wait_for(lambda: (till.cards.terminal and getattr(till.cards.terminal, "script", "") == script) or None)


def cart(till: Shop, cart_id: str = "cart") -> str:
    op = {"op_id": f"{cart_id}-1", "op": "add", "sku": "tea", "line_id": "1"}
    till.ok("POST", f"/carts/{cart_id}/ops", {"ops": [op]}, role="cashier")
    return cart_id


def charge(till: Shop, payment_id: str = "p", amount: int = 250) -> Json:
    body = {"payment_id": payment_id, "cart_id": cart(till), "amount_minor": amount}
    found: Json = till.ok("POST", "/card-payments", body, role="cashier")
    return found


def ends(till: Shop, payment_id: str = "p") -> Json:
    """Wait until the terminal has said how it ended."""

    def look() -> Json | None:
        shown: Json = till.ok("GET", f"/card-payments/{payment_id}", role="cashier")
        return None if shown["open"] else shown

    return till.wait_for(look, 60)


def pay(till: Shop, payment_id: str = "p", amount: int = 250) -> Json:
    body = {"payments": [{"method": "card", "amount_minor": amount, "card_payment": payment_id}]}
    sale: Json = till.ok("POST", "/carts/cart/pay", body, role="cashier")
    return sale


def test_an_accepted_card_pays_the_sale_and_a_void_goes_back_to_it(till: Shop) -> None:
    simulate(till, "accept")
    assert charge(till)["state"] == "created"
    assert ends(till)["state"] == "approved"
    sale = pay(till)
    (paid,) = sale["payments"]
    assert (paid["method"], paid["last_four"]) == ("card", "0000")
    assert "SIM-" not in str(sale)  # the token is the till's and the terminal's alone
    till.ok("POST", f"/sales/{sale['sale_id']}/void", {"reason": "mistake"})
    found = till.wait_for(lambda: [one for one in _listed(till) if one["kind"] == "refund"] or None, 60)
    assert ends(till, found[0]["payment_id"])["state"] == "approved"


def _listed(till: Shop) -> list[Json]:
    found: list[Json] = till.ok("GET", "/card-payments")["payments"]
    return found


@pytest.mark.parametrize(("script", "state", "reason"), [("decline", "declined", "refused"), ("lost", "approved", "")])
def test_a_refused_card_pays_nothing_and_a_lost_answer_is_found_again(
    till: Shop, script: str, state: str, reason: str
) -> None:
    simulate(till, script)
    charge(till)
    ended = ends(till)
    assert (ended["state"], ended["reason"]) == (state, reason)


@pytest.mark.slow
def test_a_late_answer_counts_and_a_payment_that_never_arrived_is_free_to_be_tried_again(till: Shop) -> None:
    simulate(till, "late")
    charge(till)
    assert (
        till.call("POST", "/card-payments", {"payment_id": "q", "cart_id": "cart", "amount_minor": 1}).status_code
        == 409
    )
    for _ in range(2):
        till.ok("POST", "/card-payments/p/ask", {}, role="cashier")
    assert ends(till)["state"] == "approved"
    assert till.ok("POST", "/card-payments/p/reverse", {}, role="cashier")["kind"] == "refund"
    simulate(till, "silent")
    charge(till, "second")
    assert ends(till, "second")["reason"] == "not_received"


def test_a_payment_on_the_screen_is_cancelled_or_taken_by_the_customer(till: Shop) -> None:
    simulate(till, "ask")
    charge(till)
    till.ok("POST", "/card-payments/p/cancel", {}, role="cashier")
    assert ends(till)["reason"] == "cancelled"
    charge(till, "second")
    assert any(one["check"] == "cards" for one in till.ok("GET", "/health")["checks"])
    till.ok("POST", "/card-payments/second/press", {"outcome": "accept"}, role="cashier")
    assert ends(till, "second")["state"] == "approved"
    assert till.call("POST", "/card-payments/second/press", {"outcome": "explode"}).status_code == 422
    (told,) = [one["text"] for one in till.ok("GET", "/health")["checks"] if one["check"] == "cards"]
    assert "is in no sale" in told
    assert pay(till, "second")["total_minor"] == 250
    assert not [one for one in till.ok("GET", "/health")["checks"] if one["check"] == "cards"]


def test_a_till_without_a_terminal_says_so_and_sells_by_hand(till: Shop) -> None:
    body = {"payment_id": "p", "cart_id": cart(till), "amount_minor": 250}
    assert till.call("POST", "/card-payments", body).status_code == 409
    assert till.sale("by-hand")["payments"][0]["method"] == "card"


def test_how_a_terminal_is_reached_is_a_manager_s_and_its_passphrase_never_comes_back(till: Shop) -> None:
    body = {
        "host": "192.0.2.7",
        "poi_id": "V400m-1",
        "key_identifier": "k",
        "passphrase": "very secret",
        "authority": "",
    }
    assert till.call("PUT", "/card-terminal", body, role="supervisor").status_code == 403
    assert till.call("PUT", "/card-terminal", body).status_code == 422
    body["authority"] = certificate("x")[0]
    for wrong in ({"authority": "\u00e9"}, {"key_version": 1 << 64}, {"passphrase": "x\u0000"}, {"port": 0}):
        assert till.call("PUT", "/card-terminal", body | wrong).status_code == 422, wrong
    assert till.ok("PUT", "/card-terminal", body)["has_passphrase"] is True
    assert "very secret" not in str(till.ok("GET", "/card-terminal"))
    assert "very secret" not in str(till.ok("GET", "/audit"))
    kept = till.ok("PUT", "/card-terminal", {**body, "passphrase": ""})
    assert kept["has_passphrase"] is True
