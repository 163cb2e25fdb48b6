r"""Scales that send a line of text many times a second: A&D, CAS and what is compatible, such as ``ST,GS,+ 0.345kg``.

A line is a header (ST stands still, US does not, OL too much), perhaps GS or NT for gross or net, perhaps the number of
the scale and its lamps, then sign, number and unit, ended by CR LF. Sources: A&D's manuals of EK-L ("9-2. Data format")
and AD-4404 (9.2.6), CAS's of CI-600D ("CAS 22 Bytes Format", "AND 18 bytes").
"""

from __future__ import annotations

import re
from typing import Final

from tillmesh.till.scales.reading import NOTHING, Heard, Reading, grams_of, still

_LINE_MAX: Final = 64  # the longest of the formats has 22 bytes
_LINE: Final = re.compile(
    r"(?P<header>ST|US|OL|LO)(?:,(?:GS|NT|GR))?(?:,[^,]{2})?,(?P<number>[ +-]*[0-9][0-9. ]*)(?P<unit>[a-zA-Z]{1,2})\s*"
)
_OVER: Final = re.compile(r"(?:OL|LO),.*")


class Lines:
    """Nothing is asked: the newest line counts."""

    speed = "9600 8N1"

    def __init__(self) -> None:
        self._held = bytearray()

    def ask(self, price_minor: int | None) -> bytes:  # noqa: ARG002 - it speaks by itself
        """Ask nothing."""
        return b""

    def hear(self, data: bytes) -> Heard:
        """Take bytes in; a line that is no reading is noise."""
        found: Heard = NOTHING
        for byte in data:
            if byte in b"\r\n":
                found = _read(self._held.decode("latin-1")) or found
                self._held.clear()
            else:
                self._held.append(byte)
                if len(self._held) > _LINE_MAX:
                    del self._held[:-_LINE_MAX]
        return found


def _read(line: str) -> Heard | None:
    line = line.strip("\x02\x03 ")
    if _OVER.fullmatch(line):
        return Heard(Reading("below" if "-" in line else "over"), alive=True)
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    if match["unit"].lower() not in {"kg", "g", "t"}:
        return Heard(Reading("pounds"), alive=True)
    grams = grams_of(match["number"], match["unit"].lower())
    if grams is None:
        return None
    return Heard(still(grams) if match["header"] == "ST" else Reading("moving", max(0, grams)), alive=True)
