"""Which column of a file means which field of a product, and how its cells are read and written.

Invariant: an empty cell says nothing: a known product keeps its value, a new one gets the default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import BARCODES_PER_PRODUCT_MAX, KEY_CHARS_MAX, NAME_CHARS_MAX
from tillmesh.kernel.money import check_amount, format_decimal, parse_decimal
from tillmesh.kernel.quantity import parse_quantity
from tillmesh.shop.cardnumbers import refuse_card_number
from tillmesh.shop.catalogue import UNITS
from tillmesh.shop.events import Value

_UNIT_WORDS: Final = {**{unit: unit for unit in UNITS}, **dict.fromkeys(("each", "ea", "pc", "pcs", "pieces"), "piece")}
_TRUTH: Final = {
    **dict.fromkeys(("1", "yes", "y", "true", "x"), True),
    **dict.fromkeys(("0", "no", "n", "false"), False),
}

# What a column may be called, in our words; the key is what --map takes.
TITLES: Final[dict[str, tuple[str, ...]]] = {
    "sku": ("sku", "code", "item", "product_code"),
    "barcodes": ("barcodes", "gtins"),
    "barcode": ("barcode", "gtin", "ean", "ean13", "upc"),
    "name": ("name", "title", "product", "product_name"),
    "department": ("department", "category"),
    "price": ("price", "unit_price"),
    "price_minor": ("price_minor", "price_minor_illustrative"),
    "cost": ("cost", "unit_cost"),
    "cost_minor": ("cost_minor",),
    "unit": ("unit",),
    "tax_code": ("tax_code",),
    "tax_percent": ("tax_percent", "vat_percent", "vat_rate_percent", "vat_rate_percent_illustrative"),
    "active": ("active",),
    "track_stock": ("track_stock",),
    "low_stock": ("low_stock",),
    "favourite": ("favourite", "favorite"),
}
_FIELDS: Final = {
    "barcode": "barcodes", "price": "price_minor", "cost": "cost_minor", "tax_percent": "tax_code",
    "low_stock": "low_stock_milli",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file: which columns, which separator, what the store's money and taxes look like.

    ``decimals`` belong to the store's currency; ``defaults`` fill what a new product's row leaves out, before the
    built-in ones do: a piece, active, taxed by the store's first code.
    """

    tax_rates_ppm: Mapping[str, int]
    defaults: Mapping[str, Value] = field(default_factory=dict)
    mapping: Mapping[str, str] = field(default_factory=dict)  # what TITLES knows -> the file's title
    separator: str = ""  # found from the first line when empty
    decimals: int = 2


class Column(NamedTuple):
    """One column in use: where it stands, what it is called and how a cell becomes a value."""

    place: int
    title: str
    field: str  # of the product register
    means: str  # a key of TITLES
    read: Callable[[str], Value]


def parse_mapping(options: Sequence[str]) -> dict[str, str]:
    """Read ``name=Title`` options; raises :class:`Invalid` for a name we don't know."""
    mapping = {}
    for option in options:
        means, equals, title = option.partition("=")
        if not equals or means not in TITLES or not title.strip():
            raise Invalid(
                f"{option[:60]!r} maps no column", hint=f"Write FIELD=COLUMN; fields are {', '.join(TITLES)}."
            )
        mapping[means] = title.strip()
    return mapping


def find_columns(header: Sequence[str], reading: Reading) -> tuple[list[Column], list[str]]:
    """Give the columns in use and the titles that are ignored; raises :class:`Invalid` when nothing fits."""
    places = {_plain(title): index for index, title in reversed(list(enumerate(header)))}
    found: dict[str, int] = {}
    for means, title in reading.mapping.items():
        if _plain(title) not in places:
            raise Invalid(f"the file has no column {title[:60]!r}", hint=f"Its columns are {', '.join(header)[:300]}.")
        found[means] = places[_plain(title)]
    for means, titles in TITLES.items():
        free = (places[title] for title in titles if title in places and places[title] not in found.values())
        if means not in found and (index := next(free, None)) is not None:
            found[means] = index
    if not found.keys() & {"sku", "barcode", "barcodes"}:
        raise Invalid(
            f"no column of the first line is a sku or barcode: {', '.join(header)[:120]!r}",
            hint="The first line must name the columns; --map sku=TITLE or --map barcode=TITLE says which one it is.",
        )
    _refuse_rivals(found, header)
    columns = [
        Column(index, header[index], _FIELDS.get(means, means), means, _reader(means, reading))
        for means, index in sorted(found.items(), key=lambda item: item[1])
    ]
    return columns, [title for index, title in enumerate(header) if index not in found.values() and title]


def _refuse_rivals(found: Mapping[str, int], header: Sequence[str]) -> None:
    """Two columns for one field would leave it to chance which of them wins."""
    for one, other in (("price", "price_minor"), ("cost", "cost_minor"), ("tax_code", "tax_percent"),
                       ("barcode", "barcodes")):  # fmt: skip
        if one in found and other in found:
            raise Invalid(
                f"columns {header[found[one]]!r} and {header[found[other]]!r} both say the same thing",
                hint="Remove one of them from the file.",
            )


def _plain(title: str) -> str:
    return "_".join(title.lower().replace("-", " ").replace("_", " ").split())


def _reader(means: str, reading: Reading) -> Callable[[str], Value]:
    readers: dict[str, Callable[[str], Value]] = {
        "sku": read_key,
        "barcode": _barcodes,
        "barcodes": _barcodes,
        "price": lambda cell: _decimal_amount(cell, reading.decimals, means),
        "price_minor": lambda cell: _decimal_amount(cell, 0, means),
        "cost": lambda cell: _decimal_amount(cell, reading.decimals, means),
        "cost_minor": lambda cell: _decimal_amount(cell, 0, means),
        "tax_percent": _by_rate(reading.tax_rates_ppm),
        "tax_code": lambda cell: _one_of(cell, reading.tax_rates_ppm, "tax code"),
        "unit": lambda cell: _UNIT_WORDS.get(cell.lower()) or _one_of(cell, UNITS, "unit"),
        "active": _truth,
        "track_stock": _truth,
        "favourite": _truth,
        "low_stock": lambda cell: parse_quantity(cell, "low stock", least=0),
    }
    return readers.get(means, lambda cell: read_text(cell, means))


def read_key(cell: str) -> str:
    """Read a sku or a barcode: printable, no spaces, at most KEY_CHARS_MAX characters."""
    if len(cell) > KEY_CHARS_MAX or not cell.isprintable() or " " in cell:
        raise Invalid(f"must have at most {KEY_CHARS_MAX} printable characters and no spaces")
    return cell


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FORMULA: Final = re.compile(r"'*[=+\-@]")


def read_text(cell: str, what: str) -> str:
    """Read a name: runs of white space and control characters become one space."""
    text = " ".join(_CONTROL.sub(" ", cell).split())
    if text.startswith("'") and _FORMULA.match(text):
        text = text[1:]
    if len(text) > NAME_CHARS_MAX:
        raise Invalid(f"{what} has {len(text)} characters; at most {NAME_CHARS_MAX} are allowed")
    return refuse_card_number(text, what)


def write_text(text: str) -> str:
    """Write a name so that no spreadsheet takes it for a formula; :func:`read_text` undoes it.

    Source: OWASP, "CSV Injection".
    """
    return "'" + text if _FORMULA.match(text) else text


def _barcodes(cell: str) -> list[str]:
    codes = list(dict.fromkeys(read_key(code) for code in re.split(r"[\s,;|]+", cell) if code))
    if len(codes) > BARCODES_PER_PRODUCT_MAX:
        raise Invalid(f"{len(codes)} barcodes; at most {BARCODES_PER_PRODUCT_MAX} are allowed")
    return codes


_DECIMAL_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]{1,2}")


def _decimal_amount(cell: str, decimals: int, what: str) -> int:
    text = cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell
    return check_amount(parse_decimal(text, decimals, what), what)


def _by_rate(rates_ppm: Mapping[str, int]) -> Callable[[str], Value]:
    """Find a tax code by its rate; of two codes with one rate the store's first is taken."""
    codes = {rate: code for code, rate in reversed(list(rates_ppm.items()))}
    allowed = ", ".join(format_decimal(rate, 4).rstrip("0").rstrip(".") for rate in sorted(codes))

    def read(cell: str) -> Value:
        rate = parse_decimal(cell.removesuffix("%").replace(",", "."), 4, "tax rate")
        if rate not in codes:
            raise Invalid(f"the store has no tax rate of {cell[:20]} %; it has {allowed}")
        return codes[rate]

    return read


def _one_of(cell: str, allowed: Mapping[str, int] | Sequence[str], what: str) -> str:
    if cell not in allowed:
        raise Invalid(f"{cell[:40]!r} is no {what}; allowed are {', '.join(allowed)}")
    return cell


def _truth(cell: str) -> bool:
    if cell.lower() not in _TRUTH:
        raise Invalid(f"{cell[:40]!r} is neither yes nor no")
    return _TRUTH[cell.lower()]
