"""The log as replication sees it: stretches out, batches of other actors in, and where every chain ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import apsw

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import rows
from tillmesh.adapters.sqlite.store import Writer
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.limits import SYNC_BATCH_BYTES_MAX, SYNC_EVENTS_PER_BATCH_MAX
from tillmesh.sync.messages import Span
from tillmesh.till.node import Till

_SPAN: Final = (
    "SELECT actor, seq, hlc, type, version, body, hash FROM event WHERE actor = ? AND seq BETWEEN ? AND ? "
    "ORDER BY seq LIMIT ?"
)
_ACK: Final = (
    "INSERT INTO peer_ack (peer, actor, seq) SELECT ?, id, ? FROM actor WHERE name = ? "
    "ON CONFLICT (peer, actor) DO UPDATE SET seq = max(seq, excluded.seq)"
)


def heads(db: apsw.Connection) -> dict[str, Head]:
    """Give where every actor's chain ends on this disk."""
    sql = "SELECT a.name, v.seq, v.hash FROM version_vector v JOIN actor a ON a.id = v.actor"
    return {name: Head(name, seq, pinned) for name, seq, pinned in rows(db, sql)}


def acks(db: apsw.Connection) -> dict[str, dict[str, int]]:
    """Give what peers were noted to hold durably: actor and last event, by terminal id."""
    found: dict[str, dict[str, int]] = {}
    for peer, name, seq in rows(db, "SELECT p.peer, a.name, p.seq FROM peer_ack p JOIN actor a ON a.id = p.actor"):
        found.setdefault(peer, {})[name] = seq
    return found


def load(
    books: Books,
    spans: Sequence[Span],
    events_max: int = SYNC_EVENTS_PER_BATCH_MAX,
    bytes_max: int = SYNC_BATCH_BYTES_MAX,
) -> list[Envelope]:
    """Read stretches of logs, in order, up to a number of events and of body bytes; always at least one event."""
    found: list[Envelope] = []
    size = 0
    for span in spans:
        actor = books.actors.find(span.actor)
        if actor is None:
            continue
        for event in books.events(_SPAN, (actor, span.first, span.last, events_max - len(found))):
            size += len(event.body)
            if found and size > bytes_max:
                return found
            found.append(event)
        if len(found) >= events_max:
            break
    return found


def merge(writer: Writer, till: Till, events: Sequence[Envelope], now_ms: int) -> dict[str, Head]:
    """Store events of other actors in one transaction; give where their chains end then.

    Raises Damaged for an event that does not join on; then nothing is stored.
    """
    with writer.transaction():
        writer.ledger.append_foreign(events)
        touched = {event.actor: writer.ledger.head(event.actor) for event in events}
    writer.books.forget()
    till.clock.observe(max(event.hlc for event in events), now_ms)
    return touched


def acknowledge(writer: Writer, acks: Iterable[tuple[str, Mapping[str, int]]]) -> None:
    """Note what peers hold durably; pruning and the list of sales ask for it."""
    with writer.transaction():
        for peer, durable in acks:
            writer.db.executemany(_ACK, [(peer, seq, actor) for actor, seq in durable.items()])
