"""Where money may have been taken or given back twice: found in indexes, looked at closer by whoever decodes it."""

from __future__ import annotations

from typing import Final

import apsw

from tillmesh.adapters.sqlite.actors import Actors
from tillmesh.adapters.sqlite.database import rows
from tillmesh.kernel.ids import event_id

SETTLED: Final = (
    "SELECT actor, seq, hlc, type, version, body, hash FROM event WHERE type = 'money_conflict_settled' ORDER BY hlc"
)
# One walk through the index of idempotency keys: no table is touched unless a key is there twice.
AGAIN: Final = "SELECT request FROM receipt GROUP BY request HAVING count(*) > 1 LIMIT ?"
SALES_OF: Final = (
    "SELECT e.actor, e.seq, e.hlc, e.type, e.version, e.body, e.hash FROM receipt r "
    "JOIN event e ON e.actor = r.actor AND e.seq = r.seq JOIN actor a ON a.id = e.actor "
    "WHERE r.request = ? AND r.kind = 0 ORDER BY e.hlc, a.name"
)
_ANSWERED: Final = (
    "SELECT sale_actor, sale_seq FROM receipt WHERE sale_actor IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1 LIMIT ?"
)


def requests_again(db: apsw.Connection, most: int) -> list[int]:
    """List the keys under which more than one receipt stands."""
    return [request for (request,) in rows(db, AGAIN, (most,))]


def answered_again(db: apsw.Connection, actors: Actors, most: int) -> list[str]:
    """List the sales that more than one refund or void answers."""
    return [event_id(actors.name(actor), seq) for actor, seq in rows(db, _ANSWERED, (most,))]
