"""Code 128: the barcode of a receipt number, as printer commands and as bars. Source: ISO/IEC 15417."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

BAR_DOTS: Final = 2  # printer dots per module: the thinnest that hand scanners read reliably; guess
QUIET_MODULES: Final = 10  # white on either side

# Widths of bar, space, bar, space, bar, space for each symbol character, 0 to 105.
_WIDTHS: Final = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 "
    "113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 "
    "212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 "
    "113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 "
    "241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 "
    "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 "
    "211232"
).split()
_STOP: Final = "2331112"
_TO_C, _TO_B, _START_B, _START_C = 99, 100, 104, 105
_CHARS_MAX: Final = 80  # far wider than any paper
_PRINTABLE: Final = re.compile(rf"[ -~]{{1,{_CHARS_MAX}}}")


def segments(content: str) -> Iterator[tuple[Literal["B", "C"], str]]:
    """Split text into code sets: C packs two digits into one symbol, which pays from four digits on."""
    for digits, other in re.findall(r"((?:[0-9]{2}){2,})(?![0-9])|([0-9]|[^0-9]+)", content):
        yield ("C", digits) if digits else ("B", other)


def values(content: str) -> list[int]:
    """Give the symbol characters from start to checksum, or none for text that Code 128 B and C can't hold."""
    if not _PRINTABLE.fullmatch(content):
        return []
    found: list[int] = []
    now = ""
    for code_set, text in segments(content):
        if code_set != now:
            first, later = (_START_B, _TO_B) if code_set == "B" else (_START_C, _TO_C)
            found.append(later if found else first)
            now = code_set
        found += _pairs(text) if code_set == "C" else [ord(char) - 32 for char in text]
    check = found[0] + sum(place * value for place, value in enumerate(found))
    return [*found, check % 103]


def _pairs(digits: str) -> list[int]:
    return [int(digits[i : i + 2]) for i in range(0, len(digits), 2)]


def runs(content: str) -> list[int]:
    """Give the widths of bars and spaces in turn, beginning and ending with a bar; none if it can't be drawn."""
    found = values(content)
    return [int(width) for width in "".join([*(_WIDTHS[value] for value in found), _STOP])] if found else []


def modules_of(content: str) -> int:
    """Count the modules of the whole code with its quiet zones, or 0 if it can't be drawn."""
    return sum(found) + 2 * QUIET_MODULES if (found := runs(content)) else 0


def commands(content: str) -> str:
    """Write text with the code set switches of ESC/POS ``GS k 73``: ``{B`` and ``{C``, a brace doubled."""
    written, now = [], ""
    for code_set, text in segments(content):
        if code_set != now:
            written.append("{" + code_set)
            now = code_set
        written.append("".join(map(chr, _pairs(text))) if code_set == "C" else _braced(text))
    packed = "".join(written)
    return "{B" + _braced(content) if _REAL_TIME.search(packed) else packed


def _braced(text: str) -> str:
    return text.replace("{", "{{")


# Digits packed as 16 04, 16 05 or 16 20 read as DLE EOT, DLE ENQ or DLE DC4, which printers obey wherever they stand:
# receipt 162001 would open the drawer.
_REAL_TIME: Final = re.compile("\x10[\x04\x05\x14]")
