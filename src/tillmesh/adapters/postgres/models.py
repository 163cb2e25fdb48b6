"""The registry of models in PostgreSQL, with bundles and reports: head offices on several machines share it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from threading import Lock
from typing import Final

import msgspec

from tillmesh.adapters.postgres.database import Database, rows
from tillmesh.fleet.models import Published, Rollout, aliases_of, check_next, check_windows
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.limits import (
    MODEL_REPORT_ROWS_MAX,
    MODEL_REPORT_VERSIONS_MAX,
    MODEL_REPORTS_KEPT_MS,
    MODEL_REPORTS_READ_MAX,
)
from tillmesh.sync.model_orders import Report

STEPS: Final = files("tillmesh.adapters.postgres") / "models"
SCHEMA_ENDS: Final = "_models"
_FIELDS: Final = ("name", "version", "sha256", "size", "manifest", "at_ms", "by", "signer")
_VERSIONS: Final = (
    "SELECT name, version, sha256, size, manifest, at_ms, by, signer FROM model_version WHERE name = %s "
    "ORDER BY version DESC"
)
_ROLLOUT: Final = (
    "INSERT INTO rollout AS r (name, serial, held) VALUES (%s, %s, %s) ON CONFLICT (name) DO UPDATE SET "
    "serial = excluded.serial, held = excluded.held WHERE excluded.serial >= r.serial"
)
_REPORT: Final = (
    "INSERT INTO report VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name, store, version, terminal, window_start) "
    "DO UPDATE SET window_end = excluded.window_end, held = excluded.held"
)
_TOO_MANY: Final = (
    "DELETE FROM report WHERE name = %s AND store = %s AND window_end < coalesce((SELECT window_end FROM report "
    "WHERE name = %s AND store = %s ORDER BY window_end DESC LIMIT 1 OFFSET %s), 0)"
)
_TOO_MANY_VERSIONS: Final = (
    "DELETE FROM report WHERE name = %s AND store = %s AND version NOT IN (SELECT version FROM report WHERE name = %s "
    "AND store = %s GROUP BY version ORDER BY max(window_end) DESC, version DESC LIMIT %s)"
)
_HEARD: Final = "SELECT store, held FROM report WHERE name = %s AND window_end >= %s ORDER BY window_end DESC LIMIT %s"


def database(dsn: str, schema: str) -> Database:
    """Give a connection to the tables for models, beside the master database's."""
    return Database(dsn, schema + SCHEMA_ENDS, STEPS)


class PostgresRegistry:
    """Versions and roll-outs. One thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self) -> list[str]:
        """List the models, in the order of the alphabet."""
        with self._database.using() as db:
            return [str(name) for (name,) in rows(db, "SELECT DISTINCT name FROM model_version ORDER BY name")]

    def versions(self, name: str) -> list[Published]:
        """List the versions of a model, the latest first."""
        with self._database.using() as db:
            found = [dict(zip(_FIELDS, row, strict=True)) for row in rows(db, _VERSIONS, (name,))]
        return [Published(**{**one, "manifest": bytes(one["manifest"])}) for one in found]

    def put(self, version: Published) -> None:
        """Add a version; raises Conflict unless it is later than all others of its name."""
        with self._database.using() as db, db.transaction():
            db.execute("LOCK TABLE model_version IN SHARE ROW EXCLUSIVE MODE")
            if check_next(self.versions(version.name), version):
                values = [getattr(version, name) for name in _FIELDS]
                db.execute("INSERT INTO model_version VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", values)

    def rollouts(self) -> dict[str, Rollout]:
        """Give who is to run what, of every model that anybody decided on."""
        with self._database.using() as db:
            found = rows(db, "SELECT name, held FROM rollout ORDER BY name")
        return {str(name): msgspec.json.decode(held, type=Rollout) for name, held in found}

    def note(self, name: str, rollout: Rollout) -> None:
        """Change who is to run what."""
        with self._database.using() as db:
            if not db.execute(_ROLLOUT, (name, rollout.serial, msgspec.json.encode(rollout))).rowcount:
                raise Conflict(f"somebody else has just decided on {name}", hint="Look at the model again.")

    def aliases(self, name: str) -> dict[str, int]:
        """Give which version each alias names."""
        found = self.rollouts().get(name)
        return {} if found is None else aliases_of(found)

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()


class PostgresReports:
    """What tills said of their models. One thread at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, store: str, reports: Sequence[Report], now_ms: int) -> int:
        """Keep reports of a store; the same window again takes the place of what was said before."""
        check_windows(reports, now_ms)
        held = [
            (store, one.name, one.version, one.terminal, one.window_start, one.window_end, msgspec.msgpack.encode(one))
            for one in reports
        ]
        with self._database.using() as db, db.transaction(), db.cursor() as cursor:
            cursor.executemany(_REPORT, held)
            cursor.execute("DELETE FROM report WHERE window_end < %s", (now_ms - MODEL_REPORTS_KEPT_MS,))
            for name in sorted({one.name for one in reports}):
                cursor.execute(_TOO_MANY, (name, store, name, store, MODEL_REPORT_ROWS_MAX))
                cursor.execute(_TOO_MANY_VERSIONS, (name, store, name, store, MODEL_REPORT_VERSIONS_MAX))
        return len(held)

    def of(self, name: str, since_ms: int = 0) -> list[tuple[str, Report]]:
        """Give the reports on a model that end after a time, the newest first, each with its store."""
        with self._database.using() as db:
            found = rows(db, _HEARD, (name, since_ms, MODEL_REPORTS_READ_MAX))
        return [(str(store), msgspec.msgpack.decode(held, type=Report)) for store, held in found]

    def names(self) -> list[str]:
        """List the models that anybody reported on."""
        with self._database.using() as db:
            return [str(name) for (name,) in rows(db, "SELECT DISTINCT name FROM report ORDER BY name")]

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()


class PostgresBundles:
    """Where bundles are for every machine. Any thread: the connection is its own."""

    def __init__(self, database: Database) -> None:
        self._database, self._lock = database, Lock()

    def keep(self, sha256: str, data: bytes) -> None:
        """Keep a bundle under its hash."""
        with self._lock, self._database.using() as db:
            db.execute("INSERT INTO bundle VALUES (%s, %s) ON CONFLICT DO NOTHING", (sha256, data))

    def give(self, sha256: str) -> bytes | None:
        """Give a bundle, or None."""
        with self._lock, self._database.using() as db:
            found = rows(db, "SELECT held FROM bundle WHERE sha256 = %s", (sha256,))
        return bytes(found[0][0]) if found else None

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._database.close()
