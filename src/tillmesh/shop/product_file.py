"""Products from and to a CSV file: what would change, what is wrong and in which line, as plain values.

Nothing is written here. A plan holds only the changed fields of changed products, so importing an export, or the same
file again, changes nothing. Format: docs/reference/products-csv.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import IMPORT_FINDINGS_KEPT_MAX, IMPORT_ROWS_MAX, PRODUCTS_PER_EVENT_MAX
from tillmesh.kernel.money import format_decimal
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop.events import Change
from tillmesh.shop.foreign_tables import in_our_columns
from tillmesh.shop.product_columns import Reading, find_columns, write_text
from tillmesh.shop.product_matching import Fields, Finding, Matcher, RowResult, Shelf
from tillmesh.shop.product_rows import read_table

EXPORTED: Final = ("sku", "barcodes", "name", "department", "price", "unit", "tax_code", "active", "track_stock",
                   "low_stock", "cost", "favourite")  # fmt: skip


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do. ``rows = created + updated + unchanged + skipped``.

    ``errors`` and ``warnings`` hold the first IMPORT_FINDINGS_KEPT_MAX each; the counts hold all.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    skipped: int
    errors: tuple[Finding, ...]
    error_count: int
    warnings: tuple[Finding, ...]
    warning_count: int
    ignored_columns: tuple[str, ...]
    dry_run: bool


class Plan(NamedTuple):
    """The changes to record, and what to tell. ``changes`` is empty when errors forbid the import."""

    changes: list[Change]
    report: Report


def plan_import(
    lines: Iterable[str], reading: Reading, shelf: Shelf, *, skip_bad: bool = False, dry_run: bool = False
) -> Plan:
    """Read a whole file; with any error there are no changes, unless ``skip_bad`` leaves the bad lines out."""
    results, ignored = read(lines, reading, shelf)
    tally = _Tally()
    for result in results:
        tally.add(result)
        if tally.rows > IMPORT_ROWS_MAX:
            raise Invalid(f"the file has more than {IMPORT_ROWS_MAX} products", hint="Split it into several files.")
    report = tally.report(ignored, dry_run=dry_run)
    refused = dry_run or (report.error_count and not skip_bad)
    return Plan([] if refused else tally.changes, report)


def batches(changes: Sequence[Change]) -> Iterator[tuple[Change, ...]]:
    """Cut changes into what one ProductsChanged event may hold."""
    for start in range(0, len(changes), PRODUCTS_PER_EVENT_MAX):
        yield tuple(changes[start : start + PRODUCTS_PER_EVENT_MAX])


def read(lines: Iterable[str], reading: Reading, shelf: Shelf) -> tuple[Iterator[RowResult], tuple[str, ...]]:
    """Start reading: results row by row, and the titles of columns that are ignored.

    Raises :class:`Invalid` at once if the file is empty or its header fits nothing.
    """
    table = read_table(lines, reading.separator)
    if not reading.mapping:  # whoever names columns knows the file better
        table = in_our_columns(table)
    columns, ignored = find_columns(table.header, reading)
    matcher = Matcher(columns, reading, shelf)
    return (matcher.result(row) for row in table.rows), tuple(ignored)


def export(products: Iterable[tuple[str, Fields]], *, decimals: int = 2) -> Iterator[str]:
    """Write products as CSV text, in pieces, that :func:`plan_import` reads back without a change."""
    piece: list[str] = []
    writer = csv.writer(_Echo(piece), lineterminator="\r\n")  # RFC 4180
    writer.writerow(EXPORTED)
    for sku, fields in products:
        writer.writerow([sku, *(_cell(name, fields, decimals) for name in EXPORTED[1:])])
        if len(piece) >= PRODUCTS_PER_EVENT_MAX:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


class _Echo:
    """A file for :mod:`csv` that only remembers."""

    def __init__(self, kept: list[str]) -> None:
        self.write = kept.append


def _cell(name: str, fields: Fields, decimals: int) -> str:
    match name:
        case "price" | "cost":
            minor = fields.get(f"{name}_minor")
            return "" if not isinstance(minor, int) else format_decimal(minor, decimals)
        case "low_stock":
            milli = fields.get("low_stock_milli")
            return "" if not isinstance(milli, int) else format_quantity(milli)
        case "active" | "track_stock" | "favourite":
            return "" if (flag := fields.get(name)) is None else ("yes" if flag else "no")
        case "barcodes":
            codes = fields.get("barcodes")
            return " ".join(codes) if isinstance(codes, list) else ""
        case _:
            return write_text(str(fields.get(name) or ""))


@dataclass
class _Tally:
    """Counts results and keeps what a report shows."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    skipped: int = 0
    changes: list[Change] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    error_count: int = 0
    warnings: list[Finding] = field(default_factory=list)
    warning_count: int = 0

    def add(self, result: RowResult) -> None:
        """Count one row."""
        self.rows += 1
        self.error_count += len(result.errors)
        self.warning_count += len(result.warnings)
        if len(self.errors) < IMPORT_FINDINGS_KEPT_MAX:
            self.errors += result.errors
        if len(self.warnings) < IMPORT_FINDINGS_KEPT_MAX:
            self.warnings += result.warnings
        if result.errors:
            self.skipped += 1
        elif result.change is not None:
            self.changes.append(result.change)
            self.created += result.created
            self.updated += not result.created

    def report(self, ignored: tuple[str, ...], *, dry_run: bool) -> Report:
        """Say it all."""
        return Report(
            rows=self.rows, created=self.created, updated=self.updated, skipped=self.skipped, dry_run=dry_run,
            unchanged=self.rows - self.created - self.updated - self.skipped, ignored_columns=ignored,
            errors=tuple(self.errors[:IMPORT_FINDINGS_KEPT_MAX]), error_count=self.error_count,
            warnings=tuple(self.warnings[:IMPORT_FINDINGS_KEPT_MAX]), warning_count=self.warning_count,
        )  # fmt: skip
