"""A copy of an encrypted database while somebody works in it: all of one moment, encrypted under the same key."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tillmesh.adapters.sqlite.database import DatabaseDamaged, connect, one, rows, storage_errors


def size_of(database: Path) -> int:
    """Give how many bytes a copy may take: what is in the write-ahead log comes into it."""
    files = (database, database.with_name(f"{database.name}-wal"))
    return sum(path.stat().st_size for path in files if path.exists())


def copy_database(source: Path, target: Path, key: bytes) -> int:
    """Copy a database into a new file and read every page of it again; gives its bytes.

    The transaction that stays open pins one moment: writers go on, and the copy does not begin anew behind them. A page
    that was damaged on the disk or on its way is found here, as each carries its own authentication.
    """
    assert not target.exists(), f"{target} would be written over"
    with closing(connect(source, key, read_only=True)) as db, closing(connect(target, key)) as copy, storage_errors():
        db.execute("BEGIN")
        one(db, "SELECT count(*) FROM sqlite_master")
        with copy.backup("main", db, "main") as work:
            work.step()
        db.execute("COMMIT")
        one(copy, "PRAGMA journal_mode=DELETE")  # one file, which opens on a medium that can't be written, too
        for (line,) in rows(copy, "PRAGMA quick_check(1)"):
            if line != "ok":
                raise DatabaseDamaged(f"{source} is damaged ({line})", hint="Run tillmesh doctor on this till.")
    target.chmod(0o600)
    return target.stat().st_size
