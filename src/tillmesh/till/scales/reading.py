"""What a scale says, whichever make it is, and the two ports behind which scales are."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final, Literal, Protocol

import msgspec

# off: none is set up. silent: it does not answer. wait: it is there and has not said a weight. unset: it was not at
# zero when it was switched on. pounds: it is set to another unit than grams and kilograms. again: what lies there was
# weighed already. refused: it takes no till that is not certified with it.
State = Literal["off", "silent", "wait", "moving", "stable", "below", "over", "unset", "pounds", "refused", "again"]

GRAMS_MAX: Final = 500_000  # no counter scale weighs more; guess
_PER_UNIT: Final = {"kg": 1000, "g": 1, "t": 1_000_000}


class Reading(msgspec.Struct, frozen=True):
    """What lies on the scale. ``grams`` only while it knows: many say nothing but "moving" until they are still."""

    state: State
    grams: int | None = None


class Heard(msgspec.Struct, frozen=True):
    """What came of some bytes: the newest reading in them, if any, what to answer, and whether the scale is there."""

    reading: Reading | None = None
    answer: bytes = b""
    alive: bool = False


NOTHING: Final = Heard()


class Dialogue(Protocol):
    """How one make of scale speaks. It keeps what has come of an unfinished message, and never more than one of it."""

    speed: str  # as it leaves the factory, e.g. 9600 7E1

    def ask(self, price_minor: int | None) -> bytes:
        """Give what to send to learn the weight of something with this price for a kilogram.

        None: nobody is weighing, it is only looked whether the scale is there. Nothing is sent to one that speaks by
        itself.
        """

    def hear(self, data: bytes) -> Heard:
        """Take bytes in, any bytes, in any pieces."""


class Scale(Protocol):
    """A scale at this till. Calls never block; readings come from a thread of its own."""

    def start(self, told: Callable[[Reading], None]) -> None:
        """Begin to listen; ``told`` is called whenever what it says has changed."""

    def weigh(self, price_minor: int | None) -> None:
        """Say that somebody is weighing something with this price for a kilogram, or (None) that nobody is any more."""

    def stop(self) -> None:
        """End, within a second; may block for so long."""


def grams_of(number: str, unit: str) -> int | None:
    """Give a weight such as ``+ 0.345`` and ``kg`` in whole grams; None for another unit or what is no number."""
    per_unit = _PER_UNIT.get(unit)
    if per_unit is None:
        return None
    try:
        exact = Decimal(number.replace(" ", "")) * per_unit
        grams = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return grams if abs(grams) <= GRAMS_MAX else None


def still(grams: int) -> Reading:
    """Give the reading of a scale that stands still at some weight."""
    return Reading("below") if grams < 0 else Reading("stable", grams)
