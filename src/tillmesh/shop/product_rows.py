"""Any shop's CSV as numbered rows: bytes to text, separator, header, cells. Knows nothing about products.

Invariant: a row that can't be read becomes a :class:`BadRow` with its line number; reading goes on behind it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple, Protocol, TypeAlias

from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import IMPORT_BODY_BYTES_MAX, IMPORT_COLUMNS_MAX, IMPORT_LINE_CHARS_MAX

SEPARATORS: Final = ",;\t|"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Row(NamedTuple):
    """The cells of one record and the line where it starts (from 1)."""

    line: int
    cells: list[str]


class BadRow(NamedTuple):
    """A record that can't be read as cells."""

    line: int
    value: str
    message: str


class _Records(Protocol):
    """What :func:`csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]: ...


Rows: TypeAlias = Iterator[Row | BadRow]


class Table(NamedTuple):
    """A file with its header understood; ``rows`` is read once, from front to back."""

    header: list[str]
    separator: str
    rows: Rows


def text_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Decode bytes, cut anywhere, as lines of UTF-8 with their ends; wrong bytes survive as lone surrogates.

    Raises :class:`Invalid` for UTF-16 and :class:`TooLarge` over IMPORT_BODY_BYTES_MAX unpacked bytes.
    """
    rest, size, first = b"", 0, True
    for chunk in chunks:
        size += len(chunk)
        if size > IMPORT_BODY_BYTES_MAX:
            raise TooLarge(f"the file has more than {IMPORT_BODY_BYTES_MAX} bytes", hint="Split it into several files.")
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield _text(line + b"\n", first=first)
            first = False
    if rest:
        yield _text(rest, first=first)


def _text(line: bytes, *, first: bool) -> str:
    if first:
        if line.startswith(_UTF16):
            raise Invalid("the file is UTF-16 text", hint="Save it as 'CSV UTF-8' and import it again.")
        line = line.removeprefix(_BOM)
    return line.decode("utf-8", "surrogateescape")


def read_table(lines: Iterable[str], separator: str = "") -> Table:
    """Find separator and header; raises :class:`Invalid` when there is none."""
    source, first = iter(lines), ""
    skipped = 0
    for first in source:
        if first.lower().startswith("sep=") and not skipped:  # spreadsheets say it this way
            separator = separator or first.strip()[4:5]
        elif first.strip("\ufeff \t\r\n"):
            break
        skipped += 1
    else:
        raise Invalid("the file is empty", hint="It needs a first line with column names and a line per product.")
    separator = separator or _most_frequent(first)
    too_long: list[int] = []
    reader = csv.reader(_bounded(chain((first.removeprefix("\ufeff"),), source), too_long), delimiter=separator,
                        strict=True)  # fmt: skip
    try:
        header = [cell.strip() for cell in next(reader)]
    except csv.Error as cause:
        raise Invalid(f"line {skipped + 1} can't be read as column names: {cause}", hint="Check its quotes.") from cause
    if not any(header) or len(header) > IMPORT_COLUMNS_MAX or too_long:
        raise Invalid(
            f"line {skipped + 1} is no line of column names: {first[:60]!r}",
            hint=f"Name 1 to {IMPORT_COLUMNS_MAX} columns in the first line.",
        )
    return Table(header, separator, _rows(reader, len(header), skipped, too_long))


def _most_frequent(header: str) -> str:
    """Pick the separator that the header uses most outside quotes; a comma when there is none."""
    outside = "".join(header.split('"')[::2])
    return max(SEPARATORS, key=lambda mark: (outside.count(mark), mark == ","))


def _bounded(lines: Iterable[str], too_long: list[int]) -> Iterator[str]:
    """Pass lines on; one that is too long becomes an empty one and its number is noted."""
    for number, line in enumerate(lines, 1):
        if len(line) > IMPORT_LINE_CHARS_MAX:
            too_long.append(number)
            yield "\n"
        else:
            yield line


def _rows(reader: _Records, columns: int, skipped: int, too_long: list[int]) -> Rows:
    """Read records until the end; ``skipped`` physical lines came before the reader's first."""
    while True:
        before, cells = reader.line_num, None
        try:
            cells = next(reader)
        except StopIteration:
            pass
        except csv.Error as cause:
            yield BadRow(before + skipped + 1, "", _broken(str(cause), before + skipped + 1, reader.line_num + skipped))
            continue
        while too_long:
            number = too_long.pop(0) + skipped
            yield BadRow(number, "", f"the line has more than {IMPORT_LINE_CHARS_MAX} characters")
        if cells is None:
            return
        if any(cells):
            yield _checked(before + skipped + 1, cells, columns)


def _broken(cause: str, start: int, end: int) -> str:
    if "end of data" in cause or "field limit" in cause:
        return f"a quote is opened here and not closed; lines {start} to {end} can't be read"
    return f"quotes don't match: {cause}"


def _checked(line: int, cells: list[str], columns: int) -> Row | BadRow:
    """Turn cells into a row if their number and their bytes are right."""
    if len(cells) > columns and not any(cells[columns:]):
        cells = cells[:columns]  # spreadsheets like to add empty ones
    text = "".join(cells)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            return BadRow(line, shown[:60], "the line is not UTF-8 text; save the file as 'CSV UTF-8'")
    if len(cells) != columns:
        return BadRow(line, text[:60], f"{len(cells)} cells, but the first line names {columns} columns")
    return Row(line, cells)
