"""What a fresh database remembers of the one that it replaces, until everything that can be had is back."""

from __future__ import annotations

from typing import Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import one, write

_SET: Final = (
    "INSERT INTO meta (name, value) VALUES ('restoring', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class Restoring(msgspec.Struct, frozen=True):
    """A restore that is under way."""

    why: str
    former: str  # the actor that lived in the database before
    seq: int = 0  # its last event, and how many receipts it had used, as the anchor file noted; 0: not known
    receipts: int = 0
    folder: str = ""  # where the old database was put, within the data directory; empty if there was none
    forked: bool = False  # the former actor has another history at the other tills: theirs counts
    from_office: bool = False  # the store lost all its tills: head office gives the log back, nobody else can
    place: str = ""  # in head office's log, up to which it is here


def newcomer() -> Restoring:
    """Say that a till has just joined and holds nothing yet; nobody lived in its database before."""
    return Restoring("this till is new", "")


class Missing(msgspec.Struct, frozen=True):
    """What was committed here once and is held by nobody who was asked."""

    actor: str
    first: int  # events
    last: int
    receipts_first: int = 0  # numbers in the series of that actor; 0: not known, or none
    receipts_last: int = 0


def restoring(db: apsw.Connection) -> Restoring | None:
    """Give the restore that is under way in this database, or None."""
    held = one(db, "SELECT value FROM meta WHERE name = 'restoring'")
    return None if held is None else msgspec.msgpack.decode(held, type=Restoring)


def begin_restoring(db: apsw.Connection, what: Restoring) -> None:
    """Note that this database is not whole yet, durably."""
    with write(db):
        db.execute(_SET, (msgspec.msgpack.encode(what),))


def end_restoring(db: apsw.Connection) -> None:
    """Note that everything that can be had is here."""
    with write(db):
        db.execute("DELETE FROM meta WHERE name = 'restoring'")


def missing(db: apsw.Connection, what: Restoring) -> Missing | None:
    """Say which events and receipts of the former database are not here, or None if nothing is known to lack."""
    held = _one(db, "SELECT v.seq FROM version_vector v JOIN actor a ON a.id = v.actor WHERE a.name = ?", what.former)
    if held >= what.seq:
        return None
    receipts = _one(db, "SELECT count(*) FROM receipt r JOIN actor a ON a.id = r.actor WHERE a.name = ?", what.former)
    lost = what.receipts > receipts
    return Missing(what.former, held + 1, what.seq, receipts + 1 if lost else 0, what.receipts if lost else 0)


def _one(db: apsw.Connection, sql: str, *bindings: str) -> int:
    return int(one(db, sql, bindings) or 0)
