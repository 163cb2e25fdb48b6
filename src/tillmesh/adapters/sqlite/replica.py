"""The log as replication sees it: stretches out, batches of other actors in, and where every chain ends.

Of another actor only stretches leave that end in a head which that actor signed. Invariant: between two such heads that
are kept (and before the first) lies no more than fits one batch, so whatever is held can be passed on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeAlias

import apsw

from tillmesh.adapters.sqlite.archive import SIZE
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import one, rows, write
from tillmesh.adapters.sqlite.freshness import changes_kept
from tillmesh.adapters.sqlite.store import Writer
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.hlc import pack, physical_ms
from tillmesh.kernel.limits import (
    INTAKE_EVENT_BYTES,
    MERGE_PART_BYTES_MAX,
    MERGE_PART_EVENTS_MAX,
    SYNC_BATCH_BYTES_MAX,
    SYNC_EVENTS_PER_BATCH_MAX,
)
from tillmesh.sync.messages import Span
from tillmesh.sync.signatures import SignedHead
from tillmesh.till.node import Till

_SPAN: Final = (
    "SELECT actor, seq, hlc, type, version, body, hash FROM event WHERE actor = ? AND seq BETWEEN ? AND ? "
    "ORDER BY seq LIMIT ?"
)
SEQ_MAX: Final = 2**62
HEADS_BEFORE_THINNING: Final = 64  # guess: seldom enough to cost nothing, often enough to stay small
_NEWEST: Final = (
    "SELECT a.id, a.name, e.hlc FROM version_vector v JOIN actor a ON a.id = v.actor "
    "JOIN event e ON e.actor = v.actor AND e.seq = v.seq"
)
# Looks back from the end of the log, no further than what is asked for.
_TAKEN: Final = (
    f"SELECT coalesce(sum({SIZE.format('body')} + ?), 0) FROM event WHERE actor = ? AND seq > coalesce("  # noqa: S608
    "(SELECT seq FROM event WHERE actor = ? AND hlc < ? ORDER BY seq DESC LIMIT 1), 0)"
)
_ACK: Final = (
    "INSERT INTO peer_ack (peer, actor, seq) SELECT ?, id, ? FROM actor WHERE name = ? "
    "ON CONFLICT (peer, actor) DO UPDATE SET seq = max(seq, excluded.seq)"
)
_KEEP_SIGNED: Final = (
    "INSERT INTO signed_head (actor, seq, hash, signature, signed_ms) SELECT id, ?, ?, ?, ? FROM actor WHERE name = ? "
    "ON CONFLICT DO NOTHING"
)
_SIGNED: Final = (
    "SELECT seq, signature FROM signed_head WHERE actor = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT 1"
)
_SIZE: Final = (
    f"SELECT coalesce(sum({SIZE.format('body')}), 0) FROM event "  # noqa: S608
    "WHERE actor = ? AND seq > ? AND seq <= ?"
)
_TAIL: Final = "SELECT seq FROM signed_head WHERE actor = ? AND seq >= ? ORDER BY seq"
Signatures: TypeAlias = dict[tuple[str, int], bytes]


class Signer(Protocol):
    """Signs heads of the actors whose keys are on this terminal: its own, and those that it was before."""

    def signs(self, actor: str) -> bool:
        """Say whether the key of an actor is here."""
        ...

    def sign(self, head: Head) -> bytes:
        """Sign a head that stands in the log here."""
        ...


def heads(db: apsw.Connection) -> dict[str, Head]:
    """Give where every actor's chain ends on this disk."""
    sql = "SELECT a.name, v.seq, v.hash FROM version_vector v JOIN actor a ON a.id = v.actor"
    return {name: Head(name, seq, pinned) for name, seq, pinned in rows(db, sql)}


def stamps_ms(db: apsw.Connection) -> dict[str, int]:
    """Give when every actor's newest event that is held was written, by its own clock (ms)."""
    return {name: physical_ms(hlc) for _, name, hlc in rows(db, _NEWEST)}


def taken_bytes(db: apsw.Connection, span_ms: int) -> dict[str, int]:
    """Say what the newest part of every actor's log costs an intake: so many milliseconds before its last event."""
    found = {}
    for number, name, newest in rows(db, _NEWEST):
        before = pack(max(0, physical_ms(newest) - span_ms))
        found[name] = int(one(db, _TAKEN, (INTAKE_EVENT_BYTES, number, number, before)))
    return found


def began_ms(db: apsw.Connection, actor: str) -> int | None:
    """Give when an actor wrote its first event; None if it wrote none."""
    sql = "SELECT e.hlc FROM event e JOIN actor a ON a.id = e.actor WHERE a.name = ? AND e.seq = 1"
    hlc = one(db, sql, (actor,))
    return None if hlc is None else physical_ms(hlc)


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
        for event in books.kept(_SPAN, (actor, span.first, span.last, events_max - len(found))):
            size += len(event.body)
            if found and size > bytes_max:
                return found
            found.append(event)
        if len(found) >= events_max:
            break
    return found


def load_signed(
    db: apsw.Connection, books: Books, spans: Sequence[Span], signer: Signer, *, events_max: int, bytes_max: int
) -> tuple[list[Envelope], Signatures]:
    """Read stretches of logs like :func:`load`, each only as far as its actor has signed, and the signatures."""
    found: list[Envelope] = []
    signatures: Signatures = {}
    for span in spans:
        # The signature of the head that the span ends in may be forgotten already; then there is a later one.
        last = span.last if signer.signs(span.actor) else SEQ_MAX
        room = bytes_max - sum(len(event.body) for event in found)
        if len(found) >= events_max or room <= 0:
            break
        run = load(books, [Span(span.actor, span.first, last)], events_max - len(found), room)
        if found and len(run) == 1 and len(run[0].body) > room:
            break  # the first event of a load comes whatever its size; here it is not the first
        run, signature = _signed_part(db, books, run, signer)
        if signature is not None:
            found += run
            signatures[run[-1].actor, run[-1].seq] = signature
    return found, signatures


def _signed_part(
    db: apsw.Connection, books: Books, run: list[Envelope], signer: Signer
) -> tuple[list[Envelope], bytes | None]:
    """Cut a run back to the last head in it that its actor has signed, and give that signature."""
    if not run:
        return [], None
    end = run[-1]
    if signer.signs(end.actor):
        return run, signer.sign(Head(end.actor, end.seq, end.hash))
    held = db.execute(_SIGNED, (books.actors.find(end.actor), run[0].seq, end.seq)).fetchone()
    if held is None:
        return [], None
    return run[: held[0] - run[0].seq + 1], bytes(held[1])


def thin_signatures(db: apsw.Connection, own: Iterable[str]) -> None:
    """Forget signed heads of other actors that are not needed to pass on what is held, in one transaction.

    One can go if everything from the head before it to the one after it fits a batch.
    """
    with write(db):
        _thin(db, set(own))


def _thin(db: apsw.Connection, own: set[str]) -> None:
    newest = "SELECT s.actor, a.name, max(s.seq) FROM signed_head s JOIN actor a ON a.id = s.actor GROUP BY s.actor"
    for actor, name, last in rows(db, newest):
        kept = [seq for (seq,) in rows(db, _TAIL, (actor, last - SYNC_EVENTS_PER_BATCH_MAX))]
        if name in own or len(kept) < HEADS_BEFORE_THINNING:
            continue
        before = kept.pop(0)
        for seq, after in itertools.pairwise(kept):
            fits = after - before <= SYNC_EVENTS_PER_BATCH_MAX
            if fits and one(db, _SIZE, (actor, before, after)) <= SYNC_BATCH_BYTES_MAX:
                db.execute("DELETE FROM signed_head WHERE actor = ? AND seq = ?", (actor, seq))
            else:
                before = seq


def parts(events: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
    """Cut a batch into parts that are stored one by one, in order; a part is never empty."""
    first = size = 0
    for at, event in enumerate(events):
        size += len(event.body)
        if at > first and (size > MERGE_PART_BYTES_MAX or at - first >= MERGE_PART_EVENTS_MAX):
            yield events[first:at]
            first, size = at, len(event.body)
    if events:
        yield events[first:]


def merge(
    writer: Writer, till: Till, events: Sequence[Envelope], now_ms: int, signed: Sequence[SignedHead] = ()
) -> dict[str, Head]:
    """Store events of other actors in one transaction, with the signatures they came under; give where chains end then.

    Raises Damaged for an event that does not join on; then nothing is stored.
    """
    with writer.transaction():
        writer.ledger.append_foreign(events)
        writer.db.executemany(
            _KEEP_SIGNED,
            [(each.head.seq, each.head.hash, each.signature, now_ms, each.head.actor) for each in signed],
        )
        touched = {actor: writer.ledger.head(actor) for actor in dict.fromkeys(event.actor for event in events)}
    if changes_kept(events):
        writer.books.forget()
    till.clock.observe(max(event.hlc for event in events), now_ms)
    return touched


def forget_acks(db: apsw.Connection, peers: Iterable[str]) -> None:
    """Forget what terminals held that belong to the store no more, in one transaction."""
    with write(db):
        db.executemany("DELETE FROM peer_ack WHERE peer = ?", [(peer,) for peer in peers])


def acknowledge(writer: Writer, acks: Iterable[tuple[str, Mapping[str, int]]]) -> None:
    """Note what peers hold durably; pruning and the list of sales ask for it."""
    with writer.transaction():
        for peer, durable in acks:
            writer.db.executemany(_ACK, [(peer, seq, actor) for actor, seq in durable.items()])
