"""Who is signed in at head office, by the hash of a token."""

from __future__ import annotations

from typing import Final

import apsw

from tillmesh.adapters.sqlite.database import rows, write

_PUT: Final = "INSERT INTO session (token, name, at_ms, until_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_WHO: Final = (
    "SELECT p.name, p.role FROM session s JOIN person p ON p.name = s.name "
    "WHERE s.token = ? AND s.until_ms >= ? AND p.active"
)


class Sessions:
    """Mixed into head office's own database."""

    _db: apsw.Connection

    def put_session(self, token: bytes, name: str, at_ms: int, until_ms: int) -> None:
        """Note that somebody signed in; forgets sessions that are over."""
        with write(self._db) as db:
            db.execute("DELETE FROM session WHERE until_ms < ?", (at_ms,))
            db.execute(_PUT, (token, name, at_ms, until_ms))

    def session(self, token: bytes, at_ms: int) -> tuple[str, str] | None:
        """Give name and role of who has a token that is not over, or None."""
        found = rows(self._db, _WHO, (token, at_ms))
        return (str(found[0][0]), str(found[0][1])) if found else None

    def end_session(self, token: bytes) -> None:
        """Forget a token."""
        with write(self._db) as db:
            db.execute("DELETE FROM session WHERE token = ?", (token,))

    def end_sessions(self, name: str, but: bytes = b"") -> None:
        """Forget every token of somebody, except one."""
        with write(self._db) as db:
            db.execute("DELETE FROM session WHERE name = ? AND token <> ?", (name, but))
