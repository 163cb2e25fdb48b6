"""Offers and customers' money of the demo shop: promotions, prices for some, gift cards, an account.

All of it begins when the history ends, so what was sold before was sold at ordinary prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tillmesh.demo.shop_data import CASHIER, MANAGER
from tillmesh.shop.events import Change, Payment, Value
from tillmesh.shop.offers.prices import price_key
from tillmesh.till import commands as c

DAY_MS: Final = 86_400_000
GIFT_CARDS: Final = (("DEMO-GIFT-2500", 2_500), ("DEMO-GIFT-1000", 1_000))
_MANAGER: Final = c.Who(user_id=MANAGER.user_id, role=MANAGER.role)
_CASHIER: Final = c.Who(user_id=CASHIER.user_id, role=CASHIER.role)


def promotions(now_ms: int) -> list[Change]:
    """Give a handful of each state and kind."""
    named: dict[str, dict[str, Value]] = {
        "scones": {"name": "Scones: 3 for 2", "kind": "buy_get", "buy_count": 2, "get_count": 1,
                   "rate_ppm": 1_000_000, "skus": ["FM-00303"]},
        "cleaning": {"name": "Any 3 for cleaning: 4.00", "kind": "mix", "buy_count": 3, "amount_minor": 400,
                     "skus": ["FM-00401", "FM-00407", "FM-00408", "FM-00409"]},
        "tea-time": {"name": "Tea time", "kind": "percent", "rate_ppm": 200_000, "skus": ["FM-00306"],
                     "weekdays": ["1", "2", "3", "4", "5"], "from_minute": 900, "until_minute": 1_020},
        "welcome": {"name": "Welcome", "kind": "cart_amount", "amount_minor": 500, "minimum_minor": 4_000,
                    "codes": ["WELCOME5"], "customer_uses_max": 1},
        "staff": {"name": "Staff 10 %", "kind": "cart_percent", "rate_ppm": 100_000, "groups": ["staff"]},
        "wine": {"name": "Festive wine", "kind": "percent", "rate_ppm": 150_000, "departments": ["Beer & wine"],
                 "start_ms": now_ms + 14 * DAY_MS, "until_ms": now_ms + 35 * DAY_MS},
        "harvest": {"name": "Harvest week", "kind": "percent", "rate_ppm": 100_000, "departments": ["Fruit & veg"],
                    "start_ms": now_ms - 30 * DAY_MS, "until_ms": now_ms - 23 * DAY_MS},
        "logs": {"name": "Logs 1.00 off", "kind": "amount", "amount_minor": 100, "skus": ["FM-00413"],
                 "active": False},
    }  # fmt: skip
    begun: dict[str, Value] = {"start_ms": now_ms}
    return [Change(key=key, fields=begun | fields) for key, fields in named.items()]


def prices(now_ms: int) -> list[Change]:
    """Give prices of the trade list, and one for everybody that begins in a week."""
    trade = {"FM-00203": 1_150, "FM-00302": 110, "FM-00201": 1_120}
    found = [Change(key=price_key("trade", now_ms, sku), fields={"price_minor": minor}) for sku, minor in trade.items()]
    grapes: dict[str, Value] = {"price_minor": 399, "until_ms": now_ms + 14 * DAY_MS}
    return [*found, Change(key=price_key("", now_ms + 7 * DAY_MS, "FM-00111"), fields=grapes)]


def commands(now_ms: int) -> Iterator[tuple[c.Who, c.Command]]:
    """Give what is done when the history ends."""

    def change(entity: str, *changes: Change) -> tuple[c.Who, c.Command]:
        return _MANAGER, c.ChangeRecords(entity=entity, changes=changes, source="demo")

    yield change("promotion", *promotions(now_ms))
    yield change("price_list", Change(key="trade", fields={"name": "Trade", "groups": ["trade"]}))
    yield change("price", *prices(now_ms))
    yield change(
        "customer",
        Change(key="c-cafe", fields={"group": "trade", "credit_limit_minor": 50_000}),
        Change(key="c-school", fields={"group": "trade", "credit_limit_minor": 20_000}),
        Change(key="c-hughes", fields={"group": "staff"}),
    )
    coffee = c.WantedLine(sku="FM-00305", quantity_milli=12_000)
    on_account = Payment(method="account", amount_minor=12 * 295)
    yield (
        _CASHIER,
        c.CloseSale(
            cart_id="demo-account",
            lines=(coffee,),
            payments=(on_account,),
            customer_id="c-cafe",
            note="Breakfast meeting",
        ),
    )
    for number, (code, minor) in enumerate(GIFT_CARDS):
        cart_id = f"demo-gift-{number}"
        load = c.CartOperation(op_id="g", op="gift_card", line_id="g", text=code, amount_minor=minor)
        named = c.CartOperation(op_id="c", op="customer", customer_id="c-whitcombe")
        yield _CASHIER, c.EditCart(cart_id=cart_id, operations=(named, load))
        yield _CASHIER, c.PayCart(cart_id=cart_id, payments=(Payment(method="card", amount_minor=minor),))
