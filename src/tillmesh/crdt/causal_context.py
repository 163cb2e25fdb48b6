"""Which dots a replica has seen, kept as runs: ``{"till-1": ((1, 17), (19, 19))}``.

A dot names one change: an actor and a number that this actor uses once. While nothing is missing, an actor's dots are a
single run from 1, as short as a version vector. When deltas overtake each other there are gaps, and a version vector
would claim to have seen what it has not; runs don't.

Source: Almeida, Shoker, Baquero: "Delta state replicated data types", JPDC 111 (2018), section 7.2: causal contexts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self, TypeAlias

from tillmesh.crdt.replicated import (
    INT64_MAX,
    Actor,
    Count,
    Replicated,
    is_count,
    require_actor,
    require_at_most,
    shown,
)
from tillmesh.crdt.version_vector import VersionVector
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import CRDT_ACTORS_MAX, CRDT_RUNS_MAX

Run: TypeAlias = tuple[Count, Count]  # first and last, both included
Runs: TypeAlias = tuple[Run, ...]


class Dot(NamedTuple):
    """One change: the actor that made it, and a number from 1 that it uses for no other."""

    actor: Actor
    counter: Count


class CausalContext(Replicated, frozen=True, tag=7):
    """A set of dots that only grows."""

    runs: Mapping[Actor, Runs] = {}
    """Invariant: runs ascend and never touch; an actor of whom nothing was seen has no entry."""

    def __post_init__(self) -> None:
        require_at_most(len(self.runs), CRDT_ACTORS_MAX, "actors in a context")
        require_at_most(sum([len(runs) for runs in self.runs.values()]), CRDT_RUNS_MAX, "runs in a context")

    @classmethod
    def of(cls, dots: Iterable[tuple[str, int]]) -> Self:
        """Make the context of exactly these dots."""
        runs: dict[str, list[Run]] = {}
        for actor, counter in dots:
            runs.setdefault(actor, []).append((counter, counter))
        return cls({actor: _coalesced(some) for actor, some in runs.items()})

    @classmethod
    def up_to(cls, vector: VersionVector) -> Self:
        """Make the context of all dots that a version vector covers."""
        return cls({actor: ((1, seq),) for actor, seq in vector})

    def covers(self, actor: str, counter: int) -> bool:
        """Say whether a dot was seen."""
        runs = self.runs.get(actor, ())
        at = bisect_right(runs, (counter, INT64_MAX))
        return at > 0 and counter <= runs[at - 1][1]

    def last(self, actor: str) -> int:
        """Give the largest counter seen of an actor; 0 when there is none."""
        runs = self.runs.get(actor)
        return runs[-1][1] if runs else 0

    def add(self, dot: tuple[str, int]) -> Self:
        """See one more dot."""
        actor, counter = dot
        return type(self)({**self.runs, actor: _coalesced([*self.runs.get(actor, ()), (counter, counter)])})

    def merge(self, other: Self) -> Self:
        """Take what either has seen."""
        if self.runs == other.runs:
            return self
        merged = dict(self.runs)
        for actor, theirs in other.runs.items():
            mine = merged.get(actor)
            if mine is None:
                merged[actor] = theirs
            elif mine != theirs:
                merged[actor] = _coalesced([*mine, *theirs])
        return type(self)(merged)

    def delta_since(self, base: Self) -> Self:
        """Take away what ``base`` has seen."""
        left = {actor: _without(runs, base.runs.get(actor, ())) for actor, runs in self.runs.items()}
        return type(self)({actor: runs for actor, runs in left.items() if runs})

    @classmethod
    def from_wire(cls, wire: Self) -> Self:
        """Refuse runs that are empty, out of order or not joined."""
        for actor, runs in wire.runs.items():
            if not runs or any(first > last for first, last in runs) or _coalesced(runs) != runs:
                raise Invalid(f"the runs of {actor} are not in order", hint="Refuse their sender.")
        return wire


def checked_dot(dot: object) -> Dot:
    """Give a real dot, or raise :class:`Invalid`."""
    if not isinstance(dot, tuple) or len(dot) != len(Dot._fields):
        raise Invalid(f"{shown(dot)} is not a dot: actor, counter", hint="Use an event's actor and seq.")
    actor, counter = dot
    if not is_count(counter, least=1):
        raise Invalid(f"{shown(counter)} is not a dot's counter: 1 to {INT64_MAX}", hint="Number from 1.")
    return Dot(require_actor(actor), counter)


def _coalesced(runs: Iterable[Run]) -> Runs:
    """Sort runs and join those that touch or overlap."""
    joined: list[Run] = []
    for first, last in sorted(runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return tuple(joined)


def _without(runs: Runs, gone: Runs) -> Runs:
    """Cut the runs ``gone`` out of ``runs``; both ascend."""
    left: list[Run] = []
    for start, last in runs:
        first = start
        for cut_first, cut_last in gone:
            if cut_first > last:
                break
            if first < cut_first:
                left.append((first, cut_first - 1))
            first = max(first, cut_last + 1)
        if first <= last:
            left.append((first, last))
    return tuple(left)
