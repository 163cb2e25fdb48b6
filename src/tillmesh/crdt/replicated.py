"""What every replicated value has in common: merging, equality by content, and one spelling in bytes.

Invariant: values are immutable. A change or a merge gives a new value (or the same one, when nothing changed), so one
can be handed to reading threads, kept, compared and replayed without a copy. Do not write to the mappings inside.

A state over a limit never comes into being: what would exceed one raises, so what exists can always be stored and sent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Self, TypeGuard

import msgspec
from msgspec import Meta

from tillmesh.kernel.errors import Damaged, Invalid, TooLarge
from tillmesh.kernel.limits import ACTOR_CHARS_MAX, CRDT_STATE_BYTES_MAX

INT64_MAX: Final = (1 << 63) - 1  # what SQLite's INTEGER holds

Actor = Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]
Count = Annotated[int, Meta(ge=1, le=INT64_MAX)]

# Deterministic: keys in order, integers and lengths as short as they go. Equal values give equal bytes.
ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")


class Replicated(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A value that every replica may change alone; merging brings the replicas together again.

    ``merge`` is a join: commutative, associative, idempotent. So a state or delta may be lost, repeated and reordered.
    The bytes are a msgpack array that starts with the number of its type and layout.
    """

    WIRE: ClassVar[type[Any] | None] = None  # what the bytes decode to, where that is not the type itself

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """Bring two replicas together; neither side changes. Also written ``a | b``."""
        ...

    @abstractmethod
    def delta_since(self, base: Self) -> Self:
        """Give a small value for a replica that holds ``base``: merged there, it does what merging ``self`` would."""
        ...

    def __or__(self, other: Self) -> Self:
        return self.merge(other)

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_wire(self) -> object:
        """Give what is encoded; a type whose layout in memory differs overrides this, :meth:`from_wire` and WIRE."""
        return self

    @classmethod
    def from_wire(cls, wire: Any) -> Self:
        """Make a value of what was decoded, and refuse what :meth:`to_wire` would never give."""
        value: Self = wire
        return value

    def to_bytes(self) -> bytes:
        """Encode canonically: equal values give equal bytes. Raises :class:`TooLarge` over CRDT_STATE_BYTES_MAX."""
        data = ENCODER.encode(self.to_wire())
        _bounded(type(self), data)
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode what :meth:`to_bytes` gave; anything else raises :class:`Damaged` or :class:`TooLarge`, nothing else.

        Only the canonical spelling passes. That also catches double keys, which a decoder would silently merge.
        """
        _bounded(cls, data)
        kind: Any = cls.WIRE or cls
        try:
            wire = _decoder(kind).decode(data)
            value = cls.from_wire(wire)
        except (ValueError, RecursionError, Invalid) as cause:
            raise Damaged(f"{len(data)} bytes are not a {cls.__name__}: {cause}", hint=_FETCH) from cause
        if ENCODER.encode(wire) != data:
            raise Damaged(f"{len(data)} bytes are not the canonical spelling of a {cls.__name__}", hint=_FETCH)
        return value


_FETCH: Final = "Fetch the state from another till."


@cache
def _decoder(kind: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


def larger(mine: Mapping[str, int], theirs: Mapping[str, int]) -> dict[str, int]:
    """Take, per actor, the larger number: the join of growing counts."""
    merged = dict(mine)
    for actor, count in theirs.items():
        if count > merged.get(actor, 0):
            merged[actor] = count
    return merged


def ahead(mine: Mapping[str, int], base: Mapping[str, int]) -> dict[str, int]:
    """Keep the counts that are larger than in ``base``."""
    return {actor: count for actor, count in mine.items() if count > base.get(actor, 0)}


def is_count(value: object, least: int = 0) -> TypeGuard[int]:
    """Say whether a value is a whole number from ``least`` up that the database can hold."""
    return type(value) is int and least <= value <= INT64_MAX


def require_actor(actor: object) -> str:
    """Give the name of an actor: 1 to ACTOR_CHARS_MAX characters that UTF-8 can write."""
    if type(actor) is str and 1 <= len(actor) <= ACTOR_CHARS_MAX and writable(actor):
        return actor
    raise Invalid(f"{shown(actor)} is not an actor: 1 to {ACTOR_CHARS_MAX} characters", hint=_NAME)


_NAME: Final = "Use the till's actor: terminal.incarnation."


def shown(value: object) -> str:
    """Quote a refused value in an error: cut short, and never failing itself."""
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):  # a number of thousands of digits; a list of lists of lists
        return "what was given"


def writable(text: str) -> bool:
    """Say whether UTF-8 can write a text; half a surrogate pair it cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_step(n: int) -> None:
    """Refuse an amount by which a column cannot grow; a till's columns never shrink and are never reset."""
    if not is_count(n):
        raise Invalid(f"a counter can't grow by {shown(n)}: 0 to {INT64_MAX}", hint="To go down, decrement.")


def grown(total: int, n: int, actor: str) -> int:
    """Add to a column, within what the database can hold."""
    if total > INT64_MAX - n:
        raise Invalid(f"{actor} has counted {total}; {n} more is over {INT64_MAX}", hint="Check the quantity.")
    return total + n


def require_at_most(count: int, limit: int, what: str) -> None:
    """Refuse a state with more parts than its limit."""
    if count > limit:
        raise TooLarge(f"{count} {what}; the limit is {limit}", hint="Find the till that adds them.")


def _bounded(kind: type[Replicated], data: bytes) -> None:
    if len(data) > CRDT_STATE_BYTES_MAX:
        raise TooLarge(f"a {kind.__name__} of {len(data)} bytes; the limit is {CRDT_STATE_BYTES_MAX}", hint=_FETCH)
