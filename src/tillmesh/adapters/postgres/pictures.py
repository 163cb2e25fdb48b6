"""Pictures of products in PostgreSQL: whichever service a store brought one to, every other one gives it."""

from __future__ import annotations

from collections.abc import Collection
from importlib.resources import files
from typing import Final

from tillmesh.adapters.postgres.database import Database, one, rows
from tillmesh.fleet.pictures import Kept
from tillmesh.shop.pictures import Picture

STEPS: Final = files("tillmesh.adapters.postgres") / "pictures"
SCHEMA_ENDS: Final = "_pictures"
DAY_MS: Final = 86_400_000  # so exactly is noted when one was asked for
_HELD: Final = "SELECT sha256, asked_ms FROM picture WHERE store = %s AND sha256 = ANY(%s)"
# In one order: two services must not wait for each other.
_ASKED: Final = (
    "UPDATE picture SET asked_ms = greatest(asked_ms, %s) WHERE (store, sha256) IN (SELECT store, sha256 FROM picture "
    "WHERE store = %s AND sha256 = ANY(%s) ORDER BY sha256 FOR UPDATE)"
)
_OLDEST: Final = (
    "SELECT sha256, size, asked_ms FROM picture WHERE store = %s AND asked_ms < %s ORDER BY asked_ms, sha256"
)
_KEEP: Final = (
    "INSERT INTO picture (store, sha256, media, size, asked_ms, body) VALUES (%s, %s, %s, %s, %s, %s) "
    "ON CONFLICT (store, sha256) DO NOTHING"
)


class PostgresPictures:
    """One connection; one thread at a time. Any number of these, in any number of programs, on one database."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._database = Database(dsn, schema + SCHEMA_ENDS, STEPS)

    def held(self, store: str, sha256s: Collection[str], now_ms: int) -> set[str]:
        """Say which of some are kept for a store, and note that it asked for them."""
        with self._database.using() as db:
            found = dict(rows(db, _HELD, (store, list(sha256s))))
            old = [each for each, asked in found.items() if now_ms - asked >= DAY_MS]
            if old:
                db.execute(_ASKED, (now_ms, store, old))
        return set(found)

    def load(self, store: str, sha256: str) -> tuple[str, bytes] | None:
        """Give media and bytes of a picture of a store, or None."""
        with self._database.using() as db:
            found = rows(db, "SELECT media, body FROM picture WHERE store = %s AND sha256 = %s", (store, sha256))
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def total(self, store: str) -> int:
        """Add up the bytes of all that is kept for a store."""
        with self._database.using() as db:
            return int(one(db, "SELECT coalesce(sum(size), 0)::bigint FROM picture WHERE store = %s", (store,)))

    def oldest(self, store: str, before_ms: int) -> list[Kept]:
        """List what a store has not asked for since a time, the longest ago first."""
        with self._database.using() as db:
            return [Kept(*row) for row in rows(db, _OLDEST, (store, before_ms))]

    def keep(self, store: str, picture: Picture, data: bytes, now_ms: int) -> None:
        """Keep a picture whose bytes were looked at; the same again changes nothing."""
        with self._database.using() as db:
            db.execute(_KEEP, (store, picture.sha256, picture.media, picture.size, now_ms, data))

    def drop(self, store: str, sha256s: Collection[str]) -> None:
        """Forget some pictures of a store."""
        with self._database.using() as db:
            db.execute("DELETE FROM picture WHERE store = %s AND sha256 = ANY(%s)", (store, sorted(sha256s)))

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()
