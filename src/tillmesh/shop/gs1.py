"""GS1 element strings (GS1-128, DataBar, Data Matrix, QR): application identifiers and their values.

Only what a till needs is interpreted; the rest is stepped over by its length.
Source: GS1 General Specifications, sections 3.2 (identifiers) and 7.8.5 (predefined lengths).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tillmesh.kernel.money import divide, exponent
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.gtin import is_digits, valid_gtin

FNC1: Final = "\x1d"  # what a scanner sends between elements
# Length with the identifier, by its first two digits; all others end at FNC1 or at the end.
_PREDEFINED: Final = {
    "00": 20, "01": 16, "02": 16, "03": 16, "04": 18,
    **dict.fromkeys(("11", "12", "13", "14", "15", "16", "17", "18", "19"), 8),
    "20": 4, **dict.fromkeys(("31", "32", "33", "34", "35", "36"), 10), "41": 16,
}  # fmt: skip
_FOUR_DIGITS: Final = frozenset({"31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"})
_THREE_DIGITS: Final = frozenset({"23", "24", "25", "40", "41", "42", "71"})
_BRACKETED: Final = re.compile(r"\(([0-9]{2,4})\)([^()]*)")
_MEASURES: Final = frozenset({"310", "311", "315"})  # kilograms, metres, litres


@dataclass(frozen=True, slots=True)
class Elements:
    """What an element string says about one article; empty or None where it says nothing."""

    gtin: str
    quantity_milli: int | None = None
    line_total_minor: int | None = None
    lot: str = ""
    serial: str = ""
    expires: str = ""  # YYMMDD, DD 00 means the last day of the month


def split(text: str) -> dict[str, str] | None:
    """Split an element string into identifiers and values, or give None if it is none; ``(01)..`` is read too."""
    if text.startswith("("):
        found = dict(_BRACKETED.findall(text))
        return found if found and "".join(f"({ai}){value}" for ai, value in found.items()) == text else None
    found = {}
    rest = text.lstrip(FNC1)
    while rest:
        start = rest[:2]
        if not is_digits(start) or len(start) < 2:
            return None
        end = _PREDEFINED.get(start) or (rest + FNC1).index(FNC1)
        element, rest = rest[:end], rest[end:].removeprefix(FNC1)
        width = 4 if start in _FOUR_DIGITS else 3 if start in _THREE_DIGITS else 2
        identifier, value = element[:width], element[width:]
        if not is_digits(identifier) or not value or (start in _PREDEFINED and len(element) != end):
            return None
        found[identifier] = value
    return found


def read_elements(text: str, currency: str = "EUR") -> Elements | None:
    """Interpret an element string that names an article, or give None."""
    found = split(text)
    if found is None:
        return None
    gtin = found.get("01") or found.get("02") or ""
    if not valid_gtin(gtin):
        return None
    try:
        quantity, total = _quantity(found), _total(found, currency)
    except ValueError:  # letters where the standard has digits
        return None
    return Elements(gtin, quantity, total, found.get("10", ""), found.get("21", ""), found.get("17", ""))


def _quantity(found: dict[str, str]) -> int | None:
    """Give the measure in thousandths, or the count of pieces."""
    for identifier, value in found.items():
        if identifier[:3] in _MEASURES and len(identifier) == 4:
            return divide(_number(value) * ONE, 10 ** int(identifier[3]))
    count = found.get("30") or found.get("37")
    return _number(count) * ONE if count else None


def _total(found: dict[str, str], currency: str) -> int | None:
    """Give the price of the article in minor units; 392n has n decimals."""
    for identifier, value in found.items():
        if identifier[:3] == "392":
            return divide(_number(value) * 10 ** exponent(currency), 10 ** int(identifier[3]))
    return None


def _number(value: str) -> int:
    if not is_digits(value):
        raise ValueError(value)
    return int(value)
