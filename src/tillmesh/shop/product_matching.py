"""One row of a file against what the shop holds: new, changed, the same, or wrong.

Invariant: a row that is wrong in one cell changes nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from tillmesh.kernel.errors import Invalid
from tillmesh.shop.events import Change, Value
from tillmesh.shop.gtin import canonical, is_digits, valid_gtin
from tillmesh.shop.product_columns import Column, Reading
from tillmesh.shop.product_rows import BadRow, Row

Fields: TypeAlias = Mapping[str, Value]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something about one line that a person should look at. ``column`` is the file's own title."""

    line: int
    column: str
    value: str
    message: str


class Shelf(NamedTuple):
    """What the shop holds already: product fields by sku, the sku that holds a barcode."""

    product: Callable[[str], Fields | None]
    owner: Callable[[str], str | None]


class RowResult(NamedTuple):
    """One row understood: ``change`` is None when nothing differs or something is wrong."""

    line: int
    created: bool
    change: Change | None
    errors: list[Finding]
    warnings: list[Finding]


class Matcher:
    """Compares row after row and remembers which skus and barcodes the file has named already."""

    def __init__(self, columns: Sequence[Column], reading: Reading, shelf: Shelf) -> None:
        self._columns = columns
        self._reading = reading
        self._shelf = shelf
        self._titles = {column.field: column.title for column in columns}
        self._adds_barcode = any(column.means == "barcode" for column in columns)
        first_code = next(iter(reading.tax_rates_ppm), "")
        self._defaults: Fields = {"unit": "piece", "tax_code": first_code, "active": True, **reading.defaults}
        self._skus: dict[str, int] = {}  # sku -> line
        self._barcodes: dict[str, int] = {}  # in its one way to be written -> line

    def result(self, row: Row | BadRow) -> RowResult:
        """Understand one row."""
        match row:
            case BadRow(line, value, message):
                finding = Finding(line=line, column="", value=value, message=message)
                return RowResult(line, created=False, change=None, errors=[finding], warnings=[])
            case Row(line, cells):
                values, errors = self._values(line, cells)
                if errors:
                    return RowResult(line, created=False, change=None, errors=errors, warnings=[])
                return self._compare(line, values)

    def _values(self, line: int, cells: list[str]) -> tuple[dict[str, Value], list[Finding]]:
        values: dict[str, Value] = {}
        errors: list[Finding] = []
        for column in self._columns:
            cell = cells[column.place].strip()
            if not cell:
                continue
            try:
                values[column.field] = column.read(cell)
            except Invalid as cause:
                errors.append(Finding(line=line, column=column.title, value=cell[:60], message=cause.detail))
        return values, errors

    def _compare(self, line: int, values: dict[str, Value]) -> RowResult:
        barcodes = values.get("barcodes")
        codes = barcodes if isinstance(barcodes, list) else []
        sku = str(values.pop("sku", "")) or self._sku_for(codes)
        known = self._shelf.product(sku) if sku else None
        errors = self._conflicts(line, sku, codes)
        if known is None:
            errors += self._missing(line, sku, values)
            fields = {**self._defaults, **values}
        else:
            fields = self._differing(known, values)
        self._remember(line, sku, codes)
        change = Change(key=sku, fields=fields) if fields and not errors else None
        return RowResult(line, known is None, change, errors, self._warnings(line, codes))

    def _sku_for(self, codes: Sequence[str]) -> str:
        """A product without a sku of its own is named by its first barcode, or by whoever holds one already."""
        owners = (owner for code in codes if (owner := self._shelf.owner(code)) is not None)
        return next(owners, codes[0] if codes else "")

    def _differing(self, known: Fields, values: dict[str, Value]) -> dict[str, Value]:
        """Keep the fields that say something new; a single barcode column adds, a barcodes column replaces."""
        held, codes = known.get("barcodes"), values.get("barcodes")
        if self._adds_barcode and isinstance(held, list) and isinstance(codes, list):
            values["barcodes"] = held + [code for code in codes if code not in held]
        code = known.get("tax_code")
        if "tax_percent" in (column.means for column in self._columns) and isinstance(code, str):
            rates = self._reading.tax_rates_ppm
            if code in rates and rates[code] == rates.get(str(values.get("tax_code"))):
                values.pop("tax_code", None)  # the same rate under its own name, e.g. exempt instead of zero
        return {name: value for name, value in values.items() if known.get(name) != value}

    def _conflicts(self, line: int, sku: str, codes: Sequence[str]) -> list[Finding]:
        """Two products can't share a sku or a barcode, neither in the file nor with the shop."""
        found = []
        if sku in self._skus:
            found.append(self._find(line, "sku", sku, f"the same product as in line {self._skus[sku]}"))
        for code in codes:
            owner = self._shelf.owner(code)
            if owner is not None and owner != sku:
                found.append(self._find(line, "barcodes", code, f"this barcode belongs to product {owner}"))
            elif (before := self._barcodes.get(canonical(code))) and sku not in self._skus:
                found.append(self._find(line, "barcodes", code, f"the same barcode as in line {before}"))
        return found

    def _missing(self, line: int, sku: str, values: Fields) -> list[Finding]:
        found = []
        if not sku:
            found.append(
                self._find(line, "sku" if "sku" in self._titles else "barcodes", "", "sku and barcode missing")
            )
        if not values.get("name"):
            found.append(self._find(line, "name", "", "a new product needs a name"))
        if "price_minor" not in values:
            found.append(self._find(line, "price_minor", "", "a new product needs a price"))
        return found

    def _remember(self, line: int, sku: str, codes: Sequence[str]) -> None:
        self._skus.setdefault(sku, line)
        for code in codes:
            self._barcodes.setdefault(canonical(code), line)

    def _warnings(self, line: int, codes: Sequence[str]) -> list[Finding]:
        return [
            self._find(line, "barcodes", code, "the check digit is wrong; kept as the shop's own code")
            for code in codes
            if _digit_is_wrong(code)
        ]

    def _find(self, line: int, name: str, value: str, message: str) -> Finding:
        return Finding(line=line, column=self._titles.get(name, name), value=value[:60], message=message)


def _digit_is_wrong(code: str) -> bool:
    """Say whether a code looks like a GTIN that a scanner would refuse."""
    return len(code) in {8, 12, 13, 14} and is_digits(code) and not valid_gtin(code)
