"""A product that is never sold more often than it is there, through the API of one till."""

from tests.services.api.shop import Shop


def test_a_marked_product_is_sold_to_the_last_and_then_refused_in_a_cart_and_in_one_call(shop: Shop) -> None:
    shop.product("gig", name="Gig")
    shop.ok("PATCH", "/products/gig", {"hard_limited": True})
    shop.ok("POST", "/stock/receipts", {"sku": "gig", "quantity": 2}, role="cashier")
    rights = shop.ok("GET", "/rights/gig", role="cashier")
    assert (rights["here"], rights["total"], rights["unheld"]) == ("2", "2", "0")
    assert shop.ok("GET", "/stock/gig")["rights"] == rights
    price = shop.ok("GET", "/products/gig")["price_minor"]

    def body(cart_id: str, pieces: int) -> dict[str, object]:
        cash = [{"method": "cash", "amount_minor": pieces * price}]
        return {"cart_id": cart_id, "lines": [{"sku": "gig", "quantity": pieces}], "payments": cash}

    refused = shop.call("POST", "/sales", body("gig-1", 3), role="cashier")
    assert (refused.status_code, refused.json()["here"], refused.json()["elsewhere"]) == (409, "2", [])
    assert refused.json()["type"].endswith("no-rights")
    sale = shop.ok("POST", "/sales", body("gig-2", 2), role="cashier")
    ops = [{"op_id": "a", "op": "add", "line_id": "a", "sku": "gig"}]
    cart = shop.ok("POST", "/carts/gig-3/ops", {"ops": ops}, role="cashier")
    assert cart["lacking"] == [{"sku": "gig", "name": "Gig", "here": "0", "missing": "1", "elsewhere": []}]
    cash = {"payments": [{"method": "cash", "amount_minor": price}]}
    assert shop.call("POST", "/carts/gig-3/pay", cash, role="cashier").status_code == 409
    asked = shop.call("POST", "/rights/ask", {"sku": "gig", "quantity": 1}, role="cashier")
    assert asked.json()["detail"] == "no till in reach holds any"
    shop.ok("POST", f"/sales/{sale['sale_id']}/void", {"reason": "mistake"})
    assert shop.ok("GET", "/carts/gig-3", role="cashier")["lacking"] == []
    assert shop.ok("POST", "/carts/gig-3/pay", cash, role="cashier")["total_minor"] == price


def test_only_a_manager_gives_out_or_takes_over(shop: Shop) -> None:
    shop.product("drop", name="Drop")
    assert shop.call("GET", "/rights/drop").status_code == 404
    shop.ok("PATCH", "/products/drop", {"hard_limited": True})
    for path, body in (
        ("/rights/issue", {"sku": "drop"}),
        ("/rights/release", {"sku": "drop", "holder": "t.a", "reason": "lost"}),
    ):
        assert shop.call("POST", path, body, role="supervisor").status_code == 403
    gone = {"sku": "drop", "holder": "aaaaaaaa.bbbbbbbb", "reason": "lost", "accept_risk": True}
    assert shop.call("POST", "/rights/release", gone).status_code == 404
    assert shop.ok("POST", "/rights/issue", {"sku": "drop"})["total"] == "0"
