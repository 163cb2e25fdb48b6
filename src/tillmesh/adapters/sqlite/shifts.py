"""What the log holds of shifts: the one that is open, what was done in one, and their Z reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import apsw

from tillmesh.adapters.sqlite.database import one, summed
from tillmesh.adapters.sqlite.log_reader import EVENT, LogReader
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.ids import parse_event_id, terminal_of
from tillmesh.shop.events import KINDS
from tillmesh.till.ports import Shift

CLOSINGS: Final = (
    f"SELECT {EVENT} FROM shift s JOIN actor a ON a.id = s.actor "  # noqa: S608
    "JOIN event e ON e.actor = s.closed_actor AND e.seq = s.closed_seq "
    "WHERE a.name LIKE ? || '.%' AND (? IS NULL OR s.z_number = ?) ORDER BY s.z_number DESC, e.hlc DESC LIMIT ?"
)
_EVENTS: Final = (
    f"SELECT {EVENT} FROM event e WHERE e.actor = ? AND e.seq > ? "  # noqa: S608
    "AND e.type IN ('sale_closed', 'sale_refunded', 'sale_voided', 'cash_moved') ORDER BY e.seq"
)
# The shift stands in the body as it is, so SQLite can skip what is of another; whoever decodes the rest looks closer.
_LATE: Final = _EVENTS.replace("ORDER BY", "AND (instr(e.body, ?) > 0 OR substr(e.body, 1, 1) = X'C1') ORDER BY")


def still_open(db: apsw.Connection, terminal: str) -> Shift | None:
    """Give the newest shift of a terminal that is open; a former incarnation's shift counts as well."""
    sql = (
        "SELECT shift_id, opened_ms FROM shift s JOIN actor a ON a.id = s.actor "
        "WHERE a.name LIKE ? || '.%' AND s.closed_seq IS NULL ORDER BY s.opened_ms DESC LIMIT 1"
    )
    row = db.execute(sql, (terminal,)).fetchone()
    return None if row is None else Shift(shift_id=row[0], opened_ms=row[1], open=True)


def events_of(books: LogReader, db: apsw.Connection, shift_id: str) -> Iterator[Envelope]:
    """Iterate the sales, refunds, voids and cash moves of a shift, in log order of each actor.

    Invariant: everything of a shift stands behind its opening in the opener's log, or in the log of a later
    incarnation of the same terminal (a till that was restored goes on with the open shift).
    """
    name, seq = parse_event_id(shift_id)
    opener = books.actors.find(name)
    if opener is None:
        return
    starts = [(opener, seq), *((actor, 0) for actor in _since(books, db, shift_id) if actor != opener)]
    for actor, after in starts:
        for event in books.events(_EVENTS, (actor, after)):
            if _shift_of(event) == shift_id:
                yield event


def _since(books: LogReader, db: apsw.Connection, shift_id: str) -> list[int]:
    """List the incarnations of its terminal that may have worked in a shift, oldest first.

    Those that wrote anything after it was opened; and, as a shift may have been opened by a clock that was ahead,
    those that say that they did.
    """
    opening = books.event(shift_id)
    if opening is None:
        return []
    sql = (
        "SELECT v.actor FROM version_vector v JOIN actor a ON a.id = v.actor JOIN event e ON e.actor = v.actor "
        "AND e.seq = v.seq WHERE a.name LIKE ? || '.%' AND (e.hlc > ? "
        "OR EXISTS (SELECT 1 FROM receipt r WHERE r.actor = v.actor AND r.shift_id = ?) "
        "OR EXISTS (SELECT 1 FROM event m WHERE m.actor = v.actor AND m.type = 'cash_moved')) ORDER BY e.hlc"
    )
    return [actor for (actor,) in db.execute(sql, (terminal_of(opening.actor), opening.hlc, shift_id))]


def late(books: LogReader, shift_id: str, closer: str, seen: Mapping[str, int]) -> Iterator[Envelope]:
    """Iterate what belongs to a shift and was not seen when it was closed, by another incarnation than its closer."""
    for actor, seq in books.incarnations(terminal_of(closer)):
        after = seen.get(actor, 0)
        if actor != closer and seq > after:
            for event in books.events(_LATE, (books.actors.find(actor), after, shift_id.encode())):
                if _shift_of(event) == shift_id:
                    yield event


def net_minor_after(books: LogReader, db: apsw.Connection, seen: Mapping[str, int]) -> int:
    """Sum up what the books' terminal sold, less what it gave back, beyond what was seen of its incarnations."""
    net = summed("(iif(kind = 0, 1, -1) * total_minor)")
    sql = f"SELECT coalesce({net}, 0) FROM receipt WHERE actor = ? AND seq > ?"  # noqa: S608
    return sum(int(one(db, sql, (books.actors.find(actor), seen.get(actor, 0)))) for actor, _ in books.incarnations())


def _shift_of(event: Envelope) -> str:
    return str(getattr(decode(event.body, KINDS[event.type]), "shift_id", ""))
