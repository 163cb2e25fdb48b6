"""Registers: the last writer wins, and "last" means the same on every replica.

Writes are ordered by their :class:`Stamp`, so by the till's hybrid logical clock and not by when they arrive. Two
different values under one stamp are a fault somewhere; the greater in canonical bytes wins, everywhere alike.

Source: Shapiro, Preguica, Baquero, Zawirski: "A comprehensive study of CRDTs", INRIA RR-7506 (2011), section 3.2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from operator import itemgetter
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

import msgspec
from msgspec import Meta

from tillmesh.crdt.replicated import Replicated, require_at_most, shown, writable
from tillmesh.crdt.stamp import UNSET, Stamp, checked_stamp
from tillmesh.crdt.values import Value, Writable, canonical, checked
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import CRDT_FIELDS_MAX, KEY_CHARS_MAX


class Absent(Enum):
    """What stands in a field that was removed."""

    REMOVED = "removed"


REMOVED: Final = Absent.REMOVED
Kept: TypeAlias = Value | Literal[Absent.REMOVED]
Entry: TypeAlias = tuple[Stamp, Kept]


_Field = Annotated[str, Meta(min_length=1, max_length=KEY_CHARS_MAX)]
_Few = Meta(max_length=CRDT_FIELDS_MAX)


class _RegisterWire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=3):
    value: object
    stamp: Stamp


class _Group(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The fields that share a stamp, and those that were removed at it."""

    stamp: Stamp
    fields: Annotated[dict[_Field, object], _Few]
    removed: Annotated[list[_Field], _Few]


class _MapWire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=4):
    groups: Annotated[list[_Group], _Few]


class LWWRegister(Replicated, frozen=True, tag=3):
    """One value and the stamp of its write: a price, a setting."""

    WIRE: ClassVar[type[Any] | None] = _RegisterWire

    value: Value = None
    stamp: Stamp = UNSET
    """Invariant: UNSET exactly when nothing was ever written, and then ``value`` is None."""

    def set(self, value: Writable, stamp: tuple[int, int, str]) -> Self:
        """Write a value; a write that is older than the one held changes nothing."""
        return self.merge(type(self)(checked(value), checked_stamp(stamp)))

    def merge(self, other: Self) -> Self:
        """Keep the later write."""
        return other if _wins((other.stamp, other.value), (self.stamp, self.value)) else self

    def delta_since(self, base: Self) -> Self:
        """Give the register itself when its write is the later one, else an unset one."""
        return type(self)() if base.merge(self) == base else self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LWWRegister):
            return NotImplemented
        return self.stamp == other.stamp and canonical(self.value) == canonical(other.value)

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    @classmethod
    def from_wire(cls, wire: _RegisterWire) -> Self:
        """Refuse what can't be written."""
        if wire.stamp == UNSET and wire.value is None:
            return cls()
        return cls(checked(wire.value), checked_stamp(wire.stamp))


class LWWMap(Replicated, frozen=True, tag=4):
    """A register per field: a product or a customer, where two tills may change different fields.

    A removed field keeps its stamp, so that an older write can't bring it back. At one stamp a value beats a removal.
    """

    WIRE: ClassVar[type[Any] | None] = _MapWire

    entries: Mapping[str, Entry] = {}

    def __post_init__(self) -> None:
        require_at_most(len(self.entries), CRDT_FIELDS_MAX, "fields in a record")

    @classmethod
    def of(cls, fields: Mapping[str, Writable], stamp: tuple[int, int, str]) -> Self:
        """Make a record of fields that were all written at once, as an import does."""
        when = checked_stamp(stamp)
        return cls({_checked_field(field): (when, checked(value)) for field, value in fields.items()})

    def set(self, field: str, value: Writable, stamp: tuple[int, int, str]) -> Self:
        """Write one field; a write that is older than the one held changes nothing."""
        return self._write(field, (checked_stamp(stamp), checked(value)))

    def update(self, fields: Mapping[str, Writable], stamp: tuple[int, int, str]) -> Self:
        """Write several fields at once."""
        return self.merge(type(self).of(fields, stamp))

    def remove(self, field: str, stamp: tuple[int, int, str]) -> Self:
        """Remove one field, unless it was written later than ``stamp``."""
        return self._write(field, (checked_stamp(stamp), REMOVED))

    def get(self, field: str, default: Value = None) -> Value:
        """Give the value of a field, or ``default`` when it was never written or is removed."""
        entry = self.entries.get(field)
        return default if entry is None or entry[1] is REMOVED else entry[1]

    def stamp(self, field: str) -> Stamp:
        """Give the stamp of the write, or removal, of a field; UNSET when there was none."""
        entry = self.entries.get(field)
        return UNSET if entry is None else entry[0]

    def items(self) -> list[tuple[str, Value]]:
        """Give the fields that are there with their values, in order of their names."""
        return sorted(
            [(field, value) for field, (_, value) in self.entries.items() if value is not REMOVED], key=itemgetter(0)
        )

    def __iter__(self) -> Iterator[str]:
        return iter([field for field, _ in self.items()])

    def __len__(self) -> int:
        return sum([value is not REMOVED for _, value in self.entries.values()])

    def __contains__(self, field: str) -> bool:
        entry = self.entries.get(field)
        return entry is not None and entry[1] is not REMOVED

    def merge(self, other: Self) -> Self:
        """Keep, per field, the later write."""
        return self._keep(other.entries)

    def delta_since(self, base: Self) -> Self:
        """Give the fields whose write is later than in ``base``."""
        held = base.entries
        return type(self)(
            {field: entry for field, entry in self.entries.items() if field not in held or _wins(entry, held[field])}
        )

    def _write(self, field: str, entry: Entry) -> Self:
        return self._keep({field if field in self.entries else _checked_field(field): entry})

    def _keep(self, entries: Mapping[str, Entry]) -> Self:
        held = self.entries
        news = {field: entry for field, entry in entries.items() if field not in held or _wins(entry, held[field])}
        return type(self)({**held, **news}) if news else self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LWWMap):
            return NotImplemented
        # The comparison of entries is fast and almost right: to Python, 1 and True are the same.
        return self.entries == other.entries and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_wire(self) -> object:
        """Group the fields by stamp: an imported record has one stamp, so pays for one."""
        groups: dict[Stamp, _Group] = {}
        group = _Group(UNSET, {}, [])
        for field, (stamp, value) in self.entries.items():
            if stamp is not group.stamp:
                group = groups.get(stamp) or groups.setdefault(stamp, _Group(stamp, {}, []))
            if value is REMOVED:
                group.removed.append(field)
            else:
                group.fields[field] = value
        for group in groups.values():
            group.removed.sort()
        return _MapWire([groups[stamp] for stamp in sorted(groups)])

    @classmethod
    def from_wire(cls, wire: _MapWire) -> Self:
        """Gather the groups, and refuse those that are empty, out of order or share a field."""
        entries: dict[str, Entry] = {}
        before, count = UNSET, 0
        for group in wire.groups:
            stamp, fields, removed = checked_stamp(group.stamp), group.fields, group.removed
            if stamp <= before or not (fields or removed) or removed != sorted(removed):
                raise Invalid("the writes are not in order", hint="Refuse their sender.")
            for field, value in fields.items():
                entries[field] = stamp, checked(value)
            for field in removed:
                entries[field] = stamp, REMOVED
            before, count = stamp, count + len(fields) + len(removed)
        if len(entries) != count:
            raise Invalid("a field is written twice", hint="Refuse its sender.")
        return cls(entries)


def _wins(new: Entry, held: Entry) -> bool:
    """Say whether one write replaces another: the later, or at the same stamp the greater in canonical bytes."""
    if new[0] != held[0]:
        return new[0] > held[0]
    return new[1] is not held[1] and _rank(new[1]) > _rank(held[1])


def _rank(value: Kept) -> bytes:
    return b"" if value is REMOVED else canonical(value)


def _checked_field(field: str) -> str:
    if type(field) is str and 1 <= len(field) <= KEY_CHARS_MAX and (field.isascii() or writable(field)):
        return field
    raise Invalid(f"{shown(field)} is not the name of a field: 1 to {KEY_CHARS_MAX} characters", hint="Shorten it.")
