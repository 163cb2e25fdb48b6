"""In-store EAN-13 codes (prefix 20 to 29) that carry a weight, a count or a price; the layout is the shop's choice.

A layout is 13 characters, one per digit, with an optional number of decimals behind a slash:
digits are the prefix, ``I`` the item, ``W`` a weight or length, ``Q`` a count of pieces, ``P`` a price, ``V`` the
verifier of the value, ``C`` the check digit. ``21IIIIIWWWWWC`` is a weight in thousandths (grams of a kilo),
``23IIIIIPPPPPC/2`` a price in hundredths; a price without decimals is in minor units of the store's currency.
Source: GS1 General Specifications, section 2.1.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.money import exponent
from tillmesh.kernel.quantity import ONE
from tillmesh.shop.gtin import check_digit, price_check_digit, valid_gtin

# Weight under 21 and price under 23: the nomenclature that Odoo ships, so that scales set up for it fit.
BUILT_IN: Final = ("21IIIIIWWWWWC", "23IIIIIPPPPPC")
LAYOUTS_MAX: Final = 20  # Guess: twice the number of prefixes.
_PATTERN: Final = re.compile(r"(2[0-9]?)(I+)(?:(V?)(W+|P+|Q+)|(W+|P+|Q+)(V))C(?:/([0-9]))?")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of an in-store code stand, as slices; ``scale`` makes thousandths or minor units of the value."""

    prefix: str
    item: slice
    value: slice
    verifier: int | None
    carries: str  # W | Q | P
    scale: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """What an in-store code says: which codes the product may be filed under, and how much of it."""

    codes: tuple[str, ...]
    quantity_milli: int | None
    line_total_minor: int | None


@cache
def parse_layout(text: str, currency: str = "EUR") -> Layout:
    """Read a layout, or raise :class:`Invalid` saying what a layout looks like."""
    match = _PATTERN.fullmatch(text)
    if match is None or len(text.partition("/")[0]) != 13:
        raise Invalid(
            f"barcode layout {text[:40]!r} can't be used",
            hint="13 characters: prefix 20-29, I item, W weight or P price or Q count, V verifier, C check digit.",
        )
    value = 4 if match[4] else 5
    start, end = match.span(value)
    verifier = match.start(3) if match[3] else match.start(6) if match[6] else None
    if verifier is not None and end - start not in {4, 5}:
        raise Invalid(f"barcode layout {text[:40]!r} verifies {end - start} digits", hint="Only 4 or 5 digits can be.")
    carries = match[value][0]
    return Layout(
        match[1], slice(*match.span(2)), slice(start, end), verifier, carries, _scale(carries, match[7], currency)
    )


def _scale(carries: str, decimals: str | None, currency: str) -> int:
    """Say what one unit of the value is in thousandths or minor units."""
    own = exponent(currency) if carries == "P" else 3
    given = int(decimals) if decimals is not None else 0 if carries == "Q" else own
    if given > own:
        raise Invalid(f"a barcode layout with {given} decimals", hint=f"At most {own} can be charged exactly.")
    return int(10 ** (own - given))


def read_embedded(code: str, layouts: Iterable[str], currency: str = "EUR") -> Embedded | None:
    """Read an in-store code by the first layout that fits, or give None."""
    if len(code) != 13 or code[0] != "2" or not valid_gtin(code):
        return None
    for text in tuple(layouts) or BUILT_IN:
        layout = parse_layout(text, currency)
        value = code[layout.value]
        if not code.startswith(layout.prefix):
            continue
        if layout.verifier is None or price_check_digit(value) == code[layout.verifier]:
            amount = int(value) * layout.scale
            is_price = layout.carries == "P"
            return Embedded(_filed_under(code, layout), None if is_price else amount, amount if is_price else None)
    return None


def _filed_under(code: str, layout: Layout) -> tuple[str, ...]:
    """List what the product may be known as: the code with a value of zero, prefix and item, item, bare item."""
    digits = list(code[:12])
    for place in range(layout.value.start, layout.value.stop):
        digits[place] = "0"
    if layout.verifier is not None:
        digits[layout.verifier] = "0"
    zero = "".join(digits)
    item = code[layout.item]
    codes = (zero + check_digit(zero), code[: layout.item.stop], item, item.lstrip("0"))
    return tuple(dict.fromkeys(each for each in codes if each))


def implied_quantity_milli(line_total_minor: int, unit_price_minor: int) -> int:
    """Say how much was weighed when the label carries only the price: the nearest thousandth, at least one."""
    if unit_price_minor <= 0:
        return ONE
    return max(1, (2 * line_total_minor * ONE + unit_price_minor) // (2 * unit_price_minor))
