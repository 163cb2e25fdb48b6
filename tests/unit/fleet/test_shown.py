"""What a store writes into its settings is shown, and breaks nothing for the others."""

import pytest

from tillmesh.fleet.shown import StoreRow, shop_row
from tillmesh.hub.following import price_change


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "nul\0", "x" * 5_000, ["Europe", "Paris"]])
def test_a_store_in_no_time_zone_keeps_a_planned_price_from_no_other_one(zone: str | list[str]) -> None:
    given = {"sku": "mug", "price_minor": 500, "from": "2026-12-24 08:00", "until": ""}
    shops = [shop_row(StoreRow("corner", 1, "", 0), {"time_zone": name}, [], []) for name in (zone, "Europe/Paris")]
    assert [shop.time_zone for shop in shops] == ["UTC", "Europe/Paris"]
    keys = [price_change(given, shop, 0).key for shop in shops]
    assert keys[0] != keys[1]
