"""Every replicated type as one `Kind`, and histories of three tills that change, hear and miss each other.

The laws are about values that can really come about together: a till only grows its own columns, uses a dot once and
knows its own past. So values are not drawn but lived: steps are drawn, played, and what the tills hold at the end is
what the laws are tried on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tillmesh.crdt import (
    BoundedCounter,
    CausalContext,
    GCounter,
    LWWMap,
    LWWRegister,
    ORSet,
    PNCounter,
    Replicated,
    Stamp,
    VersionVector,
)

TILLS = ("t1.aa", "t2.bb", "t3.cc")

# Replicated types have no common list of changes: what is drawn and what applies it agree within a Kind.
Change = Any
State = Any


@dataclass(frozen=True)
class Kind:
    """A replicated type, the changes a till can make to it, and how it makes them."""

    name: str
    empty: Replicated
    changes: st.SearchStrategy[Change]
    apply: Callable[[State, str, Change], State]

    @property
    def type(self) -> type[Replicated]:
        return type(self.empty)

    def histories(self) -> st.SearchStrategy["History"]:
        till = st.integers(0, len(TILLS) - 1)
        change = st.tuples(st.just("change"), till, self.changes)
        hear = st.tuples(st.just("hear"), till, till)
        return st.lists(st.one_of(change, change, hear), max_size=14).map(self.play)

    def play(self, steps: list[tuple[str, int, Any]]) -> "History":
        history = History(kind=self, tills=[self.empty] * len(TILLS))
        for what, till, how in steps:
            if what == "hear":
                history.tills[till] = history.tills[till].merge(history.tills[how])
            else:
                before = history.tills[till]
                after = self.apply(before, TILLS[till], how)
                history.tills[till] = after
                history.deltas.append(after.delta_since(before))
        return history


@dataclass
class History:
    """What three tills hold at the end, and the delta of every change on the way."""

    kind: Kind
    tills: list[State]
    deltas: list[State] = field(default_factory=list)

    @property
    def everything(self) -> State:
        """What one replica holds that has heard all tills."""
        first, *others = self.tills
        for other in others:
            first = first.merge(other)
        return first


def lived(kind: Kind, data: st.DataObject) -> History:
    """Draw a history and play it."""
    return data.draw(kind.histories())


# Few different amounts, elements and stamps, so that histories collide.
amounts = st.integers(0, 5) | st.sampled_from([2**31, 2**40])
texts = st.text(max_size=6)
plain_values = (
    st.none()
    | st.booleans()
    | st.integers(0, 1)  # next to booleans: to Python 1 == True
    | st.integers(-(2**63), 2**63 - 1)
    | texts
    | st.binary(max_size=6)
)
values = plain_values | st.lists(plain_values | st.lists(plain_values, max_size=2), max_size=3)
stamps = st.builds(Stamp, st.integers(0, 1), st.integers(0, 3) | st.integers(0, 2**63 - 1), st.sampled_from(TILLS))
fields = st.sampled_from(["name", "price", "tax", "é"])
elements = st.sampled_from(["cart-1", "cart-2", "", 1, -7, b"cart-1", "é"])
gaps = st.sampled_from([0, 0, 0, 1, 4])


def grow(counter: GCounter, till: str, n: int) -> GCounter:
    return counter.increment(till, n)


def move(counter: PNCounter, till: str, change: tuple[str, int]) -> PNCounter:
    direction, n = change
    return counter.increment(till, n) if direction == "in" else counter.decrement(till, n)


def deal(counter: BoundedCounter, till: str, change: tuple[str, int, str]) -> BoundedCounter:
    """Give, use, hand on or take over, as far as the rights that this till knows of go."""
    what, n, other = change
    if what == "give":
        return counter.give(till, n)
    if what == "release":
        n = min(n, max(0, counter.rights(other)))
        return counter if other == till else counter.release(till, other, n)
    n = min(n, max(0, counter.rights(till)))
    return counter.use(till, n) if what == "use" or other == till else counter.move(till, other, n)


def advance(vector: VersionVector, till: str, n: int) -> VersionVector:
    return vector.advance(till, vector.get(till) + n)


def see(context: CausalContext, till: str, counter: int) -> CausalContext:
    return context.add((till, counter))


def write(register: LWWRegister, till: str, change: tuple[Any, Stamp]) -> LWWRegister:
    value, stamp = change
    return register.set(value, stamp)


def edit(record: LWWMap, till: str, change: tuple[str, Any, Stamp]) -> LWWMap:
    match change:
        case ("remove", name, stamp):
            return record.remove(name, stamp)
        case ("update", names, stamp):
            return record.update(names, stamp)
        case (name, value, stamp):
            return record.set(name, value, stamp)


def put(some: ORSet, till: str, change: tuple[str, Any, int]) -> ORSet:
    what, element, gap = change
    if what == "remove":
        return some.remove(element)
    return some.add(element, (till, some.next_dot(till).counter + gap))


KINDS = (
    Kind("PNCounter", PNCounter(), st.tuples(st.sampled_from(["in", "out"]), amounts), move),
    Kind(
        "BoundedCounter",
        BoundedCounter(),
        st.tuples(st.sampled_from(["give", "use", "move", "release"]), amounts, st.sampled_from(TILLS)),
        deal,
    ),
    Kind("GCounter", GCounter(), amounts, grow),
    Kind("VersionVector", VersionVector(), amounts, advance),
    Kind("CausalContext", CausalContext(), st.integers(1, 9), see),
    Kind("LWWRegister", LWWRegister(), st.tuples(values, stamps), write),
    Kind(
        "LWWMap",
        LWWMap(),
        st.tuples(fields, values, stamps)
        | st.tuples(st.just("remove"), fields, stamps)
        | st.tuples(st.just("update"), st.dictionaries(fields, values), stamps),
        edit,
    ),
    Kind("ORSet", ORSet(), st.tuples(st.sampled_from(["add", "add", "remove"]), elements, gaps), put),
)
