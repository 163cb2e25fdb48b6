"""Write tests/golden/baskets.json.gz: 1,000 baskets with what they must come to, from one fixed seed.

    python -m tests.golden.generate

Only ``Random.random`` is drawn from, which Python promises to keep: the same seed gives the same file for ever.
"""

import gzip
import json
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from tests.golden import reference

FILE = Path(__file__).with_name("baskets.json.gz")
SEED = 20_260_001
STORES = 50
BASKETS_PER_STORE = 20
MODES = ("half_up", "half_even", "half_down", "down", "up")
# Currency, decimals, cash steps in use, tax rates in ppm, a usual price in minor units.
CURRENCIES = (
    ("EUR", 2, (1, 5), {"standard": 200_000, "reduced": 55_000, "zero": 0}, 900),
    ("GBP", 2, (1,), {"standard": 200_000, "reduced": 50_000, "zero": 0}, 700),
    ("USD", 2, (1,), {"standard": 88_750, "food": 0, "local": 12_500}, 1_200),
    ("CHF", 2, (5,), {"standard": 81_000, "reduced": 26_000, "zero": 0}, 1_500),
    ("SEK", 2, (100,), {"standard": 250_000, "food": 120_000, "books": 60_000}, 9_900),
    ("JPY", 0, (1, 10), {"standard": 100_000, "food": 80_000}, 480),
    ("KWD", 3, (5,), {"standard": 50_000, "zero": 0}, 1_750),
)
NAMES = ("Oat milk", "Red apples", "Sourdough", "Green tea", "Dish soap", "AA batteries", "Basmati rice", "Feta")
UNITS = ("piece", "piece", "piece", "piece", "kg", "l", "m")
Json = dict[str, Any]
T = TypeVar("T")


class Draws:
    """Dice with names; built on ``random()`` alone."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def number(self, least: int, most: int) -> int:
        return least + int(self._random() * (most - least + 1))

    def one_of(self, items: tuple[T, ...] | list[T]) -> T:
        return items[self.number(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(1, 100) <= percent


def make_store(draw: Draws, number: int) -> Json:
    """Step through what differs between stores, so that every combination that matters is there."""
    currency, decimals, steps, rates, _ = CURRENCIES[number % len(CURRENCIES)]
    return {
        "currency": currency,
        "decimals": decimals,
        "prices_include_tax": number % 2 == 0,
        "tax_rounding": ("total", "line")[number // 2 % 2],
        "rounding": MODES[number // 4 % len(MODES)] if draw.chance(70) else "half_up",
        "cash_step_minor": draw.one_of(steps),
        "cash_rounding": draw.one_of(MODES) if draw.chance(40) else "half_up",
        "tax_rates_ppm": dict(rates),
    }


def make_discount(draw: Draws, usual: int) -> Json:
    if draw.chance(60):
        return {"percent": draw.one_of(("5", "10", "12.5", "15", "33.3333", "50", "99.9", "100", "0.0001"))}
    return {"amount_minor": draw.one_of((1, usual // 9, usual // 2, usual, usual * 20))}


def make_basket(draw: Draws, number: int, store: Json, usual: int) -> Json:
    name = f"b{number:04d}"
    products = [
        {
            "sku": f"{name}-{place}",
            "name": draw.one_of(NAMES),
            "price_minor": draw.one_of((usual // 9, usual + draw.number(0, usual), usual * 10 - 1, draw.number(1, 99))),
            "unit": draw.one_of(UNITS),
            "tax_code": draw.one_of(list(store["tax_rates_ppm"])),
        }
        for place in range(draw.number(1, 6))
    ]
    lines = [make_line(draw, draw.one_of(products), usual) for _ in range(draw.number(1, 8))]
    discount = make_discount(draw, usual) if draw.chance(35) else None
    basket: Json = {"basket": name, "products": products, "lines": lines, "discount": discount}
    basket["payments"] = make_payments(draw, reference.price(basket, store)["total_minor"], store)
    fate = draw.number(1, 100)
    basket["refunds"] = make_refunds(draw, lines, products) if fate <= 35 else []
    basket["void"] = fate > 93
    return basket


def make_line(draw: Draws, product: Json, usual: int) -> Json:
    whole = product["unit"] == "piece"
    milli = draw.one_of((1, 1, 1, 2, 3, 6, draw.number(1, 40))) * 1000 if whole else draw.number(1, 4_000)
    line: Json = {"sku": product["sku"], "quantity": text(milli)}
    if draw.chance(8):
        line["unit_price_minor"] = draw.number(0, usual * 2)
    elif not whole and draw.chance(20):
        line["line_total_minor"] = draw.number(1, usual * 3)
    if draw.chance(20):
        line["discount"] = make_discount(draw, usual)
    return line


def text(milli: int) -> str:
    """Write thousandths as the shortest decimal text."""
    whole, rest = divmod(milli, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def make_payments(draw: Draws, total: int, store: Json) -> list[Json]:
    """Pay by card, in cash (often with a note too large), or split over cards and cash."""
    if total == 0:
        return []
    ways: tuple[list[int], ...] = ([], [], [total], [total // 3], [total // 4, total // 5])
    payments = [{"method": "card", "amount_minor": amount} for amount in draw.one_of(ways) if amount]
    owed = total - sum(amount for payment in payments if isinstance(amount := payment["amount_minor"], int))
    due = reference.coins(owed, store)
    if owed:
        note = draw.one_of((1, 1, 500, 1000, 5000))
        handed = reference.next_coin(due, note)
        if draw.chance(15) and handed > 2:
            payments += [{"method": "cash", "amount_minor": 1}, {"method": "cash", "amount_minor": handed - 1}]
        else:
            payments.append({"method": "cash", "amount_minor": handed})
    return payments


def make_refunds(draw: Draws, lines: list[Json], products: list[Json]) -> list[list[Json]]:
    """Bring goods back in one to four visits; sometimes, in the end, all of them."""
    units = {product["sku"]: product["unit"] for product in products}
    left = [int(Fraction(line["quantity"]) * 1000) for line in lines]
    visits = []
    for _ in range(draw.number(1, 3)):
        wanted = []
        for place, line in enumerate(lines):
            if left[place] and draw.chance(50):
                step = 1000 if units[line["sku"]] == "piece" else 1
                milli = draw.number(1, left[place] // step) * step
                left[place] -= milli
                wanted.append({"line": place, "quantity": text(milli)})
        if wanted:
            visits.append(wanted)
    if draw.chance(40):
        visits.append([{"line": place, "quantity": text(milli)} for place, milli in enumerate(left) if milli])
    return [visit for visit in visits if visit]


def make_all() -> Json:
    """Draw all stores and baskets and work out what they must come to."""
    draw = Draws(SEED)
    stores = [make_store(draw, number) for number in range(STORES)]
    baskets = []
    for number in range(STORES * BASKETS_PER_STORE):
        place = number % STORES
        basket = make_basket(draw, number, stores[place], CURRENCIES[place % len(CURRENCIES)][4])
        baskets.append({"store": place, **basket, "expected": reference.expect(basket, stores[place])})
    return {"format": 1, "seed": SEED, "rules": "docs/reference/money.md", "stores": stores, "baskets": baskets}


def load() -> Json:
    """Read the file that is kept."""
    content: Json = json.loads(gzip.decompress(FILE.read_bytes()))
    return content


if __name__ == "__main__":
    FILE.write_bytes(gzip.compress(json.dumps(make_all(), separators=(",", ":")).encode(), mtime=0))
