"""A receipt as a PDF: one page as wide as paper from a roll, and as long as it has to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, assert_never

import segno

from tillmesh.adapters.devices.pdf.bars import bars
from tillmesh.adapters.devices.pdf.pages import Page, width_mm, write_pdf
from tillmesh.shop.receipt import Barcode, Qr, Receipt
from tillmesh.shop.receipt.parts import Banner, Heading, Item, Part, Row, Rule, Spacer, Table, Text

WIDTH: Final = 80.0
EDGE: Final = 5.0
INSIDE: Final = WIDTH - 2 * EDGE
SIZE, SMALL, LARGE, LEAD = 9.0, 7.5, 13.0, 1.35 * 25.4 / 72  # points; millimetres of a line per point
QR_MM: Final = 32.0
BAR_MM: Final = 12.0

_Draw = Callable[[Page, float], None]  # draws a strip whose upper edge is at y
_Strip = tuple[float, _Draw]


def receipt_pdf(receipt: Receipt) -> bytes:
    """Set a receipt."""
    strips = [strip for part in receipt.parts for strip in _strips(part)]
    page = Page(WIDTH, sum(height for height, _ in strips) + 2 * EDGE)
    y = EDGE
    for height, draw in strips:
        draw(page, y)
        y += height
    return write_pdf([page], receipt.number)


def _strips(part: Part) -> Iterator[_Strip]:
    match part:
        case Heading(text):
            yield from _words(text, LARGE, bold=True, align="centre")
        case Banner(text):
            yield from _words(text, LARGE, bold=True, align="centre")
        case Text(text, align, strong):
            yield from _words(text, SIZE, bold=strong, align=align)
        case Row(left, right, strong, large):
            yield from _row(left, right, LARGE if large else SIZE, bold=strong or large)
        case Item(name, amount, details):
            yield from _row(name, amount, SIZE, bold=True)
            for detail in details:
                yield from _row(detail.text, detail.amount, SMALL, indent=3.0)
        case Table(head, rows):
            for cells in (head, *rows):
                yield _cells(cells, bold=cells is head)
        case Rule():
            yield 2.0, lambda page, y: page.box(EDGE, y + 0.9, INSIDE, 0.2)
        case Spacer():
            yield SIZE * LEAD, _nothing
        case Qr(content, caption):
            yield QR_MM + 2, _qr(content)
            yield from _words(caption, SMALL, align="centre")
        case Barcode(content):
            yield BAR_MM + 2, _bars(content)
            yield from _words(content, SMALL, align="centre")
        case _:
            assert_never(part)


def _nothing(page: Page, y: float) -> None:
    """Draw nothing."""


def _words(text: str, size: float, *, bold: bool = False, align: str = "left") -> Iterator[_Strip]:
    for line in _wrapped(text, size, INSIDE, bold=bold):
        yield size * LEAD, _line(line, size, bold=bold, align=align)


def _line(line: str, size: float, *, bold: bool, align: str) -> _Draw:
    def draw(page: Page, y: float) -> None:
        base = y + size * LEAD * 0.78
        if align == "right":
            page.text(WIDTH - EDGE, base, line, size, bold=bold, right=True)
        else:
            gap = (INSIDE - width_mm(line, size, bold=bold)) / 2 if align == "centre" else 0.0
            page.text(EDGE + max(0.0, gap), base, line, size, bold=bold)

    return draw


def _row(left: str, right: str, size: float, *, bold: bool = False, indent: float = 0.0) -> Iterator[_Strip]:
    room = INSIDE - indent - (width_mm(right, size, bold=bold) + 2 if right else 0)
    for at, line in enumerate(_wrapped(left, size, max(room, 15.0), bold=bold)):
        yield size * LEAD, _pair(line, right if at == 0 else "", size, bold=bold, indent=indent)


def _pair(left: str, right: str, size: float, *, bold: bool, indent: float) -> _Draw:
    def draw(page: Page, y: float) -> None:
        base = y + size * LEAD * 0.78
        page.text(EDGE + indent, base, left, size, bold=bold)
        if right:
            page.text(WIDTH - EDGE, base, right, size, bold=bold, right=True)

    return draw


def _cells(cells: tuple[str, ...], *, bold: bool) -> _Strip:
    def draw(page: Page, y: float) -> None:
        base, step = y + SMALL * LEAD * 0.78, INSIDE / max(1, len(cells))
        page.text(EDGE, base, cells[0] if cells else "", SMALL, bold=bold)
        for at, cell in enumerate(cells[1:], 2):
            page.text(EDGE + step * at, base, cell, SMALL, bold=bold, right=True)

    return SMALL * LEAD, draw


def _wrapped(text: str, size: float, room: float, *, bold: bool) -> Iterator[str]:
    """Break a text into lines that fit; a word that fits nowhere is cut."""
    for paragraph in text.split("\n"):
        line = ""
        for given in paragraph.split() or [""]:
            word = given
            if line and width_mm(f"{line} {word}", size, bold=bold) <= room:
                line = f"{line} {word}"
                continue
            if line:
                yield line
            while len(word) > 1 and width_mm(word, size, bold=bold) > room:
                cut = next(
                    n for n in range(len(word) - 1, 0, -1) if n == 1 or width_mm(word[:n], size, bold=bold) <= room
                )
                yield word[:cut]
                word = word[cut:]
            line = word
        yield line


def _qr(content: str) -> _Draw:
    def draw(page: Page, y: float) -> None:
        modules = [list(row) for row in segno.make_qr(content, error="m").matrix]
        size, left = QR_MM / len(modules), (WIDTH - QR_MM) / 2
        for down, row in enumerate(modules):
            for across, dark in enumerate(row):
                if dark:
                    page.box(left + across * size, y + 1 + down * size, size, size)

    return draw


def _bars(content: str) -> _Draw:
    def draw(page: Page, y: float) -> None:
        runs, quiet = bars(content)
        if not runs:
            return
        module = min(0.4, INSIDE / (sum(runs) + 2 * quiet))
        x = (WIDTH - sum(runs) * module) / 2
        for at, run in enumerate(runs):
            if at % 2 == 0:
                page.box(x, y + 1, run * module, BAR_MM)
            x += run * module

    return draw
