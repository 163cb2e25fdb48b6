"""The outside contract: every call of a terminal that is there now, in shape, status and meaning."""

import http.client
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.services.api.process import Running
from tests.services.api.shop import PINS, Json, Shop
from tillmesh.till.effects import Outcome

PRODUCT = {"sku", "barcodes", "name", "price_minor", "currency", "unit", "tax_code", "stock"}
SALE = {"sale_id", "receipt_number", "total_minor", "tax_minor", "change_minor", "event_id", "durable", "replicated_to",
        "sync_state", "lines"}  # fmt: skip
EVENT = re.compile(r"[a-z0-9]+\.[a-z0-9]+-[0-9]+")
CARD = [{"method": "card", "amount_minor": 250}]


@pytest.fixture(scope="module")
def sold(shop: Shop) -> Json:
    sale: Json = shop.ok(
        "POST", "/sales",
        {"cart_id": "contract", "lines": [{"barcode": "4006381333931", "quantity": 2},
        {"sku": "rice", "quantity": "0.250"}],
         "payments": [{"method": "cash", "amount_minor": 1000}]}, role="cashier",
    )  # fmt: skip
    return sale


def test_signing_in_gives_a_token_that_opens_the_other_calls(shop: Shop) -> None:
    answer = shop.call("POST", "/session", {"pin": PINS["cashier"]}, role=None)
    assert answer.status_code == 201
    assert {"token", "user", "role"} <= answer.json().keys()
    assert (answer.json()["user"], answer.json()["role"]) == ("Cara", "cashier")
    token = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert shop.call("GET", "/products", role=None, headers=token).status_code == 200
    cookie = {"Cookie": f"tillmesh_session={answer.json()['token']}"}
    assert shop.call("GET", "/session", role=None, headers=cookie).json()["user_id"] == "cashier"


def test_a_product_is_found_by_sku_barcode_and_words(shop: Shop) -> None:
    by_sku = shop.ok("GET", "/products/tea", role="cashier")
    assert by_sku.keys() >= PRODUCT
    assert shop.ok("GET", "/products/4006381333931", role="cashier")["sku"] == "tea"
    shop.product("found-by-words", name="Zanzibar cloves")
    found = shop.ok("GET", "/products?q=zanz&limit=5", role="cashier")["products"]
    assert [one["sku"] for one in found] == ["found-by-words"]
    assert (by_sku["price_minor"], by_sku["currency"], by_sku["unit"]) == (250, "EUR", "piece")


def test_a_product_is_added_changed_and_its_price_moves(shop: Shop) -> None:
    new = {"barcodes": ["5000000000012"], "name": "Soap", "price_minor": 199, "department": "Home"}
    assert shop.call("POST", "/products", new).status_code == 201
    changed = shop.call("POST", "/products", {**new, "price_minor": 299})
    assert (changed.status_code, changed.json()["price_minor"], changed.json()["sku"]) == (200, 299, "5000000000012")
    assert shop.ok("PATCH", "/products/5000000000012", {"price_minor": 149})["price_minor"] == 149
    shown = shop.ok("GET", "/products/5000000000012")
    assert shop.ok("POST", "/products", shown)["price_minor"] == 149, "what is shown can be sent back"


def test_a_code_is_one_product(shop: Shop) -> None:
    shop.product("pear", barcodes=["111"])
    for other in ({"sku": "plum", "barcodes": ["111"]}, {"sku": "111"}, {"sku": "plum", "barcodes": ["pear"]}):
        answer = shop.call("POST", "/products", {"name": "Plum", "price_minor": 1, **other})
        assert (answer.status_code, answer.json()["kind"]) == (409, "conflict"), other
    same = shop.call("POST", "/products", {"barcodes": ["111"], "name": "Ripe pear", "price_minor": 1})
    assert (same.status_code, same.json()["sku"]) == (200, "pear")
    assert shop.ok("PATCH", "/products/111", {"sku": "pear", "name": "Pear"})["barcodes"] == ["111"]
    assert shop.call("PATCH", "/products/pear", {"sku": "apple"}).status_code == 422


def test_a_code_may_hold_a_slash(shop: Shop) -> None:
    shop.product("screw/4x40", name="Screw")
    assert shop.ok("GET", "/products/screw%2F4x40")["name"] == "Screw"
    assert shop.ok("PATCH", "/products/screw/4x40", {"price_minor": 5})["price_minor"] == 5
    assert shop.ok("GET", "/stock/screw%2F4x40")["value"] == "0"
    assert shop.call("GET", "/products/export").headers["content-type"].startswith("text/csv")


def test_a_sale_is_made_once_for_its_cart_id(shop: Shop) -> None:
    body = {"cart_id": "once", "lines": [{"sku": "tea", "quantity": "1"}], "payments": CARD, "customer_id": None}
    first, again = shop.call("POST", "/sales", body), shop.call("POST", "/sales", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = shop.call("POST", "/sales", {**body, "lines": [{"sku": "tea", "quantity": "9"}]})
    assert (other.status_code, other.json()["sale_id"]) == (200, first.json()["sale_id"]), "the cart was paid"


def test_a_sale_says_what_the_contract_promises(shop: Shop, sold: Json) -> None:
    assert sold.keys() >= SALE
    assert EVENT.fullmatch(sold["sale_id"])
    assert EVENT.fullmatch(sold["event_id"])
    assert (sold["total_minor"], sold["change_minor"], sold["durable"]) == (600, 400, True)
    assert (sold["replicated_to"], sold["sync_state"]) == ([], "pending")
    assert [(line["sku"], line["quantity"]) for line in sold["lines"]] == [("tea", "2"), ("rice", "0.25")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sold["at"])
    now = shop.ok("GET", f"/sales/{sold['sale_id']}", role="cashier")
    assert {name: now[name] for name in SALE - {"lines"}} == {name: sold[name] for name in SALE - {"lines"}}


@pytest.mark.parametrize(
    "cart_id",
    ["550e8400-e29b-41d4-a716-446655440000", "1732286400000", "1732286400000000000", "4b2d41111111111111111ab",
    "a/b#c?d",
     "k3m7qx2p.4f9a2c-17", "cart 17", "\u00e9t\u00e9"],
)  # fmt: skip
def test_a_cart_has_any_id_its_page_makes_up(shop: Shop, cart_id: str) -> None:
    assert shop.sale(cart_id)["cart_id"] == cart_id


def test_a_listener_that_fails_makes_no_sale_fail(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product()

    def fail(outcome: Outcome) -> None:
        raise RuntimeError("a page could not be told")

    shop.driver.listen(fail)
    assert shop.sale("told")["durable"]


def test_receipt_numbers_have_no_gap(shop: Shop) -> None:
    numbers = [shop.sale(f"gap{n}")["receipt_number"] for n in range(5)]
    shop.call("POST", "/sales", {"cart_id": "refused", "lines": [{"sku": "nope", "quantity": 1}], "payments": []})
    numbers.append(shop.sale("gap5")["receipt_number"])
    counts = [int(number.rpartition("-")[2]) for number in numbers]
    assert counts == list(range(counts[0], counts[0] + 6))
    assert len({number.rpartition("-")[0] for number in numbers}) == 1


def test_sales_are_listed_from_a_time_on_and_found_by_receipt(shop: Shop, sold: Json) -> None:
    listed = shop.ok("GET", f"/sales?since={sold['at']}", role="cashier")["sales"]
    assert listed[0]["sale_id"] == sold["sale_id"]
    assert [one["at"] for one in listed] == sorted(one["at"] for one in listed)
    newest = shop.ok("GET", "/sales?limit=3", role="cashier")["sales"]
    assert [one["at"] for one in newest] == sorted((one["at"] for one in newest), reverse=True)
    (found,) = shop.ok("GET", f"/sales?receipt={sold['receipt_number']}", role="cashier")["sales"]
    assert found["sale_id"] == sold["sale_id"]


def test_no_more_comes_back_than_was_sold(shop: Shop) -> None:
    sale = shop.sale("back", quantity="3")["sale_id"]
    wanted = {"lines": [{"line": 0, "quantity": "2"}], "reason": "broken", "refund_key": "key-1"}
    first, again = (
        shop.call("POST", f"/sales/{sale}/refunds", wanted),
        shop.call("POST", f"/sales/{sale}/refunds", wanted),
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["refund_id"] == again.json()["refund_id"]
    assert first.json()["total_minor"] == 500
    more = shop.call("POST", f"/sales/{sale}/refunds", {**wanted, "refund_key": "key-2"})
    assert (more.status_code, more.json()["kind"]) == (409, "conflict")
    other = shop.sale("other")["sale_id"]
    assert shop.call("POST", f"/sales/{other}/refunds", wanted).status_code == 409, "the key belongs to another refund"
    by_sku = {"lines": [{"sku": "tea", "quantity": 1}], "reason": "broken", "payments": CARD}
    assert shop.ok("POST", f"/sales/{sale}/refunds", by_sku)["payments"] == CARD
    assert shop.ok("GET", f"/sales/{sale}")["state"] == "refunded"
    assert shop.call("POST", f"/sales/{sale}/void", {"reason": "late"}).status_code == 409


def test_a_void_takes_a_sale_back_whole_and_once(shop: Shop) -> None:
    sale = shop.sale("void")["sale_id"]
    first = shop.call("POST", f"/sales/{sale}/void", {"reason": "mistake"})
    again = shop.call("POST", f"/sales/{sale}/void", {"reason": "mistake"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["refund_id"] == again.json()["refund_id"]
    assert shop.ok("GET", f"/sales/{sale}")["state"] == "voided"
    refund = {"lines": [{"line": 0, "quantity": 1}], "reason": "x"}
    assert shop.call("POST", f"/sales/{sale}/refunds", refund).status_code == 409


@pytest.mark.slow
def test_stock_is_received_counted_adjusted_and_sold(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product()
    assert shop.ok("POST", "/stock/receipts", {"sku": "tea", "quantity": "10"})["value"] == "10"
    assert shop.ok("POST", "/stock/adjustments", {"sku": "tea", "quantity": "-2", "reason": "broken"})["value"] == "8"
    shop.sale("s", quantity="3")
    now = shop.ok("GET", "/stock/tea")
    assert (now["sku"], now["value"]) == ("tea", "5")
    ((actor, columns),) = now["actors"].items()
    assert (columns["p"], columns["n"]) == ("10", "5")
    assert actor == shop.ok("GET", "/state")["terminal"]["actor"]
    assert shop.ok("POST", "/stock/counts", {"sku": "tea", "quantity": "7"})["value"] == "7"
    assert shop.ok("GET", "/products/tea")["stock"] == "7"
    shop.product("bag", name="Bag", track_stock=False)
    shop.sale("b", sku="bag")
    assert shop.ok("GET", "/stock/levels")["levels"] == {"tea": "7"}
    assert [one["sku"] for one in shop.ok("GET", "/stock")["items"]] == ["tea"]


def test_customers_merge_field_by_field(shop: Shop) -> None:
    created = shop.call("POST", "/customers", {"name": "Zoe Quillon", "email": "ann@example.org"}, role="cashier")
    assert created.status_code == 201
    key = created.json()["customer_id"]
    shop.ok("PATCH", f"/customers/{key}", {"phone": "123"}, role="cashier")
    changed = shop.ok("PATCH", f"/customers/{key}", {"email": ""}, role="cashier")
    assert (changed["name"], changed["phone"], changed["email"]) == ("Zoe Quillon", "123", "")
    (found,) = shop.ok("GET", "/customers?q=quillon", role="cashier")["customers"]
    assert found["customer_id"] == key
    assert shop.call("POST", "/customers", {"customer_id": key, "name": "Twice"}).status_code == 409
    assert shop.call("PATCH", f"/customers/{key}", {"customer_id": "another", "name": "x"}).status_code == 422


@pytest.mark.slow
def test_a_shift_ends_in_a_report_that_never_changes(fresh: Callable[[bool], Shop]) -> None:
    shop = fresh(False)
    shop.product()
    sale = {"cart_id": "early", "lines": [{"sku": "tea", "quantity": 1}], "payments": CARD}
    assert shop.call("POST", "/sales", sale).status_code == 409
    assert shop.call("GET", "/shifts/current").status_code == 404
    assert shop.call("POST", "/shifts/open", {"float_minor": 5_000}, role="cashier").status_code == 201
    assert shop.call("POST", "/shifts/open", {"float_minor": 5_000}, role="cashier").status_code == 409
    cash = [{"method": "cash", "amount_minor": 300}]
    shop.ok("POST", "/sales", {**sale, "payments": cash}, role="cashier")
    shop.ok("POST", "/shifts/cash", {"amount_minor": -1_000, "reason": "to the bank"})
    x = shop.ok("GET", "/reports/x")
    assert (x["sales_minor"], x["expected_cash_minor"]) == (250, 5_000 + 250 - 1_000)
    z = shop.call("POST", "/shifts/close", {"counted_minor": 4_200}, role="cashier").json()
    assert (z["z_number"], z["variance_minor"], z["perpetual_minor"]) == (1, -50, 250)
    shop.ok("PATCH", "/products/tea", {"price_minor": 999})
    assert shop.ok("GET", "/reports/z/1") == z
    assert [one["z_number"] for one in shop.ok("GET", "/reports/z")["reports"]] == [1]
    shop.ok("POST", "/shifts/open", {"float_minor": 0})
    assert shop.ok("POST", "/shifts/close", {"counted_minor": 0})["z_number"] == 2


def test_the_state_hash_moves_with_every_event_and_with_nothing_else(shop: Shop) -> None:
    before = shop.ok("GET", "/state-hash")
    assert {"hash", "version_vector"} == before.keys()
    shop.ok("GET", "/products?q=tea")
    assert shop.ok("GET", "/state-hash") == before
    shop.sale("hash")
    after = shop.ok("GET", "/state-hash")
    assert after["hash"] != before["hash"]
    assert sum(after["version_vector"].values()) == sum(before["version_vector"].values()) + 1


def test_the_whole_catalogue_comes_once_compressed_and_tagged(shop: Shop) -> None:
    answer = shop.call("GET", "/catalogue", headers={"Accept-Encoding": "gzip"}, role="cashier")
    whole = answer.json()
    lengths = {len(column) for column in whole["columns"].values()}
    assert lengths == {whole["count"]}
    assert answer.headers["content-encoding"] == "gzip"
    assert "no-cache" in answer.headers["cache-control"]
    tagged = {"If-None-Match": answer.headers["etag"]}
    assert shop.call("GET", "/catalogue", headers=tagged).status_code == 304
    plain = shop.call("GET", "/catalogue", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == whole
    shop.product("more", name="More")
    assert shop.call("GET", "/catalogue", headers=tagged).status_code == 200


def test_a_part_that_was_paid_is_in_the_cart_for_whoever_asks_and_goes_back_when_it_is_dropped(shop: Shop) -> None:
    cash = {"method": "cash", "amount_minor": 100}
    add = {"op_id": "a", "op": "add", "line_id": "a", "sku": "tea"}
    take = {"op_id": "b", "op": "take_part", "line_id": "part", "payment": cash}
    cart = shop.ok("POST", "/carts/part-1/ops", {"ops": [add, take]}, role="cashier")
    assert cart["rejected"] == []
    assert [(one["part_id"], one["payment"]) for one in cart["parts"]] == [("part", cash)]
    assert shop.ok("GET", "/carts/part-1")["parts"] == cart["parts"]
    whole = {"payments": [{"method": "cash", "amount_minor": cart["total_minor"]}]}
    refused = shop.call("POST", "/carts/part-1/pay", whole, role="cashier")
    assert (refused.status_code, refused.json()["detail"]) == (409, "1.00 EUR was paid for this sale already")
    park_id = shop.ok("POST", "/carts/part-1/park", {}, role="cashier")["park_id"]
    assert [one["parts_minor"] for one in shop.ok("GET", "/parked")["parked"] if one["park_id"] == park_id] == [100]
    before = shop.ok("GET", "/shifts/current")["expected_cash_minor"]
    assert shop.call("DELETE", f"/parked/{park_id}").status_code == 409
    assert shop.call("DELETE", f"/parked/{park_id}?given_back=1").status_code == 204
    assert shop.ok("GET", "/shifts/current")["expected_cash_minor"] == before - 100


def test_a_cart_is_parked_and_taken_up_again(shop: Shop) -> None:
    ops = {"ops": [{"op_id": "1", "op": "add", "line_id": "a", "sku": "tea"}]}
    shop.ok("POST", "/carts/parked/ops", ops, role="cashier")
    assert shop.ok("POST", "/carts/parked/ops", ops, role="cashier")["total_minor"] == 250, "sent again, done once"
    park = shop.ok("POST", "/carts/parked/park", {"label": "blue coat"}, role="cashier")
    listed = {one["park_id"]: one for one in shop.ok("GET", "/parked", role="cashier")["parked"]}
    assert (listed[park["park_id"]]["label"], listed[park["park_id"]]["total_minor"]) == ("blue coat", 250)
    assert shop.call("GET", "/carts/parked").status_code == 404
    back = shop.ok("POST", f"/parked/{park['park_id']}/resume", role="cashier")
    assert (back["cart_id"], back["total_minor"]) == ("parked", 250)
    assert shop.call("POST", f"/parked/{park['park_id']}/resume").status_code == 409


@pytest.mark.parametrize("path", ["recognise", "barcode", "voice"])
def test_models_that_are_not_there_are_said_to_be_not_there(shop: Shop, path: str) -> None:
    answer = shop.call("POST", f"/ai/{path}", content=b"x", headers={"Content-Type": "image/png"}, role="cashier")
    assert (answer.status_code, answer.json()["kind"]) == (503, "not-available")
    fraud = shop.call("POST", "/ai/fraud-score", {"sale": "x"}, role="manager")
    assert (fraud.status_code, fraud.json()["kind"]) == (503, "not-available")


@pytest.mark.slow
@pytest.mark.service
def test_a_running_till_says_how_it_is(till: Running) -> None:
    health = till.get("/api/v1/health")
    assert health["ok"]
    assert all(check["text"] for check in health["checks"])
    raft = till.get("/api/v1/raft")
    assert raft.keys() >= {"state", "term", "leader_id", "voters", "learners", "commit_index", "has_quorum"}
    sync = till.get("/api/v1/sync")
    assert sync.keys() >= {"pending", "sent_to_leader", "acked_by_leader", "sent_to_hub", "complete", "unreplicated",
                           "last_hub_sync", "hub_reachable", "hub_trouble", "peers"}  # fmt: skip
    status, headers, body = till.call("GET", "/api/v1/metrics")
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/plain")
    assert b"tillmesh_events" in body
    assert till.get("/api/v1/openapi.json")["openapi"].startswith("3.1")


@pytest.mark.slow
@pytest.mark.service
def test_live_events_end_when_the_person_signs_out(till: Running) -> None:
    token, other = till.sign_in("cashier"), {"Authorization": f"Bearer {till.sign_in('manager')}"}
    connection = http.client.HTTPConnection("127.0.0.1", till.port, timeout=20)
    connection.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {token}"})
    stream = connection.getresponse()
    assert stream.readline().startswith(b"retry:")
    till.call("DELETE", "/api/v1/session", headers={"Authorization": f"Bearer {token}"})
    body = {"cart_id": "unseen", "lines": [{"sku": "tea", "quantity": 1}], "payments": CARD}
    assert till.call("POST", "/api/v1/sales", body, other)[0] == 201
    assert b"receipt_number" not in stream.read()
    connection.close()


@pytest.mark.slow
@pytest.mark.service
def test_live_events_tell_a_page_of_a_sale(till: Running) -> None:
    token = till.sign_in("manager")
    headers = {"Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", till.port, timeout=20)
    connection.request("GET", "/api/v1/events", headers=headers)
    stream = connection.getresponse()
    assert stream.headers["content-type"].startswith("text/event-stream")
    body = {"cart_id": "live", "lines": [{"sku": "tea", "quantity": 1}], "payments": CARD}
    status, _, sold = till.call("POST", "/api/v1/sales", body, headers)
    assert status == 201, sold
    told: dict[str, Any] = {}
    kind = ""
    while not {"sale", "stock"} <= told.keys():
        line = stream.readline()
        assert line, "the stream ended"
        text = line.decode().strip()
        if text.startswith("event:"):
            kind = text.removeprefix("event:").strip()
        elif text.startswith("data:"):
            told[kind] = json.loads(text.removeprefix("data:"))
    connection.close()
    assert told["sale"]["sale_id"] == json.loads(sold)["sale_id"]
    assert set(told["stock"]["levels"]) == {"tea"}
