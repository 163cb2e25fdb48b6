"""Tables as PDF pages: reports for the book-keeper and for the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tillmesh.adapters.devices.pdf.pages import Page, shortened, write_pdf

WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 18.0  # A4, millimetres
_ROW: Final = 6.2
_SIZE: Final = 9.5
_GAP: Final = 3.0


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its heading, the words over the columns, and rows of text; the first column is wide."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def table(title: str, subtitle: str, tables: Sequence[Table]) -> bytes:
    """Set tables one after the other, each with its heading again on a new page."""
    sheet = _Setting(title, subtitle)
    for one in tables:
        sheet.begin(one)
        for row in one.rows:
            sheet.row(one, row)
    return write_pdf(sheet.pages, title)


class _Setting:
    """Where the next row goes."""

    def __init__(self, title: str, subtitle: str) -> None:
        self.pages = [Page(WIDTH, HEIGHT)]
        self._y = MARGIN + 6
        self.pages[0].text(MARGIN, self._y, shortened(title, 18, WIDTH - 2 * MARGIN, bold=True), 18, bold=True)
        self._y += 7
        self.pages[0].text(MARGIN, self._y, shortened(subtitle, 11, WIDTH - 2 * MARGIN), 11)
        self._y += 4

    def begin(self, one: Table) -> None:
        if self._y + 5 * _ROW > HEIGHT - MARGIN:
            self._turn()
        self._y += 10
        self.pages[-1].text(MARGIN, self._y, shortened(one.title, 13, WIDTH - 2 * MARGIN, bold=True), 13, bold=True)
        self._y += 2
        self._cells(one, one.head, bold=True)
        self.pages[-1].box(MARGIN, self._y + 1.6, WIDTH - 2 * MARGIN, 0.3)

    def row(self, one: Table, cells: Sequence[str]) -> None:
        if self._y + _ROW > HEIGHT - MARGIN:
            self._turn()
            self._cells(one, one.head, bold=True)
            self.pages[-1].box(MARGIN, self._y + 1.6, WIDTH - 2 * MARGIN, 0.3)
        self._cells(one, cells, bold=False)

    def _turn(self) -> None:
        self.pages.append(Page(WIDTH, HEIGHT))
        self._y = MARGIN

    def _cells(self, one: Table, cells: Sequence[str], *, bold: bool) -> None:
        self._y += _ROW
        room = WIDTH - 2 * MARGIN
        others = max(1, len(one.head) - 1)
        first = room * (0.46 if others > 2 else 0.6)
        step = (room - first) / others
        self.pages[-1].text(MARGIN, self._y, shortened(cells[0], _SIZE, first - _GAP, bold=bold), _SIZE, bold=bold)
        for at, cell in enumerate(cells[1:], 1):
            x = MARGIN + first + at * step
            self.pages[-1].text(
                x, self._y, shortened(cell, _SIZE, step - _GAP, bold=bold), _SIZE, bold=bold, right=True
            )
