"""Six ways to steal at a till, laid into honest traffic: campaigns of one person over some weeks.

Each is written down with its numbers in docs/reference/fraud-features.md. Who trains on some of them is judged on the
others. What is drawn varies widely on purpose: a thief who is always alike is found by a rule.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Final

from tillmesh.edge.features import DAY_MS, MINUTE_MS
from tillmesh.learn.fraud.traffic import CASH, GIFT, Did, Shop, Sold

SWEETHEARTING: Final = "sweethearting"
EMPTY_REFUND: Final = "refund_without_goods"
VOID_AFTER: Final = "void_after_sale"
DISCOUNT: Final = "discount_abuse"
GIFT_CARD: Final = "gift_card_abuse"
NO_SALE: Final = "no_sale_openings"
Shifts = list[list[Sold]]  # the sales of one person, a shift each


def lay_in(shop: Shop, rng: random.Random, every_days: int, only: tuple[str, ...] = ()) -> None:
    """Let campaigns of all scenarios begin, each about every so many days in this shop."""
    first, last = shop.sales[0].basket.at_ms, shop.sales[-1].basket.at_ms
    for name, act in SCENARIOS.items():
        if only and name not in only:
            continue
        at_ms = first + rng.randrange(20, 20 + every_days) * DAY_MS
        while at_ms < last:
            days = rng.randrange(8, 35)
            _campaign(shop, name, act, rng, at_ms, at_ms + days * DAY_MS)
            at_ms += int(every_days * rng.uniform(0.5, 1.5)) * DAY_MS


Scenario = Callable[[Shifts, random.Random], Iterator[Did | Sold]]


def _campaign(shop: Shop, name: str, act: Scenario, rng: random.Random, from_ms: int, to_ms: int) -> None:
    mine = [sale for sale in shop.sales if from_ms <= sale.basket.at_ms < to_ms and not sale.scenario]
    people = sorted({sale.cashier for sale in mine})
    if not people:
        return
    thief = rng.choice(people)
    shifts: dict[int, list[Sold]] = {}
    for sale in mine:
        if sale.cashier == thief:
            shifts.setdefault(sale.basket.at_ms // DAY_MS, []).append(sale)
    greed = rng.uniform(0.3, 0.9)  # the share of shifts in which something happens
    chosen = [shift for shift in shifts.values() if rng.random() < greed]
    for done in act(chosen, rng):
        done.scenario = name
        if isinstance(done, Did):
            shop.did.append(done)


def _sweetheart(shifts: Shifts, rng: random.Random) -> Iterator[Sold]:
    """Friends get the dear lines for little: reduced, or at another price; one to three of them, again and again."""
    friends = [f"friend-{rng.randrange(10**6)}" if rng.random() < 0.6 else "" for _ in range(rng.randrange(1, 4))]
    deep = rng.uniform(0.25, 0.8)
    by_price = rng.random() < 0.5
    for shift in shifts:
        for sale in rng.sample(shift, min(len(shift), rng.choice((1, 1, 2)))):
            sale.customer = rng.choice(friends)
            dear = sorted(range(len(sale.off_ppm)), key=lambda at: -sale.basket.lines[at].price_minor)
            for at in dear[: rng.randrange(1, 4)]:
                off = int(min(0.95, deep * rng.uniform(0.7, 1.3)) * 10**6)
                if by_price:
                    sale.cheaper_ppm[at] = off
                else:
                    sale.off_ppm[at] = off
            yield sale


def _empty_refund(shifts: Shifts, rng: random.Random) -> Iterator[Did]:
    """Cash is refunded and nothing came back: without a receipt, or for a cash sale whose receipt was left behind."""
    with_receipt = rng.random() < 0.5
    hides = rng.random() < 0.5  # says that the goods are on the shelf again
    for shift in shifts:
        for sale in rng.sample(shift, min(len(shift), rng.choice((1, 1, 2, 3)))):
            lines = tuple(rng.sample(sale.basket.lines, min(len(sale.basket.lines), rng.randrange(1, 5))))
            at_ms = shift[-1].basket.at_ms + rng.randrange(2, 40) * MINUTE_MS
            if rng.random() < 0.4:
                at_ms = sale.basket.at_ms + rng.randrange(3, 90) * MINUTE_MS
            known = sale if with_receipt else None
            yield Did("refund", at_ms, sale.cashier, known, lines, with_receipt, hides, CASH)


def _void_after(shifts: Shifts, rng: random.Random) -> Iterator[Did]:
    """The customer paid cash and left; the sale is voided and the cash is taken."""
    for shift in shifts:
        paid = [sale for sale in shift if not sale.is_void]
        for sale in rng.sample(paid, min(len(paid), rng.choice((1, 1, 2, 3)))):
            sale.method, sale.is_void = CASH, True
            at_ms = sale.basket.at_ms + int(rng.uniform(1.5, 30) * MINUTE_MS)
            if rng.random() < 0.2:
                at_ms = max(at_ms, shift[-1].basket.at_ms + rng.randrange(2, 30) * MINUTE_MS)
            yield Did("void", at_ms, sale.cashier, sale, method=CASH)


def _discount(shifts: Shifts, rng: random.Random) -> Iterator[Sold]:
    """The customer pays the full price in cash; a discount is entered before paying and the difference taken."""
    share = rng.uniform(0.08, 0.5)
    for shift in shifts:
        for sale in rng.sample(shift, min(len(shift), rng.choice((1, 2, 2, 3)))):
            sale.method = CASH
            sale.cart_ppm = int(share * rng.uniform(0.8, 1.2) * 10**6) // 10_000 * 10_000
            if rng.random() < 0.6:
                sale.customer = ""
            yield sale


def _gift_card(shifts: Shifts, rng: random.Random) -> Iterator[Did | Sold]:
    """Refunds of nothing go onto the cashier's own card, which then pays for own shopping."""
    card = f"G9{rng.randrange(10**4):04d}"
    for number, shift in enumerate(shifts):
        if number % 3 == 2:
            sale = rng.choice(shift)
            sale.method, sale.card = GIFT, card
            yield sale
            continue
        for sale in rng.sample(shift, min(len(shift), rng.choice((1, 1, 2)))):
            lines = tuple(rng.sample(sale.basket.lines, min(len(sale.basket.lines), rng.randrange(1, 5))))
            at_ms = sale.basket.at_ms + rng.randrange(2, 120) * MINUTE_MS
            known = sale if rng.random() < 0.5 else None
            yield Did("refund", at_ms, sale.cashier, known, lines, known is not None, True, GIFT, card)


def _no_sale(shifts: Shifts, rng: random.Random) -> Iterator[Did]:
    """Goods are sold without ringing them up, so the drawer is opened by hand, several times a shift."""
    for shift in shifts:
        for _ in range(rng.randrange(2, 7)):
            sale = rng.choice(shift)
            yield Did("drawer", sale.basket.at_ms + rng.randrange(1, 25) * MINUTE_MS, sale.cashier)


SCENARIOS: Final[dict[str, Scenario]] = {
    SWEETHEARTING: _sweetheart,
    EMPTY_REFUND: _empty_refund,
    VOID_AFTER: _void_after,
    DISCOUNT: _discount,
    GIFT_CARD: _gift_card,
    NO_SALE: _no_sale,
}
