"""Quantities as integer thousandths: 1 piece is 1_000, 0.250 kg is 250."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import QUANTITY_MILLI_MAX
from tillmesh.kernel.money import format_decimal, parse_decimal

ONE: Final = 1_000


def parse_quantity(value: str | int, what: str = "quantity", *, least: int = 1) -> int:
    """Read a decimal text or an integer as thousandths within [least, QUANTITY_MILLI_MAX]."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"{what} must be a decimal text or an integer", hint='Write it like 2 or "0.250".')
    milli = value * ONE if isinstance(value, int) else parse_decimal(value, 3, what)
    if not least <= milli <= QUANTITY_MILLI_MAX:
        raise Invalid(
            f"{what} {str(value)[:40]} is outside {format_decimal(least, 3)} to {QUANTITY_MILLI_MAX // ONE}",
            hint="Check the quantity and try again.",
        )
    return milli


def format_quantity(milli: int) -> str:
    """Write thousandths as the shortest decimal text: 1000 is "1", 250 is "0.25"."""
    text = format_decimal(milli, 3)
    return text.rstrip("0").rstrip(".")
