"""A connection to PostgreSQL that comes back by itself, and tables brought up to date under a lock."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from tillmesh.fleet.ports import Away
from tillmesh.kernel.errors import StorageFailed

Connection: TypeAlias = psycopg.Connection[TupleRow]
CONNECT_S: Final = 5
STATEMENT_MS: Final = 60_000  # Guess: what takes longer hangs; a rebuild is many short statements.
RETRY_MS: Final = 2_000  # after PostgreSQL was found away, until it is tried again
APPLICATION_CHARS_MAX: Final = 63  # PostgreSQL cuts names there
VERSION_MIN: Final = 150_000  # what is tested: Debian 12 has 15
CLOSED_MS: Final = 10_000  # in which a connection of an older program has to end before tables change
# Whoever may write to a schema holds this lock, shared, as long as its connection lasts.
SERVICES: Final = "(hashtext(current_schema()), hashtext('services'))"
HOLDERS: Final = (
    "FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid() "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND (l.classid::bigint, l.objid::bigint) = "
    "(hashtext(current_schema())::bigint & 4294967295, hashtext('services')::bigint & 4294967295)"
)


class Database:
    """One connection, made when it is needed and made anew after it broke. One thread at a time."""

    def __init__(
        self,
        dsn: str,
        schema: str,
        steps: Traversable | None = None,
        prepare: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._dsn, self._schema, self._steps = dsn, schema, steps  # without steps it only reads
        self._prepare = prepare
        self._db: Connection | None = None
        self._away_until = 0.0  # monotonic: so long nobody waits for a server that is known to be away

    @contextmanager
    def using(self) -> Iterator[Connection]:
        """Lend the connection; raises :class:`Away` when PostgreSQL can't be reached or hangs up meanwhile."""
        if time.monotonic() < self._away_until:
            raise _away("it did not answer a moment ago")
        try:
            yield self._connected()
        except (psycopg.OperationalError, psycopg.InterfaceError) as cause:
            self._away_until = time.monotonic() + RETRY_MS / 1000
            self.close()
            raise _away(_said(cause)) from cause
        except psycopg.Error as cause:
            self.close()
            raise StorageFailed(f"PostgreSQL refused: {_said(cause)}", hint="Look into its log.") from cause

    def close(self) -> None:
        """Let go of the connection; the next use makes another."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _connected(self) -> Connection:
        if self._db is None or self._db.closed:
            self._db = self._connect()
        return self._db

    def _connect(self) -> Connection:
        reads = self._steps is None
        db = psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_S,
            application_name=f"tillmesh on {socket.gethostname()}, process {os.getpid()}"[:APPLICATION_CHARS_MAX],
            options=f"-c statement_timeout={STATEMENT_MS} -c default_transaction_read_only={_switch(reads)}",
        )
        try:
            _check(db)
            db.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self._schema)))
            if self._steps is not None:
                migrate(db, self._schema, self._steps)
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db


def _switch(on: object) -> str:
    return "on" if on else "off"


def _said(cause: psycopg.Error) -> str:
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)[:200]


def _away(why: str) -> Away:
    return Away(f"the master database is away: {why}", part="master", retry_after_ms=RETRY_MS)


def _check(db: Connection) -> None:
    """Refuse a server that would acknowledge what is not on its disk."""
    if db.info.server_version < VERSION_MIN:
        raise StorageFailed(
            f"PostgreSQL of version {db.info.server_version // 10_000}; at least {VERSION_MIN // 10_000} is needed",
            hint="Update it.",
        )
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if one(db, f"SHOW {name}") == "off":
            raise StorageFailed(f"PostgreSQL runs with {name}=off", hint="Switch it on: sales depend on it.")


def one(db: Connection, query: str, bindings: Any = ()) -> Any:
    """Give the first column of the first row, or None."""
    row = db.execute(query, bindings).fetchone()
    return None if row is None else row[0]


def rows(db: Connection, query: str, bindings: Any = ()) -> list[tuple[Any, ...]]:
    """Give all rows of a query."""
    return db.execute(query, bindings).fetchall()


def plain(text: str) -> str:
    """Give a text as PostgreSQL can hold it: with another sign in place of NUL, so that it equals no other text."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def migrate(db: Connection, schema: str, steps: Traversable) -> int:
    """Bring the tables of a schema up to the newest version, all steps or none; give the version.

    Services of older programs are hung up on before anything changes, and refused when they come back: what they do not
    know of they would do wrong. This connection is one of the services from then on, as long as it lasts.
    """
    newest = scripts(steps)[-1][0]
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"tillmesh {schema}",))
        db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        db.execute("CREATE TABLE IF NOT EXISTS version (number int PRIMARY KEY)")
        version = int(one(db, "SELECT coalesce(max(number), 0) FROM version"))
        if version > newest:
            raise StorageFailed(
                f"the tables in {schema} are of version {version}, this program knows {newest}",
                hint="Install the newer program again.",
            )
        if 0 < version < newest:
            _hang_up_on_others(db, schema)
        for number, script in scripts(steps):
            if number > version:
                db.execute(script)
                db.execute("INSERT INTO version VALUES (%s)", (number,))
        if not one(db, f"SELECT pg_try_advisory_lock_shared{SERVICES}"):
            raise Away("the master database is being made anew", part="master", retry_after_ms=RETRY_MS)
    return newest


def _hang_up_on_others(db: Connection, schema: str) -> None:
    """End the connections of services that wrote to these tables so far, and see to it that they have ended."""
    for pid, ended in rows(db, f"SELECT l.pid, pg_terminate_backend(l.pid, {CLOSED_MS}) {HOLDERS}"):
        if not ended:
            raise Away(
                f"a service of an older program is still at work in {schema} (process {pid} of PostgreSQL)",
                part="master",
                retry_after_ms=RETRY_MS,
            )


def scripts(steps: Traversable) -> list[tuple[int, str]]:
    """List the migrations of a folder in order: number and SQL."""
    return sorted(
        (int(match[1]), entry.read_text("utf-8"))
        for entry in steps.iterdir()
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name))
    )
