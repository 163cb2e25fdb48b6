"""Photographs of bar codes, and how many of them are read.

They are not part of this repository: a folder for each kind, named like ``ean13-1``, with a ``.txt`` of the text beside
each picture; a folder ``falsepositives-1`` holds pictures without any code, as zxing-cpp's samples do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image

from tillmesh.adapters.inference.barcodes import grey_picture, looks
from tillmesh.kernel.errors import NotFound
from tillmesh.shop.gtin import canonical

PICTURES: Final = frozenset({".png", ".webp", ".jpg", ".jpeg"})
NO_CODES: Final = "falsepositives"
SIDES: Final = (320, 640)  # of the longer side: as in the design, and as the camera is asked for


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph and what is on it; "" for none."""

    kind: str
    expected: str
    grey: Image.Image


def evaluate(data: Path) -> dict[str, Any]:
    """Read every photograph at two sizes: by the usual look alone, and with the cascade behind it."""
    photos = list(read_photos(data / "barcodes" if (data / "barcodes").is_dir() else data))
    if not photos:
        raise NotFound(f"no photographs in {data}", hint="It needs folders like ean13-1 with pictures and their .txt.")
    return {
        f"{side}_px": _read([Photo(one.kind, one.expected, fit(one.grey, side)) for one in photos]) for side in SIDES
    }


def _read(photos: Iterable[Photo]) -> dict[str, Any]:
    kinds: dict[str, dict[str, int]] = {}
    for photo in photos:
        counts = kinds.setdefault(photo.kind, dict.fromkeys(("photographs", "quick", "cascade", "wrong"), 0))
        counts["photographs"] += 1
        for number, (_, seen) in enumerate(looks(photo.grey, deep=True)):
            right = bool(photo.expected) and any(same(one.text, photo.expected) for one in seen)
            counts["quick"] += right and number == 0
            counts["cascade"] += right
            counts["wrong"] += any(not same(one.text, photo.expected) for one in seen)
            if seen:
                break
    return dict(sorted(kinds.items()))


def read_photos(folder: Path) -> Iterator[Photo]:
    """Read every photograph that has its text beside it, and those that have no code."""
    for path in sorted(folder.glob("*/*")):
        kind = path.parent.name.rpartition("-")[0]
        beside = path.with_suffix(".txt")
        if path.suffix not in PICTURES or not (beside.exists() or kind == NO_CODES):
            continue
        expected = "" if kind == NO_CODES else beside.read_text("utf-8", "replace").rstrip("\n")
        yield Photo(kind, expected, grey_picture(path.read_bytes()))


def fit(grey: Image.Image, side: int) -> Image.Image:
    """Bring a picture to so many pixels on its longer side, never larger than it is."""
    small = grey.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def same(text: str, expected: str) -> bool:
    """Compare what was read with what stands there, however its number or its element string is written."""
    return _plain(text) == _plain(expected)


def _plain(text: str) -> str:
    bare = text[3:] if text.startswith("]") else text
    return canonical("".join(letter for letter in bare if letter.isalnum()))
