"""Tables as CSV files, which a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from starlette.responses import Response

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Answer with a file of that name; texts that somebody wrote are made :func:`harmless` before."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(head)
    for row in rows:
        written.writerow(row)
    named = f'attachment; filename="{name}"'
    return Response(out.getvalue(), media_type="text/csv", headers={"Content-Disposition": named})


def decimal(minor: int, digits: int) -> str:
    """Write an amount with its decimals."""
    text = str(abs(minor)).rjust(digits + 1, "0")
    return ("-" if minor < 0 else "") + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def harmless(text: str) -> str:
    """Keep a spreadsheet from running what somebody wrote."""
    return "'" + text if text.startswith(FORMULA) else text
