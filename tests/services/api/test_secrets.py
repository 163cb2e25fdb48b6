"""What must never enter, and what must never leave: card numbers (S14), customers (S6), tokens and PINs (S8, S11)."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.api.process import Running, running
from tests.services.api.shop import PINS, Json, Shop

CARDS = ("4111111111111111", "5555 5555 5555 4444", "3782-822463-10005")
CANARY = "Zebedee Quillfeather"


def typed(card: str, shop_ids: Iterator[int]) -> list[tuple[str, str, Json]]:
    """Every text that somebody can type, with a card number in it."""
    text = f"paid with {card}"
    sale: Json = {"cart_id": f"card-{next(shop_ids)}", "lines": [{"sku": "tea", "quantity": "1"}],
                  "payments": [{"method": "card", "amount_minor": 250}]}  # fmt: skip
    product: Json = {"sku": "card", "name": "Card", "price_minor": 1}
    return [
        ("POST", "/sales", {**sale, "note": text}),
        ("POST", "/sales", {**sale, "lines": [{"sku": "tea", "quantity": "1", "note": text}]}),
        ("POST", "/sales", {**sale, "payments": [{"method": "card", "amount_minor": 250, "reference": card}]}),
        ("POST", "/sales", {**sale, "payments": [{"method": "card", "amount_minor": 250, "last_four": card}]}),
        ("POST", "/sales", {**sale, "payments": [{"method": card, "amount_minor": 250}]}),
        ("POST", "/sales", {**sale, "cart_id": card}),
        ("POST", "/sales", {**sale, "cart_id": f"card {card}"}),
        ("POST", "/sales", {**sale, "cart_id": f"card-{re.sub('[^0-9]', '', card)}"}),
        ("POST", "/sales", {**sale, "customer_id": card}),
        ("POST", "/sales", {**sale, "lines": [{"sku": card, "quantity": "1"}]}),
        ("POST", "/sales", {**sale, "lines": [{"sku": "", "barcode": card, "quantity": "1"}]}),
        ("POST", "/sales", {**sale, "lines": [{"sku": "tea", "quantity": card}]}),
        ("POST", "/carts", {"cart_id": card}),
        ("POST", "/carts/c/park", {"label": text}),
        *(("POST", "/customers", {"name": "Ann", field: text}) for field in ("name", "email", "phone", "note",
        "address")),
        ("POST", "/customers", {"name": "Ann", "customer_id": card}),
        ("PATCH", "/customers/nobody", {"note": text}),
        *(("POST", "/products", {**product, field: text}) for field in ("name", "department", "colour", "icon")),
        ("PATCH", "/products/tea", {"name": text}),
        ("POST", "/people", {"name": text, "role": "cashier", "pin": "7777"}),
        ("PATCH", "/people/cashier", {"name": text}),
        *(("PATCH", "/settings", {"store": {field: text}}) for field in ("name", "receipt_footer")),
        ("PATCH", "/settings", {"store": {"address": [text]}}),
        ("PATCH", "/settings", {"terminal": {"name": card}}),
        ("PATCH", "/settings", {"store": {"departments": [{"name": text}]}}),
        ("POST", "/drawer/open", {"reason": text}),
        ("POST", "/shifts/cash", {"amount_minor": 5, "reason": text}),
        ("POST", "/stock/receipts", {"sku": "tea", "quantity": 1, "reason": text}),
        ("POST", "/stock/adjustments", {"sku": "tea", "quantity": 1, "reason": text}),
        ("POST", "/stock/counts", {"sku": "tea", "quantity": 1, "reason": text}),
        ("POST", "/session", {"pin": card.replace(" ", "").replace("-", "")}),
        ("POST", "/approvals", {"pin": "5555", "action": card}),
        ("POST", "/refunds", {"lines": [{"sku": "tea", "quantity": 1}], "reason": text,
                              "payments": [{"method": "cash", "amount_minor": 250}]}),
        ("POST", "/refunds", {"lines": [{"sku": "tea", "quantity": 1}], "reason": "x", "refund_key": card,
                              "payments": [{"method": "cash", "amount_minor": 250}]}),
    ]  # fmt: skip


OPERATIONS: list[Json] = [
    {"op": "note", "text": "{}"}, {"op": "note", "line_id": "a", "text": "{}"}, {"op": "customer", "customer_id": "{}"},
    {"op": "add", "line_id": "{}", "sku": "tea"}, {"op": "add", "line_id": "b", "barcode": "{}"},
    {"op": "discount_cart", "percent": "5", "reason": "{}"}, {"op": "discount_line", "line_id": "a", "percent": "5",
                                                             "reason": "{}"},
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_refused_wherever_it_is_typed_and_kept_nowhere(fresh: Callable[[], Shop], card: str) -> None:
    shop = fresh()
    shop.product()
    sold = shop.sale("before")
    shop.ok("POST", "/carts/c/ops", {"ops": [{"op_id": "0", "op": "add", "line_id": "a", "sku": "tea"}]})
    events, numbers = shop.events(), iter(range(1000))
    answered = shop.ok("POST", f"/sales/{sold['sale_id']}/refunds/quote", {"lines": [{"line": 0, "quantity": 1}]})
    assert answered["total_minor"] == 250
    for method, path, body in typed(card, numbers):
        answer = shop.call(method, path, body)
        assert answer.status_code in {404, 422}, (method, path, body, answer.text)
    for sent in (
        ("POST", f"/sales/{sold['sale_id']}/void", {"reason": card}),
        ("POST", f"/sales/{sold['sale_id']}/refunds", {"lines": [{"line": 0, "quantity": 1}], "reason": card}),
    ):
        assert shop.call(*sent).status_code == 422
    ops = [{**json.loads(json.dumps(op).replace("{}", card)), "op_id": f"n{n}"} for n, op in enumerate(OPERATIONS)]
    view = shop.ok("POST", "/carts/c/ops", {"ops": ops})
    assert len(view["rejected"]) == len(OPERATIONS)
    shop.call("GET", "/products", params={"q": card})
    assert shop.events() == events, "something with a card number in it was recorded"
    everything = " ".join(
        shop.call("GET", path).text
        for path in ("/carts", "/sales", "/customers", "/products", "/people", "/settings", "/audit", "/parked",
        "/state",
                     "/stock", "/products/export", "/metrics", "/health")
    )  # fmt: skip
    assert card not in everything


def test_an_operation_with_a_card_number_as_its_own_id_is_refused(shop: Shop) -> None:
    view = shop.ok("POST", "/carts/id/ops", {"ops": [{"op_id": CARDS[0], "op": "add", "line_id": "a", "sku": "tea"}]})
    assert len(view["rejected"]) == 1


def test_phone_and_tax_numbers_are_no_card_numbers(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    # Both pass the check of a card number: a German mobile number in full, and a French SIRET.
    phone, siret = "+49 1512 3456 785", "389 123 456 00017"
    assert shop.ok("POST", "/customers", {"name": "Ann", "phone": phone})["phone"] == phone
    assert shop.ok("PATCH", "/settings", {"store": {"tax_id": siret}})["store"]["tax_id"] == siret


def everything_on_disk(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.slow
@pytest.mark.service
def test_nothing_on_the_disk_or_in_the_log_tells_of_customers_cards_tokens_or_pins(tmp_path: Path) -> None:
    with running(tmp_path) as till:
        token = till.sign_in("manager")
        headers = {"Authorization": f"Bearer {token}"}

        def post(path: str, body: Json) -> tuple[int, Any]:
            status, _, answer = till.call("POST", "/api/v1" + path, body, headers)
            return status, json.loads(answer)

        status, customer = post("/customers", {"name": CANARY, "email": "zebedee@example.org"})
        assert status == 201
        sale = {"cart_id": "canary", "customer_id": customer["customer_id"], "note": "wrapped for Zebedee",
                "lines": [{"sku": "tea", "quantity": 1}], "payments": [{"method": "card",
                "amount_minor": 250}]}  # fmt: skip
        assert post("/sales", sale)[0] == 201
        assert post("/carts/open/ops", {"ops": [{"op_id": "1", "op": "note", "text": "for Zebedee"}]})[0] == 200
        _, approval = post("/approvals", {"pin": PINS["supervisor"], "action": "void"})
        for card in CARDS:
            assert post("/drawer/open", {"reason": card})[0] == 422
            till.call("GET", f"/api/v1/products/{card.replace(' ', '%20')}", headers=headers)
            till.call("GET", f"/api/v1/products?q={card.replace(' ', '%20')}", headers=headers)
        post("/session", {"pin": "80808080"})
        live = everything_on_disk(tmp_path)
        assert len(live) > 100_000, "the database is among what was read"
        secrets = [CANARY, "Quillfeather", "zebedee@example.org", "Zebedee", token, approval["approval"], "80808080",
                   *PINS.values(), *CARDS]  # fmt: skip
        found = [secret for secret in secrets if len(secret) > 4 and secret.encode() in live]
        assert found == []
        log = till.log.read_text()
        assert [secret for secret in secrets if secret in log] == []
    stopped = everything_on_disk(tmp_path)
    assert [secret for secret in secrets if len(secret) > 4 and secret.encode() in stopped] == []
    assert b"SQLite format 3" not in stopped


NASTY = "<img src=x onerror=alert(1)>\"'&"


def test_names_are_text_on_a_receipt_never_html(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.ok("PATCH", "/settings", {"store": {"name": NASTY, "receipt_footer": NASTY, "address": [NASTY]}})
    shop.ok("PATCH", "/people/cashier", {"name": NASTY})
    customer = shop.ok("POST", "/customers", {"name": NASTY})["customer_id"]
    shop.product("nasty", name=NASTY)
    again = shop.ok("POST", "/session", {"pin": PINS["manager"]})["token"]
    sold = shop.ok(
        "POST", "/sales",
        {"cart_id": "n", "customer_id": customer, "lines": [{"sku": "nasty", "quantity": 1, "note": NASTY}],
         "payments": [{"method": "card", "amount_minor": 250, "reference": NASTY}]},
        headers={"Authorization": f"Bearer {again}"},
    )  # fmt: skip
    answer = shop.call("GET", f"/sales/{sold['sale_id']}/receipt?format=html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "<img" not in answer.text
    assert "&lt;img" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "'=1", "=cmd|' /C calc'!A0"]


@pytest.mark.slow
def test_no_export_holds_a_formula_and_an_import_undoes_the_guard(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    for number, formula in enumerate(FORMULAS):
        shop.product(f"sku{number}", name=formula, department=formula)
        shop.sale(f"c{number}", sku=f"sku{number}")
    exported = shop.call("GET", "/products/export").text
    day = shop.ok("GET", "/state")["shift"]["opened_at"][:10]
    report = shop.call("GET", f"/reports/day?date={day}&format=csv").text
    days = shop.call("GET", f"/reports/days?from={day}&to={day}&format=csv").text
    for text in (exported, report, days):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert [
            cell for cell in cells if cell[:1] in set("=+@\t\r") or (cell[:1] == "-" and not cell[1:].isdigit())
        ] == []
    again = shop.ok("POST", "/products/import", content=exported.encode(), headers={"Content-Type": "text/csv"})
    assert (again["unchanged"], again["updated"], again["created"]) == (len(FORMULAS), 0, 0)


@pytest.mark.slow
@pytest.mark.service
def test_a_till_that_runs_writes_no_log_of_requests(till: Running) -> None:
    till.call("GET", "/api/v1/products?q=secret-question")
    assert "secret-question" not in till.log.read_text()
