"""Read all of a database in small pieces, so that a page that rots is found while the other tills still have its data.

Each piece is a read of its own: none holds the write-ahead log for long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import apsw

from tillmesh.adapters.sqlite.archive import Archive
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.kernel.envelope import Head, seal
from tillmesh.kernel.errors import Damaged

EVENTS_PER_PIECE: Final = 500
Piece = Callable[[apsw.Connection, Books], None]
Read = Callable[[Piece], None]
_TREES: Final = "SELECT name FROM sqlite_master WHERE rootpage > 0 AND name <> 'event' ORDER BY name"
_SLICE: Final = (
    "SELECT seq, hlc, type, version, body, hash FROM event WHERE actor = ? AND seq > ? AND seq <= ? ORDER BY seq"
)


def walk(db: apsw.Connection, store: str) -> Iterator[Piece]:
    """Give what is to be read, piece by piece: every tree of pages, and the log with its hashes.

    The list of trees and heads is read now; events that come later have their turn in the next walk.
    """
    trees = [str(name) for (name,) in rows(db, _TREES)]
    # Behind a floor there is nothing the first event could be checked against.
    sql = "SELECT v.actor, a.name, v.seq FROM version_vector v JOIN actor a ON a.id = v.actor WHERE v.floor = 0"
    chains = [(_Chain(number, Head(actor), store), last) for number, actor, last in rows(db, sql)]
    return _pieces(trees, chains)


def _pieces(trees: list[str], chains: list[tuple[_Chain, int]]) -> Iterator[Piece]:
    for name in trees:
        yield _tree(name)
    for chain, last in chains:
        yield from chain.pieces(last)


def _tree(name: str) -> Piece:
    def read(db: apsw.Connection, books: Books) -> None:  # noqa: ARG001
        one(db, "SELECT sum(unused) FROM dbstat WHERE name = ? AND aggregate = FALSE", (name,))

    return read


class _Chain:
    """Walks one actor's log; each piece goes on where the one before ended."""

    def __init__(self, number: int, head: Head, store: str) -> None:
        self._number, self._head, self._store = number, head, store

    def pieces(self, last: int) -> Iterator[Piece]:
        while self._head.seq < last:
            yield lambda db, _: self._walk(db, min(last, self._head.seq + EVENTS_PER_PIECE))

    def _walk(self, db: apsw.Connection, upto: int) -> None:
        """Check that the next events are there, and what their hashes say they are."""
        head = self._head
        archive = Archive(db)
        for seq, hlc, kind, version, body, pinned in rows(db, _SLICE, (self._number, head.seq, upto)):
            whole = archive.body(self._number, seq, body)
            event = seal(self._store, head, hlc=hlc, kind=kind, version=version, body=whole)
            if event.hash != pinned:
                raise Damaged(f"{event.id} is not what its hash says", hint="Restore it from a peer.")
            head = Head(event.actor, event.seq, event.hash)
        if head.seq != upto:
            raise Damaged(f"events {head.seq + 1} to {upto} of {head.actor} are not there", hint="Restore from a peer.")
        self._head = head
