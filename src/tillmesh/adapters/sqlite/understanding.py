"""After an upgrade: understand what an older program kept and could not read; after going back, set it aside again.

A till whose program is older than its neighbours' sets their newer events aside (:meth:`Ledger.project`). Its next
program takes them from there when it opens the database; what was projected before is not projected again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.archive import Archive
from tillmesh.adapters.sqlite.database import one, rows, write
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.kernel.envelope import GENESIS, Envelope
from tillmesh.shop.events import KINDS, VERSION, known

# How events become rows. One more whenever events that stand in logs already would leave other rows than they did: then
# every database makes its tables anew from its log, once, at the next start.
PROJECTING: Final = 2  # numbers in events have ranges, and fields of products their kinds
_NAME: Final = "projecting"
_NOTE: Final = "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_ASIDE: Final = (
    "SELECT e.actor, a.name, e.seq, e.hlc, e.type, e.version, e.body, e.hash FROM aside s "
    "JOIN event e ON e.actor = s.actor AND e.seq = s.seq JOIN actor a ON a.id = e.actor ORDER BY a.name, e.seq"
)


class Made(msgspec.Struct, frozen=True, array_like=True):
    """By which rules, and with which event types understood, the tables of a database were made."""

    rules: int = 0
    version: int = 0
    types: tuple[str, ...] = ()

    def is_kept_by(self, now: Made) -> bool:
        """Say whether tables that were made so are right under another program: it understands all that was."""
        return self.rules == now.rules and self.version <= now.version and set(self.types) <= set(now.types)


def understand(db: apsw.Connection) -> int:
    """Project what was set aside and is understood now, in one transaction; give how many events were projected.

    Tables made by other rules, by a program that kept no account, or by one that understood more, are made anew.
    """
    held = one(db, "SELECT value FROM meta WHERE name = ?", (_NAME,))
    before = Made() if held is None else msgspec.msgpack.decode(held, type=Made)
    now = Made(PROJECTING, VERSION, tuple(sorted(KINDS)))
    if before == now:
        return 0
    with write(db):
        count = _catch_up(db) if before.is_kept_by(now) else Ledger(db, "").rebuild()
        db.execute(_NOTE, (_NAME, msgspec.msgpack.encode(now)))
    return count


def _catch_up(db: apsw.Connection) -> int:
    ledger, count = Ledger(db, ""), 0
    for actor, event in list(_understood(db)):
        db.execute("DELETE FROM aside WHERE actor = ? AND seq = ?", (actor, event.seq))
        count += ledger.project(event)
    return count


def _understood(db: apsw.Connection) -> Iterator[tuple[int, Envelope]]:
    archive = Archive(db)
    for actor, name, seq, hlc, kind, version, body, pinned in rows(db, _ASIDE):
        if known(kind, version) is not None:
            yield actor, Envelope(name, seq, hlc, kind, version, archive.body(actor, seq, body), GENESIS, pinned)
