"""How a till arranges departments on its page of the sale."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.api.shop import Shop

OURS = [{"name": "Tea", "shown": True}, {"name": "*", "shown": True}, {"name": "Household", "shown": False}]


def shelf(shop: Shop) -> Any:
    return shop.ok("GET", "/state", role="cashier")["shelf"]


def test_a_till_arranges_its_departments_itself_or_else_as_the_store_does(fresh: Callable[[], Shop]) -> None:
    shop = fresh()
    assert shelf(shop) == []
    shop.ok("PATCH", "/settings", {"store": {"shelf": OURS}})
    assert shelf(shop) == OURS
    shop.ok("PATCH", "/settings", {"terminal": {"shelf": OURS[1:]}})
    assert shelf(shop) == OURS[1:]
    shop.ok("PATCH", "/settings", {"terminal": {"shelf": []}})
    assert shelf(shop) == OURS
    assert shop.call("PATCH", "/settings", {"terminal": {"shelf": []}}, role="supervisor").status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        "Tea",
        ["Tea"],
        [{"shown": True}],
        [{"name": "", "shown": True}],
        [{"name": "Tea", "shown": 1}],
        [{"name": "Tea", "place": 1}],
        [{"name": "Tea"}, {"name": "Tea", "shown": False}],
        [{"name": f"D{n}"} for n in range(101)],
    ],
)
def test_an_arrangement_that_no_page_could_show_is_refused(shop: Shop, wrong: Any) -> None:
    assert shop.call("PATCH", "/settings", {"terminal": {"shelf": wrong}}).status_code == 422
