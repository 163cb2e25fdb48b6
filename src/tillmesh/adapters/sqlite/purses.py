"""Purses as one connection sees them: sums of rows that stand in the log as moves of its events."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import apsw

from tillmesh.adapters.sqlite.database import one, rows, summed
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import EventId, event_id
from tillmesh.shop.events import GiftCardsChanged, PurseMove

_INSERT: Final = "INSERT INTO purse_entry (purse, account, actor, seq, n, at_ms, amount) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SUM: Final = summed("amount")
_SPENT: Final = (
    f"SELECT coalesce({summed('abs(amount)')}, 0) FROM purse_entry "  # noqa: S608
    "WHERE purse = ? AND account = ? AND actor = ? AND seq > ? AND iif(purse = 'account', amount > 0, amount < 0)"
)
_HELD: Final = "SELECT coalesce(max(seq), 0) FROM peer_ack WHERE peer = ? AND actor = ?"
_ENTRIES: Final = (
    "SELECT a.name, e.seq, e.at_ms, e.amount FROM purse_entry e JOIN actor a ON a.id = e.actor "
    "WHERE e.purse = ? AND e.account = ? AND e.at_ms >= ? AND e.at_ms < ? ORDER BY e.at_ms, a.name, e.seq, e.n LIMIT ?"
)
_ISSUED: Final = (
    "SELECT e.actor, e.seq, e.body FROM audit u JOIN event e ON e.actor = u.actor AND e.seq = u.seq "
    "WHERE e.type = 'gift_cards_changed' ORDER BY u.hlc"
)
# The sale that issued a card stands before the note of it, and both were committed at once.
_SOLD_BY: Final = (
    "SELECT a.name, p.seq FROM purse_entry p JOIN actor a ON a.id = p.actor WHERE p.purse = 'gift_card' "
    "AND p.account = ? AND p.actor = ? AND p.seq < ? AND NOT EXISTS "
    "(SELECT 1 FROM receipt v WHERE v.sale_actor = p.actor AND v.sale_seq = p.seq AND v.kind = 2) "
    "ORDER BY p.seq DESC LIMIT 1"
)


class Entry(NamedTuple):
    """One move of a purse, with the event that made it."""

    event_id: str
    at_ms: int
    amount: int


def note(db: apsw.Connection, actor: int, event: Envelope, moves: Iterable[PurseMove]) -> None:
    """Write the moves of an event."""
    at_ms = physical_ms(event.hlc)
    db.executemany(
        _INSERT,
        [(one.purse, one.account, actor, event.seq, n, at_ms, one.amount) for n, one in enumerate(moves)],
    )


def balance(db: apsw.Connection, purse: str, account: str) -> int:
    """Sum up a purse."""
    sql = f"SELECT coalesce({_SUM}, 0) FROM purse_entry WHERE purse = ? AND account = ?"  # noqa: S608
    return int(one(db, sql, (purse, account)))


def spent_unheard(db: apsw.Connection, purse: str, account: str, actor: int, others: Collection[str]) -> int:
    """Sum up what an actor took out of a purse behind what every one of these terminals is known to hold."""
    held = min((int(one(db, _HELD, (other, actor))) for other in others), default=0)
    return int(one(db, _SPENT, (purse, account, actor, held)))


def entries(
    db: apsw.Connection, purse: str, account: str, *, first_ms: int = 0, after_ms: int = 1 << 60, limit: int
) -> list[Entry]:
    """List the moves of a purse within a stretch of time, oldest first."""
    found = rows(db, _ENTRIES, (purse, account, first_ms, after_ms, limit))
    return [Entry(event_id(name, seq), at_ms, amount) for name, seq, at_ms, amount in found]


def before(db: apsw.Connection, purse: str, account: str, at_ms: int) -> int:
    """Sum up a purse as it was before a moment."""
    sql = f"SELECT coalesce({_SUM}, 0) FROM purse_entry WHERE purse = ? AND account = ? AND at_ms < ?"  # noqa: S608
    return int(one(db, sql, (purse, account, at_ms)))


def totals(db: apsw.Connection) -> dict[str, dict[str, int]]:
    """Sum up all purses of a kind: how many hold anything, what they hold, and by how much some are below zero."""
    sql = (
        f"SELECT purse, count(*), {summed('max(0, held)')}, {summed('max(0, -held)')} FROM "  # noqa: S608
        f"(SELECT purse, account, {_SUM} AS held FROM purse_entry GROUP BY purse, account HAVING held <> 0) "
        "GROUP BY 1"
    )
    return {purse: {"count": n, "held": int(held), "below": int(below)} for purse, n, held, below in rows(db, sql)}


def below_zero(db: apsw.Connection) -> list[tuple[str, str, int]]:
    """List the purses out of which more was taken than was in them: tills apart may do that, up to a limit."""
    sql = (
        f"SELECT purse, account, {_SUM} AS held FROM purse_entry WHERE purse <> 'account' "  # noqa: S608
        "GROUP BY purse, account HAVING held < 0 ORDER BY held LIMIT 1000"
    )
    found: list[Any] = rows(db, sql)
    return [(purse, account, int(held)) for purse, account, held in found]


def owing(db: apsw.Connection) -> list[tuple[str, int]]:
    """List the customers who owe anything, the most first."""
    sql = (
        f"SELECT account, {_SUM} AS held FROM purse_entry WHERE purse = 'account' GROUP BY account "  # noqa: S608
        "HAVING held <> 0 ORDER BY held DESC LIMIT 1000"
    )
    return [(account, int(held)) for account, held in rows(db, sql)]


def sold_twice(db: apsw.Connection) -> dict[str, list[EventId]]:
    """Give the gift cards that tills apart have each sold as a new one, with the sales: two customers may hold it."""
    issued: dict[str, list[tuple[int, int]]] = {}
    for actor, seq, body in rows(db, _ISSUED):
        for change in decode(body, GiftCardsChanged).changes:
            if "pin_tag" in change.fields:  # a card that is blocked changes other fields
                issued.setdefault(change.key, []).append((actor, seq))
    found: dict[str, list[EventId]] = {}
    for account, notes in issued.items():
        if len(notes) > 1:
            sales = [event_id(*sale) for note in notes for sale in rows(db, _SOLD_BY, (account, *note))]
            if len(sales) > 1:
                found[account] = sales
    return found
