"""What monitoring asks of the database: ages of events, and counts of the last day. Every query rides on an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import apsw

from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.ledger import SALE
from tillmesh.adapters.sqlite.replica import stamps_ms
from tillmesh.kernel.hlc import pack, physical_ms
from tillmesh.kernel.ids import terminal_of
from tillmesh.till.silence import silent_ms

_STAMP: Final = "SELECT e.hlc FROM event e JOIN actor a ON a.id = e.actor WHERE a.name = ? AND e.seq = ?"


class Day(NamedTuple):
    """What happened since a moment, on all tills as far as this one has heard."""

    sales: int
    oversells_resolved: int
    money_settled: int


def age_ms(db: apsw.Connection, actor: str, seq: int, now_ms: int) -> int:
    """Say how long ago an event was written, by its author's clock; 0 when it is not here, or of the future."""
    row = db.execute(_STAMP, (actor, seq)).fetchone()
    return max(0, now_ms - physical_ms(int(row[0]))) if row is not None else 0


def silences_ms(db: apsw.Connection, lacked: Mapping[str, Mapping[str, int]], now_ms: int) -> dict[str, int]:
    """Say how long tills have been silent that lack events, by the first one that each lacks of every log."""
    if not lacked:
        return {}
    newest: dict[str, list[int]] = {}
    for actor, stamp_ms in stamps_ms(db).items():
        newest.setdefault(terminal_of(actor), []).append(stamp_ms)
    found = {}
    for name, first in lacked.items():
        stamps = [row for actor, seq in first.items() for row in rows(db, _STAMP, (actor, seq))]
        found[name] = silent_ms(now_ms, [physical_ms(int(hlc)) for (hlc,) in stamps], newest.get(name, ()))
    return found


def day(db: apsw.Connection, since_ms: int) -> Day:
    """Count since a moment in milliseconds."""
    stamp = pack(max(0, since_ms))
    return Day(
        int(one(db, "SELECT count(*) FROM receipt WHERE at_ms >= ? AND kind = ?", (since_ms, SALE))),
        int(one(db, "SELECT count(*) FROM oversell WHERE hlc >= ? AND type = 'oversell_resolved'", (stamp,))),
        int(one(db, "SELECT count(*) FROM event WHERE type = 'money_conflict_settled' AND hlc >= ?", (stamp,))),
    )
