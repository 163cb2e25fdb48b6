"""A counter that goes up and down: stock, in thousandths of a unit.

Each actor has a column ``(p, n)``: all it ever added and all it ever took. Both only grow, so the larger is the longer
prefix of that actor's events. Merging takes the longer prefix and **never adds**: a state that arrives twice counts
once. Nothing is ever reset: a till that had not heard of a reset would undo it, or lose its sales to it.

Source: Shapiro, Preguica, Baquero, Zawirski: "A comprehensive study of CRDTs", INRIA RR-7506 (2011), section 3.1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

from msgspec import Meta

from tillmesh.crdt.replicated import INT64_MAX, Actor, Replicated, grown, require_actor, require_at_most, require_step
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import CRDT_ACTORS_MAX

Total = Annotated[int, Meta(ge=0, le=INT64_MAX)]

_NOTHING = (0, 0)


class Column(NamedTuple):
    """What one actor ever added and ever took."""

    p: int
    n: int


class PNCounter(Replicated, frozen=True, tag=1):
    """One column per actor; the value is all that was added less all that was taken, and may be below zero."""

    columns: Mapping[Actor, tuple[Total, Total]] = {}
    """Invariant: no column is (0, 0); who has counted nothing has none."""

    def __post_init__(self) -> None:
        require_at_most(len(self.columns), CRDT_ACTORS_MAX, "actors in a counter")
        if _NOTHING in self.columns.values():
            raise Invalid("an actor that has counted nothing has no column", hint="Leave it out.")

    @property
    def value(self) -> int:
        """All that was added less all that was taken, over all actors."""
        return sum([p - n for p, n in self.columns.values()])

    def actors(self) -> dict[str, Column]:
        """Give the column of each actor, in order of their names."""
        return {actor: Column(p, n) for actor, (p, n) in sorted(self.columns.items())}

    def increment(self, actor: str, n: int = 1) -> Self:
        """Add ``n`` for ``actor``; only that actor may do so, and each of its events once."""
        require_step(n)
        added, taken = self.columns.get(actor) or _first(actor)
        return type(self)({**self.columns, actor: (grown(added, n, actor), taken)}) if n else self

    def decrement(self, actor: str, n: int = 1) -> Self:
        """Take ``n`` for ``actor``, below zero if need be: a sale is never refused for stock."""
        require_step(n)
        added, taken = self.columns.get(actor) or _first(actor)
        return type(self)({**self.columns, actor: (added, grown(taken, n, actor))}) if n else self

    def merge(self, other: Self) -> Self:
        """Take, per actor, the larger of each total: that actor's longer prefix."""
        if self.columns == other.columns:
            return self
        merged = dict(self.columns)
        for actor, theirs in other.columns.items():
            mine = merged.get(actor)
            if mine is None:
                merged[actor] = theirs
            elif mine != theirs:
                merged[actor] = max(mine[0], theirs[0]), max(mine[1], theirs[1])
        return type(self)(merged)

    def delta_since(self, base: Self) -> Self:
        """Give the columns, whole, that go beyond ``base``."""
        held = base.columns
        return type(self)(
            {
                actor: (p, n)
                for actor, (p, n) in self.columns.items()
                if p > (column := held.get(actor, _NOTHING))[0] or n > column[1]
            }
        )


def _first(actor: str) -> tuple[int, int]:
    require_actor(actor)
    return _NOTHING
