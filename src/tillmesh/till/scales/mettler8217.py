"""Mettler-Toledo 8217, which most scales under a scanner speak too: the till asks, the scale answers.

``W`` is answered with STX, the weight and CR, or while there is none with STX, ``?``, a status byte and CR. Sources:
the Mettler-Toledo part of the service manual of PSC's Magellan 8500, sections 6.1.3.2 and 6.1.4.3; Rice Lake's
BenchPro.
"""

from __future__ import annotations

import re
from typing import Final

from tillmesh.till.scales.reading import NOTHING, Heard, Reading, grams_of, still

_STX, _CR = 0x02, 0x0D
_FRAME_MAX: Final = 16  # a weight has 9 bytes
_WEIGHT: Final = re.compile(r"([0-9]{1,3}\.[0-9]{2,3})N?")
_MOVING, _OVER, _BELOW, _UNSET, _AT_ZERO = 1, 2, 4, 8, 16


class Mettler8217:
    """Kilograms have three decimals, pounds two: that is how this protocol tells them apart."""

    speed = "9600 7E1"

    def __init__(self) -> None:
        self._held = bytearray()

    def ask(self, price_minor: int | None) -> bytes:  # noqa: ARG002 - this scale knows of no prices
        """Ask for the weight."""
        return b"W"

    def hear(self, data: bytes) -> Heard:
        """Take bytes in; what stands outside of STX and CR is noise."""
        found: Heard = NOTHING
        for byte in bytes(byte & 0x7F for byte in data):  # without the parity, where the line keeps it
            if byte == _STX:
                self._held = bytearray([byte])
            elif self._held and byte == _CR:
                found = _read(bytes(self._held[1:])) or found
                self._held.clear()
            elif self._held:
                self._held.append(byte)
                if len(self._held) > _FRAME_MAX:
                    self._held.clear()
        return found


def _read(frame: bytes) -> Heard | None:
    if len(frame) == 2 and frame[:1] == b"?":
        return Heard(_of_status(frame[1]), alive=True)
    match = _WEIGHT.fullmatch(frame.decode("ascii"))
    if match is None:
        return None
    if len(match[1].partition(".")[2]) == 2:
        return Heard(Reading("pounds"), alive=True)
    grams = grams_of(match[1], "kg")
    return None if grams is None else Heard(still(grams), alive=True)


def _of_status(bits: int) -> Reading:
    if bits & _OVER:
        return Reading("over")
    if bits & _MOVING:
        return Reading("moving")
    if bits & _BELOW:
        return Reading("below")
    if bits & _AT_ZERO:
        return Reading("stable", 0)
    return Reading("unset" if bits & _UNSET else "moving")
