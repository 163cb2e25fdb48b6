"""The customer's pole display: two lines of twenty characters, what stands on them, and the bytes that put it there.

Sources: Epson's specification of DM-D110 (ESC @, ESC t, US $, US MD1, US C), the manual of CD5220 (ESC Q A, ESC Q B).
"""

from __future__ import annotations

import unicodedata
from typing import Final, Protocol

import msgspec

COLUMNS: Final = 20
_SPELT: Final = {
    "\N{EURO SIGN}": "EUR", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ł": "l", "Ł": "L", "æ": "ae", "œ": "oe",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{EN DASH}": "-", "\N{MULTIPLICATION SIGN}": "x",
}  # fmt: skip

# What ESC t calls a code page, and what Python does.
PAGES: Final[dict[str, tuple[int, str]]] = {
    "pc437": (0, "cp437"), "pc850": (2, "cp850"), "wpc1252": (16, "cp1252"), "pc866": (17, "cp866"),
    "pc852": (18, "cp852"), "pc858": (19, "cp858"),
}  # fmt: skip
KINDS: Final = ("none", "epson", "cd5220")


class Row(msgspec.Struct, frozen=True):
    """One line: an amount stands to the right, and what is left of it gives way."""

    left: str = ""
    right: str = ""


class Screen(msgspec.Struct, frozen=True):
    """What stands on the display."""

    top: Row = Row()
    bottom: Row = Row()


class Pole(Protocol):
    """A pole display. Calls never block; what is shown is always the newest screen, older ones are left out."""

    def start(self) -> None:
        """Begin to show."""

    def show(self, screen: Screen) -> None:
        """Show this from now on."""

    def silent(self) -> bool:
        """Say whether it can't be written to."""

    def stop(self) -> None:
        """End, within seconds; may block for so long."""


def beginning(kind: str, page: str) -> bytes:
    """Give what a display is sent first: from the start, no cursor, this code page."""
    number, _ = PAGES[page]
    return b"\x1b@\x1bt%c" % number + (b"\x1f\x01\x1fC\x00" if kind == "epson" else b"\x1b_\x00")


def written(screen: Screen, kind: str, page: str) -> bytes:
    """Give the bytes that put a screen onto a display: both lines whole, so nothing of what stood there is left."""
    top, bottom = _line(screen.top, page), _line(screen.bottom, page)
    if kind == "epson":
        return b"\x1f$\x01\x01" + top + b"\x1f$\x01\x02" + bottom
    return b"\x1bQA" + top + b"\r\x1bQB" + bottom + b"\r"


def _line(row: Row, page: str) -> bytes:
    _, codec = PAGES[page]
    right = spelt(row.right, codec)[:COLUMNS]
    room = COLUMNS - len(right)
    left = spelt(row.left, codec)[: max(0, room - 1) if right else room]
    return f"{left:{room}}{right}".encode(codec)


def spelt(text: str, codec: str) -> str:
    """Write a text with what a code page has: base letters for what it lacks, and nothing that a display obeys."""
    return "".join(_char(char, codec) for char in text)


def _char(char: str, codec: str) -> str:
    if not char.isprintable():
        return " "
    for tried in (char, _SPELT.get(char, ""), unicodedata.normalize("NFKD", char)):
        kept = "".join(one for one in tried if not unicodedata.combining(one))
        if kept and kept.isprintable():
            try:
                kept.encode(codec)
            except UnicodeEncodeError:
                continue
            return kept
    return " " if char.isspace() else "?"


def greeting(text: str) -> Screen:
    """Say hello in at most two lines, cut between words where that goes."""
    words, top = text.split(), ""
    while words and len(f"{top} {words[0]}".strip()) <= COLUMNS:
        top = f"{top} {words.pop(0)}".strip()
    if not top:
        return Screen(_centred(text), _centred(text[COLUMNS:]))
    return Screen(_centred(top), _centred(" ".join(words)))


def _centred(text: str) -> Row:
    return Row(text[:COLUMNS].center(COLUMNS))
