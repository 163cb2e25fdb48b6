"""What went wrong, in the language of whoever reads it: translated where it leaves, from the English that was raised.

Errors are raised in English, as f-strings. A catalogue maps each of them, with numbered holes for what is filled in, to
another language; a test reads the source and names what has no translation. So nothing is put together from pieces of
another language, who raises an error needs to know of none, and what no catalogue knows is shown in English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

HEADER: Final = "tillmesh-language"  # how a page says which language it speaks; without it answers are English
ENGLISH: Final = "en"
FOLDER: Final = Path(__file__).parent / "errors"  # one catalogue for each language
_CHARS_MAX: Final = 600  # of what is translated: an error is a sentence or two
_HOLE: Final = re.compile(r"\{(\d+)\}")
_BETWEEN: Final = "; "  # what is told of several things at once
spoken: Final[ContextVar[str]] = ContextVar("spoken", default=ENGLISH)


Holed = tuple[str, "re.Pattern[str]", str]  # what surely stands in it, what finds it, and how it is said


class Catalogue:
    """Sentences of one language, by the English ones they stand for."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._whole = {english: own for english, own in sentences.items() if not _HOLE.search(english)}
        holed = [english for english in sentences if english not in self._whole]
        # The one that says most of itself is tried first: "{0} {1}" would fit nearly everything.
        holed.sort(key=lambda english: len(_HOLE.sub("", english)), reverse=True)
        self._holed = [(_surest(english), pattern_of(english), sentences[english]) for english in holed]
        self._joined = [one for one, english in zip(self._holed, holed, strict=True) if _BETWEEN in english]

    def say(self, english: str) -> str:
        """Give a sentence in this language, several of them part by part, or what nobody knows as it is."""
        if english in self._whole or len(english) > _CHARS_MAX:
            return self._whole.get(english, english)
        if _BETWEEN not in english:
            return self._holed_as(english, self._holed)
        # What a catalogue has with the mark in it is one sentence; all other sentences must not reach over it.
        said = self._holed_as(english, self._joined)
        if said == english:
            said = _BETWEEN.join(self.say(part) for part in english.split(_BETWEEN))
        return self._holed_as(english, self._holed) if said == english else said

    def _holed_as(self, english: str, sentences: Sequence[Holed]) -> str:
        for surest, pattern, own in sentences:
            match = pattern.fullmatch(english) if surest in english else None
            if match:
                return self._filled(own, match.groupdict())
        return english

    def _filled(self, own: str, given: Mapping[str, str]) -> str:
        """Fill holes in; what is a sentence of its own, such as a role or a cause, is said in the language too."""
        words = {name: self.say(text) for name, text in given.items()}
        return _HOLE.sub(lambda hole: words[f"h{hole[1]}"], own)


def _surest(english: str) -> str:
    """Give the longest piece that stands in a sentence whatever it is filled with: looking for it is quick."""
    return max(_HOLE.split(english)[::2], key=len)


def pattern_of(english: str) -> re.Pattern[str]:
    """Make what finds a sentence with its holes filled in."""
    parts = _HOLE.split(english)
    text = "".join(
        re.escape(part) if at % 2 == 0 else f"(?P<h{part}>.*?)" if part not in parts[1:at:2] else f"(?P=h{part})"
        for at, part in enumerate(parts)
    )
    return re.compile(text, re.DOTALL)


@cache
def catalogue_of(language: str) -> Catalogue:
    """Load the catalogue of a language; one that has none says everything in English."""
    path = FOLDER / f"{language}.json"
    return Catalogue(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {})


def known(language: str) -> str:
    """Give the language of a tag such as ``de-AT`` if there is a catalogue for it, else English."""
    short = language.strip()[:20].replace("_", "-").partition("-")[0].lower()
    return short if short.isascii() and short.isalpha() and (FOLDER / f"{short}.json").is_file() else ENGLISH


@lru_cache(maxsize=2_000)
def say(english: str, language: str) -> str:
    """Say a sentence in a language."""
    return english if language == ENGLISH else catalogue_of(language).say(english)


def translated(members: dict[str, Any]) -> dict[str, Any]:
    """Say the words of a problem document in the language of this request."""
    language = spoken.get()
    if language == ENGLISH:
        return members
    words = {name: say(str(members[name]), language) for name in ("title", "detail", "hint") if members.get(name)}
    return {**members, **words}
