"""A counter that only grows: points earned, items scanned.

Source: Shapiro, Preguica, Baquero, Zawirski: "A comprehensive study of CRDTs", INRIA RR-7506 (2011), section 3.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from tillmesh.crdt.replicated import (
    Actor,
    Count,
    Replicated,
    ahead,
    grown,
    larger,
    require_actor,
    require_at_most,
    require_step,
)
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import CRDT_ACTORS_MAX


class GCounter(Replicated, frozen=True, tag=2):
    """One total per actor: each grows its own, merging takes the larger, reading adds them up."""

    totals: Mapping[Actor, Count] = {}
    """Invariant: every total is at least 1; who has counted nothing has no entry."""

    def __post_init__(self) -> None:
        require_at_most(len(self.totals), CRDT_ACTORS_MAX, "actors in a counter")
        if 0 in self.totals.values():
            raise Invalid("an actor that has counted nothing has no total", hint="Leave it out.")

    @property
    def value(self) -> int:
        """The sum over all actors."""
        return sum(self.totals.values())

    def actors(self) -> dict[str, int]:
        """Give the total of each actor, in order of their names."""
        return dict(sorted(self.totals.items()))

    def increment(self, actor: str, n: int = 1) -> Self:
        """Count ``n`` more for ``actor``; only that actor may do so, and each of its events once."""
        require_step(n)
        held = self.totals.get(actor, 0)
        if not held:
            require_actor(actor)
        return type(self)({**self.totals, actor: grown(held, n, actor)}) if n else self

    def merge(self, other: Self) -> Self:
        """Take, per actor, the larger total: that actor's longer prefix."""
        if self.totals == other.totals:
            return self
        return type(self)(larger(self.totals, other.totals))

    def delta_since(self, base: Self) -> Self:
        """Give the totals that are larger than in ``base``."""
        return type(self)(ahead(self.totals, base.totals))
