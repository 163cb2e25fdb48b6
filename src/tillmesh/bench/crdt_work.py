"""The same stock work for several libraries: who sells what, and what a contestant has to be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final, Protocol

DECREMENTS: Final = 100_000
SKUS: Final = 5_000
ACTORS: Final = 5
LINES: Final = 4  # decrements in one sale
STREAMED: Final = 500  # sales that are encoded one by one, to see what one costs on the wire

Sale = tuple[int, ...]  # the SKUs of its lines, each sold once
Shift = Sequence[Sale]  # what one actor sells


class Contestant(Protocol):
    """A library that counts stock on several replicas."""

    name: str

    def count(self, actor: int, shift: Shift) -> object:
        """Make the replica of one actor by selling its sales."""

    def encode(self, replica: object) -> bytes:
        """Write everything that the others lack of a replica."""

    def merge(self, updates: Sequence[bytes]) -> object:
        """Make an empty replica and bring in what all actors wrote."""

    def total(self, merged: object) -> int:
        """Sum up the stock of all SKUs."""

    def streamed(self, actor: int, shift: Shift) -> int:
        """Sell the sales one by one, writing each for the others at once; give the bytes."""


def shifts(decrements: int = DECREMENTS) -> list[Shift]:
    """Draw what each actor sells: the same for everybody."""
    rng = Random(1)  # noqa: S311 - shoppers need no secrets
    sales = [tuple(rng.randrange(SKUS) for _ in range(LINES)) for _ in range(decrements // LINES)]
    return [sales[actor::ACTORS] for actor in range(ACTORS)]
