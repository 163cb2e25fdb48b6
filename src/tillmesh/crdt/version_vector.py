"""What a replica holds of every actor's events: a cursor, an acknowledgement and a filter for repeats in one.

Events are numbered densely from 1, so one number per actor says everything: all up to it are there, none after it.

Source: Parker et al.: "Detection of mutual inconsistency in distributed systems", IEEE TSE 9(3), 1983.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

from tillmesh.crdt.replicated import (
    INT64_MAX,
    Actor,
    Count,
    Replicated,
    ahead,
    is_count,
    larger,
    require_actor,
    require_at_most,
    shown,
)
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import CRDT_ACTORS_MAX


class Missing(NamedTuple):
    """A run of one actor's events, both ends included."""

    actor: str
    first: int
    last: int


class VersionVector(Replicated, frozen=True, tag=5):
    """The last sequence number held of each actor."""

    seqs: Mapping[Actor, Count] = {}
    """Invariant: every number is at least 1; an actor of whom nothing is held has no entry."""

    def __post_init__(self) -> None:
        require_at_most(len(self.seqs), CRDT_ACTORS_MAX, "actors in a version vector")
        if 0 in self.seqs.values():
            raise Invalid("an actor of whom nothing is held has no entry", hint="Leave it out.")

    def get(self, actor: str) -> int:
        """Give the last number held of ``actor``; 0 when nothing is."""
        return self.seqs.get(actor, 0)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield actor and last number held, in order of the actors' names."""
        return iter(sorted(self.seqs.items()))

    def __len__(self) -> int:
        return len(self.seqs)

    def advance(self, actor: str, seq: int) -> Self:
        """Hold all of ``actor``'s events up to ``seq``; never goes back. The caller has made sure there is no gap."""
        if not is_count(seq):
            raise Invalid(f"{shown(seq)} is not a sequence number: 0 to {INT64_MAX}", hint="Refuse its sender.")
        held = self.seqs.get(actor, 0)
        if not held:
            require_actor(actor)
        return type(self)({**self.seqs, actor: seq}) if seq > held else self

    def covers(self, actor: str, seq: int) -> bool:
        """Say whether event ``seq`` of ``actor`` is held."""
        return seq <= self.seqs.get(actor, 0)

    def dominates(self, other: Self) -> bool:
        """Say whether everything that ``other`` holds is held here too; equal vectors dominate each other."""
        held = self.seqs
        return all(seq <= held.get(actor, 0) for actor, seq in other.seqs.items())

    def concurrent_with(self, other: Self) -> bool:
        """Say whether each holds something that the other lacks."""
        return not self.dominates(other) and not other.dominates(self)

    def missing_from(self, other: Self) -> tuple[Missing, ...]:
        """Name the runs that are held here and that ``other`` lacks: what to send to it."""
        theirs = other.seqs
        return tuple(
            [
                Missing(actor, theirs.get(actor, 0) + 1, seq)
                for actor, seq in sorted(self.seqs.items())
                if seq > theirs.get(actor, 0)
            ]
        )

    def merge(self, other: Self) -> Self:
        """Take, per actor, the larger number: what two replicas hold between them."""
        if self.seqs == other.seqs:
            return self
        return type(self)(larger(self.seqs, other.seqs))

    def delta_since(self, base: Self) -> Self:
        """Give the entries that are beyond ``base``; to be merged only by who has received those events."""
        return type(self)(ahead(self.seqs, base.seqs))
