"""Whom the demo shop buys from, and what is on its way when the history ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tillmesh.demo.shop_data import MANAGER, OWN_GOODS
from tillmesh.shop.events import Change
from tillmesh.till import commands as c

_MANAGER: Final = c.Who(user_id=MANAGER.user_id, role=MANAGER.role)
_EXPECTED: Final = (("Candles, 6", 24), ("Matches, 3 boxes", 36), ("AA batteries, 4", 12))


def commands() -> Iterator[tuple[c.Who, c.Command]]:
    """Give two suppliers and an order that is expected from one of them."""
    suppliers = (
        Change(
            key="s-harrow",
            fields={"name": "Harrow Household Supplies", "contact": "Joan Harrow", "email": "orders@example.com",
                    "phone": "020 7946 0120", "lead_days": 2, "articles": ["FM-00412=CAN-6-WHT"], "active": True},
        ),
        Change(
            key="s-bakehouse",
            fields={"name": "Fernhill Bakehouse", "contact": "Pete", "phone": "020 7946 0121", "lead_days": 1,
                    "active": True},
        ),
    )  # fmt: skip
    yield _MANAGER, c.ChangeRecords(entity="supplier", changes=suppliers, source="demo")
    skus = {one.name: f"FM-{one.item}" for one in OWN_GOODS}
    lines = tuple(c.WantedGoods(sku=skus[name], quantity_milli=count * 1_000) for name, count in _EXPECTED)
    yield _MANAGER, c.PlaceOrder(supplier="", supplier_id="s-harrow", lines=lines)
