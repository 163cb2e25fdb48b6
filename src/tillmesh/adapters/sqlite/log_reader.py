"""The log as one connection reads it: events by name, by query, by what they answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import apsw

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.archive import Archive
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.request_keys import key_of, request_key
from tillmesh.kernel.envelope import GENESIS, Envelope
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.ids import parse_event_id, terminal_of
from tillmesh.shop.events import known

EVENT: Final = "e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash"  # what `events` reads
BY_ID: Final = f"SELECT {EVENT} FROM event e WHERE e.actor = ? AND e.seq = ?"  # noqa: S608


class LogReader:
    """Events of one connection, by the terminal that it belongs to."""

    def __init__(self, db: apsw.Connection, terminal: str) -> None:
        self._db = db
        self.terminal_id = terminal
        self.actors = Actors(db)
        self._archive = Archive(db)

    def vector(self) -> tuple[tuple[str, int], ...]:
        """Give the version vector, ordered by actor."""
        sql = "SELECT a.name, v.seq FROM version_vector v JOIN actor a ON a.id = v.actor ORDER BY a.name"
        return tuple(self._db.execute(sql))

    def event(self, event_id: str) -> Envelope | None:
        """Find an event by its id; a malformed id is simply unknown."""
        try:
            name, seq = parse_event_id(event_id)
        except Invalid:
            return None
        actor = self.actors.find(name)
        if actor is None:
            return None
        return next(self.events(BY_ID, (actor, seq)), None)

    def events(self, sql: str, bindings: Any = ()) -> Iterator[Envelope]:
        """Iterate the events that a query of EVENT columns finds and this program understands."""
        understood = (event for event in self.kept(sql, bindings) if known(event.type, event.version) is not None)
        if one(self._db, "SELECT 1 FROM aside LIMIT 1") is None:
            return understood
        return (event for event in understood if not self._is_aside(event))

    def _is_aside(self, event: Envelope) -> bool:
        """Say whether an event of a known type was set aside all the same: what is in it can't be read."""
        sql = "SELECT 1 FROM aside WHERE actor = ? AND seq = ?"
        return one(self._db, sql, (self.actors.find(event.actor), event.seq)) is not None

    def kept(self, sql: str, bindings: Any = ()) -> Iterator[Envelope]:
        """Iterate all events that a query of EVENT columns finds; their previous hashes are left out."""
        # All rows at once: a query that is read only halfway keeps its connection at this moment of the shop for ever.
        for actor, seq, hlc, kind, version, body, pinned in rows(self._db, sql, bindings):
            whole = self._archive.body(actor, seq, body)
            yield Envelope(self.actors.name(actor), seq, hlc, kind, version, whole, GENESIS, pinned)

    def requested(self, key: str) -> Envelope | None:
        """Find the sale or refund ("refund:" + key) that answered this idempotency key."""
        sql = "SELECT actor, seq FROM receipt WHERE request = ?"
        for actor, seq in self._db.execute(sql, (request_key(key),)).fetchall():
            event = next(self.events(BY_ID, (actor, seq)))
            if key_of(event) == key:
                return event
        return None

    def answers(self, sale_id: str) -> tuple[Envelope, ...]:
        """List the refunds and the void of a sale, oldest first."""
        name, seq = parse_event_id(sale_id)
        actor = self.actors.find(name)
        sql = (
            f"SELECT {EVENT} FROM receipt r JOIN event e ON e.actor = r.actor AND e.seq = r.seq "  # noqa: S608
            "WHERE r.sale_actor = ? AND r.sale_seq = ? ORDER BY e.hlc, e.actor"
        )
        return tuple(self.events(sql, (actor, seq))) if actor is not None else ()

    def incarnations(self, terminal: str = "") -> tuple[tuple[str, int], ...]:
        """Give how far the log of each incarnation of a terminal (this one) is known, ordered by actor."""
        wanted = terminal or self.terminal_id
        return tuple((actor, seq) for actor, seq in self.vector() if terminal_of(actor) == wanted)
