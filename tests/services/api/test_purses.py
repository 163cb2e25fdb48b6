"""Customers' money through the API: cards are sold and spent, accounts have statements, the owner sees what is owed."""

from collections.abc import Iterator

import pytest

from tests.services.api.shop import Json, Shop
from tillmesh.shop.events import PurseMove
from tillmesh.shop.purses import GIFT_CARD
from tillmesh.terminal.purse_holds import PurseHolds


@pytest.fixture
def money(shop: Shop) -> Iterator[Shop]:
    """The shop with all ways to pay, and as it was afterwards: others use it too."""
    before = shop.ok("GET", "/settings")["store"]["pay_methods"]
    ways = {"pay_methods": ["cash", "card", "gift_card", "account", "points"], "loyalty_earn_minor": 100,
            "loyalty_point_minor": 5}  # fmt: skip
    shop.ok("PATCH", "/settings", {"store": ways})
    yield shop
    shop.ok("PATCH", "/settings", {"store": {"pay_methods": before, "loyalty_earn_minor": 0}})


def paid(shop: Shop, cart_id: str, *payments: Json, customer: str | None = None) -> Json:
    lines = [{"sku": "purse-tea", "quantity": 4}]
    body = {"cart_id": cart_id, "lines": lines, "payments": payments, "customer_id": customer}
    found: Json = shop.ok("POST", "/sales", body, role="cashier")
    return found


def test_a_gift_card_from_its_code_to_its_last_cent(money: Shop) -> None:
    money.product("purse-tea", name="Loose leaf")
    code = money.ok("POST", "/gift-cards", {}, role="cashier")["code"]
    ops = [{"op_id": "a", "op": "gift_card", "line_id": "g", "text": code, "amount_minor": 1_000, "reason": "4711"}]
    cart = money.ok("POST", "/carts/purse-1/ops", {"ops": ops}, role="cashier")
    assert (cart["total_minor"], cart["rejected"]) == (1_000, [])
    money.ok("POST", "/carts/purse-1/pay", {"payments": [{"method": "cash", "amount_minor": 1_000}]}, role="cashier")
    shown = money.ok("POST", "/gift-cards/balance", {"code": code.lower()}, role="cashier")
    assert (shown["balance_minor"], shown["has_pin"]) == (1_000, True)
    card = {"method": "gift_card", "amount_minor": 1_000, "reference": code, "pin": "4711"}
    sale = paid(money, "purse-2", card)
    assert "reference" not in sale["payments"][0]
    text = money.ok("GET", f"/sales/{sale['sale_id']}/receipt")["text"]
    assert "Gift card" in text
    assert shown["account"] not in text
    assert money.ok("POST", "/gift-cards/balance", {"code": code})["balance_minor"] == 0
    refused = money.call("POST", "/sales", {"cart_id": "purse-3", "lines": [{"sku": "purse-tea", "quantity": 4}],
                                            "payments": [card]})  # fmt: skip
    assert refused.status_code == 409


def test_an_account_has_a_statement_and_the_owner_sees_what_is_owed(money: Shop) -> None:
    money.product("purse-tea", name="Loose leaf")
    money.ok("POST", "/customers", {"customer_id": "purse-ana", "name": "Ana", "credit_limit_minor": 5_000})
    sale = paid(money, "purse-4", {"method": "account", "amount_minor": 1_000}, customer="purse-ana")
    assert sale["points"] == 10
    shown = money.ok("GET", "/customers/purse-ana/purses", role="cashier")
    assert (shown["owes_minor"], shown["points"], shown["points_minor"]) == (1_000, 10, 50)
    statement = money.ok("GET", "/customers/purse-ana/statement", role="cashier")
    assert [(one["receipt_number"], one["balance"]) for one in statement["entries"]] == [
        (sale["receipt_number"], 1_000)
    ]
    text = money.call("GET", "/customers/purse-ana/statement?format=csv").text
    assert f"sale_closed,{sale['receipt_number']},10.00,10.00" in text
    text = money.call("GET", "/customers/purse-ana/statement?format=csv&language=de").text
    assert text.startswith("\ufeffDatum;Bezeichnung;Bon;Betrag;Saldo")
    assert f"Verkauf {sale['receipt_number']};{sale['receipt_number']};10,00;10,00" in text
    owed = money.ok("GET", "/purses")
    assert any(one["customer"]["customer_id"] == "purse-ana" for one in owed["owing"])
    adjust = {"purse": "account", "account": "purse-ana", "amount": -1_000, "reason": "written off"}
    assert money.ok("POST", "/purses/adjust", adjust)["balance"] == 0
    for role in ("cashier", "supervisor"):
        assert money.call("POST", "/purses/adjust", adjust, role=role).status_code == 403
        assert money.call("GET", "/purses", role=role).status_code == 403
    assert money.call("PATCH", "/customers/purse-ana", {"credit_limit_minor": 1}, role="cashier").status_code == 403


def test_a_till_says_how_much_of_a_purse_it_may_take_now(money: Shop) -> None:
    money.ok("POST", "/customers", {"customer_id": "purse-eve", "name": "Eve", "credit_limit_minor": 2_000})
    shown = money.ok("GET", "/customers/purse-eve/purses", role="cashier")
    assert (shown["account_available_minor"], shown["points_available_minor"], shown["all_heard"]) == (2_000, 0, True)
    code = "EVES-CARD-0001"
    named = {"op_id": "c", "op": "customer", "customer_id": "purse-eve"}
    load = {"op_id": "a", "op": "gift_card", "line_id": "g", "text": code, "amount_minor": 700}
    money.ok("POST", "/carts/purse-5/ops", {"ops": [named, load]}, role="cashier")
    money.ok("POST", "/carts/purse-5/pay", {"payments": [{"method": "cash", "amount_minor": 700}]}, role="cashier")
    card = money.ok("POST", "/gift-cards/balance", {"code": code}, role="cashier")
    assert (card["available_minor"], card["all_heard"]) == (700, True)
    (held,) = money.ok("GET", "/customers/purse-eve/purses", role="cashier")["gift_cards"]
    assert (held["balance_minor"], held["last_four"]) == (700, "0001")


def test_a_statement_is_printed_as_a_pdf_for_a_stretch_of_days(money: Shop) -> None:
    money.product("purse-tea", name="Loose leaf")
    money.ok("POST", "/customers", {"customer_id": "purse-ida", "name": "Ida", "credit_limit_minor": 5_000})
    sale = paid(money, "purse-6", {"method": "account", "amount_minor": 1_000}, customer="purse-ida")
    answer = money.call("GET", "/customers/purse-ida/statement?format=pdf&from=2026-01-01&to=2099-12-31")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    for words in ("Statement of account", "Ida", "Balance before", f"Sale {sale['receipt_number']}", "Balance now"):
        assert words.encode() in answer.content
    points = money.call("GET", "/customers/purse-ida/statement?format=pdf&purse=points").content
    assert b"Points" in points
    before = money.call("GET", "/customers/purse-ida/statement?format=pdf&from=2099-01-01").content
    assert sale["receipt_number"].encode() not in before


def test_a_refund_says_beforehand_where_the_money_goes(money: Shop) -> None:
    money.product("purse-tea", name="Loose leaf")
    code = "BACK-CARD-0007"
    load = {"op_id": "a", "op": "gift_card", "line_id": "g", "text": code, "amount_minor": 600}
    money.ok("POST", "/carts/purse-7/ops", {"ops": [load]}, role="cashier")
    money.ok("POST", "/carts/purse-7/pay", {"payments": [{"method": "cash", "amount_minor": 600}]}, role="cashier")
    sale = paid(money, "purse-8", {"method": "gift_card", "amount_minor": 600, "reference": code},
                {"method": "cash", "amount_minor": 400})  # fmt: skip
    wanted = {"lines": [{"line": 0, "quantity": "3"}]}
    quoted = money.ok("POST", f"/sales/{sale['sale_id']}/refunds/quote", wanted, role="cashier")
    assert [(one["method"], one["amount_minor"]) for one in quoted["payments"]] == [("gift_card", 600), ("cash", 150)]
    refund = money.ok("POST", f"/sales/{sale['sale_id']}/refunds", {**wanted, "reason": "stale"})
    assert refund["payments"] == quoted["payments"]
    assert money.ok("POST", "/gift-cards/balance", {"code": code})["balance_minor"] == 600


def loaded_card(money: Shop, cart_id: str) -> tuple[str, str]:
    """Sell a gift card with ten euros on it; give its code and account."""
    code = money.ok("POST", "/gift-cards", {}, role="cashier")["code"]
    ops = [{"op_id": "a", "op": "gift_card", "line_id": "g", "text": code, "amount_minor": 1_000}]
    money.ok("POST", f"/carts/{cart_id}/ops", {"ops": ops}, role="cashier")
    money.ok("POST", f"/carts/{cart_id}/pay", {"payments": [{"method": "cash", "amount_minor": 1_000}]}, role="cashier")
    return code, money.ok("POST", "/gift-cards/balance", {"code": code})["account"]


def test_a_sale_in_one_call_waits_for_a_cart_that_takes_from_the_same_card_as_the_checkout_does(money: Shop) -> None:
    money.product("purse-tea", name="Loose leaf")
    code, account = loaded_card(money, "purse-h1")
    kept = money.services.extra["purse_holds"]
    holds = money.services.extra["purse_holds"] = PurseHolds(money.driver, clock_ms=lambda: 0)
    try:
        card = {"method": "gift_card", "amount_minor": 1_000, "reference": code}
        body = {"cart_id": "purse-h2", "lines": [{"sku": "purse-tea", "quantity": 4}], "payments": [card]}
        assert money.loop.run(holds.ask("purse-other", [PurseMove(purse=GIFT_CARD, account=account, amount=-600)]))
        refused = money.call("POST", "/sales", body, role="cashier")
        assert (refused.status_code, "another till is taking" in refused.json()["detail"]) == (409, True)
        assert money.loop.run(holds.ask("purse-other", [PurseMove(purse=GIFT_CARD, account=account, amount=0)]))
        sale = money.ok("POST", "/sales", body, role="cashier")
        again = money.call("POST", "/sales", body, role="cashier")
        assert (again.status_code, again.json()["sale_id"]) == (200, sale["sale_id"])
    finally:
        money.services.extra["purse_holds"] = kept


def test_a_card_that_a_manager_blocked_pays_nothing_and_the_till_says_why(money: Shop) -> None:
    money.product("purse-tea", name="Loose leaf")
    code, account = loaded_card(money, "purse-b1")
    block = {"account": account, "active": False, "reason": "Lost"}
    assert money.call("POST", "/gift-cards/block", block, role="supervisor").status_code == 403
    money.ok("POST", "/gift-cards/block", block)
    shown = money.ok("POST", "/gift-cards/balance", {"code": code}, role="cashier")
    assert (shown["active"], shown["blocked_reason"], shown["available_minor"]) == (False, "Lost", 0)
    card = {"method": "gift_card", "amount_minor": 1_000, "reference": code}
    sale = {"cart_id": "purse-b2", "lines": [{"sku": "purse-tea", "quantity": 4}], "payments": [card]}
    assert money.call("POST", "/sales", sale).json()["detail"] == "this gift card is blocked: Lost"
    blocked = {"word": "field", "name": "blocked_reason", "value": "Lost"}
    assert any(blocked in one["words"] for one in money.ok("GET", "/audit")["entries"])
    money.ok("POST", "/gift-cards/block", {"account": account, "active": True})
    assert money.ok("POST", "/sales", sale)["total_minor"] == 1_000
