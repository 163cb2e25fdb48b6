"""Erasing a customer at the till: who may, what goes, what stays, and what can't be erased any more."""

from tests.services.api.shop import Shop
from tillmesh.shop.events import Change
from tillmesh.terminal.web.session_calls import SYSTEM
from tillmesh.till.commands import ChangeRecords


def customer(shop: Shop, name: str) -> str:
    return str(shop.ok("POST", "/customers", {"name": name, "phone": "+44 7700 900123"})["customer_id"])


def test_a_manager_erases_a_customer_and_the_sales_stay(shop: Shop) -> None:
    shop.product()
    key = customer(shop, "Zuleika Canary")
    lines, paid = [{"sku": "tea", "quantity": 1}], [{"method": "card", "amount_minor": 250}]
    sale = shop.ok("POST", "/sales", {"cart_id": "zoe-1", "lines": lines, "payments": paid, "customer_id": key})
    assert shop.call("POST", f"/customers/{key}/erase", {}, role="supervisor").status_code == 403
    assert [one["name"] for one in shop.ok("GET", "/customers?q=zuleika")["customers"]] == ["Zuleika Canary"]

    assert shop.ok("POST", f"/customers/{key}/erase", {"reason": "asked for it"}) == {
        "customer_id": key, "erased": True, "in_clear": 0,
    }  # fmt: skip
    assert shop.ok("GET", "/customers?q=zuleika")["customers"] == []
    shown = shop.ok("GET", f"/customers/{key}")
    assert (shown["erased"], shown["name"], shown["phone"]) == (True, "", "")
    assert [one["sale_id"] for one in shown["sales"]] == [sale["sale_id"]]
    kept = shop.ok("GET", f"/sales/{sale['sale_id']}")
    assert (kept["total_minor"], kept["customer"]) == (250, {"customer_id": key, "name": "", "erased": True})
    assert "Zuleika" not in shop.call("GET", f"/sales/{sale['sale_id']}/receipt").text
    assert ("customer_erased", key, "asked for it") in [
        (one["action"], one["subject"], one["reason"]) for one in shop.ok("GET", "/audit")["entries"]
    ]
    assert shop.call("PATCH", f"/customers/{key}", {"name": "Zuleika again"}).status_code == 409
    again = {"cart_id": "zoe-2", "lines": lines, "payments": paid, "customer_id": key}
    assert shop.call("POST", "/sales", again).status_code == 404
    assert shop.ok("POST", f"/customers/{key}/erase", {})["erased"]


def test_a_customer_who_owes_something_is_not_erased_yet(shop: Shop) -> None:
    shop.product()
    key = customer(shop, "Olga")
    shop.ok("PATCH", "/settings", {"store": {"pay_methods": ["cash", "card", "account"]}})
    shop.ok("PATCH", f"/customers/{key}", {"credit_limit_minor": 10_000})
    sale = {"cart_id": "owes", "lines": [{"sku": "tea", "quantity": 1}], "customer_id": key}
    shop.ok("POST", "/sales", sale | {"payments": [{"method": "account", "amount_minor": 250}]})
    assert shop.call("POST", f"/customers/{key}/erase", {}).status_code == 409


def test_what_an_older_program_wrote_in_clear_is_counted_when_a_customer_is_erased(shop: Shop) -> None:
    writer = shop.driver.opened.writer
    keys, writer.keys = writer.keys, None  # as it was before personal data was sealed
    changes = (Change(key="olaf", fields={"name": "Olaf"}), Change(key="olaf2", fields={"name": "Another"}))
    shop.loop.run(shop.driver.do(SYSTEM, ChangeRecords(entity="customer", changes=changes)))
    writer.keys = keys
    shop.ok("PATCH", "/customers/olaf", {"name": "Olaf the second"})
    assert shop.ok("GET", "/customers/olaf")["name"] == "Olaf the second"
    assert shop.ok("POST", "/customers/olaf/erase", {})["in_clear"] == 1
