"""An honest shop around real baskets: cashiers on shifts, payments, reductions, refunds, voids, the drawer.

Real are the baskets: when, what, for whom, at which price, with which coupon; and the invoice file's cancellations.
Made up, from a seed, is who stood at the till, how it was paid, and what honest people do besides selling. Every number
without a source is a guess of ours; docs/reference/fraud-features.md lists them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tillmesh.edge.features import DAY_MS, HOUR_MS, MINUTE_MS

PPM: Final = 1_000_000
CASHIERS: Final = 4
CASH, CARD, GIFT = "cash", "card", "gift_card"


class Line(NamedTuple):
    """One line of a real basket: unit price by the catalogue, and what a real coupon took off the line."""

    sku: str
    quantity: int
    price_minor: int
    coupon_minor: int = 0


class Basket(NamedTuple):
    """A real basket."""

    shop: str
    at_ms: int
    customer: str
    lines: tuple[Line, ...]


class Cancelled(NamedTuple):
    """A real cancellation; ``of`` is the place in the list of baskets of what it cancels, or -1."""

    at_ms: int
    customer: str
    lines: tuple[Line, ...]
    of: int


@dataclass(slots=True)
class Sold:
    """A sale in the making: scenarios change it before it becomes an event. ``off`` and ``cheaper`` are per line."""

    basket: Basket
    cashier: str
    method: str
    customer: str
    card: str = ""
    off_ppm: list[int] = field(default_factory=list)
    cheaper_ppm: list[int] = field(default_factory=list)
    cart_ppm: int = 0
    scenario: str = ""
    is_void: bool = False

    @property
    def list_minor(self) -> int:
        """What the lines cost by the catalogue."""
        return sum(line.price_minor * line.quantity for line in self.basket.lines)


@dataclass(slots=True)
class Did:
    """Anything but a sale: a refund, a void, the drawer opened."""

    kind: str
    at_ms: int
    cashier: str
    sale: Sold | None = None
    lines: tuple[Line, ...] = ()
    has_receipt: bool = True
    restock: bool = True
    method: str = CASH
    card: str = ""
    customer: str = ""
    scenario: str = ""


class Habits(NamedTuple):
    """How an honest person works: chances per sale."""

    voids: float
    drawers: float
    reductions: float
    cheaper: float
    cart_discounts: float


@dataclass(slots=True)
class Shop:
    """One shop's year, in the making."""

    name: str
    sales: list[Sold]
    did: list[Did]
    people: list[str]


def open_shop(name: str, baskets: Sequence[Basket], rng: random.Random, cancelled: Sequence[Cancelled] = ()) -> Shop:
    """Let honest people sell real baskets."""
    turn = {number: rng.randrange(60, 300) for number in range(CASHIERS)}  # after so many days somebody else comes
    habits: dict[str, Habits] = {}
    first_day = baskets[0].at_ms // DAY_MS

    def on_duty(at_ms: int) -> str:
        day, hour = at_ms // DAY_MS, at_ms // HOUR_MS % 24
        number = int(day * 2 + (hour >= 14)) % CASHIERS
        generation = int(day - first_day) // turn[number]
        person = f"{name}-{number}-{generation}"
        if person not in habits:
            habits[person] = Habits(
                voids=rng.betavariate(2, 250),
                drawers=rng.betavariate(2, 120),
                reductions=rng.betavariate(2, 90),
                cheaper=rng.betavariate(1, 150),
                cart_discounts=rng.betavariate(2, 80),
            )
        return person

    sales, did = [], []
    for basket in baskets:
        cashier = on_duty(basket.at_ms)
        sale = _sell(basket, cashier, habits[cashier], rng)
        sales.append(sale)
        did += _besides(sale, habits[cashier], rng)
        if not cancelled:
            did += _honest_refund(sale, on_duty, rng)
    did += [
        Did("refund", one.at_ms, on_duty(one.at_ms), sales[one.of] if one.of >= 0 else None, one.lines,
            one.of >= 0, True, CARD, "", one.customer)
        for one in cancelled
    ]  # fmt: skip
    return Shop(name, sales, did, sorted(habits))


def _sell(basket: Basket, cashier: str, habits: Habits, rng: random.Random) -> Sold:
    method = rng.choices((CARD, CASH, GIFT), (0.62, 0.355, 0.025))[0]
    sale = Sold(basket, cashier, method, basket.customer, f"G{rng.randrange(5_000):05d}" if method == GIFT else "")
    sale.off_ppm = [0] * len(basket.lines)
    sale.cheaper_ppm = [0] * len(basket.lines)
    if rng.random() < habits.reductions:  # a dented tin, bread of yesterday
        sale.off_ppm[rng.randrange(len(basket.lines))] = rng.choice((200_000, 300_000, 500_000))
    if rng.random() < habits.cheaper:
        sale.cheaper_ppm[rng.randrange(len(basket.lines))] = rng.randrange(50_000, 400_000)
    if rng.random() < habits.cart_discounts:  # staff, pensioners, an apology
        sale.cart_ppm = rng.choice((50_000, 100_000, 100_000, 150_000, 200_000))
    return sale


def _besides(sale: Sold, habits: Habits, rng: random.Random) -> list[Did]:
    """What happens around a sale: the wrong button, and change that has run out."""
    found = []
    at_ms = sale.basket.at_ms
    if rng.random() < habits.voids:
        minutes = rng.uniform(5, 40) if rng.random() < 0.12 else rng.expovariate(1 / 1.5)
        sale.is_void = True
        found.append(Did("void", at_ms + int(minutes * MINUTE_MS) + 5_000, sale.cashier, sale, method=sale.method))
    if rng.random() < habits.drawers:
        times = 2 if rng.random() < 0.1 else 1
        found += [
            Did("drawer", at_ms + rng.randrange(1, 30) * MINUTE_MS + n * 90_000, sale.cashier) for n in range(times)
        ]
    return found


def _honest_refund(sale: Sold, on_duty: object, rng: random.Random) -> list[Did]:
    assert callable(on_duty)
    if sale.is_void or rng.random() >= 0.014:
        return []
    later_ms = int(rng.lognormvariate(0.0, 1.3) * DAY_MS) if rng.random() < 0.7 else rng.randrange(5, 180) * MINUTE_MS
    at_ms = sale.basket.at_ms + later_ms
    hour = at_ms // HOUR_MS % 24
    if not 8 <= hour < 21:  # the shop is closed: they come when it is open
        at_ms += (9 - hour) % 24 * HOUR_MS + rng.randrange(600) * MINUTE_MS
    lines = tuple(rng.sample(sale.basket.lines, min(len(sale.basket.lines), rng.choice((1, 1, 1, 2)))))
    with_receipt = rng.random() < 0.88
    return [
        Did(
            "refund", at_ms, on_duty(at_ms), sale if with_receipt else None, lines, with_receipt,
            restock=rng.random() < 0.6, method=sale.method if with_receipt else CASH, card=sale.card,
            customer=sale.customer if rng.random() < 0.6 else "",
        )
    ]  # fmt: skip
