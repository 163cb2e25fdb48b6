"""The named rounding algorithms as plain functions, picked once per cart instead of once per division.

Same results as :func:`tillmesh.kernel.money.divide` for numerators that are not negative (a test holds them together);
amounts in a cart never are. Worked tables: docs/reference/money.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.money import Rounding

Divide: TypeAlias = Callable[[int, int], int]  # (numerator >= 0, denominator > 0) -> rounded quotient


def divider(name: str) -> Divide:
    """Give the rounding division of that name, or raise :class:`Invalid` naming the known ones."""
    try:
        return _DIVIDERS[name]
    except KeyError:
        raise Invalid(f"rounding {name[:20]!r} is not known", hint=f"Use one of {', '.join(Rounding)}.") from None


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _half_down(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator - 1) // (2 * denominator)


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient & 1))


def _down(numerator: int, denominator: int) -> int:
    return numerator // denominator


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


_DIVIDERS: Final[dict[str, Divide]] = {
    Rounding.HALF_UP: _half_up,
    Rounding.HALF_DOWN: _half_down,
    Rounding.HALF_EVEN: _half_even,
    Rounding.DOWN: _down,
    Rounding.UP: _up,
}
