"""Who is signed in at head office, in PostgreSQL: whichever service gave the token, every other one believes it."""

from __future__ import annotations

from typing import Final

from tillmesh.adapters.postgres.database import Database, plain, rows

_PUT: Final = "INSERT INTO session (token, name, at_ms, until_ms) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
_WHO: Final = (
    "SELECT p.name, p.role FROM session s JOIN person p ON p.name = s.name "
    "WHERE s.token = %s AND s.until_ms >= %s AND p.active = 1"
)


class Sessions:
    """Mixed into head office's own database."""

    _database: Database

    def put_session(self, token: bytes, name: str, at_ms: int, until_ms: int) -> None:
        """Note that somebody signed in; forgets sessions that are over."""
        with self._database.using() as db, db.transaction():
            db.execute("DELETE FROM session WHERE until_ms < %s", (at_ms,))
            db.execute(_PUT, (token, name, at_ms, until_ms))

    def session(self, token: bytes, at_ms: int) -> tuple[str, str] | None:
        """Give name and role of who has a token that is not over, or None."""
        with self._database.using() as db:
            found = rows(db, _WHO, (token, at_ms))
        return (found[0][0], found[0][1]) if found else None

    def end_session(self, token: bytes) -> None:
        """Forget a token."""
        with self._database.using() as db:
            db.execute("DELETE FROM session WHERE token = %s", (token,))

    def end_sessions(self, name: str, but: bytes = b"") -> None:
        """Forget every token of somebody, except one."""
        with self._database.using() as db:
            db.execute("DELETE FROM session WHERE name = %s AND token <> %s", (plain(name), but))
