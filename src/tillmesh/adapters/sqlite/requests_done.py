"""What callers asked under a name and is done: asked again, it is not done again."""

from __future__ import annotations

from typing import Final

import apsw

from tillmesh.kernel.limits import REQUESTS_DONE_MAX

_FIND: Final = "SELECT reply FROM request_done WHERE name = ?"
_KEEP: Final = "INSERT INTO request_done (name, reply) VALUES (?, ?)"
_FORGET: Final = "DELETE FROM request_done WHERE place <= (SELECT max(place) FROM request_done) - ?"


def find(db: apsw.Connection, name: str) -> str | None:
    """Give what was answered to a request of this name, or None if none was done."""
    for (reply,) in db.execute(_FIND, (name,)):
        return str(reply)
    return None


def keep(db: apsw.Connection, name: str, reply: str) -> None:
    """Remember an answer, in the transaction that made it true; the oldest ones are forgotten."""
    db.execute(_KEEP, (name, reply))
    db.execute(_FORGET, (REQUESTS_DONE_MAX,))
