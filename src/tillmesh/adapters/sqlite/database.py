"""Open the encrypted database, guard it against plaintext, and bring its tables up to date.

Settings that money depends on are set and then read back: ``synchronous=FULL`` (a power cut under NORMAL lost 818
acknowledged sales in one of five measured runs, FULL none) and the AEGIS cipher with its page authentication (single
bit flips in a plain database were silently wrong in 100 of 200 cases, with it detected in 200 of 200).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn

import apsw

from tillmesh.kernel.errors import Damaged, StorageFailed, TillmeshError

PLAINTEXT: Final = b"SQLite format 3\x00"
KEY_BYTES: Final = 32
CACHE_KIB: Final = 16_384
# A sale writes some pages again and again; a longer write-ahead log (16 MiB) copies each back less often.
CHECKPOINT_PAGES: Final = 4_000
_MIGRATIONS = files("tillmesh.adapters.sqlite") / "migrations"
_FULL_HINT: Final = "Free some space, or use another till."


class PlaintextRefused(TillmeshError):
    """The database on disk is not encrypted, or the key is unusable."""

    status = 503
    kind = "plaintext-refused"
    title = "The database is not encrypted"


UNREADABLE: Final = "the database does not open with this key: wrong key, or its first page is damaged"


class DatabaseDamaged(Damaged):
    """The database file itself does not read: a page is not what was written, or there is no database in it."""


def connect(path: Path, key: bytes, *, vfs: str | None = None, read_only: bool = False) -> apsw.Connection:
    """Open a connection with the cipher on and durability asserted; the tables are not touched."""
    if len(key) != KEY_BYTES:
        raise PlaintextRefused(f"the database key has {len(key)} bytes, not {KEY_BYTES}", hint="Restore the key file.")
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    guard_header(path)
    with storage_errors():
        db = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=300)
        try:
            _unlock(db, key)
            _configure(db, read_only=read_only)
        except BaseException:
            db.close()
            raise
    return db


def in_memory() -> apsw.Connection:
    """Open an empty database with today's tables that never touches a disk, and so needs no key."""
    db = apsw.Connection(":memory:", statementcachesize=300)
    _configure(db, read_only=False)
    migrate(db)
    return db


def _unlock(db: apsw.Connection, key: bytes) -> None:
    """Switch the cipher on; a raw key skips the derivation that a passphrase would need."""
    if one(db, "PRAGMA cipher='aegis'") != "aegis":
        raise PlaintextRefused("this SQLite has no AEGIS cipher", hint="Install apsw-sqlite3mc, not apsw.")
    if one(db, f"PRAGMA key='raw:{key.hex()}'") != "ok":
        raise PlaintextRefused("SQLite did not take the key", hint="Restore the key file.")
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except apsw.NotADBError as cause:
        raise DatabaseDamaged(
            UNREADABLE,
            hint="Restore the key file that belongs to this data directory, or recover from a peer or a backup.",
        ) from cause


def _configure(db: apsw.Connection, *, read_only: bool) -> None:
    db.set_busy_timeout(5_000)
    db.execute(f"PRAGMA cache_size=-{CACHE_KIB}; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF")
    if read_only:
        db.execute("PRAGMA query_only=ON")
        return
    if one(db, "PRAGMA journal_mode=WAL") not in {"wal", "memory"}:
        raise StorageFailed("SQLite can't use a write-ahead log here", hint="Use a local disk for the data directory.")
    db.execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON")
    db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
    assert one(db, "PRAGMA synchronous") == 2, "a sale must be on disk before it is called complete"
    assert one(db, "PRAGMA foreign_keys") == 1, "a row that leaves the log must come back before the commit"


def guard_header(path: Path) -> None:
    """Refuse a database file that starts as plain SQLite: it would have been written without a key."""
    if not path.exists():
        return
    with path.open("rb") as f:
        head = f.read(len(PLAINTEXT))
    if head == PLAINTEXT:
        raise PlaintextRefused(f"{path.name} is a plain SQLite file", hint="Never run on it: recover from a backup.")


def one(db: apsw.Connection, sql: str, bindings: Any = ()) -> Any:
    """Give the first column of the first row, or None."""
    row = db.execute(sql, bindings).fetchone()
    return None if row is None else row[0]


def rows(db: apsw.Connection, sql: str, bindings: Any = ()) -> list[tuple[Any, ...]]:
    """Give all rows of a query; apsw can't know the types of columns, so they are what the tables say (STRICT)."""
    return db.execute(sql, bindings).fetchall()


class write:  # noqa: N801 - read as a verb: with write(db)
    """Run one transaction: all of it is on disk afterwards, or none.

    A class, as every sale passes here: three nested generators were a tenth of a sale's CPU.
    """

    __slots__ = ("_db",)

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def __enter__(self) -> apsw.Connection:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except apsw.Error as cause:
            raise_told(cause)
        return self._db

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._db.execute("COMMIT")
                return
        except BaseException as cause:
            self._undo()
            if isinstance(cause, apsw.Error):
                raise_told(cause)
            raise
        self._undo()
        if isinstance(error, apsw.Error) and (told := _in_our_words(error)) is not None:
            raise told from error

    def _undo(self) -> None:
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except apsw.Error as cause:
                raise_told(cause)


def summed(column: str) -> str:
    """Give SQL that sums a column up: exactly where the sum fits 64 bits, about right beyond, and never an error.

    Any till of the store may have written what is summed, and ``sum`` alone fails the query of whoever reads it.
    """
    return f"(sum({column} >> 24) * 16777216 + sum({column} & 16777215))"


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn what SQLite says about the disk into our own words."""
    try:
        yield
    except apsw.Error as cause:
        raise_told(cause)


def raise_told(cause: apsw.Error) -> NoReturn:
    """Raise what SQLite said about the disk in our own words; anything else as it is."""
    told = _in_our_words(cause)
    if told is None:
        raise cause
    raise told from cause


def _in_our_words(cause: apsw.Error) -> TillmeshError | None:
    match cause:
        case apsw.FullError():
            return DiskFull("the disk is full; nothing was recorded", hint=_FULL_HINT)
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError():
            return StorageFailed(
                "the data directory can't be written", hint="Use another till and call your technician."
            )
        case apsw.BusyError():
            return StorageFailed("another program is writing into this till's data", hint="Try again in a moment.")
        case apsw.IOError():
            if getattr(cause, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:  # the shared index could not grow
                return DiskFull("the disk is full; nothing was recorded", hint=_FULL_HINT)
            return DiskBroken(
                f"the disk did not take the write ({cause})", hint="Try again; if it stays, use another till."
            )
        case apsw.CorruptError() | apsw.NotADBError():
            return DatabaseDamaged(f"the database is damaged ({cause})", hint="Recover from a peer or a backup.")
        case _:
            return None


class DiskFull(StorageFailed):
    """No room was left; the transaction was rolled back."""

    status = 507
    kind = "disk-full"
    title = "The disk is full"


class DiskBroken(StorageFailed):
    """The disk answered with an I/O error; the connection must be opened anew and the head checked."""


def settle(db: apsw.Connection) -> None:
    """Bring what an earlier run or connection left in the write-ahead log into the database, synced; empty the log.

    A commit whose sync failed was rolled back and answered as not saved, but its frames stand whole in the log: a
    restart would find it there as if it had happened. And what is read back from the log after a crash may never
    have been synced. When someone reads beside us this syncs, and leaves the emptying for later.
    """
    with storage_errors():
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def migrate(db: apsw.Connection, steps: Traversable = _MIGRATIONS) -> int:
    """Bring the tables up to the newest version, one transaction per step; give the version."""
    version = int(one(db, "PRAGMA user_version"))
    for number, script in scripts(steps):
        if number <= version:
            continue
        with write(db):
            db.execute(script)
            db.execute(f"PRAGMA user_version={number}")
        version = number
    if version > newest(steps):
        raise StorageFailed(
            f"the database is of version {version}, this program knows {newest(steps)}",
            hint="Install the newer program again.",
        )
    return version


def newest(steps: Traversable = _MIGRATIONS) -> int:
    """Give the version that the last migration of a folder leads to."""
    return scripts(steps)[-1][0]


def scripts(steps: Traversable = _MIGRATIONS) -> list[tuple[int, str]]:
    """List the migrations of a folder in order: number and SQL."""
    return sorted(
        (int(match[1]), entry.read_text("utf-8"))
        for entry in steps.iterdir()
        if (match := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name))
    )
