"""A python-escpos printer that only collects bytes, with the few words our receipts need. Import it lazily."""

from __future__ import annotations

import unicodedata
from typing import Any, Final

from escpos.constants import QR_ECLEVEL_M
from escpos.printer import Dummy

from tillmesh.adapters.devices.code128 import BAR_DOTS, commands
from tillmesh.shop.receipt import Strip

CODE_PAGE: Final = "CP858"  # Western European with the euro; other pages are switched to where a character needs one
BAR_HEIGHT_DOTS: Final = 72  # 9 mm at 203 dots per inch
QR_DOTS: Final = 4  # per module: 0.5 mm at 203 dots per inch


class Tape(Dummy):  # type: ignore[misc] # python-escpos has no types
    """Bytes for a printer. Invariant: ``_style`` is how the printer is set, so only changes are sent."""

    def __init__(self) -> None:
        """Start with nothing written."""
        super().__init__()
        self._style = Strip("")

    def begin(self) -> None:
        """Reset the printer, whatever the last program left it in, and choose the code page."""
        self.hw("INIT")
        self.magic.write_with_encoding(CODE_PAGE, None)

    def style(self, strip: Strip) -> None:
        """Set size and weight as a strip wants them; setting the size (ESC !) also forgets the weight."""
        if strip.scale != self._style.scale:
            self.set(normal_textsize=True, double_width=strip.scale == "double", double_height=strip.scale != "normal")
            self.set(bold=strip.strong)
        elif strip.strong != self._style.strong:
            self.set(bold=strip.strong)
        self._style = strip

    def line(self, strip: Strip) -> None:
        """Print one line, beginning in our own code page: a printer without another one spoils one line at most."""
        self.style(strip)
        self.magic.write_with_encoding(CODE_PAGE, None)
        self.text(printable(strip.text.rstrip(), self.magic.encoder) + "\n")

    def square(self, content: str) -> None:
        """Let the printer draw a QR code in the middle."""
        self.style(Strip(""))
        self.set(align="center")
        self.qr(content, native=True, size=QR_DOTS, ec=QR_ECLEVEL_M)
        self.set(align="left")

    def bars(self, content: str) -> None:
        """Let the printer draw a Code 128 in the middle, its text below."""
        self.style(Strip(""))
        # Not barcode(): that prints to the standard output which renderer it has chosen.
        self._hw_barcode(commands(content), "CODE128", BAR_HEIGHT_DOTS, BAR_DOTS, function_type="B")
        self.set(align="left")


def printable(text: str, encoder: Any) -> str:
    """Replace what no code page has: by its plain letter where there is one, else by question marks as wide as it."""
    return "".join(char if char.isascii() else _printable(char, encoder) for char in text)


def _printable(char: str, encoder: Any) -> str:
    # Chinese is left out on purpose: the library would send it in an encoding that only Chinese printers read.
    if not "\u4e00" <= char <= "\u9fa5" and any(encoder.can_encode(page, char) for page in encoder.codepages):
        return char
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    wide = unicodedata.east_asian_width(char) in {"W", "F"}
    return (plain[:1] or ("" if unicodedata.combining(char) else "?")).ljust(2 if wide else 0, "?")
