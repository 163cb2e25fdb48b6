"""Columns of actors that are gone for good: read as one at once, carried into one set of rows bit by bit.

Which actors those are is said by events (:class:`ActorsFolded`), so all tills with the same events read the same. Stock
is a sum, so it makes no difference when the rows of an actor are carried over, nor whether events of it come later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.database import rows
from tillmesh.kernel.limits import FOLD_MILLI_MAX, FOLDED_PER_EVENT_MAX
from tillmesh.shop.events import ActorsFolded

RETIRED: Final = "retired"  # whose column that is; no actor is called so: a name has a dot
# Stock per product and actor as everybody reads it, whatever was carried over here.
COLUMNS: Final = (
    f"SELECT s.sku AS sku, iif(f.actor IS NULL, a.name, '{RETIRED}') AS who, sum(s.p) AS p, sum(s.n) AS n "  # noqa: S608
    "FROM stock s JOIN actor a ON a.id = s.actor LEFT JOIN folded f ON f.actor = s.actor"
)
_ACTOR: Final = re.compile(r"[0-9a-z]{4,16}\.[0-9a-z]{4,16}")
_NOTE: Final = (
    "INSERT INTO folded (actor, seq) VALUES (?, ?) ON CONFLICT (actor) DO UPDATE SET seq = max(seq, excluded.seq)"
)
# Of those that events name, the ones that the list of tills says are gone: a till that folds itself, and writes on,
# would have a column that stops elsewhere on a till that carried it over in between.
_GONE: Final = (
    "SELECT f.actor FROM folded f JOIN actor a ON a.id = f.actor "
    "WHERE a.name NOT IN (SELECT value FROM json_each(:but))"
)
# What is so large that nobody can have meant it stays with its actor: a column stops at COLUMN_MILLI_MAX on every till,
# whenever rows were carried over there.
_SMALL: Final = f"actor IN ({_GONE}) AND p < {FOLD_MILLI_MAX} AND n < {FOLD_MILLI_MAX}"
_WAITING: Final = f"SELECT DISTINCT sku FROM stock_column WHERE {_SMALL} AND sku > :sku ORDER BY sku LIMIT :most"  # noqa: S608
_CARRY: Final = (
    "INSERT INTO stock_column (sku, actor, p, n) SELECT sku, :base, sum(p), sum(n) FROM stock_column "  # noqa: S608
    f"WHERE sku = :sku AND {_SMALL} GROUP BY sku "
    "ON CONFLICT (sku, actor) DO UPDATE SET p = p + excluded.p, n = n + excluded.n"
)
_CLEAR: Final = f"DELETE FROM stock_column WHERE sku = :sku AND {_SMALL}"  # noqa: S608


def project(db: apsw.Connection, actors: Actors, body: ActorsFolded) -> None:
    """Note whose columns are one from now on; of what a hostile till may name, only what can be an actor."""
    for name, seq in body.finals[:FOLDED_PER_EVENT_MAX]:
        if _ACTOR.fullmatch(name) and seq >= 0:
            db.execute(_NOTE, (actors.id(name), min(seq, 1 << 62)))


def folded(db: apsw.Connection) -> Mapping[str, int]:
    """Give the actors that are folded, and where the store agreed that their logs end."""
    return dict(rows(db, "SELECT a.name, f.seq FROM folded f JOIN actor a ON a.id = f.actor ORDER BY a.name"))


def waiting(db: apsw.Connection, after: str, limit: int, *, but: Collection[str] = ()) -> list[str]:
    """List products behind one, in their order, with rows that are still to be carried over; ``but`` as in carry."""
    found = rows(db, _WAITING, {"sku": after, "most": limit, "but": _names(but)})
    return [sku for (sku,) in found]


def carry(db: apsw.Connection, skus: Sequence[str], *, but: Collection[str] = ()) -> int:
    """Carry the rows of folded actors for these products into the retired column; give how many rows that were.

    In the caller's transaction. Rows of actors that belong to the store (``but``) stay, whatever an event says.
    """
    base, carried = Actors(db).id(RETIRED), 0
    for sku in skus:
        said: dict[str, str | int] = {"sku": sku, "base": base, "but": _names(but)}
        db.execute(_CARRY, said)
        db.execute(_CLEAR, said)
        carried += db.changes()
    return carried


def _names(actors: Collection[str]) -> str:
    return msgspec.json.encode(sorted(actors)).decode()
