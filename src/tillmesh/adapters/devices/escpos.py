"""Receipts as ESC/POS, the language nearly every receipt printer speaks; one encoder for every way to reach one.

python-escpos knows the commands and the code pages. It is loaded with the first receipt: that takes half a second.
Sources: Epson's ESC/POS command reference (ESC t, ESC E, GS !, GS k, GS ( k, GS V, ESC p).
"""

from __future__ import annotations

from typing import Any, Final

from tillmesh.adapters.devices.code128 import BAR_DOTS, modules_of
from tillmesh.adapters.devices.loading import load_escpos
from tillmesh.shop.receipt import COLUMNS, Barcode, Qr, Receipt, Strip, Symbol, render_text, strips
from tillmesh.till.printing import Printout

DOTS_PER_COLUMN: Final = 12  # font A


class EscPosEncoder:
    """Encodes for paper of some columns; ``drawer_pin`` is 2 or 5, as the drawer's cable is wired."""

    def __init__(self, columns: int = 42, *, drawer_pin: int = 2) -> None:
        """Take a paper width; one that no printer has becomes the next narrower one."""
        self.columns = max([each for each in COLUMNS if each <= columns] or [COLUMNS[0]])
        self._drawer_pin = drawer_pin

    def encode(self, receipt: Receipt, name: str) -> Printout:
        """Write a receipt as bytes, cut included."""
        tape = _tape()
        tape.begin()
        for strip in strips(receipt, self.columns, scaled=True):
            if isinstance(strip, Symbol):
                _draw(tape, strip.part, self.columns)
            else:
                tape.line(strip)
        tape.style(Strip(""))
        tape.cut(mode="PART")
        return Printout(tape.output, render_text(receipt, self.columns), name)

    def kick(self, name: str) -> Printout:
        """Write the pulse that opens the cash drawer."""
        tape = _tape()
        tape.cashdraw(self._drawer_pin)
        return Printout(tape.output, "[ the cash drawer opens ]\n", name)


def _draw(tape: Any, part: Qr | Barcode, columns: int) -> None:
    """Let the printer draw a code; a barcode that is wider than the paper is left to the QR code above it."""
    if isinstance(part, Qr):
        tape.square(part.content)
        return
    modules = modules_of(part.content)
    if modules and modules * BAR_DOTS <= columns * DOTS_PER_COLUMN:
        tape.bars(part.content)


def _tape() -> Any:
    load_escpos()
    from tillmesh.adapters.devices.tape import Tape

    return Tape()
