"""The words of head office's pages, for the headings of tables that people open."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

LOCALES: Final = Path(__file__).parent / "static" / "locales"


@cache
def words_of_pages(language: str) -> dict[str, str]:
    """Give the words of the pages in a language; English for what has no catalogue."""
    path = LOCALES / f"{language}.json"
    words = json.loads((path if path.is_file() else LOCALES / "en.json").read_text("utf-8"))
    return {key: text for key, text in words.items() if isinstance(text, str)}
