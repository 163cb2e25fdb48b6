"""Many rows as a few arrays in PostgreSQL's binary format, one array for each column.

psycopg writes lists element by element in Python; a column of numbers packed by :mod:`struct` in one call costs a
fraction of that here, and PostgreSQL need not parse digits.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from struct import Struct, pack
from typing import Any, ClassVar, Final

from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

from tillmesh.adapters.postgres.database import Connection

_HEAD: Final = Struct(">iiIii")  # dimensions, has NULLs, type, length, first index
_LENGTH: Final = Struct(">i")


class Numbers(list[int]):
    """A column of ``bigint``."""


class Texts(list[str]):
    """A column of ``text``."""


class Written(list[bytes]):
    """A column of ``text`` that is UTF-8 already."""


class Blobs(list[bytes]):
    """A column of ``bytea``."""


class _Column(Dumper):
    format = Format.BINARY
    element: ClassVar[int]  # the type's number in pg_type, which is the same in every PostgreSQL

    def dump(self, obj: Sequence[Any]) -> Buffer:
        """Write the array."""
        return _HEAD.pack(1, 0, self.element, len(obj), 1) + self._body(obj)

    @abstractmethod
    def _body(self, obj: Sequence[Any]) -> bytes: ...


class _NumbersDumper(_Column):
    oid, element = 1016, 20

    def _body(self, obj: Sequence[int]) -> bytes:
        return pack(f">{'iq' * len(obj)}", *chain.from_iterable(zip(repeat(8), obj, strict=False)))


class _TextsDumper(_Column):
    oid, element = 1009, 25

    def _body(self, obj: Sequence[str]) -> bytes:
        return _with_lengths([text.encode() for text in obj])


class _WrittenDumper(_Column):
    oid, element = 1009, 25

    def _body(self, obj: Sequence[bytes]) -> bytes:
        return _with_lengths(obj)


class _BlobsDumper(_Column):
    oid, element = 1001, 17

    def _body(self, obj: Sequence[bytes]) -> bytes:
        return _with_lengths(obj)


def _with_lengths(values: Sequence[bytes]) -> bytes:
    length = _LENGTH.pack
    return b"".join([part for value in values for part in (length(len(value)), value)])


_DUMPERS: Final[dict[type[Any], Any]] = {
    Numbers: _NumbersDumper, Texts: _TextsDumper, Written: _WrittenDumper, Blobs: _BlobsDumper,
}  # fmt: skip


def teach(db: Connection) -> None:
    """Let a connection write these columns."""
    for kind, dumper in _DUMPERS.items():
        db.adapters.register_dumper(kind, dumper)


_KINDS: Final = {"n": (Numbers, "bigint"), "t": (Texts, "text"), "w": (Written, "text"), "b": (Blobs, "bytea")}


@dataclass(frozen=True, slots=True)
class Insert:
    """A statement that inserts rows of one store. ``kinds``: of each column n(umber), t(ext), w(ritten) or b(lob)."""

    target: str  # the table, and its columns where they do not stand in order
    kinds: str
    ending: str = "ON CONFLICT DO NOTHING"
    query: str = field(init=False)

    def __post_init__(self) -> None:
        arrays = ", ".join(f"%s::{_KINDS[kind][1]}[]" for kind in self.kinds)
        query = f"INSERT INTO {self.target} SELECT %s::bigint, * FROM unnest({arrays}) {self.ending}"  # noqa: S608
        object.__setattr__(self, "query", query)

    def bindings(self, store: int, columns: Sequence[Sequence[Any]]) -> list[Any]:
        """Give what the statement takes."""
        return [store, *(_KINDS[kind][0](column) for kind, column in zip(self.kinds, columns, strict=True))]

    def run(self, db: Connection, store: int, columns: Sequence[Sequence[Any]]) -> None:
        """Insert columns of rows, if there are any."""
        if columns:
            db.execute(self.query, self.bindings(store, columns))


def columns_of(found: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Turn rows into columns; no rows into no columns."""
    return list(zip(*found, strict=True))
