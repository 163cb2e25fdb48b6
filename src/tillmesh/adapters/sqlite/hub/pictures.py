"""Pictures of products in a file of head office's data directory."""

from __future__ import annotations

from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from typing import Final

from tillmesh.adapters.sqlite.database import connect, migrate, one, rows, settle, storage_errors, write
from tillmesh.fleet.pictures import Kept
from tillmesh.shop.pictures import Picture

FILE: Final = "pictures.db"
STEPS: Final = files("tillmesh.adapters.sqlite.hub") / "pictures"
DAY_MS: Final = 86_400_000  # so exactly is noted when one was asked for
_OLDEST: Final = "SELECT sha256, size, asked_ms FROM picture WHERE store = ? AND asked_ms < ? ORDER BY asked_ms, sha256"
_ASKED: Final = "UPDATE picture SET asked_ms = ? WHERE store = ? AND sha256 = ?"
_KEEP: Final = (
    "INSERT INTO picture (store, sha256, media, size, asked_ms, body) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (store, sha256) DO NOTHING"
)


class SqlitePictures:
    """One connection; one thread at a time. Several programs on one machine may open the same file."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._db = connect(path, key)
        settle(self._db)
        with storage_errors():
            migrate(self._db, STEPS)

    def held(self, store: str, sha256s: Collection[str], now_ms: int) -> set[str]:
        """Say which of some are kept for a store, and note that it asked for them."""
        sql = "SELECT asked_ms FROM picture WHERE store = ? AND sha256 = ?"
        found = {each: asked for each in sha256s if (asked := one(self._db, sql, (store, each))) is not None}
        old = [(now_ms, store, each) for each, asked in found.items() if now_ms - asked >= DAY_MS]
        if old:
            with write(self._db) as db:
                db.executemany(_ASKED, old)
        return set(found)

    def load(self, store: str, sha256: str) -> tuple[str, bytes] | None:
        """Give media and bytes of a picture of a store, or None."""
        found = rows(self._db, "SELECT media, body FROM picture WHERE store = ? AND sha256 = ?", (store, sha256))
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def total(self, store: str) -> int:
        """Add up the bytes of all that is kept for a store."""
        return int(one(self._db, "SELECT coalesce(sum(size), 0) FROM picture WHERE store = ?", (store,)))

    def oldest(self, store: str, before_ms: int) -> list[Kept]:
        """List what a store has not asked for since a time, the longest ago first."""
        return [Kept(*row) for row in rows(self._db, _OLDEST, (store, before_ms))]

    def keep(self, store: str, picture: Picture, data: bytes, now_ms: int) -> None:
        """Keep a picture whose bytes were looked at; the same again changes nothing."""
        with write(self._db) as db:
            db.execute(_KEEP, (store, picture.sha256, picture.media, picture.size, now_ms, data))

    def drop(self, store: str, sha256s: Collection[str]) -> None:
        """Forget some pictures of a store."""
        with write(self._db) as db:
            db.executemany("DELETE FROM picture WHERE store = ? AND sha256 = ?", [(store, each) for each in sha256s])

    def close(self) -> None:
        """Close the file."""
        self._db.close()
