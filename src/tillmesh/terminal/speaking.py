"""``tillmesh language``: what a language still lacks, and a file in which to write it.

A language is three catalogues: the words of the pages, of receipts, and of what went wrong. What is missing is
collected in one file, each key with its English; whoever knows the language writes over the English and runs the
command again, which moves what was written to where it belongs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.locales import RECEIPTS, BabelFormats
from tillmesh.adapters.web.speaking import FOLDER as ERRORS
from tillmesh.kernel.errors import Invalid
from tillmesh.shop.receipt import ENGLISH
from tillmesh.terminal.web.languages import LOCALES

REFERENCE: Final = "de"  # a complete language: errors have no English catalogue, as they stand in the code
Words = dict[str, Any]


def catalogues(language: str) -> dict[str, Path]:
    """Name the three files of a language."""
    return {folder: path / f"{language}.json" for folder, path in _FOLDERS.items()}


def english() -> dict[str, Words]:
    """Give every text that a language has to have."""
    errors = {sentence: sentence for sentence in _read(ERRORS / f"{REFERENCE}.json")}
    return {"pages": _read(LOCALES / "en.json"), "receipts": dict(ENGLISH), "errors": errors}


def missing(language: str) -> dict[str, Words]:
    """Give what a language lacks, with its English."""
    held = {name: _read(path) for name, path in catalogues(language).items()}
    return {
        name: lacking
        for name, words in english().items()
        if (lacking := {key: text for key, text in words.items() if key not in held[name]})
    }


def work_on(language: str, todo: Path | None = None) -> dict[str, Any]:
    """Take in what was translated, write down what is missing, and say how much that is."""
    if not re.fullmatch(r"[a-z]{2,3}", language) or language == "en":
        raise Invalid(f"{language[:20]!r} is not a language to add", hint="Use two letters, such as it or pl.")
    BabelFormats(language)  # raises Invalid for one whose numbers and dates nobody knows
    path = todo or Path(f"{language}.todo.json")
    taken = _take(language, _read(path))
    lacking = missing(language)
    if lacking:
        _write(path, lacking)
    else:
        path.unlink(missing_ok=True)
    left = sum(len(words) for words in lacking.values())
    return {"language": language, "taken": taken, "missing": left, "file": str(path) if lacking else None}


def _take(language: str, written: Mapping[str, Words]) -> int:
    """Move what differs from its English into the catalogues; give how many texts that were."""
    count = 0
    for name, words in english().items():
        done = {key: text for key, text in written.get(name, {}).items() if key in words and text != words[key]}
        for key, text in done.items():
            _check(key, words[key], text)
        path = catalogues(language)[name]
        if done or not path.exists():
            held = {**_read(path), **done}
            _write(path, {key: held[key] for key in words if key in held})
        count += len(done)
    return count


def _check(key: str, original: object, text: object) -> None:
    """Refuse a text that lost or gained something to fill in, or a plural form that every language has."""
    if holes(original) != holes(text):
        wanted = ", ".join(sorted(holes(original))) or "nothing"
        raise Invalid(f"{key[:80]!r} has other things to fill in than its English", hint=f"It is filled with {wanted}.")
    if isinstance(original, dict) and not (isinstance(text, dict) and "other" in text):
        raise Invalid(f"{key[:80]!r} has no plural forms", hint='Write {"one": "...", "other": "..."}.')


def holes(text: object) -> set[str]:
    """Name what is filled into a text; a plural form of one thing may leave out its number."""
    forms = list(text.values()) if isinstance(text, dict) else [text]
    return set().union(*(re.findall(r"\{(\w+)\}", str(form)) for form in forms))


def _read(path: Path) -> Words:
    found: Words = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _write(path: Path, words: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


_FOLDERS: Final = {"pages": LOCALES, "receipts": RECEIPTS, "errors": ERRORS}
