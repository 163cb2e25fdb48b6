"""Checkout-Dialog 06, which Bizerba, Mettler-Toledo, Ohaus and Dibal scales speak: the till sends a price, then asks.

The till sends record 01 with the price for a kilogram, the scale shows it and answers ACK; EOT ENQ then asks for the
result, record 02. NAK means "not now": record 08 asks why, record 09 says it. A scale that is set to demand checksums
of the till's program (record 11) is not answered: they are made with a secret that its maker gives to certified tills.
Sources: Ohaus's service manual of Aviator 7000, sections 6.1.3.2 to 6.1.3.4; Cely's manual of PI100, section 7.5.
"""

from __future__ import annotations

import re
from typing import Final

from tillmesh.till.scales.reading import NOTHING, Heard, Reading, grams_of, still

_STX, _ETX, _EOT, _ENQ, _ACK, _NAK, _ESC = 0x02, 0x03, 0x04, 0x05, 0x06, 0x15, 0x1B
_FRAME_MAX: Final = 64  # a result has 29 bytes
_PRICE_MAX: Final = 999_999
_RESULT: Final = re.compile(rb"02\x1b(.)\x1b([0-9]{5})\x1b[0-9]{5,6}\x1b[0-9]{6}")
_KILOGRAMS: Final = b"3"
_ASK_RESULT: Final = bytes([_EOT, _ENQ])
_ASK_STATUS: Final = bytes([_EOT, _STX]) + b"08" + bytes([_ETX])
_PATIENCE: Final = 5  # so many questions are held back for an answer that is on its way

# What record 09 says: nothing that hinders, or why there is no weight.
_WHY: Final = {
    b"20": Reading("moving"), b"22": Reading("moving"), b"30": Reading("stable", 0), b"31": Reading("below"),
    b"32": Reading("over"), b"10": Reading("refused"), b"11": Reading("refused"), b"12": Reading("refused"),
}  # fmt: skip
_NOT_LIFTED: Final = b"21"


class Dialog06:
    """One weighing after the other.

    Invariant: ``_stage`` is what is waited for: ``ack`` of a price, ``result``, ``why`` there is none; or nothing:
    ``idle`` (begin with the price), ``again`` (ask for the result once more), ``done`` (the goods still lie there).
    """

    speed = "9600 7O1"

    def __init__(self) -> None:
        self._held = bytearray()
        self._stage = "idle"
        self._price: int | None = None
        self._waited = 0

    def ask(self, price_minor: int | None) -> bytes:
        """Ask for the weight of something with this price, or just whether the scale is there."""
        if price_minor != self._price:
            self._price, self._stage = price_minor, "idle"
        if price_minor is None or self._stage == "done":
            return _ASK_STATUS
        if self._stage in {"ack", "result", "why"} and self._waited < _PATIENCE:
            self._waited += 1
            return b""
        self._waited = 0
        if self._stage == "again":
            self._stage = "result"
            return _ASK_RESULT
        self._stage = "ack"
        return bytes([_EOT, _STX]) + b"01\x1b%06d\x1b" % min(max(price_minor, 1), _PRICE_MAX) + bytes([_ETX])

    def hear(self, data: bytes) -> Heard:
        """Take bytes in; what stands outside of a record, and is neither ACK nor NAK, is noise."""
        found, answer = NOTHING, b""
        for byte in bytes(byte & 0x7F for byte in data):
            heard = self._byte(byte)
            if heard is not None:
                found, answer = Heard(heard.reading or found.reading, b"", alive=True), heard.answer or answer
        return Heard(found.reading, answer, found.alive)

    def _byte(self, byte: int) -> Heard | None:
        if byte == _STX:
            self._held = bytearray([byte])
        elif self._held and byte in {_ETX, _EOT}:
            frame, self._held = bytes(self._held[1:]), bytearray()
            return self._record(frame)
        elif self._held:
            self._held.append(byte)
            if len(self._held) > _FRAME_MAX:
                self._held.clear()
        elif byte == _ACK and self._stage == "ack":
            self._stage, self._waited = "result", 0
            return Heard(None, _ASK_RESULT, alive=True)
        elif byte == _NAK and self._stage in {"ack", "result"}:
            self._stage, self._waited = "why", 0
            return Heard(None, _ASK_STATUS, alive=True)
        return None

    def _record(self, frame: bytes) -> Heard | None:
        if (match := _RESULT.fullmatch(frame)) is not None:
            self._stage = "done"
            grams = grams_of(match[2].decode("ascii"), "g")
            reading = still(grams or 0) if match[1] == _KILOGRAMS else Reading("pounds")
            return Heard(reading, alive=True)
        if frame[:2] == b"11":
            self._stage = "idle"
            return Heard(Reading("refused"), alive=True)
        if frame[:3] == b"09\x1b" and len(frame) == 5:
            return self._why(frame[3:])
        return None

    def _why(self, code: bytes) -> Heard:
        """Hear why there is no weight; after a weighing, whether its goods still lie there."""
        if code == _NOT_LIFTED and self._stage != "done":
            self._stage = "idle"
            return Heard(Reading("wait" if self._price is None else "again"), alive=True)
        if self._stage == "done" and code not in _WHY:
            return Heard(alive=True)
        self._stage = "again" if code in {b"20", b"22"} and self._stage == "why" else "idle"
        return Heard(_WHY.get(code, Reading("wait")), alive=True)
