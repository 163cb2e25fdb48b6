"""Which languages the pages speak: the catalogues that are there."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from tillmesh.kernel.errors import Invalid

LOCALES = Path(__file__).parent / "static" / "locales"
AUDIT: Final = "audit."


@cache
def languages() -> list[str]:
    """List the languages, each by its two or three letters."""
    return sorted(path.stem for path in LOCALES.glob("*.json"))


@cache
def words_of_actions(language: str) -> dict[str, str]:
    """Give what the pages call each action of the audit log, for who searches it by these words."""
    path = LOCALES / f"{language}.json"
    words = json.loads(path.read_text("utf-8")) if language in languages() else {}
    return {key.removeprefix(AUDIT): str(text) for key, text in words.items() if key.startswith(AUDIT)}


def checked_language(text: str) -> str:
    """Give a language of the pages back ("" is the store's), or raise :class:`Invalid`."""
    if text and text not in languages():
        raise Invalid(f"the pages do not speak {text[:20]!r}", hint=f"They speak {', '.join(languages())}.")
    return text
