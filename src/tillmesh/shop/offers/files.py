"""Promotions and prices as CSV: one row each, in the words of the API. Reading says what is wrong in which line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tillmesh.kernel.errors import Invalid, TillmeshError
from tillmesh.kernel.limits import IMPORT_FINDINGS_KEPT_MAX, IMPORT_ROWS_MAX
from tillmesh.kernel.money import format_decimal, parse_decimal
from tillmesh.shop.events import Change, Value
from tillmesh.shop.offers.fields import (
    PROMOTION_FIELDS,
    check_id,
    check_promotion,
    promotion_fields,
    show_moment,
    show_promotion,
)
from tillmesh.shop.offers.promotion import Promotion, from_fields
from tillmesh.shop.product_columns import write_text
from tillmesh.shop.product_rows import BadRow, read_table

PROMOTION_COLUMNS: Final = ("promotion_id", *PROMOTION_FIELDS)
PRICE_COLUMNS: Final = ("sku", "price_list", "from", "until", "price")
_LISTS: Final = frozenset({"skus", "departments", "codes", "groups", "weekdays"})
_FLAGS: Final = frozenset({"active", "exclusive"})
_TEXTS: Final = frozenset({"name", "kind", "percent", "start", "until", "from_time", "until_time"})
_YES: Final = frozenset({"yes", "true", "1"})
Held = Callable[[str], Mapping[str, Value]]


@dataclass
class Sheet:
    """What a file would change, and what is wrong with it. Nothing of it is written while there are errors."""

    rows: int = 0
    changes: list[Change] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)


class _Echo:
    """A file for :mod:`csv` that only remembers."""

    def __init__(self, kept: list[str]) -> None:
        self.write = kept.append


def write_promotions(promotions: Iterable[Promotion], zone_name: str) -> str:
    """Write promotions; lists are separated by ``|``."""
    out: list[str] = []
    writer = csv.writer(_Echo(out), lineterminator="\r\n")  # RFC 4180
    writer.writerow(PROMOTION_COLUMNS)
    for one in promotions:
        shown = show_promotion(one, zone_name)
        writer.writerow([_cell(shown[name]) for name in PROMOTION_COLUMNS])
    return "".join(out)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return write_text("|".join(map(str, value)))
    return write_text(value) if isinstance(value, str) else str(value)


def write_prices(prices: Iterable[Sequence[Any]], zone_name: str, decimals: int) -> str:
    """Write rows of sku, list, from_ms, until_ms, price_minor."""
    out: list[str] = []
    writer = csv.writer(_Echo(out), lineterminator="\r\n")  # RFC 4180
    writer.writerow(PRICE_COLUMNS)
    for sku, price_list, begin, end, price in prices:
        times = [show_moment(at_ms, zone_name) for at_ms in (begin, end)]
        writer.writerow([write_text(sku), price_list, *times, format_decimal(price, decimals)])
    return "".join(out)


def read_promotions(lines: Iterable[str], zone_name: str, held: Held) -> Sheet:
    """Read promotions; an empty cell says nothing, a promotion that is there is changed field by field."""

    def change(cells: Mapping[str, str]) -> Change:
        key = check_id(cells.get("promotion_id", ""), "promotion_id")
        given = {name: _value(name, text) for name, text in cells.items() if name in PROMOTION_FIELDS}
        fields, now = promotion_fields(given, zone_name), held(key)
        made = check_promotion(key, {**now, **fields})
        if now and from_fields(key, now) == made:
            fields = {}
        return Change(key=key, fields=fields)

    return _read(lines, PROMOTION_COLUMNS, change, held)


def read_prices(lines: Iterable[str], decimals: int, check: Callable[[dict[str, Any]], Change], held: Held) -> Sheet:
    """Read prices; a row without a price takes that price back."""

    def change(cells: Mapping[str, str]) -> Change:
        price = cells.get("price", "")
        given: dict[str, Any] = {name: cells.get(name, "") for name in PRICE_COLUMNS[:-1]}
        return check({**given, "price_minor": parse_decimal(price, decimals, "price") if price else None})

    return _read(lines, PRICE_COLUMNS, change, held)


def _value(name: str, text: str) -> object:
    if name in _LISTS:
        return [part.strip() for part in text.split("|") if part.strip()]
    if name in _FLAGS:
        return text.casefold() in _YES
    if name in _TEXTS:
        return text
    return parse_decimal(text, 0, name)


def _unquoted(text: str) -> str:
    """Undo what keeps a spreadsheet from taking a text for a formula."""
    return text[1:] if text.startswith("'") and write_text(text[1:]) == text else text


def _read(
    lines: Iterable[str], columns: Sequence[str], change: Callable[[Mapping[str, str]], Change], held: Held
) -> Sheet:
    table = read_table(lines)
    titles = [title.strip().casefold() for title in table.header]
    unknown = [title for title in titles if title and title not in columns]
    if columns[0] not in titles or unknown:
        what = f"the column {unknown[0][:40]!r} is not known" if unknown else f"there is no column {columns[0]}"
        raise Invalid(what, hint=f"Columns are {', '.join(columns)}.")
    sheet = Sheet()
    for row in table.rows:
        sheet.rows += 1
        if sheet.rows > IMPORT_ROWS_MAX:
            raise Invalid(f"the file has more than {IMPORT_ROWS_MAX} rows", hint="Split it.")
        if isinstance(row, BadRow):
            sheet.errors.append((row.line, row.message))
            continue
        cells = {title: _unquoted(cell.strip()) for title, cell in zip(titles, row.cells, strict=False) if cell.strip()}
        try:
            found = change(cells)
        except TillmeshError as error:
            if len(sheet.errors) < IMPORT_FINDINGS_KEPT_MAX:
                sheet.errors.append((row.line, error.detail))
            continue
        now = held(found.key)
        if any(now.get(name) != value for name, value in found.fields.items()):
            sheet.changes.append(found)
    return sheet
