"""Bad input gets a problem document that says what to do, and leaves nothing behind."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.services.api.shop import Json, Shop
from tillmesh.kernel.limits import REQUEST_BODY_BYTES_MAX, SALE_LINES_MAX

CARD = [{"method": "card", "amount_minor": 250}]
NUL = "\x00"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def unchanged(shop: Shop) -> Iterator[Shop]:
    """A till on which nothing may have happened when the test is over."""
    before = (shop.state_hash(), shop.events(), shop.ok("GET", "/carts"), shop.ok("GET", "/printer")["waiting"])
    yield shop
    after = (shop.state_hash(), shop.events(), shop.ok("GET", "/carts"), shop.ok("GET", "/printer")["waiting"])
    assert after == before


def refused(shop: Shop, status: int, method: str, path: str, body: object = None, **more: Any) -> Json:
    """Call, and hold the refusal to the form of RFC 9457."""
    answer = shop.call(method, path, body, **more)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Json = answer.json()
    assert problem["status"] == status
    assert problem["type"].endswith("/" + problem["kind"])
    for member in ("title", "detail"):
        assert problem[member].strip(), problem
    assert problem["hint"].strip() or status == 422, problem
    return problem


def sale(**other: Any) -> Json:
    return {"cart_id": "bad", "lines": [{"sku": "tea", "quantity": "1"}], "payments": CARD, **other}


def line(**other: Any) -> Json:
    return sale(lines=[{"sku": "tea", "quantity": "1", **other}])


@pytest.mark.parametrize(
    "quantity",
    ["-1", "0", 0, -3, "0.0001", "1e5", "1,5", "", " ", "x", "NaN", "Infinity", "0x10", "\uff11", "1_000", "--1",
    "+1", "1.5",
     True, False, 1.5, 1e5, None, [], {}, 10**7, 2**63, -(2**63), 10**30, "9" * 400],
)  # fmt: skip
def test_a_quantity_that_is_none_sells_nothing(unchanged: Shop, quantity: object) -> None:
    refused(unchanged, 422, "POST", "/sales", line(quantity=quantity))


@pytest.mark.parametrize("amount", [-1, 1.0, 2.5, "250", True, None, 10**11 + 1, 2**63, -(2**70), 10**40, [], "1e3"])
@pytest.mark.parametrize(
    "where", ["payment", "unit_price_minor", "discount_minor", "float", "counted", "cash", "price"]
)
def test_an_amount_is_a_whole_number_of_minor_units_within_reason(unchanged: Shop, where: str, amount: object) -> None:
    if (where, amount) in [("unit_price_minor", None), ("cash", -1)]:
        return  # No price of its own; taking cash out.
    calls: dict[str, tuple[str, str, Json]] = {
        "payment": ("POST", "/sales", sale(payments=[{"method": "cash", "amount_minor": amount}])),
        "unit_price_minor": ("POST", "/sales", line(unit_price_minor=amount)),
        "discount_minor": ("POST", "/sales", line(discount_minor=amount)),
        "float": ("POST", "/shifts/open", {"float_minor": amount}),
        "counted": ("POST", "/shifts/close", {"counted_minor": amount}),
        "cash": ("POST", "/shifts/cash", {"amount_minor": amount, "reason": "x"}),
        "price": ("PATCH", "/products/tea", {"price_minor": amount}),
    }
    method, path, body = calls[where]
    answer = unchanged.call(method, path, body)
    # An open shift is refused before its float is looked at.
    assert answer.status_code in ({409, 422} if where == "float" else {422}), answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b"\xc3\x28", b"{'a':1}", b'{"cart_id":1}', b"NaN",
     b'{"cart_id":"\\ud800","lines":[],"payments":[]}', b"[" * 100_000, b'{"lines":' * 10_000,
     b'{"cart_id":"b","lines":' + b"[" * 5_000 + b"]" * 5_000 + b"}", b"\xef\xbb\xbf{}"],
)  # fmt: skip
def test_what_is_no_json_object_of_the_call_is_refused(unchanged: Shop, body: bytes) -> None:
    answer = unchanged.call("POST", "/sales", content=body, headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["kind"] in {"bad-request", "invalid"}


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", ""]
)
@pytest.mark.parametrize("path", ["/sales", "/products", "/session", "/settings", "/products/import"])
def test_a_body_of_another_type_is_not_looked_at(unchanged: Shop, path: str, media: str) -> None:
    method = "PATCH" if path == "/settings" else "POST"
    problem = refused(
        unchanged, 415, method, path, content=json.dumps(sale()).encode(), headers={"Content-Type": media}
    )
    assert problem["kind"] == "unsupported-media-type"


def test_json_with_a_charset_is_json(shop: Shop) -> None:
    answer = shop.call(
        "POST",
        "/carts/x/quote",
        content=b'{"payments":[]}',
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert answer.status_code == 404  # understood; there is no such cart


def test_a_body_that_says_it_is_too_large_is_not_read(unchanged: Shop) -> None:
    problem = refused(
        unchanged, 413, "POST", "/sales", content=b"{}",
        headers={**JSON, "Content-Length": str(REQUEST_BODY_BYTES_MAX + 1)},
    )  # fmt: skip
    assert problem["kind"] == "too-large"


def test_a_body_that_grows_too_large_is_cut_off(unchanged: Shop) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    # The transport of the tests takes the whole body before it asks; so it is not quite endless here.
    async def long() -> AsyncIterator[bytes]:
        async for part in endless():
            yield part
            if sent > 2 * REQUEST_BODY_BYTES_MAX:
                return

    refused(unchanged, 413, "POST", "/sales", content=long(), headers=JSON)


@pytest.mark.parametrize("length", ["-1", "x", "\u00b2", "1e9", "9" * 50])
def test_a_length_that_is_no_number_is_refused(unchanged: Shop, length: str) -> None:
    answer = unchanged.call(
        "POST",
        "/sales",
        content=b"{}",
        headers={**JSON, "Content-Length": length.encode("latin-1")},
    )
    assert answer.status_code in {400, 413}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sales", sale(cart_id="")), ("/sales", sale(cart_id="x" * 101)), ("/sales", sale(cart_id=NUL)),
        ("/sales", sale(lines=[])), ("/sales", sale(payments=[{"method": "bitcoin", "amount_minor": 250}])),
        ("/sales", line(note="x" * 501)), ("/sales", line(note="a\x00b")), ("/sales", line(note="\x1bp")),
        ("/sales", line(sku="")), ("/sales", line(sku="x" * 101)), ("/sales", sale(note=NUL)),
        ("/sales", sale(payments=[{"method": "card", "amount_minor": 250, "last_four": "12345"}])),
        ("/sales", sale(payments=[{"method": "card", "amount_minor": 250, "reference": "r" * 101}])),
        ("/sales", sale(payments=[{"method": "card", "amount_minor": 0}] * 51)),
        ("/customers", {"name": ""}), ("/customers", {"name": NUL}), ("/customers", {"name": "x" * 201}),
        ("/customers", {"name": ["x"]}), ("/customers", {"name": "A", "admin": True}), ("/customers", {}),
        ("/customers", {"name": "A", "customer_id": 5}), ("/customers", {"name": "A", "customer_id": "x" * 101}),
        ("/products", {"name": "A", "sku": "a b", "price_minor": 1}), ("/products", {"sku": "a", "price_minor": 1}),
        ("/products", {"name": "A", "sku": "a\n", "price_minor": 1}), ("/products", {"name": "A", "price_minor": 1}),
        ("/products", {"name": "A", "barcodes": 5}), ("/products", {"name": "A", "barcodes": [["1"]]}),
        ("/products", {"name": "A", "sku": "a", "price_minor": 1, "unit": "stone"}),
        ("/products", {"name": "A", "sku": "a", "price_minor": 1, "tax_code": "nope"}),
        ("/products", {"name": "A", "sku": "a", "price_minor": 1, "currency": "USD"}),
        ("/people", {"name": "A", "role": "owner", "pin": "1234"}), ("/people", {"name": "A", "role": "cashier"}),
        ("/people", {"name": "A", "role": "cashier", "pin": "12"}),
        ("/people", {"name": "A", "role": "cashier", "pin": "\uff11\uff12\uff13\uff14"}),
        ("/people", {"name": "A", "role": "cashier", "pin": "1" * 13}),
        ("/stock/receipts", {"sku": "tea", "quantity": "-1"}), ("/stock/counts", {"sku": "tea", "quantity": "-1"}),
        ("/stock/adjustments", {"sku": "tea", "quantity": "0", "reason": "x"}),
        ("/stock/adjustments", {"sku": "tea", "quantity": "1", "reason": ""}),
        ("/shifts/cash", {"amount_minor": 5, "reason": ""}), ("/shifts/cash", {"amount_minor": 0, "reason": "x"}),
        ("/drawer/open", {"reason": " "}), ("/approvals", {"pin": "5555", "action": "rob"}),
        ("/session", {"pin": "12"}),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named(unchanged: Shop, path: str, body: Json) -> None:
    refused(unchanged, 422, "POST", path, body)


def test_a_thousand_lines_are_a_sale_and_one_more_is_none(shop: Shop) -> None:
    lines = [{"sku": "tea", "quantity": 1}] * SALE_LINES_MAX
    cash = [{"method": "cash", "amount_minor": 250 * SALE_LINES_MAX}]
    sold = shop.ok("POST", "/sales", sale(cart_id="thousand", lines=lines, payments=cash))
    assert (len(sold["lines"]), sold["total_minor"]) == (SALE_LINES_MAX, 250_000)
    events = shop.events()
    refused(shop, 422, "POST", "/sales", sale(cart_id="more", lines=[*lines, lines[0]], payments=cash))
    assert shop.events() == events


def test_too_little_money_sells_nothing_and_says_how_much_is_missing(unchanged: Shop) -> None:
    problem = refused(unchanged, 409, "POST", "/sales", sale(payments=[{"method": "card", "amount_minor": 249}]))
    assert "0.01 EUR" in problem["detail"]
    refused(unchanged, 409, "POST", "/sales", sale(payments=[{"method": "card", "amount_minor": 251}]))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/sales", line(sku="nope")), ("POST", "/sales", line(sku="", barcode="4000000000006")),
        ("GET", "/products/4000000000006", None), ("PATCH", "/products/nope", {"price_minor": 1}),
        ("GET", "/sales/nope", None), ("GET", "/sales/a.b-1", None), ("GET", "/sales/a.b-99999999999999999999", None),
        ("GET", "/refunds/nope", None), ("POST", "/sales/nope/void", {"reason": "x"}),
        ("POST", "/sales/nope/refunds", {"lines": [{"line": 0, "quantity": 1}], "reason": "x"}),
        ("GET", "/sales/nope/receipt", None), ("GET", "/carts/nope", None),
        ("POST", "/carts/nope/quote", {"payments": []}),
        ("POST", "/parked/a.b-1/resume", None), ("DELETE", "/parked/a.b-1", None), ("GET", "/stock/nope", None),
        ("POST", "/stock/receipts", {"sku": "nope", "quantity": 1}), ("GET", "/customers/nope", None),
        ("PATCH", "/customers/nope", {"name": "A"}), ("PATCH", "/people/nope", {"name": "A"}),
        ("GET", "/reports/z/9", None),
        ("POST", "/sales", sale(customer_id="nope")), ("GET", "/nothing", None), ("GET", "/sales/a/b/c", None),
        ("GET", "/products/%00", None), ("GET", "/products/%2e%2e%2f%2e%2e", None), ("GET", "/products/%ff%fe", None),
    ],
)  # fmt: skip
def test_what_nobody_knows_is_not_found(unchanged: Shop, method: str, path: str, body: Json | None) -> None:
    refused(unchanged, 404, method, path, body)


@pytest.mark.parametrize(
    "query",
    ["/products?limit=0", "/products?limit=1001", "/products?limit=x", "/products?limit=%C2%B2",
    "/sales?since=yesterday",
     "/sales?since=2026-13-01T00:00:00Z", "/reports/day?date=2026-02-30", "/reports/day?date=0001-01-01",
     "/reports/days?from=1980-01-01&to=2026-01-01", "/reports/days?from=2026-02-02&to=2026-02-01", "/reports/z/x",
     "/reports/z/-1"],
)  # fmt: skip
def test_a_question_out_of_range_is_refused(unchanged: Shop, query: str) -> None:
    refused(unchanged, 422, "GET", query)


@pytest.mark.parametrize(
    "text", ["'", '"', "*", "%", "_", "a*b(", '" OR 1=1 --', "NEAR(", "\\", NUL, "x" * 5000, "AND"]
)
@pytest.mark.parametrize("path", ["/products", "/sales", "/customers", "/stock", "/audit"])
def test_whatever_is_searched_for_is_only_text(unchanged: Shop, path: str, text: str) -> None:
    assert unchanged.call("GET", path, params={"q": text}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/sales", "GET, HEAD, POST"), ("PUT", "/settings", "GET, HEAD, PATCH"),
    ("POST", "/health", "GET, HEAD"),
     ("OPTIONS", "/session", "DELETE, GET, HEAD, PATCH, POST"), ("TRACE", "/state", "GET, HEAD")],
)  # fmt: skip
def test_a_method_that_is_no_call_is_refused_with_those_that_are(
    unchanged: Shop, method: str, path: str, allowed: str
) -> None:
    answer = unchanged.call(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert "access-control-allow-origin" not in answer.headers


def test_looking_at_the_head_of_a_call_ends(unchanged: Shop) -> None:
    assert unchanged.call("HEAD", "/events").status_code == 200
    assert unchanged.call("HEAD", "/state").content == b""


IMPORT = "/products/import"
CSV = {"Content-Type": "text/csv"}


@pytest.mark.parametrize(
    ("file", "where"),
    [
        ("sku,name,price\na,Apple,1.00\nb,,1.00\nc,Cherry,cheap\n", {(3, "name"), (4, "price")}),
        ("sku,name,price\na,Apple,1.00,extra\n", {(2, "")}),
        ('sku,name,price\na,"Apple\nwith a break",-1\n', {(2, "price")}),
        ("sku,name,price,barcode\na,A,1,\na,B,2,\n", {(3, "sku")}),
        ("sku,name,price\na,4111 1111 1111 1111,1.00\n", {(2, "name")}),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_its_line_and_nothing_is_imported(
    unchanged: Shop, file: str, where: set[tuple[int, str]]
) -> None:
    problem = refused(unchanged, 422, "POST", IMPORT, content=file.encode(), headers=CSV)
    assert problem["kind"] == "bad-file"
    assert {(one["line"], one["column"]) for one in problem["errors"]} >= where
    tried = unchanged.ok("POST", f"{IMPORT}?dry_run=1", content=file.encode(), headers=CSV)
    assert tried["errors"] == problem["errors"]


@pytest.mark.parametrize(
    "file", [b"", b"\x00\x01\x02", b"\xff\xfes\x00k\x00u\x00", b"a" * 20_000, b"colour\nred\n", b"PK\x03\x04"]
)
def test_what_is_no_product_file_is_refused(unchanged: Shop, file: bytes) -> None:
    refused(unchanged, 422, "POST", IMPORT, content=file, headers=CSV)


def test_a_dry_run_says_what_would_happen(unchanged: Shop) -> None:
    answer = unchanged.ok(
        "POST", f"{IMPORT}?dry_run=1", content=b"sku,name,price\nnew,New,1.00\ntea,Tea,2.50\n", headers=CSV
    )
    assert (answer["created"], answer["dry_run"]) == (1, True)


@pytest.mark.slow
def test_columns_of_other_names_are_mapped(fresh: Callable[..., Shop]) -> None:
    shop = fresh()
    file = b"Artikel;Bezeichnung;Preis\n4711;Kaffee;4,99\n"
    query = "map=sku=Artikel&map=name=Bezeichnung&map=price=Preis"
    assert shop.ok("POST", f"{IMPORT}?{query}", content=file, headers=CSV)["created"] == 1
    assert shop.ok("GET", "/products/4711")["price_minor"] == 499
    refused(shop, 422, "POST", f"{IMPORT}?map=price=Kosten", content=file, headers=CSV)


@pytest.mark.parametrize(
    "settings",
    [{"store": {"currency": "QQQ"}}, {"store": {"time_zone": "../../etc/passwd"}}, {"store": {"locale": "../en"}},
     {"store": {"tax_rates": {}}}, {"store": {"tax_rates": {"a=b": 1}}}, {"store": {"tax_rates": {"a": 1.5}}},
     {"store": {"name": "\x1b@"}}, {"store": {"receipt_footer": "\x1bp\x00"}}, {"store": {"barcode_layouts": ["x"]}},
     {"store": {"cash_step_minor": -1}}, {"store": {"pay_methods": []}}, {"store": {"unknown": 1}}, {},
     {"store": {"departments": [{"name": "a=b"}]}}, {"store": {"departments": [{"name": "a", "icon": "../x"}]}},
     {"store": {"departments": ["a=b=c"]}}, {"store": {"departments": [{"name": "a"}, {"name": "a"}]}},
     {"terminal": {"number": 0}}, {"terminal": {"printer_kind": "cloud"}}, {"terminal": {"printer_columns": 500}}],
)  # fmt: skip
def test_a_setting_that_can_not_be_is_refused(unchanged: Shop, settings: Json) -> None:
    refused(unchanged, 422, "PATCH", "/settings", settings)


def test_a_tax_that_products_have_stays(unchanged: Shop) -> None:
    problem = refused(unchanged, 409, "PATCH", "/settings", {"store": {"tax_rates": {"reduced": 50_000}}})
    assert "standard" in problem["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("parked", [False, True])
def test_a_tax_that_lies_in_a_cart_stays_until_the_cart_is_done(fresh: Callable[..., Shop], parked: bool) -> None:
    shop = fresh()
    shop.product("book", tax_code="reduced")
    shop.ok("POST", "/carts/c/ops", {"ops": [{"op_id": "1", "op": "add", "line_id": "a", "sku": "book"}]})
    park = shop.ok("POST", "/carts/c/park", {})["park_id"] if parked else ""
    shop.ok("PATCH", "/products/book", {"tax_code": "standard"})
    rates = {"store": {"tax_rates": {"standard": 200_000}}}
    refused(shop, 409, "PATCH", "/settings", rates)
    if parked:
        shop.ok("POST", f"/parked/{park}/resume")
    shop.ok("POST", "/carts/c/pay", {"payments": CARD})
    shop.ok("PATCH", "/settings", rates)


@pytest.mark.slow
def test_one_bad_operation_of_a_cart_stops_none_of_the_others(fresh: Callable[..., Shop]) -> None:
    shop = fresh()
    shop.product()
    bad: list[Json] = [
        {"op": "add", "line_id": "b", "sku": "nope"}, {"op": "add", "line_id": "a", "sku": "tea"}, {"op": "dance"},
        {"op": "set_quantity", "line_id": "a", "quantity": "0"},
        {"op": "set_quantity", "line_id": "z", "quantity": "2"},
        {"op": "discount_line", "line_id": "a", "percent": "101"},
        {"op": "discount_line", "line_id": "a", "percent": "x"},
        {"op": "note", "text": "x" * 501}, {"op": "customer", "customer_id": "nope"},
        {"op": "set_price", "line_id": "a", "unit_price_minor": -5},
        {"op": "add", "line_id": "c", "sku": "tea", "line_total_minor": 1},
    ]  # fmt: skip
    ops: list[Json] = [
        {"op": "add", "line_id": "a", "sku": "tea"},
        *bad,
        {"op": "set_quantity", "line_id": "a", "quantity": "3"},
    ]
    view = shop.ok("POST", "/carts/c/ops", {"ops": [{"op_id": str(n), **op} for n, op in enumerate(ops)]})
    assert [one["op_id"] for one in view["rejected"]] == [str(n + 1) for n in range(len(bad))]
    assert all(one["problem"]["kind"] for one in view["rejected"])
    assert (view["total_minor"], view["lines"][0]["quantity"]) == (750, "3")
    refused(shop, 413, "POST", "/carts/c/ops", {"ops": [{"op_id": str(n), "op": "clear"} for n in range(201)]})
