"""Which languages the pages speak: the catalogues that are there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tillmesh.kernel.errors import Invalid

LOCALES = Path(__file__).parent / "static" / "locales"


@cache
def languages() -> list[str]:
    """List the languages, each by its two or three letters."""
    return sorted(path.stem for path in LOCALES.glob("*.json"))


def checked_language(text: str) -> str:
    """Give a language of the pages back ("" is the store's), or raise :class:`Invalid`."""
    if text and text not in languages():
        raise Invalid(f"the pages do not speak {text[:20]!r}", hint=f"They speak {', '.join(languages())}.")
    return text
