"""Orders of goods, deliveries against them, the worth of the stock, and reports by till and with margin."""

import pytest

from tests.services.api.shop import Shop
from tillmesh.shop.events import GoodsOrdered, OrderClosed, OrderLine, StockMove, StockReceived
from tillmesh.shop.purchasing import orders


def ordered(shop: Shop, *skus: str) -> str:
    for sku in skus:
        shop.product(sku, name=f"Goods {sku}", cost_minor=120)
    lines = [{"sku": sku, "quantity": "10"} for sku in skus]
    order = shop.ok("POST", "/orders", {"supplier": "Miller & Sons", "lines": lines}, role="supervisor")
    assert (order["state"], order["total_minor"]) == ("open", 1200 * len(skus))
    return str(order["order_id"])


def test_goods_are_ordered_and_come_in_two_deliveries_each_booked_once(shop: Shop) -> None:
    order = ordered(shop, "flour", "sugar")
    first = {"key": "van-1", "lines": [{"sku": "flour", "quantity": "4"}, {"sku": "sugar", "quantity": "10"}]}
    shop.ok("POST", f"/orders/{order}/receipts", first, role="cashier")
    shown = shop.ok("POST", f"/orders/{order}/receipts", first, role="cashier")
    assert shown["state"] == "partly"
    assert [(line["received"], line["missing"]) for line in shown["lines"]] == [("4", "6"), ("10", "0")]
    assert shop.ok("GET", "/stock/flour")["value"] == "4"
    rest = {"key": "van-2", "lines": [{"sku": "flour", "quantity": "6"}]}
    assert shop.ok("POST", f"/orders/{order}/receipts", rest, role="cashier")["state"] == "received"
    assert shop.ok("GET", "/stock/flour")["value"] == "10"
    listed = shop.ok("GET", "/orders", role="cashier")
    assert order in {one["order_id"] for one in listed["orders"]}
    assert "Miller & Sons" in listed["suppliers"]


def test_an_order_that_was_closed_takes_nothing_more(shop: Shop) -> None:
    order = ordered(shop, "salt")
    shop.ok("POST", f"/orders/{order}/close", {"reason": "out of print"}, role="supervisor")
    assert shop.ok("GET", f"/orders/{order}")["state"] == "closed"
    late = {"key": "late", "lines": [{"sku": "salt", "quantity": "1"}]}
    assert shop.call("POST", f"/orders/{order}/receipts", late).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"supplier": "", "lines": [{"sku": "tea", "quantity": "1"}]},
        {"supplier": "M", "lines": []},
        {"supplier": "M", "lines": [{"sku": "tea", "quantity": "0"}]},
        {"supplier": "M", "lines": [{"sku": "nothing", "quantity": "1"}]},
        {"supplier": "M", "lines": [{"sku": "tea", "quantity": "1"}, {"sku": "tea", "quantity": "2"}]},
    ],
)
def test_an_order_that_can_not_be_is_refused(shop: Shop, body: dict[str, object]) -> None:
    assert shop.call("POST", "/orders", body).status_code in {404, 422}


def test_only_supervisors_order_and_only_what_was_ordered_comes_with_an_order(shop: Shop) -> None:
    body = {"supplier": "M", "lines": [{"sku": "tea", "quantity": "1"}]}
    assert shop.call("POST", "/orders", body, role="cashier").status_code == 403
    order = ordered(shop, "oats")
    other = {"key": "k", "lines": [{"sku": "tea", "quantity": "1"}]}
    assert shop.call("POST", f"/orders/{order}/receipts", other).status_code == 422
    assert shop.call("GET", "/orders/nothing").status_code == 404


def test_two_tills_that_booked_a_delivery_in_apart_add_up_whoever_is_heard_first() -> None:
    placed = GoodsOrdered(supplier="M", lines=(OrderLine(sku="a", name="A", quantity_milli=5_000),), by="x")
    came = [
        StockReceived(moves=(StockMove(sku="a", quantity_milli=3_000),), by="x", order_id="o", key=key) for key in "12"
    ]
    for notes in ([placed, *came], [*came, placed], [came[1], placed, came[0]]):
        (order,) = orders(("o", body) for body in notes)
        assert (order.state, order.received_milli) == ("received", {"a": 6_000})
    assert orders([("o", OrderClosed(order_id="o", by="x"))]) == []


def test_the_stock_is_worth_what_it_costs_to_buy(shop: Shop) -> None:
    shop.product("gold", name="Gold", department="Treasure", cost_minor=50_000)
    shop.ok("POST", "/stock/receipts", {"sku": "gold", "quantity": "3"})
    worth = {one["name"]: one for one in shop.ok("GET", "/stock-value", role="supervisor")["departments"]}
    assert worth["Treasure"]["value_minor"] == 150_000
    assert shop.call("GET", "/stock-value", role="cashier").status_code == 403


def test_a_day_is_reported_by_till_with_margin_and_on_paper(shop: Shop) -> None:
    shop.product("clock", name="Clock", price_minor=1200, tax_code="standard", cost_minor=400, department="Home")
    shop.sale("clock-sale", sku="clock", quantity="2")
    report = shop.ok("GET", "/reports/day", role="supervisor")
    clock = next(one for one in report["products"] if one["sku"] == "clock")
    assert clock["total_minor"] == 2400
    assert clock["margin_minor"] == 2400 - 400 - 2 * 400  # 20 % of tax are in 24.00
    (till,) = report["tills"]
    assert till["total_minor"] == report["total_minor"]
    assert till["sales"] == report["sales"]
    paper = shop.call("GET", "/reports/day?format=pdf", role="supervisor")
    assert (paper.headers["content-type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert b"(Clock)" in paper.content


def test_days_are_reported_together_by_product_department_and_person_with_margin_and_as_files(
    shop: Shop,
) -> None:
    shop.product("vase", name="Vase", price_minor=1200, tax_code="standard", cost_minor=400, department="Home")
    shop.sale("vase-sale", sku="vase", quantity="2")
    today = shop.ok("GET", "/reports/day", role="supervisor")
    report = shop.ok("GET", f"/reports/stretch?to={today['date']}", role="supervisor")
    assert len(report["days"]) == 14
    assert report["total_minor"] == sum(one["total_minor"] for one in report["days"])
    vase = next(one for one in report["products"] if one["sku"] == "vase")
    assert (vase["total_minor"], vase["margin_minor"]) == (2400, 2400 - 400 - 2 * 400)
    assert {one["name"] for one in report["departments"]} >= {"Home"}
    assert sum(one["total_minor"] for one in report["cashiers"]) == report["sales_minor"]
    path = f"/reports/stretch?from={today['date']}&to={today['date']}"
    assert shop.ok("GET", path, role="supervisor")["total_minor"] == today["total_minor"]
    text = shop.call("GET", f"{path}&format=csv", role="supervisor").text
    assert "products,Vase,2,2400,1200" in text
    for language, head, row in (
        ("de-CH", "Teil,Bezeichnung,Menge,Summe,Rohertrag", "Artikel,Vase,2,24.00,12.00"),
        ("fr", "Partie;Désignation;Quantité;Total;Marge", "Articles;Vase;2;24,00;12,00"),
        ("en-GB", "Part,What,Quantity,Total,Margin", "Products,Vase,2,24.00,12.00"),
        ("de-GB", "Teil;Bezeichnung;Menge;Summe;Rohertrag", "Artikel;Vase;2;24,00;12,00"),
    ):
        rows = shop.call("GET", f"{path}&format=csv&language={language}", role="supervisor").text.splitlines()
        assert (rows[0], row in rows) == ("\ufeff" + head, True)
    assert shop.call("GET", f"{path}&format=csv&language=xx", role="supervisor").status_code == 422
    paper = shop.call("GET", f"{path}&format=pdf", role="supervisor")
    assert paper.content[:5] == b"%PDF-"
    assert b"(Vase)" in paper.content
    assert shop.call("GET", "/reports/stretch?from=2020-01-01&to=2026-01-01").status_code == 422
    assert shop.call("GET", path, role="cashier").status_code == 403


def test_a_year_is_reported_by_month_or_quarter_and_too_long_a_stretch_is_refused_in_plain_words(shop: Shop) -> None:
    shop.product("lamp", name="Lamp")
    shop.sale("lamp-sale", sku="lamp")
    year = "from=2026-01-01&to=2027-02-15"
    days = shop.ok("GET", f"/reports/days?{year}", role="supervisor")["days"]
    for group, names in (
        ("month", ["2026-01", "2026-02"]), ("quarter", ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1"]),
    ):  # fmt: skip
        found = shop.ok("GET", f"/reports/days?{year}&group={group}", role="supervisor")
        assert found["group"] == group
        assert [row["date"] for row in found["days"]][: len(names)] == names
        for key in ("total_minor", "sales", "refunds_minor", "tax_minor"):
            assert sum(row[key] for row in found["days"]) == sum(row[key] for row in days)
    table = shop.call("GET", f"/reports/days?{year}&group=month&format=csv", role="supervisor")
    assert len(table.text.splitlines()) == 1 + 14
    assert 'filename="months.csv"' in table.headers["content-disposition"]
    table = shop.call("GET", f"/reports/days?{year}&group=month&format=csv&language=fr", role="supervisor")
    assert table.text.splitlines()[0] == "\ufeffDate;Total;Nombre;Remboursements;Total TVA"
    for path, said in (
        ("/reports/stretch?from=2026-01-01&to=2026-12-31", "is not a stretch of 1 to 100 days"),
        ("/reports/days?from=2020-01-01&to=2026-12-31", "is not a stretch of 1 to 800 days"),
        (f"/reports/days?{year}&group=week", "'week' is no way to group days"),
    ):
        refused = shop.call("GET", path, role="supervisor").json()
        assert said in refused["detail"]
        assert refused["hint"]


def test_a_supplier_has_a_record_and_an_order_says_when_it_is_expected_and_what_they_call_it(shop: Shop) -> None:
    shop.product("oil", name="Olive oil", cost_minor=300)
    body = {
        "name": "Olivia Ltd",
        "contact": "Olive",
        "phone": "+44 20 7946 0000",
        "lead_days": 3,
        "articles": {"oil": "OL-77"},
    }
    assert shop.call("POST", "/suppliers", body, role="supervisor").status_code == 403
    supplier = shop.ok("POST", "/suppliers", body)
    assert supplier["articles"] == {"oil": "OL-77"}
    wanted = {"supplier_id": supplier["supplier_id"], "lines": [{"sku": "oil", "quantity": "2"}]}
    order = shop.ok("POST", "/orders", wanted, role="supervisor")
    assert (order["supplier"], order["lines"][0]["their_number"]) == ("Olivia Ltd", "OL-77")
    assert order["expected_at"] > order["ordered_at"]
    path = f"/suppliers/{supplier['supplier_id']}"
    assert shop.ok("PATCH", path, {"lead_days": 5})["contact"] == "Olive"
    assert shop.ok("PATCH", path, {"active": False})["active"] is False
    assert shop.call("POST", "/orders", wanted).status_code == 404
    assert supplier["supplier_id"] in {one["supplier_id"] for one in shop.ok("GET", "/suppliers")["suppliers"]}
    assert shop.ok("GET", "/audit?q=suppliers_changed")["entries"]


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": 5}, {"name": "A", "lead_days": -1}, {"name": "A", "lead_days": True}, {"colour": "red"},
     {"name": "A", "articles": {"a=b": "1"}}, {"name": "A", "articles": {"a": ""}}, {"name": "A", "active": "yes"}],
)  # fmt: skip
def test_a_supplier_that_can_not_be_is_refused(shop: Shop, body: dict[str, object]) -> None:
    assert shop.call("POST", "/suppliers", body).status_code == 422
