"""Tables as CSV files, which a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from starlette.responses import Response

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


LOCALES: Final = Path(__file__).parent / "static" / "locales"


@cache
def words_of_pages(language: str) -> dict[str, str]:
    """Give the words of the pages in a language, for the headings of a table; English for what has no catalogue."""
    path = LOCALES / f"{language}.json"
    words = json.loads((path if path.is_file() else LOCALES / "en.json").read_text("utf-8"))
    return {key: text for key, text in words.items() if isinstance(text, str)}


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
