"""A counter that never goes below zero, without asking anybody: every actor spends rights that it holds itself.

What is there is given out as rights. An actor uses up its own and moves them to others; all it needs to know for that
is its own column and what has reached it. So over any partition, repetition and order of delivery no more is used than
was given. Rights of an actor that is gone can be released by another one: that is safe only if all that the lost one
did is known, which nothing in here can know.

Source: Balegas et al.: "Extending eventually consistent cloud databases for enforcing numeric invariants", SRDS 2015;
the rights are the escrow of O'Neil: "The escrow transactional method", ACM TODS 11(4), 1986.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self, TypeAlias

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
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.limits import CRDT_ACTORS_MAX, CRDT_PAIRS_MAX

Totals: TypeAlias = Mapping[Actor, Count]
Between: TypeAlias = Mapping[Actor, Mapping[Actor, Count]]


class BoundedCounter(Replicated, frozen=True, tag=8):
    """Per actor what it gave out, used and handed on: totals that only grow, each written by that actor alone."""

    given: Totals = {}  # rights that an actor brought into being
    used: Totals = {}
    moved: Between = {}  # from the actor that writes it, to the one that holds them now
    released: Between = {}  # to the actor that writes it, from one that is gone
    """Invariant: every total is at least 1; an actor that did none of it has no entry."""

    def __post_init__(self) -> None:
        for totals in (self.given, self.used):
            require_at_most(len(totals), CRDT_ACTORS_MAX, "actors in a counter")
        for rows in (self.moved, self.released):
            require_at_most(sum(map(len, rows.values())), CRDT_PAIRS_MAX, "pairs of actors in a counter")
        if any(
            0 in totals.values() for totals in (self.given, self.used, *self.moved.values(), *self.released.values())
        ):
            raise Invalid("an actor that has counted nothing has no entry", hint="Leave it out.")
        if any(not totals for rows in (self.moved, self.released) for totals in rows.values()):
            raise Invalid("an actor that has handed nothing on has no entry", hint="Leave it out.")

    @property
    def value(self) -> int:
        """All rights that nobody has used."""
        return sum(self.given.values()) - sum(self.used.values())

    def rights(self, actor: str) -> int:
        """Give the rights that an actor holds, as far as is known here; of oneself that is never too many."""
        held = self.given.get(actor, 0) - self.used.get(actor, 0)
        held += sum(row.get(actor, 0) for row in self.moved.values()) - sum(self.moved.get(actor, {}).values())
        held += sum(self.released.get(actor, {}).values())
        return held - sum(row.get(actor, 0) for row in self.released.values())

    def holders(self) -> dict[str, int]:
        """Give the rights of every actor that ever had to do with them, in order of their names."""
        named = {*self.given, *self.used, *self.moved, *self.released}
        named |= {actor for rows in (self.moved, self.released) for row in rows.values() for actor in row}
        return {actor: self.rights(actor) for actor in sorted(named)}

    def give(self, actor: str, n: int) -> Self:
        """Bring rights into being: goods came in at ``actor``, or came back."""
        require_step(n)
        return self._with(given=_more(self.given, actor, n)) if n else self

    def use(self, actor: str, n: int) -> Self:
        """Use rights up, or raise :class:`Conflict` if ``actor`` does not hold as many."""
        require_step(n)
        self._require(actor, n)
        return self.overuse(actor, n)

    def overuse(self, actor: str, n: int) -> Self:
        """Note what ``actor`` sold although it held too few: it did not know yet that there is a limit."""
        require_step(n)
        return self._with(used=_more(self.used, actor, n)) if n else self

    def move(self, actor: str, to: str, n: int) -> Self:
        """Hand rights on, or raise :class:`Conflict` if ``actor`` does not hold as many."""
        require_step(n)
        self._require(actor, n)
        if actor == to:
            raise Invalid("rights are handed on to somebody else", hint="Name another till.")
        return self._with(moved=_between(self.moved, actor, to, n)) if n else self

    def release(self, actor: str, holder: str, n: int) -> Self:
        """Let ``actor`` take over rights of one that is gone, or raise :class:`Conflict` if it held fewer."""
        require_step(n)
        self._require(holder, n)
        if actor == holder:
            raise Invalid("rights are released of somebody else", hint="Name another till.")
        return self._with(released=_between(self.released, actor, holder, n)) if n else self

    def merge(self, other: Self) -> Self:
        """Take the larger of each total: its actor's longer prefix."""
        if self == other:
            return self
        return type(self)(
            larger(self.given, other.given),
            larger(self.used, other.used),
            _each_larger(self.moved, other.moved),
            _each_larger(self.released, other.released),
        )

    def delta_since(self, base: Self) -> Self:
        """Give the totals that are larger than in ``base``."""
        return type(self)(
            ahead(self.given, base.given),
            ahead(self.used, base.used),
            _each_ahead(self.moved, base.moved),
            _each_ahead(self.released, base.released),
        )

    def _require(self, actor: str, n: int) -> None:
        if n > (held := self.rights(actor)):
            raise Conflict(f"{actor} holds {held} rights, and {n} are asked of it", hint="Ask another till for some.")

    def _with(
        self,
        *,
        given: Totals | None = None,
        used: Totals | None = None,
        moved: Between | None = None,
        released: Between | None = None,
    ) -> Self:
        return type(self)(
            self.given if given is None else given,
            self.used if used is None else used,
            self.moved if moved is None else moved,
            self.released if released is None else released,
        )


def _more(totals: Totals, actor: str, n: int) -> Totals:
    require_actor(actor)
    return {**totals, actor: grown(totals.get(actor, 0), n, actor)}


def _between(rows: Between, actor: str, other: str, n: int) -> Between:
    require_actor(actor)
    return {**rows, actor: _more(rows.get(actor, {}), other, n)}


def _each_larger(mine: Between, theirs: Between) -> Between:
    return {actor: larger(mine.get(actor, {}), theirs.get(actor, {})) for actor in {**mine, **theirs}}


def _each_ahead(mine: Between, base: Between) -> Between:
    rows = {actor: ahead(row, base.get(actor, {})) for actor, row in mine.items()}
    return {actor: row for actor, row in rows.items() if row}
