"""Invented shoppers: when they come, what they take, how they pay. Everything follows from one seeded generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from tillmesh.shop.catalogue import Product
from tillmesh.shop.events import Payment
from tillmesh.shop.gtin import check_digit
from tillmesh.till.commands import WantedLine

SALES_PER_DAY: Final = 100
WEEKDAYS: Final = (0.85, 0.85, 0.95, 1.0, 1.25, 1.4, 0.7)  # Monday first; guess, after corner shops
OPENS_HOUR: Final = 8
HOURS: Final = (3, 5, 6, 7, 9, 8, 6, 6, 8, 10, 9, 5)  # share of sales by hour from OPENS_HOUR; guess
BASKETS: Final = ((0.35, 1, 2), (0.42, 3, 6), (0.19, 7, 13), (0.04, 14, 24))  # share, fewest and most lines; guess
ASSORTMENT_MAX: Final = 1_500  # products that shoppers know, and that have stock
CASH_LIMIT_MINOR: Final = 8_000
_MOODS: Final = {
    "morning": ("Bakery", "Tea & coffee", "Breakfast"),
    "noon": ("Bakery", "Drinks", "Snacks & sweets"),
    "evening": ("Meat & fish", "Fruit & veg", "Beer & wine", "Frozen"),
}
_NOTES: Final = (500, 1_000, 2_000, 5_000)


class Choice(NamedTuple):
    """A product in a basket and how much of it."""

    product: Product
    quantity_milli: int


class Shoppers:
    """Draws baskets from an assortment by popularity, time of day, and what is on the shelf."""

    def __init__(self, rng: Random, products: Sequence[Product]) -> None:
        self._rng = rng
        able = [product for product in products if product.active and 5 <= product.price_minor <= 4_000]
        own = [product for product in able if product.sku.startswith("FM-")]
        others = [product for product in able if not product.sku.startswith("FM-")]
        rng.shuffle(others)
        self.assortment = own + others[: ASSORTMENT_MAX - len(own)]
        self._all = _Shelf(self.assortment)
        self._moods = {
            mood: _Shelf([product for product in self.assortment if product.department in names])
            for mood, names in _MOODS.items()
        }

    def times(self, day: date, zone: tzinfo, until_ms: int) -> list[int]:
        """Draw the moments of a day's sales, in order, as far as ``until_ms``."""
        count = round(SALES_PER_DAY * WEEKDAYS[day.weekday()] * self._rng.uniform(0.85, 1.15))
        hours = self._rng.choices(range(OPENS_HOUR, OPENS_HOUR + len(HOURS)), HOURS, k=count)
        moments = (at_ms(day, zone, hour, self._rng.uniform(0, 3_600)) for hour in hours)
        return sorted(moment for moment in moments if moment <= until_ms)

    def basket(self, hour: int, stock_milli: Mapping[str, int]) -> list[Choice]:
        """Draw a basket of things that are there; each product once."""
        _, fewest, most = self._rng.choices(BASKETS, [share for share, _, _ in BASKETS])[0]
        found: dict[str, Choice] = {}
        mood = self._moods["morning" if hour < 11 else "noon" if hour < 15 else "evening"]
        for _ in range(self._rng.randint(fewest, most)):
            shelf = mood if mood.products and self._rng.random() < 0.3 else self._all
            product = shelf.draw(self._rng)
            quantity = self._quantity(product)
            if not product.track_stock or stock_milli.get(product.sku, 0) >= quantity:
                found.setdefault(product.sku, Choice(product, quantity))
        return list(found.values())

    def _quantity(self, product: Product) -> int:
        if product.unit == "piece":
            return 1_000 * self._rng.choices((1, 2, 3, 4, 6), (78, 14, 4, 3, 1))[0]
        heaviest = 1_600 if product.price_minor < 700 else 450
        return self._rng.randrange(120, heaviest, 5)

    def line(self, choice: Choice) -> WantedLine:
        """Say how the cashier enters it: scanned, scanned from a scale's label, or picked and weighed."""
        product, quantity = choice
        code = product.barcodes[0] if product.barcodes else ""
        if code.startswith("21") and len(code) == 13 and self._rng.random() < 0.6:
            body = f"{code[:7]}{quantity:05d}"
            return WantedLine(quantity_milli=1_000, barcode=body + check_digit(body))
        if code and product.unit == "piece":
            return WantedLine(quantity_milli=quantity, barcode=code)
        return WantedLine(quantity_milli=quantity, sku=product.sku)

    def pay(self, total_minor: int) -> tuple[Payment, ...]:
        """Choose tenders for a total: mostly card, then cash with change, now and then both."""
        roll = self._rng.random()
        if total_minor > CASH_LIMIT_MINOR or (roll < 0.67 and total_minor > 0):
            return (self._card(total_minor),)
        if roll < 0.70 and total_minor > 1_500:
            cash = 500 * self._rng.randint(1, total_minor // 1_000)
            return (Payment(method="cash", amount_minor=cash), self._card(total_minor - cash))
        return (Payment(method="cash", amount_minor=self._handed_over(total_minor)),)

    def _card(self, amount_minor: int) -> Payment:
        return Payment(
            method="card",
            amount_minor=amount_minor,
            reference=f"{self._rng.randrange(10**6):06d}",
            last_four=f"{self._rng.randrange(10**4):04d}",
        )

    def _handed_over(self, total_minor: int) -> int:
        """Hand over the exact amount, or whole notes that cover it."""
        if self._rng.random() < 0.2:
            return total_minor
        note = self._rng.choice([note for note in _NOTES if note >= min(total_minor, _NOTES[-1])][:2])
        return -(-total_minor // note) * note


class _Shelf:
    """Products with their popularity, ready to draw from."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.products = products
        # Few products make most sales: weights fall like 1 / rank (Zipf), favourites stand in front.
        weights = ((12.0 if one.favourite else 1.0) / (rank + 10) ** 0.8 for rank, one in enumerate(products))
        self._reach = list(accumulate(weights))

    def draw(self, rng: Random) -> Product:
        return rng.choices(self.products, cum_weights=self._reach)[0]


def at_ms(day: date, zone: tzinfo, hour: int, seconds: float = 0) -> int:
    """Give the moment of a local hour, even on days when clocks change."""
    moment = datetime.combine(day, time(hour), zone).astimezone(UTC) + timedelta(seconds=seconds)
    return int(moment.timestamp() * 1_000)
