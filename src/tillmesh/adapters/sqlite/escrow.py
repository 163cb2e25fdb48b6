"""Rights to sell hard-limited goods, as one connection sees them: a bounded counter per product, stored as rows."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import apsw

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.database import one, rows
from tillmesh.crdt import BoundedCounter
from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import ACTOR_CHARS_MAX, COLUMN_MILLI_MAX, RIGHTS_PARTNERS_MAX
from tillmesh.shop.events import RightsIssued, RightsMoved, RightsReleased

GIVEN, USED, MOVED, RELEASED = range(4)
_GROW: Final = (
    "INSERT INTO escrow (sku, actor, kind, other, n) VALUES (?, ?, ?, ?, ?) "  # noqa: S608 - a limit
    f"ON CONFLICT (sku, actor, kind, other) DO UPDATE SET n = min(n + excluded.n, {COLUMN_MILLI_MAX})"
)
_PARTNERS: Final = "SELECT count(*) FROM escrow WHERE sku = ? AND actor = ? AND kind = ? AND other <> ?"
_ROWS: Final = "SELECT actor, kind, other, n FROM escrow WHERE sku = ?"


def note(db: apsw.Connection, actor: int, moves: Iterable[tuple[str, int]], limited: Iterable[str]) -> None:
    """Count the movements of an event for the products whose rights it moved as well."""
    bound = set(limited)
    db.executemany(
        _GROW,
        [
            (sku, actor, GIVEN if delta > 0 else USED, actor, min(abs(delta), COLUMN_MILLI_MAX))
            for sku, delta in moves
            if sku in bound
        ],
    )


def project(db: apsw.Connection, actors: Actors, actor: int, body: RightsMoved | RightsIssued | RightsReleased) -> None:
    """Count what an event says about rights alone.

    A till deals with RIGHTS_PARTNERS_MAX others for one product at most. What a hostile one says beyond that counts
    nowhere, so no till is kept from its sales by sums that have become too long; its own chain alone decides which.
    """
    if isinstance(body, RightsIssued):
        kind, name = (GIVEN if body.quantity_milli > 0 else USED), ""
    elif isinstance(body, RightsMoved):
        kind, name = MOVED, body.to
    else:
        kind, name = RELEASED, body.holder
    if kind in {MOVED, RELEASED} and not 1 <= len(name) <= ACTOR_CHARS_MAX:
        return  # no till is called so
    other = actors.id(name) if name else actor
    partners = 0 if isinstance(body, RightsIssued) else one(db, _PARTNERS, (body.sku, actor, kind, other))
    if body.quantity_milli and partners < RIGHTS_PARTNERS_MAX:
        db.execute(_GROW, (body.sku, actor, kind, other, min(abs(body.quantity_milli), COLUMN_MILLI_MAX)))


def is_carried_out(db: apsw.Connection, actors: Actors, actor: str, after: int, grant: str) -> bool:
    """Say whether an actor carried a grant out, behind a place in its log; it is close behind it, if it is there."""
    sql = "SELECT body FROM event WHERE actor = ? AND seq > ? AND type = 'rights_issued' ORDER BY seq"
    for (body,) in db.execute(sql, (actors.find(actor), after)):
        with suppress(TillmeshError):  # one that nobody can read is aside
            if decode(body, RightsIssued).grant == grant:
                return True
    return False


def counter(db: apsw.Connection, actors: Actors, sku: str) -> BoundedCounter:
    """Give who holds how many rights of a product; empty if it was never limited."""
    found = rows(db, _ROWS, (sku,))
    if not found:
        return _EMPTY
    totals: tuple[dict[str, int], dict[str, int]] = ({}, {})
    between: tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]] = ({}, {})
    for actor, kind, other, n in found:
        if kind in {GIVEN, USED}:
            totals[kind][actors.name(actor)] = n
        else:
            between[kind - MOVED].setdefault(actors.name(actor), {})[actors.name(other)] = n
    return BoundedCounter(*totals, *between)


def limited(db: apsw.Connection) -> list[str]:
    """List the products that are hard-limited, or were and still have rights; rights may be heard of before them."""
    sql = "SELECT sku FROM product WHERE hard_limited OR sku IN (SELECT sku FROM escrow) ORDER BY sku"
    return [sku for (sku,) in rows(db, sql)]


def counted(db: apsw.Connection) -> set[str]:
    """List the products that ever had rights."""
    return {sku for (sku,) in rows(db, "SELECT DISTINCT sku FROM escrow")}


_EMPTY: Final = BoundedCounter()
