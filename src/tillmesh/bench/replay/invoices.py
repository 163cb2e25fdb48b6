"""Reading the invoice file row by row, and its rows as invoices."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby, islice
from pathlib import Path
from typing import Final, NamedTuple

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.times import EPOCH

COLUMNS: Final = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country",
)  # fmt: skip


class Line(NamedTuple):
    """One row: negative quantities went back or were written off. ``price_minor`` is pence, rounded half up."""

    code: str
    name: str
    quantity: int
    price_minor: int


class Invoice(NamedTuple):
    """The rows of one invoice number, at the moment of the first of them."""

    number: str
    at_ms: int
    customer: str
    country: str
    lines: tuple[Line, ...]


def read(path: Path, limit: int | None = None) -> Iterator[Invoice]:
    """Iterate the invoices of a file (CSV, packed or not) in its order; raises :class:`Invalid` naming the line."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if missing := set(COLUMNS) - set(rows.fieldnames or ()):
                raise Invalid(f"{path.name} has no column {', '.join(sorted(missing))}", hint="Is it the retail file?")
            yield from islice(_invoices(enumerate(rows, 2), path), limit)
    except OSError as cause:
        raise Invalid(f"{path} can't be read: {cause}", hint="Name a CSV file, packed with gzip or not.") from cause


def _invoices(rows: Iterator[tuple[int, dict[str, str]]], path: Path) -> Iterator[Invoice]:
    """Collect a day's rows by invoice: one of the real file is interrupted by another (542806)."""
    for _, day in groupby(rows, key=lambda row: row[1]["InvoiceDate"][:10]):
        invoices: dict[str, list[tuple[int, dict[str, str]]]] = {}
        for row in day:
            invoices.setdefault(row[1]["InvoiceNo"], []).append(row)
        for number, held in invoices.items():
            yield _invoice(number, held, path)


def _invoice(number: str, rows: list[tuple[int, dict[str, str]]], path: Path) -> Invoice:
    first_at, first = rows[0]
    try:
        moment = datetime.fromisoformat(first["InvoiceDate"]).replace(tzinfo=UTC)
        lines = tuple([_line(row) for _, row in rows])
    except (ValueError, ArithmeticError) as cause:
        raise Invalid(f"{path.name}: invoice {number} from line {first_at}: {cause}", hint="Check the file.") from cause
    at_ms = (moment - EPOCH) // timedelta(milliseconds=1)
    return Invoice(number, at_ms, first["CustomerID"], first["Country"], lines)


def _line(row: dict[str, str]) -> Line:
    pence = (Decimal(row["UnitPrice"]) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    code = row["StockCode"].replace(" ", "_")
    return Line(code, " ".join(row["Description"].split()), int(row["Quantity"]), int(pence))
