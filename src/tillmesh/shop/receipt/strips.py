"""Parts of a receipt as lines of a fixed number of columns, for paper and for plain text alike.

Control characters never survive: a product name must not be able to open the drawer. Wide (East Asian) characters
count as two columns, combining ones as none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple, assert_never

from tillmesh.shop.receipt.parts import (
    Banner,
    Barcode,
    Detail,
    Heading,
    Item,
    Part,
    Qr,
    Receipt,
    Row,
    Rule,
    Spacer,
    Table,
    Text,
)

COLUMNS: Final = (32, 42, 48)  # 58 mm paper, and 80 mm paper at 180 and 203 dots per inch
GAP: Final = 1  # between a label and its amount
_INDENT: Final = "  "
_LABEL_MIN: Final = 8  # a narrower label is not worth sharing the line with its amount

Scale = Literal["normal", "tall", "double"]


class Strip(NamedTuple):
    """One printed line, padded to its place. A line of scale "double" has half as many columns."""

    text: str
    strong: bool = False
    scale: Scale = "normal"


class Symbol(NamedTuple):
    """A code that the device draws itself; the caption of a QR code follows as strips."""

    part: Qr | Barcode


def strips(receipt: Receipt, columns: int, *, scaled: bool) -> Iterator[Strip | Symbol]:
    """Lay out every part in lines; ``scaled`` says whether the device can print larger letters."""
    for part in receipt.parts:
        yield from _lay(part, columns, scaled=scaled)


def _lay(part: Part, columns: int, *, scaled: bool) -> Iterator[Strip | Symbol]:
    match part:
        case Heading(text):
            half = scaled and columns >= 2 * _LABEL_MIN
            lines = centred(text, columns // 2 if half else columns)
            yield from (Strip(line, strong=True, scale="double" if half else "normal") for line in lines)
        case Banner(text):
            lines = centred(f"*** {clean(text)} ***", columns)
            yield from (Strip(line, strong=True, scale="tall" if scaled else "normal") for line in lines)
        case Text(text, align, strong):
            yield from (Strip(line, strong) for line in _aligned(text, align, columns))
        case Row(left, right, strong, large):
            lines = row(left, right, columns)
            yield from (Strip(line, strong, "tall" if large and scaled else "normal") for line in lines)
        case Item():
            yield from (Strip(line) for line in _item(part, columns))
        case Table():
            yield from _table(part, columns)
        case Rule():
            yield Strip("-" * columns)
        case Spacer():
            yield Strip("")
        case Qr(_, caption):
            yield Symbol(part)
            yield from (Strip(line) for line in centred(caption, columns) if caption)
        case Barcode():
            yield Symbol(part)
        case _:
            assert_never(part)


def clean(text: str) -> str:
    """Make text safe and plain: no control characters, no special spaces or minus signs, composed letters."""
    text = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return "".join(" " if unicodedata.category(char) in _BLANK else char for char in text if _shown(char))


_BLANK: Final = frozenset({"Cc", "Zs", "Zl", "Zp"})  # every kind of space becomes the plain one
# Minus and hyphen as Babel writes them for readers on a screen; small printers do not have them.
_PLAIN: Final = str.maketrans({"\u2212": "-", "\u2011": "-"})


def _shown(char: str) -> bool:
    """Drop what has no shape of its own: direction marks, joiners, surrogates, private characters."""
    return unicodedata.category(char) not in {"Cf", "Cs", "Co", "Cn"}


def width(text: str) -> int:
    """Count the columns that a cleaned text takes."""
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def wrap(text: str, columns: int) -> list[str]:
    """Break text into lines of at most ``columns``: between words, or inside one that is longer than a line."""
    lines: list[str] = []
    line = ""
    for word in _words(clean(text), columns):
        if line and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines


def _words(text: str, columns: int) -> Iterator[str]:
    for word in text.split():
        yield from _pieces(word, columns) if width(word) > columns else (word,)


def _pieces(word: str, columns: int) -> Iterator[str]:
    """Cut a word that is longer than a line; a wide character on a one-column line is let stand out."""
    piece = ""
    for char in word:
        if piece and width(piece) + _char_width(char) > columns:
            yield piece
            piece = ""
        piece += char
    yield piece


def centred(text: str, columns: int) -> Iterator[str]:
    """Wrap text and put every line in the middle."""
    return _aligned(text, "centre", columns)


def _aligned(text: str, align: str, columns: int) -> Iterator[str]:
    indent = len(text) - len(text.lstrip(" ")) if align == "left" else 0
    for line in wrap(text, columns - indent):
        room = columns - width(line)
        yield " " * {"left": indent, "centre": room // 2, "right": room}[align] + line


def row(left: str, right: str, columns: int) -> Iterator[str]:
    """Put a label to the left and an amount to the right; a long label continues below, indented."""
    right = clean(right).strip()
    room = columns - width(right) - GAP
    if room < min(_LABEL_MIN, width(clean(left))):
        yield from wrap(left, columns)
        yield from _aligned(right, "right", columns)
        return
    first, *rest = wrap(left, room)
    yield first + " " * (columns - width(first) - width(right)) + right
    below = " ".join(rest)
    yield from (_INDENT + line for line in wrap(below, columns - len(_INDENT)) if below)


def _item(item: Item, columns: int) -> Iterator[str]:
    yield from row(item.name, item.amount, columns)
    for detail in item.details:
        yield from _detail(detail, columns)


def _detail(detail: Detail, columns: int) -> Iterator[str]:
    inner = columns - len(_INDENT)
    lines: Iterable[str] = row(detail.text, detail.amount, inner) if detail.amount else wrap(detail.text, inner)
    yield from (_INDENT + line for line in lines)


def _table(table: Table, columns: int) -> Iterator[Strip]:
    """Align the amounts in columns if they fit; otherwise name each amount in a row of its own."""
    rows = [[clean(cell).strip() for cell in cells] for cells in (table.head, *table.rows)]
    amounts = [max(width(cells[i]) for cells in rows) for i in range(1, len(table.head))]
    label = columns - sum(amounts) - GAP * len(amounts)
    if label < max(width(cells[0]) for cells in rows):
        yield from _unfolded(table, columns)
        return
    # Spare room goes between the columns, so that wide paper does not leave all of it behind the label.
    spare = max(0, label - max(_LABEL_MIN, *(width(cells[0]) for cells in rows))) // (len(amounts) or 1)
    for index, cells in enumerate(rows):
        text = "".join(
            " " * (GAP + spare + most - width(cell)) + cell for cell, most in zip(cells[1:], amounts, strict=True)
        )
        yield Strip(cells[0] + " " * (columns - width(cells[0]) - width(text)) + text, strong=index == 0)


def _unfolded(table: Table, columns: int) -> Iterator[Strip]:
    for cells in table.rows:
        yield from (Strip(line, strong=True) for line in wrap(cells[0], columns))
        for head, cell in zip(table.head[1:], cells[1:], strict=True):
            yield from (Strip(_INDENT + line) for line in row(head, cell, columns - len(_INDENT)))
