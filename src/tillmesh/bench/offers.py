"""Offers and customers to measure with: as many as a large shop has, always the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tillmesh.bench.goods import MANAGER, START_MS
from tillmesh.shop.events import Change, Value
from tillmesh.shop.product_file import batches
from tillmesh.terminal.bootstrap import Opened
from tillmesh.till.commands import ChangeRecords, Command, Who

SKUS_EACH: Final = 200


def promotions(count: int, skus: Sequence[str]) -> Iterator[Change]:
    """Invent promotions: most of them for some goods, of every kind, one for everything and one for the sale."""
    for n in range(count):
        own = list(skus[n * SKUS_EACH : (n + 1) * SKUS_EACH])
        kinds: list[dict[str, Value]] = [
            {"kind": "percent", "rate_ppm": 100_000, "skus": own},
            {"kind": "amount", "amount_minor": 20, "skus": own},
            {"kind": "buy_get", "buy_count": 2, "get_count": 1, "rate_ppm": 1_000_000, "skus": own},
            {"kind": "mix", "buy_count": 3, "amount_minor": 500, "skus": own},
        ]
        fields = kinds[n % 4]
        if n == count - 1:
            fields = {"kind": "cart_percent", "rate_ppm": 10_000, "minimum_minor": 2_000}
        elif n == count - 2:
            fields = {"kind": "percent", "rate_ppm": 10_000}
        yield Change(key=f"bench-{n}", fields={"name": f"Promotion {n}", **fields})


def customers(count: int) -> Iterator[Change]:
    """Invent customers with names that differ."""
    for n in range(count):
        fields: dict[str, Value] = {"name": f"Customer {n:05d}", "phone": f"020 7946 {n % 10_000:04d}"}
        yield Change(key=f"customer-{n}", fields=fields)


def stock_offers(opened: Opened, skus: Sequence[str], *, promotion_count: int, customer_count: int) -> None:
    """Write both into a data directory."""
    parts = [("promotion", list(promotions(promotion_count, skus))), ("customer", list(customers(customer_count)))]
    commands: list[tuple[Who, Command]] = [
        (MANAGER, ChangeRecords(entity=entity, changes=batch, source="bench"))
        for entity, changes in parts
        for batch in batches(changes)
    ]
    if commands:
        opened.writer.execute_all(opened.till, commands, START_MS)
        opened.anchor.remember(opened.till.head, opened.till.receipts)
