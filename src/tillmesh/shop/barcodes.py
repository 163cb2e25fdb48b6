"""From what a scanner sent to what to look up: the code in all its spellings, with the quantity or price it carries.

The rule for doubt: a plain product code wins over an in-store layout, and an element string is believed only when the
scanner says so (``]C1`` and its like), it is written with brackets or separators, or it begins with a whole valid GTIN.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import KEY_CHARS_MAX
from tillmesh.shop.gs1 import FNC1, read_elements
from tillmesh.shop.gtin import same_numbers
from tillmesh.shop.instore import read_embedded

# Symbology identifiers (ISO/IEC 15424) of codes that hold element strings, as scanners can be told to send them.
_GS1_SYMBOLS: Final = ("]C1", "]e0", "]d2", "]Q3", "]J1")


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One way to understand a scan: look up the codes in order, then apply what the code carries."""

    codes: tuple[str, ...]
    quantity_milli: int | None = None
    line_total_minor: int | None = None
    lot: str = ""
    serial: str = ""
    expires: str = ""  # YYMMDD


def readings(text: str, layouts: Iterable[str] = (), currency: str = "EUR") -> tuple[Scan, ...]:
    """List the ways to understand what was scanned or typed, likeliest first; the first that finds a product counts.

    ``layouts`` are in-store patterns (see :mod:`tillmesh.shop.instore`); without any, the built-in ones apply.
    """
    code, is_gs1 = _bare(text)
    found: list[Scan] = []
    if is_gs1 or code.startswith("(") or FNC1 in code or (len(code) >= 16 and code.startswith(("01", "02"))):
        found += _element_reading(code, currency)
    if not is_gs1 or not found:
        plain = code.replace(FNC1, "")
        found.append(Scan(codes=same_numbers(plain)))
        embedded = read_embedded(plain, layouts, currency)
        if embedded is not None:
            found.append(
                Scan(
                    codes=embedded.codes,
                    quantity_milli=embedded.quantity_milli,
                    line_total_minor=embedded.line_total_minor,
                )
            )
    return tuple(found)


def scan(text: str, layouts: Iterable[str] = (), currency: str = "EUR") -> Scan:
    """Give the reading that says most, for callers without a catalogue: the in-store one if there is one."""
    found = readings(text, layouts, currency)
    return next((each for each in found if each.quantity_milli or each.line_total_minor is not None), found[0])


def _element_reading(code: str, currency: str) -> list[Scan]:
    elements = read_elements(code, currency)
    if elements is None:
        return []
    return [
        Scan(
            codes=same_numbers(elements.gtin),
            quantity_milli=elements.quantity_milli,
            line_total_minor=elements.line_total_minor,
            lot=elements.lot,
            serial=elements.serial,
            expires=elements.expires,
        )
    ]


def _bare(text: str) -> tuple[str, bool]:
    """Take the symbology identifier and white space off, and say whether it promised an element string."""
    code = text.strip(" \t\r\n")
    is_gs1 = code.startswith(_GS1_SYMBOLS)
    if code.startswith("]") and len(code) > 3:
        code = code[3:]
    if not 1 <= len(code) <= KEY_CHARS_MAX:
        raise Invalid(f"a code of {len(code)} characters; allowed are 1 to {KEY_CHARS_MAX}", hint="Scan it again.")
    return code, is_gs1
