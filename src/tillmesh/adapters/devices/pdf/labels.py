"""Labels for shelves and goods: name, price and barcode, on sheets as they are sold or on a roll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tillmesh.adapters.devices.pdf.bars import bars
from tillmesh.adapters.devices.pdf.pages import Page, shortened, width_mm, write_pdf
from tillmesh.kernel.errors import Invalid

LABELS_MAX: Final = 2_000
_EDGE: Final = 2.0  # millimetres that printers may miss, inside each label
_MODULE_MAX: Final = 0.5  # millimetres; wider bars only take paper


@dataclass(frozen=True, slots=True)
class Sheet:
    """How labels lie on a sheet, in millimetres."""

    width: float
    height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float = 0.0
    top: float = 0.0
    gap: float = 0.0  # between columns


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one label."""

    name: str
    price: str
    code: str  # a barcode, or any text that becomes a Code 128
    note: str = ""  # small, such as the price per kilogram


# A4 as the big makers cut it; the sizes stand on the packets.
SHEETS: Final[dict[str, Sheet]] = {
    "a4-24": Sheet(210, 297, 3, 8, 70, 37, top=0.5),
    "a4-40": Sheet(210, 297, 4, 10, 52.5, 29.7),
    "a4-65": Sheet(210, 297, 5, 13, 38.1, 21.2, left=4.7, top=10.7, gap=2.5),
    "roll-57x32": Sheet(57, 32, 1, 1, 57, 32),
}


def labels(wanted: Sequence[Label], sheet_name: str, *, skip: int = 0) -> bytes:
    """Lay labels out on as many sheets as they need; ``skip`` places of the first one were used before."""
    sheet = SHEETS.get(sheet_name)
    if sheet is None:
        raise Invalid(f"{sheet_name[:20]!r} is no paper for labels", hint=f"Use one of {', '.join(SHEETS)}.")
    if not 1 <= len(wanted) <= LABELS_MAX:
        raise Invalid(f"{len(wanted)} labels; allowed are 1 to {LABELS_MAX}", hint="Print them in parts.")
    each = sheet.columns * sheet.rows
    if not 0 <= skip < each:
        raise Invalid(f"{skip} labels of a sheet of {each} are used", hint="Take a new sheet.")
    pages = [Page(sheet.width, sheet.height) for _ in range(-(-(len(wanted) + skip) // each))]
    for at, label in enumerate(wanted, skip):
        row, column = divmod(at % each, sheet.columns)
        x = sheet.left + column * (sheet.label_width + sheet.gap)
        _draw(pages[at // each], x, sheet.top + row * sheet.label_height, sheet, label)
    return write_pdf(pages, "Labels")


def _draw(page: Page, x: float, y: float, sheet: Sheet, label: Label) -> None:
    width, height = sheet.label_width - 2 * _EDGE, sheet.label_height - 2 * _EDGE
    x, y = x + _EDGE, y + _EDGE
    size = max(6.0, height / 3.6)  # points: a tenth of the label's height
    name = shortened(label.name, size, width, bold=True)
    page.text(x, y + size * 0.36, name, size, bold=True)
    price_size = size * 1.7
    price_y = y + height
    page.text(x + width, price_y, label.price, price_size, bold=True, right=True)
    if label.note:
        room = width - width_mm(label.price, price_size, bold=True) - 2
        page.text(x, price_y, shortened(label.note, size * 0.8, room), size * 0.8)
    top, bottom = y + size * 0.5 + 0.8, price_y - price_size * 0.36 - 1
    _bars(page, x, top, width, bottom - top, label.code, size * 0.75)


def _bars(page: Page, x: float, y: float, width: float, height: float, code: str, size: float) -> None:
    """Draw the bars as large as they fit, in the middle, with the code in digits below."""
    runs, quiet = bars(code)
    if not runs or height < 4:
        return
    module = min(_MODULE_MAX, width / (sum(runs) + 2 * quiet))
    left = x + (width - sum(runs) * module) / 2
    tall = height - size * 0.4
    for at, run in enumerate(runs):
        if at % 2 == 0:
            page.box(left, y, run * module, tall)
        left += run * module
    page.text(x + (width - width_mm(code, size)) / 2, y + height, code, size)
