"""The registry of models in a file of head office's data directory, and how the models do on the tills."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import connect, migrate, rows, settle, storage_errors, write
from tillmesh.fleet.models import Published, Rollout, aliases_of, check_next, check_windows
from tillmesh.kernel.limits import (
    MODEL_REPORT_ROWS_MAX,
    MODEL_REPORT_VERSIONS_MAX,
    MODEL_REPORTS_KEPT_MS,
    MODEL_REPORTS_READ_MAX,
)
from tillmesh.sync.model_orders import Report

FILE: Final = "models.db"
STEPS: Final = files("tillmesh.adapters.sqlite.hub") / "models"
_VERSIONS: Final = (
    "SELECT name, version, sha256, size, manifest, at_ms, by, signer FROM version WHERE name = ? ORDER BY version DESC"
)


def open_models(path: Path, key: bytes) -> apsw.Connection:
    """Open the file, bringing its tables up to date."""
    db = connect(path, key)
    settle(db)
    with storage_errors():
        migrate(db, STEPS)
    return db


class SqliteRegistry:
    """Versions and roll-outs. One thread at a time."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def names(self) -> list[str]:
        """List the models, in the order of the alphabet."""
        return [str(name) for (name,) in rows(self._db, "SELECT DISTINCT name FROM version ORDER BY name")]

    def versions(self, name: str) -> list[Published]:
        """List the versions of a model, the latest first."""
        return [_published(row) for row in rows(self._db, _VERSIONS, (name,))]

    def put(self, version: Published) -> None:
        """Add a version; raises Conflict unless it is later than all others of its name."""
        with write(self._db) as db:
            if check_next(self.versions(version.name), version):
                db.execute(
                    "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (version.name, version.version, version.sha256, version.size, version.manifest, version.at_ms,
                     version.by, version.signer),
                )  # fmt: skip

    def rollouts(self) -> dict[str, Rollout]:
        """Give who is to run what, of every model that anybody decided on."""
        found = rows(self._db, "SELECT name, held FROM rollout ORDER BY name")
        return {str(name): msgspec.json.decode(held, type=Rollout) for name, held in found}

    def note(self, name: str, rollout: Rollout) -> None:
        """Change who is to run what."""
        with write(self._db) as db:
            db.execute(
                "INSERT INTO rollout VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET held = excluded.held",
                (name, msgspec.json.encode(rollout)),
            )

    def aliases(self, name: str) -> dict[str, int]:
        """Give which version each alias names."""
        found = self.rollouts().get(name)
        return {} if found is None else aliases_of(found)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class ModelReports:
    """What tills said of their models. One thread at a time."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def take(self, store: str, reports: Sequence[Report], now_ms: int) -> int:
        """Keep reports of a store; the same window again takes the place of what was said before."""
        check_windows(reports, now_ms)
        held = [
            (store, one.name, one.version, one.terminal, one.window_start, one.window_end, msgspec.msgpack.encode(one))
            for one in reports
        ]
        with write(self._db) as db:
            db.executemany("INSERT OR REPLACE INTO report VALUES (?, ?, ?, ?, ?, ?, ?)", held)
            db.execute("DELETE FROM report WHERE window_end < ?", (now_ms - MODEL_REPORTS_KEPT_MS,))
            for name in {one.name for one in reports}:
                db.execute(
                    "DELETE FROM report WHERE name = ? AND store = ? AND window_end < coalesce((SELECT window_end FROM "
                    "report WHERE name = ? AND store = ? ORDER BY window_end DESC LIMIT 1 OFFSET ?), 0)",
                    (name, store, name, store, MODEL_REPORT_ROWS_MAX),
                )
                db.execute(
                    "DELETE FROM report WHERE name = ? AND store = ? AND version NOT IN (SELECT version FROM "
                    "report WHERE name = ? AND store = ? GROUP BY version "
                    "ORDER BY max(window_end) DESC, version DESC LIMIT ?)",
                    (name, store, name, store, MODEL_REPORT_VERSIONS_MAX),
                )
        return len(held)

    def of(self, name: str, since_ms: int = 0) -> list[tuple[str, Report]]:
        """Give the reports on a model that end after a time, the newest first, each with its store."""
        sql = "SELECT store, held FROM report WHERE name = ? AND window_end >= ? ORDER BY window_end DESC LIMIT ?"
        found = rows(self._db, sql, (name, since_ms, MODEL_REPORTS_READ_MAX))
        return [(str(store), msgspec.msgpack.decode(held, type=Report)) for store, held in found]

    def names(self) -> list[str]:
        """List the models that anybody reported on."""
        return [str(name) for (name,) in rows(self._db, "SELECT DISTINCT name FROM report ORDER BY name")]

    def close(self) -> None:
        """Close the file; the registry may share it and have done so."""
        self._db.close()


def _published(row: tuple[Any, ...]) -> Published:
    name, version, sha256, size, manifest, at_ms, by, signer = row
    return Published(
        name=name, version=version, sha256=sha256, size=size, manifest=bytes(manifest), at_ms=at_ms, by=by,
        signer=signer,
    )  # fmt: skip
