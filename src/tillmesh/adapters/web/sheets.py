"""Tables that people open in a spreadsheet: headings and numbers as they write them, and nothing that runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from starlette.responses import Response

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run
MARK: Final = "\ufeff"  # spreadsheets take UTF-8 without it for something else
Rows = Iterable[Sequence[Any]]


class Number(str):
    """Digits, which no spreadsheet runs even behind a minus."""

    __slots__ = ()


def number(text: str, sign: str = ".") -> Number:
    """Take a decimal number, with what stands before its decimals where the table is read."""
    return Number(str(text).replace(".", sign))


def for_programs(rows: Rows, name: str) -> Response:
    """Answer with rows under the names of fields, commas between them."""
    return _answer(_written(rows, ","), name)


def for_readers(head: Sequence[str], rows: Rows, name: str, sign: str) -> Response:
    """Answer with a table under its headings; where the comma is the decimal sign, semicolons are between cells."""
    return _answer(MARK + _written([head, *rows], ";" if sign == "," else ","), name)


def _written(rows: Rows, between: str) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=between)
    for row in rows:
        writer.writerow([harmless(value) for value in row])
    return out.getvalue()


def harmless(value: Any) -> Any:
    """Keep a spreadsheet from running what somebody wrote."""
    wrote = isinstance(value, str) and not isinstance(value, Number)
    return f"'{value}" if wrote and value.startswith(FORMULA) else value


def _answer(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
