"""Products to measure with: a file of the user's, or as many invented ones as a large shop has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tillmesh.demo.catalogue import read_file
from tillmesh.kernel.errors import Invalid
from tillmesh.shop.events import Change, Payment
from tillmesh.shop.gtin import check_digit
from tillmesh.shop.product_file import batches
from tillmesh.terminal.bootstrap import Opened
from tillmesh.till.commands import ChangeRecords, Command, OpenShift, WantedLine, Who
from tillmesh.till.ports import Books

MANAGER: Final = Who(user_id="bench", role="manager")
PRODUCTS: Final = 97_000  # as many as the Open Food Facts extract that the issue asks for
START_MS: Final = 1_767_225_600_000  # 2026-01-01; measurements need a time, not today's

_BRANDS: Final = (
    "Alder Birch Cedar Dover Elgin Fjord Gable Heron Ivory Jasper Kestrel Linden Maple Norfolk Osprey".split()
)
_KINDS: Final = (
    "organic smoked salted roasted dried fresh frozen sliced whole ground crunchy creamy spicy sweet mild".split()
)
_THINGS: Final = (
    "apple bread butter carrot cheese chocolate coffee cream fish flour ham honey jam juice lemon milk mushroom "
    "mustard noodles nuts oil olives onion orange pasta pepper pickles potato rice salt sauce soup sugar tea tomato "
    "tuna vinegar water wine yoghurt".split()
)
_SIZES: Final = (100, 125, 150, 200, 250, 330, 400, 500, 750, 1000)


def invented(count: int) -> Iterator[Change]:
    """Invent products, always the same: names of four words, valid EAN-13, prices from 0.25 to 49.99."""
    for n in range(count):
        brand, kind = _BRANDS[n % len(_BRANDS)], _KINDS[n // 15 % len(_KINDS)]
        thing, size = _THINGS[n // 7 % len(_THINGS)], _SIZES[n // 3 % 10]
        twelve = str(500_000_000_000 + n * 7)
        code = twelve + check_digit(twelve)
        yield Change(
            key=code,
            fields={
                "name": f"{brand} {kind} {thing} {size} g {n}",
                "price_minor": 25 + n * 7919 % 4975,
                "unit": "piece",
                "tax_code": ("standard", "reduced", "zero")[n % 3],
                "department": thing.title(),
                "barcodes": [code],
            },
        )


def in_cash(books: Books, lines: Iterable[WantedLine]) -> Payment:
    """Pay lines in cash as people do: the price, rounded up to whole tens."""
    prices = ((books.product(line.sku), line.quantity_milli) for line in lines)
    total = sum(product.price_minor * milli // 1_000 for product, milli in prices if product is not None)
    return Payment(method="cash", amount_minor=-(-total // 1_000) * 1_000)


def records(file: Path | None, count: int = PRODUCTS) -> list[Change]:
    """Give the products of a file (CSV, packed or not), or invent ``count``."""
    if file is None:
        return list(invented(count))
    plan = read_file(file)
    if plan.report.errors:
        first = plan.report.errors[0]
        raise Invalid(f"{file}: line {first.line}: {first.message}", hint="Try `tillmesh import products --dry-run`.")
    return plan.changes


def stock_shelves(opened: Opened, changes: list[Change], *, now_ms: int = START_MS) -> None:
    """Put products into a new data directory and open a shift, in one transaction each."""
    commands: list[tuple[Who, Command]] = [
        (MANAGER, ChangeRecords(entity="product", changes=batch, source="bench")) for batch in batches(changes)
    ]
    opened.writer.execute_all(opened.till, commands, now_ms)
    opened.writer.execute(opened.till, MANAGER, OpenShift(float_minor=10_000), now_ms)
    opened.anchor.remember(opened.till.head, opened.till.receipts)
