"""A set whose elements really go away: parked carts, tags, groups. Concurrent add and remove: the add wins.

Every add carries a fresh dot. A remove takes away the dots it has seen, so not one that was added at the same moment
elsewhere. No tombstones: a dot that was seen but is not live was removed, and that is all there is to know.

Source: Bieniusa et al.: "An optimized conflict-free replicated set", INRIA RR-8083 (2012), figure 2; with a causal
context instead of the version vector, so that deltas may overtake each other (see :mod:`.causal_context`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self, TypeAlias

import msgspec
from msgspec import Meta

from tillmesh.crdt.causal_context import CausalContext, Dot, checked_dot
from tillmesh.crdt.replicated import INT64_MAX, Actor, Count, Replicated, require_at_most, shown, writable
from tillmesh.crdt.values import canonical
from tillmesh.crdt.version_vector import VersionVector
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import CRDT_DOTS_MAX, KEY_CHARS_MAX

Element: TypeAlias = str | int | bytes
Dots: TypeAlias = tuple[Dot, ...]

_NO_DOTS: Dots = ()


class _SetWire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=6):
    triples: Annotated[list[tuple[Actor, Count, object]], Meta(max_length=CRDT_DOTS_MAX)]
    context: CausalContext


class ORSet(Replicated, frozen=True, tag=6):
    """Elements with the dots of the adds that nobody has removed, and a context of all dots ever seen."""

    WIRE: ClassVar[type[Any] | None] = _SetWire

    live: Mapping[Element, Dots] = {}
    """Invariant: no element without a dot; dots ascend, belong to one element each, and are covered by the context."""

    context: CausalContext = CausalContext()

    def __post_init__(self) -> None:
        require_at_most(sum([len(dots) for dots in self.live.values()]), CRDT_DOTS_MAX, "live dots in a set")

    @property
    def elements(self) -> frozenset[Element]:
        """The elements that are in the set."""
        return frozenset(self.live)

    def contains(self, element: Element) -> bool:
        """Say whether an element is in the set; also written ``element in a``."""
        return element in self.live

    def __contains__(self, element: Element) -> bool:
        return element in self.live

    def __iter__(self) -> Iterator[Element]:
        """Yield the elements in canonical order, the same on every replica."""
        return iter(sorted(self.live, key=canonical))

    def __len__(self) -> int:
        return len(self.live)

    def next_dot(self, actor: str) -> Dot:
        """Give the dot after the last that this set has seen of ``actor``; only that actor may use it."""
        return checked_dot((actor, self.context.last(actor) + 1))

    def add(self, element: Element, dot: tuple[str, int]) -> Self:
        """Add an element under a fresh dot. A dot seen before is an add seen before, and changes nothing.

        ``dot`` is an event's ``(actor, seq)``, or :meth:`next_dot`.
        """
        fresh = checked_dot(dot)
        if self.context.covers(*fresh):
            return self
        # The add has seen the element's older dots, so it stands for them too.
        return type(self)({**self.live, _checked_element(element): (fresh,)}, self.context.add(fresh))

    def remove(self, element: Element) -> Self:
        """Remove an element: every add of it that this replica has seen, and no other."""
        if element not in self.live:
            return self
        return type(self)({held: dots for held, dots in self.live.items() if held != element}, self.context)

    def add_delta(self, element: Element, dot: tuple[str, int]) -> Self:
        """Give what :meth:`add` does as a delta for other replicas."""
        return self.add(element, dot).delta_since(self)

    def remove_delta(self, element: Element) -> Self:
        """Give what :meth:`remove` does as a delta for other replicas."""
        return type(self)({}, CausalContext.of(self.live.get(element, _NO_DOTS)))

    def seen_up_to(self, vector: VersionVector) -> Self:
        """Close gaps in the context: the caller has applied every event that ``vector`` covers.

        With events as dots, most events are about something else, and each leaves a gap.
        """
        return type(self)(self.live, self.context.merge(CausalContext.up_to(vector)))

    def merge(self, other: Self) -> Self:
        """Keep a dot that both have, or that one has and the other has never seen."""
        if self == other:
            return self
        live = {}
        for element in {**self.live, **other.live}:
            mine, theirs = self.live.get(element, _NO_DOTS), other.live.get(element, _NO_DOTS)
            dots = mine if mine == theirs else _surviving(mine, self.context, theirs, other.context)
            if dots:
                live[element] = dots
        return type(self)(live, self.context.merge(other.context))

    def delta_since(self, base: Self) -> Self:
        """Give the adds and removes that ``base`` has not seen."""
        fresh = {
            element: tuple([dot for dot in dots if not base.context.covers(*dot)])
            for element, dots in self.live.items()
        }
        removed = [
            dot
            for element, dots in base.live.items()
            for dot in dots
            if dot not in self.live.get(element, _NO_DOTS) and self.context.covers(*dot)
        ]
        seen = self.context.delta_since(base.context).merge(CausalContext.of(removed))
        return type(self)({element: dots for element, dots in fresh.items() if dots}, seen)

    def to_wire(self) -> object:
        """Write the triples of the paper, ordered by dot."""
        return _SetWire(sorted([(*dot, element) for element, dots in self.live.items() for dot in dots]), self.context)

    @classmethod
    def from_wire(cls, wire: _SetWire) -> Self:
        """Gather the triples, and refuse dots that are out of order, used twice or never seen."""
        context = CausalContext.from_wire(wire.context)
        live: dict[Element, list[Dot]] = {}
        before = ("", 0)
        for actor, counter, element in wire.triples:
            dot = Dot(actor, counter)
            if dot <= before or not context.covers(actor, counter):
                raise Invalid(f"dot {actor}-{counter} is out of order or was never seen", hint="Refuse its sender.")
            live.setdefault(_checked_element(element), []).append(dot)
            before = dot
        return cls({element: tuple(dots) for element, dots in live.items()}, context)


def _surviving(mine: Dots, seen_here: CausalContext, theirs: Dots, seen_there: CausalContext) -> Dots:
    """A dot that one side lacks was removed there if that side has seen it; else it is news to that side."""
    kept = {dot for dot in mine if dot in theirs or not seen_there.covers(*dot)}
    kept |= {dot for dot in theirs if dot in mine or not seen_here.covers(*dot)}
    return tuple(sorted(kept))


def _checked_element(element: object) -> Element:
    """Give what can be an element. No booleans: to Python, True and 1 are one element."""
    if type(element) is str and len(element) <= KEY_CHARS_MAX and writable(element):
        return element
    if type(element) is bytes and len(element) <= KEY_CHARS_MAX:
        return element
    if type(element) is int and -INT64_MAX - 1 <= element <= INT64_MAX:
        return element
    raise Invalid(
        f"{shown(element)} can't be in a set: texts and bytes up to {KEY_CHARS_MAX}, whole numbers of 64 bits",
        hint="Put an id into the set, and what it names elsewhere.",
    )
