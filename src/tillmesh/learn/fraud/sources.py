"""Real baskets as the shops of the training: a grocery chain's year, and an invoice file with its cancellations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final

from tillmesh.learn.fraud.scenarios import lay_in
from tillmesh.learn.fraud.table import seeded
from tillmesh.learn.fraud.traffic import Basket, Cancelled, Line, Shop, open_shop
from tillmesh.learn.retail import invoice_lines, transactions

GROCERY_SHOPS: Final = 16  # the 457 stores together: one of them has a basket a day, of the households that were asked
EVERY_DAYS: Final = 200  # between campaigns of one scenario in one shop
INVOICE_SHOP: Final = "gifts"


def ms(year: int, month: int, day: int) -> int:
    """Give the start of a day, UTC."""
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


# Validation and test begin here: the last two months of each source are the test.
GROCERY_PARTS: Final = (ms(2017, 9, 1), ms(2017, 11, 1))
INVOICE_PARTS: Final = (ms(2011, 6, 1), ms(2011, 8, 1))


def shops(invoices: Path, baskets: Path, seed: int = 1) -> Iterator[tuple[Shop, int, int]]:
    """Give every shop with its honest people and its thieves, and the times where validation and test begin."""
    for name, found in sorted(grocery(baskets).items()):
        rng = seeded(seed, name)
        shop = open_shop(name, found, rng)
        lay_in(shop, rng, EVERY_DAYS)
        yield shop, *GROCERY_PARTS
    sold, cancelled = gifts(invoices)
    rng = seeded(seed, INVOICE_SHOP)
    shop = open_shop(INVOICE_SHOP, sold, rng, cancelled)
    lay_in(shop, rng, EVERY_DAYS)
    yield shop, *INVOICE_PARTS


def gifts(path: Path) -> tuple[list[Basket], list[Cancelled]]:
    """Read the invoice file: invoices as sales, cancellations as refunds of what they cancel, if that is found."""
    sold: list[Basket] = []
    cancelled: list[Cancelled] = []
    bought: dict[tuple[str, str], int] = {}
    rows = sorted(invoice_lines(path), key=lambda row: (row.at_ms, row.invoice))
    for _, group in groupby(rows, key=lambda row: (row.at_ms, row.invoice)):
        lines = list(group)
        kept = tuple(
            Line(row.code, abs(row.quantity), row.price_minor)
            for row in lines
            if row.price_minor > 0 and (row.quantity < 0) == row.invoice.startswith("C")
        )
        if not kept:
            continue
        first = lines[0]
        if first.invoice.startswith("C"):
            of = (
                max((bought.get((first.customer, line.sku), -1) for line in kept), default=-1) if first.customer else -1
            )
            cancelled.append(Cancelled(first.at_ms, first.customer, kept, of))
        else:
            bought.update({(first.customer, line.sku): len(sold) for line in kept})
            sold.append(Basket(INVOICE_SHOP, first.at_ms, first.customer, kept))
    return sold, cancelled


def grocery(wheel: Path) -> dict[str, list[Basket]]:
    """Read the year of grocery baskets, its stores put together to some shops, each in the order of time."""
    found: dict[str, list[Basket]] = defaultdict(list)
    for (basket_id, store, household, at_ms), rows in groupby(transactions(wheel), key=lambda row: row[:4]):
        lines = tuple(
            Line(str(product), quantity, round(value * 100 / quantity), round(coupon * 100))
            for *_, product, quantity, value, coupon in rows
            if round(value * 100 / quantity) > 0
        )
        if lines:
            name = f"grocery-{store % GROCERY_SHOPS:02d}"
            found[name].append(Basket(name, at_ms, f"h{household}", lines))
        del basket_id
    return {name: sorted(baskets, key=lambda one: one.at_ms) for name, baskets in found.items()}
