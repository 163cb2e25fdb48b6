"""Promotions and prices through the API: made, tried, used at a till, taken in and out as files."""

from tests.services.api.shop import Json, Shop
from tillmesh.terminal.purse_holds import PurseHolds
from tillmesh.till.desk import Company
from tillmesh.till.holds import keeper_of
from tillmesh.till.turns import Turn

HALF = {"promotion_id": "half", "name": "Half price tea", "kind": "percent", "percent": "50", "skus": ["offer-tea"]}


def cart_of(shop: Shop, cart_id: str, *ops: Json) -> Json:
    numbered = [{"op_id": f"{cart_id}-{number}", **one} for number, one in enumerate(ops)]
    found: Json = shop.ok("POST", f"/carts/{cart_id}/ops", {"ops": numbered}, role="cashier")
    return found


def tea(line_id: str = "a", sku: str = "offer-tea", quantity: str = "1") -> Json:
    return {"op": "add", "line_id": line_id, "sku": sku, "quantity": quantity}


def test_a_promotion_shows_on_the_cart_the_sale_and_the_receipt(shop: Shop) -> None:
    shop.product("offer-tea", name="Loose leaf")
    assert shop.ok("POST", "/promotions", HALF)["percent"] == "50"
    cart = cart_of(shop, "offer-1", tea())
    assert (cart["total_minor"], cart["discount_minor"]) == (125, 125)
    assert cart["lines"][0]["promotions"][0]["name"] == "Half price tea"
    paid = shop.ok(
        "POST", "/carts/offer-1/pay", {"payments": [{"method": "cash", "amount_minor": 125}]}, role="cashier"
    )
    assert paid["promotions"][0]["amount_minor"] == 125
    text = shop.ok("GET", f"/sales/{paid['sale_id']}/receipt")["text"]
    assert "Half price tea" in text
    assert "You saved" in text
    listed = shop.ok("GET", "/promotions")["promotions"]
    assert [one["uses"] for one in listed if one["promotion_id"] == "half"] == [1]
    shop.ok("PATCH", "/promotions/half", {"active": False})
    assert cart_of(shop, "offer-2", tea())["total_minor"] == 250


def test_a_coupon_is_typed_or_scanned_and_a_wrong_one_is_refused(shop: Shop) -> None:
    shop.product("coupon-tea", name="Loose leaf", barcodes=["5449000000996"])
    coupon = {
        "promotion_id": "spring",
        "name": "Spring",
        "kind": "cart_amount",
        "amount_minor": 50,
        "codes": ["spring26"],
    }
    shop.ok("POST", "/promotions", coupon)
    cart = cart_of(shop, "coupon-1", tea(sku="coupon-tea"), {"op": "coupon", "text": "Spring26"})
    assert cart["coupons"] == [{"code": "SPRING26", "used": True}]
    assert cart["total_minor"] == 200
    scanned = cart_of(shop, "coupon-2", tea(sku="coupon-tea"), {"op": "add", "line_id": "b", "barcode": "SPRING26"})
    assert (len(scanned["lines"]), scanned["total_minor"]) == (1, 200)
    refused = cart_of(shop, "coupon-3", tea(sku="coupon-tea"), {"op": "coupon", "text": "autumn"})
    assert refused["rejected"][0]["problem"]["status"] == 404
    shop.ok("PATCH", "/promotions/spring", {"active": False})


def test_a_draft_is_tried_on_a_basket_and_is_not_there_afterwards(shop: Shop) -> None:
    shop.product("draft-tea", name="Loose leaf")
    draft = {"name": "Three for two", "kind": "buy_get", "buy_count": 2, "get_count": 1, "percent": "100"}
    basket = {"lines": [{"sku": "draft-tea", "quantity": "3"}], "promotion": draft}
    assert shop.ok("POST", "/promotions/preview", basket)["total_minor"] == 500
    assert all(one["name"] != "Three for two" for one in shop.ok("GET", "/promotions")["promotions"])
    bad = shop.call("POST", "/promotions/preview", {**basket, "promotion": {"name": "x", "kind": "mix"}})
    assert bad.status_code == 422
    assert "buy_count" in bad.json()["hint"]


def test_a_customer_of_a_list_pays_its_price(shop: Shop) -> None:
    shop.product("list-tea", name="Loose leaf")
    shop.ok("POST", "/price-lists", {"price_list": "trade", "name": "Trade", "groups": ["restaurants"]})
    shop.ok("POST", "/prices", {"prices": [{"sku": "list-tea", "price_list": "trade", "price_minor": 199}]})
    shop.ok("POST", "/customers", {"customer_id": "chez", "name": "Chez Ana", "group": "restaurants"})
    body = {"cart_id": "list-1", "lines": [{"sku": "list-tea", "quantity": 1}], "customer_id": "chez",
            "payments": [{"method": "cash", "amount_minor": 199}]}  # fmt: skip
    sale = shop.ok("POST", "/sales", body, role="cashier")
    assert (sale["total_minor"], sale["lines"][0]["price_list"]) == (199, "Trade")
    assert "Price: Trade" in shop.ok("GET", f"/sales/{sale['sale_id']}/receipt")["text"]
    denied = shop.call("PATCH", "/customers/chez", {"group": "staff"}, role="cashier")
    assert denied.status_code == 403


def test_a_dated_price_is_what_a_product_costs_now(shop: Shop) -> None:
    shop.product("dated-tea", name="Loose leaf")
    shop.ok("POST", "/prices", {"prices": [{"sku": "dated-tea", "from": "2026-01-01T00:00", "price_minor": 1}]})
    # The product's own price was typed later.
    assert shop.ok("GET", "/products/dated-tea")["price_now_minor"] == 250
    shop.ok("POST", "/price-lists", {"price_list": "all", "name": "This week", "everyone": True})
    shop.ok("POST", "/prices", {"prices": [{"sku": "dated-tea", "price_list": "all", "price_minor": 222}]})
    shown = shop.ok("GET", "/products/dated-tea")
    assert (shown["price_minor"], shown["price_now_minor"]) == (250, 222)
    columns = shop.ok("GET", "/catalogue")["columns"]
    assert columns["price_minor"][columns["sku"].index("dated-tea")] == 222
    shop.ok("PATCH", "/price-lists/all", {"active": False})
    assert shop.ok("GET", "/products/dated-tea")["price_now_minor"] == 250


def test_files_go_out_and_come_back_and_a_dry_run_changes_nothing(shop: Shop) -> None:
    shop.product("file-tea", name="Loose leaf")
    shop.ok("POST", "/promotions", {**HALF, "promotion_id": "file", "codes": ["A-1", "B"], "weekdays": ["1", "7"]})
    text = shop.call("GET", "/promotions/export").text
    again = _import(shop, "/promotions/import", text)
    assert (again["changed"], again["errors"]) == (0, [])
    changed = text.replace("Half price tea", "Halved")
    assert _import(shop, "/promotions/import?dry_run=1", changed)["changed"] >= 1
    assert "Halved" not in shop.call("GET", "/promotions/export").text
    assert _import(shop, "/promotions/import", changed)["imported"]
    assert "Halved" in shop.call("GET", "/promotions/export").text
    rows = "sku,price_list,from,until,price\r\nfile-tea,,2026-12-01T00:00,,9.99\r\nnothing,,,,1\r\n"
    report = _import(shop, "/prices/import", rows)
    assert ([one["line"] for one in report["errors"]], report["imported"]) == ([3], False)
    assert _import(shop, "/prices/import", rows.replace("nothing,,,,1\r\n", ""))["imported"]
    assert "file-tea,,2026-12-01T00:00,,9.99" in shop.call("GET", "/prices/export").text


def _import(shop: Shop, path: str, text: str) -> Json:
    answer = shop.call("POST", path, content=text.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_only_a_manager_makes_promotions_and_prices(shop: Shop) -> None:
    for role in ("cashier", "supervisor"):
        for path, body in (("/promotions", HALF), ("/price-lists", {"name": "x"}), ("/prices", {"prices": []})):
            assert shop.call("POST", path, body, role=role).status_code == 403


def test_the_list_says_which_promotions_hold_are_planned_over_or_off(shop: Shop) -> None:
    shop.product("state-jam", name="Jam", price_minor=500)
    half: Json = {"kind": "percent", "percent": "50", "skus": ["state-jam"]}
    made: dict[str, Json] = {
        "state-now": {},
        "state-planned": {"start": "2099-01-01T00:00"},
        "state-over": {"until": "2001-01-01T00:00"},
        "state-off": {"active": False},
    }
    for key, more in made.items():
        shop.ok("POST", "/promotions", {"promotion_id": key, "name": key, **half, **more})
    found = {one["promotion_id"]: one for one in shop.ok("GET", "/promotions")["promotions"]}
    assert {key: found[key]["state"] for key in made} == {key: key.removeprefix("state-") for key in made}
    assert [key for key in made if found[key]["holds_now"]] == ["state-now"]
    assert found["state-now"]["stage"] == "line"
    shop.ok("PATCH", "/promotions/state-now", {"active": False})
    basket = {"lines": [{"sku": "state-jam"}]}
    assert shop.ok("POST", "/promotions/preview", basket)["total_minor"] == 500
    assert shop.ok("POST", "/promotions/preview", {**basket, "at": "2099-02-01T12:00"})["total_minor"] == 250
    for key in made:
        shop.ok("PATCH", f"/promotions/{key}", {"active": False})


def test_a_price_is_taken_back_by_the_very_moment_it_began(shop: Shop) -> None:
    shop.product("exact-tea", name="Tea", price_minor=500)
    shop.ok("POST", "/price-lists", {"price_list": "exact", "name": "Exact", "everyone": False})
    begun = {"sku": "exact-tea", "price_list": "exact", "from": "2026-01-01T09:30:15.250Z"}
    shop.ok("POST", "/prices", {"prices": [{**begun, "price_minor": 300}]})
    (held,) = shop.ok("GET", "/prices?price_list=exact")["prices"]
    assert held["from_ms"] == 1_767_259_815_250
    assert all(one["price_list"] == "" for one in shop.ok("GET", "/prices?price_list=everybody")["prices"])
    shop.ok("POST", "/prices", {"prices": [{**begun, "price_minor": None}]})
    assert shop.ok("GET", "/prices?price_list=exact")["prices"] == []


def test_a_coupon_for_one_use_waits_for_the_sale_that_is_using_it_at_another_till(shop: Shop) -> None:
    shop.product("turn-tea", name="Loose leaf")
    codes, me = ["TURN1", "TURN2"], shop.driver.identity.terminal
    once = {"name": "Once", "kind": "cart_amount", "amount_minor": 50, "codes": codes, "code_uses_max": 1}
    name = next(one for one in map("turn-{}".format, range(99)) if keeper_of("promotion", one, [me, "other"]) == me)
    shop.ok("POST", "/promotions", {"promotion_id": name, **once})
    before = shop.driver.company, shop.services.extra["purse_holds"]
    holds = shop.services.extra["purse_holds"] = PurseHolds(shop.driver, clock_ms=lambda: 0)
    shop.driver.company = lambda: Company(others=("other",), heard=("other",))
    try:
        for code in codes:
            assert shop.loop.run(holds.ask("elsewhere", [], [Turn(kind="promotion", name=name, code=code)]))
        pay = {"payments": [{"method": "cash", "amount_minor": 200}]}
        assert cart_of(shop, "turn-1", tea(sku="turn-tea"), {"op": "coupon", "text": "turn1"})["total_minor"] == 200
        refused = [shop.call("POST", "/carts/turn-1/pay", pay, role="cashier")]
        sale = {"cart_id": "turn-2", "lines": [{"sku": "turn-tea", "quantity": 1}], "coupons": ["TURN2"], **pay}
        refused.append(shop.call("POST", "/sales", sale, role="cashier"))
        assert [(one.status_code, one.json()["detail"]) for one in refused] == [
            (409, f"another till is using the coupon {code} at this moment") for code in codes
        ]
        shop.ok("PATCH", f"/promotions/{name}", {"code_uses_max": 0})  # without a limit nobody is asked
        assert shop.ok("POST", "/sales", sale, role="cashier")["total_minor"] == 200
    finally:
        shop.driver.company, shop.services.extra["purse_holds"] = before
        shop.ok("PATCH", f"/promotions/{name}", {"active": False})
