"""A receipt as plain text: for a file beside the printed bytes, for e-mail, for a test to read."""

from __future__ import annotations

from collections.abc import Iterator

from tillmesh.shop.receipt.parts import Barcode, Receipt
from tillmesh.shop.receipt.strips import Symbol, centred, strips


def render_text(receipt: Receipt, columns: int = 42) -> str:
    """Write a receipt in lines of at most ``columns`` characters; codes are written as what they say."""
    return "\n".join(line.rstrip() for line in _lines(receipt, columns)) + "\n"


def _lines(receipt: Receipt, columns: int) -> Iterator[str]:
    for strip in strips(receipt, columns, scaled=False):
        if not isinstance(strip, Symbol):
            yield strip.text
        elif isinstance(strip.part, Barcode):
            yield from centred(f"[ {strip.part.content} ]", columns)
        elif not strip.part.caption:
            yield from centred(strip.part.content, columns)
