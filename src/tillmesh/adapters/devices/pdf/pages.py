"""PDF files of text and filled boxes, which is all that labels and tables need. Source: ISO 32000-1 (PDF 1.4).

Text is set in Helvetica, which every reader has; its letters are those of Windows-1252, so Western European names and
the euro sign are written, and a question mark stands for any other letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MM: Final = 72 / 25.4  # points
# Widths of Helvetica in thousandths of its size, from a space to a tilde; Adobe's font metrics.
_WIDTHS: Final = tuple(
    int(width)
    for width in (
        "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 "
        "278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 "
        "667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 "
        "556 333 500 278 556 500 722 500 500 500 334 260 334 584"
    ).split()
)
_OTHER: Final = 556  # of letters with accents, near enough
_BOLD: Final = 1.07  # bold letters are wider; near enough to shorten by


def width_mm(text: str, size_pt: float, *, bold: bool = False) -> float:
    """Give the width of a text."""
    units = sum(_WIDTHS[ord(char) - 32] if " " <= char <= "~" else _OTHER for char in text)
    return units * size_pt / 1000 / MM * (_BOLD if bold else 1)


def shortened(text: str, size_pt: float, most_mm: float, *, bold: bool = False) -> str:
    """Give a text that fits, with dots where it was cut."""
    if width_mm(text, size_pt, bold=bold) <= most_mm:
        return text
    while text and width_mm(f"{text}...", size_pt, bold=bold) > most_mm:
        text = text[:-1]
    return f"{text.rstrip()}..." if text else ""


class Page:
    """One page; millimetres from the top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._drawn: list[str] = []

    def text(self, x: float, y: float, text: str, size_pt: float, *, bold: bool = False, right: bool = False) -> None:
        """Write a line of text; ``y`` is its base line, ``x`` its left end, or its right one."""
        start = x - width_mm(text, size_pt, bold=bold) if right else x
        at = f"{start * MM:.2f} {(self.height - y) * MM:.2f}"
        self._drawn.append(f"BT /F{2 if bold else 1} {size_pt:g} Tf {at} Td ({_escaped(text)}) Tj ET")

    def box(self, x: float, y: float, width: float, height: float, grey: float = 0.0) -> None:
        """Fill a box; ``x`` and ``y`` are its upper left corner, ``grey`` 0 is black."""
        corner = f"{x * MM:.3f} {(self.height - y - height) * MM:.3f}"
        self._drawn.append(f"{grey:g} g {corner} {width * MM:.3f} {height * MM:.3f} re f 0 g")

    def content(self) -> bytes:
        """Give what is drawn, in the page's own language."""
        return "\n".join(self._drawn).encode("cp1252", "replace")


def write_pdf(pages: Sequence[Page], title: str) -> bytes:
    """Write pages as a file: objects, a table of where each begins, and a trailer."""
    fonts = [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /%b /Encoding /WinAnsiEncoding >>" % name
        for name in (b"Helvetica", b"Helvetica-Bold")
    ]
    first = 6  # the number of the first page's object
    kids = b" ".join(b"%d 0 R" % (first + 2 * at) for at in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(pages)),
        *fonts,
        b"<< /Title (%b) /Producer (tillmesh) >>" % _escaped(title).encode("cp1252", "replace"),
    ]
    for at, page in enumerate(pages):
        size = f"[0 0 {page.width * MM:.2f} {page.height * MM:.2f}]".encode()
        content = page.content()
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox %b /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            b"/Contents %d 0 R >>" % (size, first + 2 * at + 1)
        )
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    body, starts = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        starts.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % start for start in starts)
    body += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\n" % (len(objects) + 1)
    body += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(body)


def _escaped(text: str) -> str:
    """Make a text safe between the brackets of a PDF string."""
    plain = "".join(char if char.isprintable() else " " for char in text.replace("\u202f", "\u00a0"))
    return plain.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
