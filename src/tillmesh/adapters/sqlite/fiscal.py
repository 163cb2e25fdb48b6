"""What the log holds of closes and signatures, and receipts in the order of the law: by till and number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import apsw
from msgspec import structs

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.adapters.sqlite.log_reader import EVENT, LogReader
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import GENESIS, Envelope, Head
from tillmesh.kernel.errors import TooLarge
from tillmesh.kernel.hlc import COUNTER_BITS
from tillmesh.kernel.ids import parse_event_id, terminal_of
from tillmesh.kernel.limits import JOURNAL_EVENTS_MAX
from tillmesh.shop.events import PeriodClosed, ReceiptSigned, SigningStopped

_CLOSES: Final = (
    "SELECT e.body FROM period_close p JOIN event e ON e.actor = p.actor AND e.seq = p.seq "
    "WHERE p.terminal = ? AND p.kind = ?"
)


def project_close(db: apsw.Connection, actor: int, event: Envelope, body: PeriodClosed) -> None:
    """Carry a close into its table."""
    row = (terminal_of(event.actor), body.kind, body.number, actor, event.seq)
    db.execute("INSERT INTO period_close (terminal, kind, number, actor, seq) VALUES (?, ?, ?, ?, ?)", row)


def project_signature(db: apsw.Connection, actors: Actors, actor: int, event: Envelope, body: ReceiptSigned) -> None:
    """Carry a signature into its table."""
    name, seq = parse_event_id(body.receipt)
    db.execute(
        "INSERT INTO receipt_signature (receipt_actor, receipt_seq, actor, seq) VALUES (?, ?, ?, ?)",
        (actors.id(name), seq, actor, event.seq),
    )


def last_close(db: apsw.Connection, terminal: str, kind: str) -> PeriodClosed | None:
    """Give the newest close of a kind."""
    body = one(db, f"{_CLOSES} ORDER BY p.number DESC, p.actor, p.seq LIMIT 1", (terminal, kind))
    return None if body is None else decode(body, PeriodClosed)


def closes_after(db: apsw.Connection, terminal: str, kind: str, number: int) -> list[PeriodClosed]:
    """List the closes of a kind beyond a number, oldest first."""
    sql = f"{_CLOSES} AND p.number > ? ORDER BY p.number, p.actor, p.seq"
    return [decode(body, PeriodClosed) for (body,) in rows(db, sql, (terminal, kind, number))]


def newest_receipt_ms(db: apsw.Connection, own: Sequence[int], seen: Mapping[int, int]) -> int | None:
    """Give when the newest receipt beyond what was seen was made, over the incarnations of a till (row ids)."""
    sql = "SELECT max(at_ms) FROM receipt WHERE actor = ? AND seq > ?"
    found = [one(db, sql, (actor, seen.get(actor, 0))) for actor in own]
    return max((int(at) for at in found if at is not None), default=None)


def signature(db: apsw.Connection, actors: Actors, event_id: str) -> ReceiptSigned | None:
    """Give the first signature of a receipt."""
    name, seq = parse_event_id(event_id)
    actor = actors.find(name)
    if actor is None:
        return None
    sql = (
        "SELECT e.body FROM receipt_signature s JOIN event e ON e.actor = s.actor AND e.seq = s.seq "
        "WHERE s.receipt_actor = ? AND s.receipt_seq = ? ORDER BY e.hlc LIMIT 1"
    )
    body = one(db, sql, (actor, seq))
    return None if body is None else decode(body, ReceiptSigned)


def outage(db: apsw.Connection, own: Iterable[int]) -> SigningStopped | None:
    """Give the outage of a till's device that has not ended."""
    newest: tuple[int, str, bytes] | None = None
    for actor in own:
        sql = (
            "SELECT hlc, type, body FROM event WHERE actor = ? AND type IN ('signing_stopped', 'signing_resumed') "
            "ORDER BY seq DESC LIMIT 1"
        )
        for row in rows(db, sql, (actor,)):
            newest = row if newest is None else max(newest, row)
    return decode(newest[2], SigningStopped) if newest is not None and newest[1] == "signing_stopped" else None


def unsigned(db: apsw.Connection, actors: Actors, actor: int, since: str) -> Iterator[str]:
    """Iterate the receipts of an actor that have no signature: from one on, or after the last that was signed."""
    name = actors.name(actor)
    if since and parse_event_id(since)[0] == name:
        first = parse_event_id(since)[1]
    else:
        last = one(db, "SELECT max(receipt_seq) FROM receipt_signature WHERE receipt_actor = ?", (actor,))
        if last is None:
            return
        first = int(last) + 1
    sql = (
        "SELECT seq FROM receipt r WHERE actor = ? AND seq >= ? AND NOT EXISTS "
        "(SELECT 1 FROM receipt_signature s WHERE s.receipt_actor = r.actor AND s.receipt_seq = r.seq) ORDER BY seq"
    )
    for (seq,) in rows(db, sql, (actor, first)):
        yield f"{name}-{seq}"


def journal(db: apsw.Connection, books: LogReader, first_ms: int, after_ms: int) -> Iterator[Envelope]:
    """Iterate the events of a till from a moment to another, by actor and number, each with the hash before it."""
    first, after = first_ms << COUNTER_BITS, after_ms << COUNTER_BITS
    for actor, _ in books.incarnations():
        number = books.actors.find(actor)
        sql = (
            f"SELECT {EVENT} FROM event e WHERE e.actor = ? AND e.hlc >= ? AND e.hlc < ? "  # noqa: S608
            "ORDER BY e.seq LIMIT ?"
        )
        last = Head(actor)
        held = list(books.kept(sql, (number, first, after, JOURNAL_EVENTS_MAX + 1)))
        if len(held) > JOURNAL_EVENTS_MAX:
            raise TooLarge(f"more than {JOURNAL_EVENTS_MAX} events", hint="Ask for fewer days.")
        for event in held:
            if last.seq != event.seq - 1:
                pinned = one(db, "SELECT hash FROM event WHERE actor = ? AND seq = ?", (number, event.seq - 1))
                last = Head(actor, event.seq - 1, GENESIS if pinned is None else pinned)
            yield structs.replace(event, prev_hash=last.hash)
            last = Head(actor, event.seq, event.hash)
