"""What a receipt is made of, whatever it is printed on: typed parts that a renderer lays out.

A part holds finished text in the shop's language, never an amount to format or a width to fit.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Align = Literal["left", "centre", "right"]
Kind = Literal["sale", "refund", "void", "x", "z", "slip"]


class _Part(msgspec.Struct, frozen=True, tag_field="part", tag=str.lower):
    """One part; as JSON its lower-case class name stands in the field ``part``."""


class Heading(_Part, frozen=True):
    """The largest words on the paper: the name of the shop, the name of a report."""

    text: str


class Banner(_Part, frozen=True):
    """A mark nobody may overlook: COPY, VOID, TRAINING."""

    text: str


class Text(_Part, frozen=True):
    """A paragraph."""

    text: str
    align: Align = "left"
    strong: bool = False


class Row(_Part, frozen=True):
    """A label and its amount; ``large`` is for what the customer pays."""

    left: str
    right: str
    strong: bool = False
    large: bool = False


class Detail(msgspec.Struct, frozen=True):
    """What explains an item: how many at which price, a discount with its reason, a note."""

    text: str
    amount: str = ""


class Item(_Part, frozen=True):
    """One thing bought or brought back. Its amount and its details' amounts add up to what it cost."""

    name: str
    amount: str
    details: tuple[Detail, ...] = ()


class Table(_Part, frozen=True):
    """Amounts in columns; the first column is words, the others are aligned to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Rule(_Part, frozen=True):
    """A line across the paper."""


class Spacer(_Part, frozen=True):
    """An empty line."""


class Qr(_Part, frozen=True):
    """A QR code with words below it."""

    content: str
    caption: str = ""


class Barcode(_Part, frozen=True):
    """A Code 128 of plain ASCII, with its text below it."""

    content: str


Part = Heading | Banner | Text | Row | Item | Table | Rule | Spacer | Qr | Barcode


class Receipt(msgspec.Struct, frozen=True):
    """A whole receipt or report, ready for any renderer. ``number`` names it, ``language`` is a BCP 47 tag."""

    kind: Kind
    number: str
    language: str
    parts: tuple[Part, ...]
