"""Quick keys: the store's for every till, a till's own instead of them, in a manager's order and colours."""

from collections.abc import Callable

from tests.services.api.shop import Shop


def test_a_till_shows_its_own_quick_keys_or_else_the_stores(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    shop.product("tea")
    shop.product("a=b")
    ours = [{"sku": "tea", "colour": "red"}, {"sku": "a=b", "colour": ""}]
    shop.ok("PATCH", "/settings", {"store": {"quick_keys": ours}})
    assert shop.ok("GET", "/state", role="cashier")["quick_keys"] == ours
    shop.ok("PATCH", "/settings", {"terminal": {"quick_keys": ours[1:]}})
    assert shop.ok("GET", "/state", role="cashier")["quick_keys"] == ours[1:]
    shop.ok("PATCH", "/settings", {"terminal": {"quick_keys": []}})
    assert shop.ok("GET", "/state", role="cashier")["quick_keys"] == ours
    assert shop.call("PATCH", "/settings", {"store": {"quick_keys": []}}, role="supervisor").status_code == 403


def test_a_quick_key_that_nobody_could_press_is_refused(shop: Shop) -> None:
    same, nothing = {"sku": "tea"}, {"sku": ""}
    bad_ones: list[object] = [[nothing], [{"sku": "tea", "colour": "RED!"}], [same, same], "tea", [{}] * 100]
    for bad in bad_ones:
        assert shop.call("PATCH", "/settings", {"store": {"quick_keys": bad}}).status_code == 422
