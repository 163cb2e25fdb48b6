"""Analytics in one file of DuckDB, fed from the event log: rows of its own, so a report never waits for an upload.

The file and everything beside it are encrypted (AES-GCM). DuckDB writes such files only with OpenSSL, which its
extension httpfs brings along. DuckDB checks that against its makers' signature, and no network is opened to it.
Rows come in as one JSON document per table and are unpacked by DuckDB itself: 28,000 lines a second on a busy machine
of two cores, where parameters one by one managed 250.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from tillmesh.fleet.chains import ChainRow, Chains
from tillmesh.fleet.ports import DayRow, Entry, Position, ProductRow
from tillmesh.fleet.reporting import QUARTER_MS, QuarterRow
from tillmesh.kernel.errors import StorageFailed

FILE: Final = "analytics.sealed"
IN_CLEAR: Final = "analytics.duckdb"  # as earlier versions wrote it
EXTENSION: Final = "duckdb_extension_httpfs"
HTTPFS: Final = "httpfs.duckdb_extension"
MEMORY: Final = "512MB"
_ALONE: Final = {
    "memory_limit": MEMORY, "threads": "2", "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}  # fmt: skip
_TABLES: Final = (files("tillmesh.adapters.duckdb") / "tables.sql").read_text("utf-8")
_COLUMNS: Final = {
    "sale": {
        "store": "VARCHAR", "actor": "VARCHAR", "seq": "BIGINT", "kind": "TINYINT", "at_ms": "BIGINT",
        "total_minor": "BIGINT", "tax_minor": "BIGINT", "answers": "VARCHAR",
    },
    "line": {
        "store": "VARCHAR", "actor": "VARCHAR", "seq": "BIGINT", "line": "INTEGER", "kind": "TINYINT",
        "at_ms": "BIGINT", "sku": "VARCHAR", "name": "VARCHAR", "quantity_milli": "BIGINT", "total_minor": "BIGINT",
        "tax_minor": "BIGINT",
    },
}  # fmt: skip
_DAYS: Final = (
    "SELECT store, strftime(make_timestamp_ms(at_ms), '%Y-%m-%d') AS day, count(*) FILTER (kind = 0), "
    "sum(CASE kind WHEN 0 THEN total_minor ELSE -total_minor END), "
    "sum(CASE kind WHEN 0 THEN tax_minor ELSE -tax_minor END) "
    "FROM sale WHERE at_ms >= ? AND at_ms < ? AND (len(?::VARCHAR[]) = 0 OR list_contains(?::VARCHAR[], store)) "
    "GROUP BY store, day ORDER BY store, day"
)
_QUARTERS: Final = (
    "SELECT store, at_ms // ?::BIGINT * ?::BIGINT AS quarter, count(*) FILTER (kind = 0), "
    "sum(CASE kind WHEN 0 THEN total_minor ELSE -total_minor END), "
    "sum(CASE kind WHEN 0 THEN tax_minor ELSE -tax_minor END) "
    "FROM sale WHERE at_ms >= ? AND at_ms < ? AND (len(?::VARCHAR[]) = 0 OR list_contains(?::VARCHAR[], store)) "
    "GROUP BY store, quarter ORDER BY store, quarter"
)
# The lines of a sale that was taken back whole count no more; those of a refund count against it.
_PRODUCTS: Final = (
    "WITH voided AS (SELECT store, split_part(answers, '-', 1) AS actor, "
    "try_cast(split_part(answers, '-', 2) AS BIGINT) AS seq FROM sale WHERE kind = 2) "
    "SELECT sku, max(name), sum(CASE kind WHEN 0 THEN quantity_milli ELSE -quantity_milli END), "
    "sum(CASE kind WHEN 0 THEN total_minor ELSE -total_minor END) AS net "
    "FROM line ANTI JOIN voided USING (store, actor, seq) "
    "WHERE at_ms >= ? AND at_ms < ? AND (len(?::VARCHAR[]) = 0 OR list_contains(?::VARCHAR[], store)) "
    "GROUP BY sku ORDER BY net DESC, sku LIMIT ?"
)


class DuckAnalytics:
    """Writes come from one thread; every question has a cursor of its own and may come from any."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open the file, making it anew if there is none; what an earlier version wrote in clear is thrown away."""
        for left in path.parent.glob(f"{IN_CLEAR}*"):
            left.unlink()
        self._path, self._key = path, key
        self._opening = threading.Lock()
        self._is_broken = False  # DuckDB refuses everything after an error that it calls fatal: it is opened anew
        self._db = self._opened()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        db = duckdb.connect(":memory:", config=_ALONE)  # type: ignore[arg-type] # any value is one here
        try:
            db.execute(f"LOAD {_quoted(extension())}")
            db.execute(f"ATTACH {_quoted(self._path)} AS reports (ENCRYPTION_KEY '{_derived(self._key)}')")
            # From here on nothing is fetched and no other file is touched, whatever an SQL text says.
            db.execute("SET temp_file_encryption = true; SET enable_external_access = false; USE reports")
            db.execute(_TABLES)
        except duckdb.Error as cause:
            db.close()
            detail = f"{self._path.name} can't be opened ({str(cause)[:200]})"
            raise StorageFailed(detail, hint="Delete it: it is made anew from the events.") from cause
        return db

    def position(self) -> Position:
        """Say up to where the log was taken in."""
        with self._in_words():
            return dict(self._cursor().execute("SELECT part, entry FROM position").fetchall())

    def take(self, entries: Sequence[tuple[Position, Entry]]) -> None:
        """Take in entries and note the last place, in one transaction."""
        with self._in_words(), closing(self._cursor()) as db:
            chains = self._chains(db, {entry.store for _, entry in entries})
            found: dict[str, list[tuple[Any, ...]]] = {"sale": [], "line": []}
            place: dict[str, int] = {}
            for position, entry in entries:
                rows = chains.take(entry)
                found["sale"] += [
                    (entry.store, s.actor, s.seq, int(s.kind), s.at_ms, s.total_minor, s.tax_minor, s.answers)
                    for s in rows.sales
                ]
                found["line"] += [(entry.store, *line) for line in rows.lines]
                place |= position
            db.execute("BEGIN")
            for table, many in found.items():
                _insert(db, table, many)
            for chain in chains.rows():
                db.execute("INSERT OR REPLACE INTO head (store, actor, seq, weight) VALUES (?, ?, ?, ?)", chain)
            for part in place.items():
                db.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", part)
            db.execute("COMMIT")

    def days(self, stores: Sequence[str], first_ms: int, last_ms: int) -> list[DayRow]:
        """Add up sales per store and day (UTC)."""
        asked = [first_ms, last_ms, list(stores), list(stores)]
        with self._in_words():
            return [DayRow(*row) for row in self._cursor().execute(_DAYS, asked).fetchall()]

    def quarters(
        self, stores: Sequence[str], first_ms: int, last_ms: int, step_ms: int = QUARTER_MS
    ) -> list[QuarterRow]:
        """Add up sales per store and quarter of an hour, or another step."""
        asked = [step_ms, step_ms, first_ms, last_ms, list(stores), list(stores)]
        with self._in_words():
            return [QuarterRow(*row) for row in self._cursor().execute(_QUARTERS, asked).fetchall()]

    def products(self, stores: Sequence[str], first_ms: int, last_ms: int, limit: int) -> list[ProductRow]:
        """List the products with the highest net sales."""
        asked = [first_ms, last_ms, list(stores), list(stores), limit]
        with self._in_words():
            return [ProductRow(*row) for row in self._cursor().execute(_PRODUCTS, asked).fetchall()]

    def digest(self) -> str:
        """Give the hash of what was taken in."""
        total = sha256()
        with self._in_words():
            for table in _COLUMNS:
                for row in self._cursor().execute(f"FROM {table} ORDER BY ALL").fetchall():
                    total.update(repr(row).encode())
        return total.hexdigest()

    def begin_anew(self) -> None:
        """Forget everything."""
        with self._in_words():
            self._db.execute(
                "BEGIN; DELETE FROM sale; DELETE FROM line; DELETE FROM head; DELETE FROM position; COMMIT"
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._is_broken:
                self._db.close()
                self._db, self._is_broken = self._opened(), False
            return self._db.cursor().execute("USE reports")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Say what DuckDB refuses as an error of ours, and note when it has to be opened anew."""
        try:
            yield
        except duckdb.Error as cause:
            self._is_broken = self._is_broken or isinstance(cause, duckdb.FatalException)
            raise StorageFailed(f"analytics does not work ({str(cause)[:200]})", hint="Free some space.") from cause

    def _chains(self, db: duckdb.DuckDBPyConnection, stores: set[str]) -> Chains:
        asked = "SELECT store, actor, seq, weight FROM head WHERE list_contains(?::VARCHAR[], store)"
        return Chains(ChainRow(*row) for row in db.execute(asked, [list(stores)]).fetchall())


def extension() -> Path:
    """Find the file that DuckDB loads to encrypt; the package around it is not run."""
    found = find_spec(EXTENSION)
    places = list(found.submodule_search_locations or []) if found is not None else []
    files_there = [file for place in places for file in Path(place).glob(f"extensions/*/{HTTPFS}")]
    if not files_there:
        raise StorageFailed(f"{EXTENSION} is not installed", hint="Install requirements/hub.txt.")
    return files_there[0]


def _derived(key: bytes) -> str:
    """Make DuckDB's key from head office's, so that neither says anything about the other."""
    return hmac.digest(key, b"tillmesh analytics v1", "sha256").hex()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _insert(db: duckdb.DuckDBPyConnection, table: str, many: Sequence[tuple[Any, ...]]) -> None:
    """Add rows to a table, column by column in one document."""
    if not many:
        return
    columns = _COLUMNS[table]
    document = dict(zip(columns, map(list, zip(*many, strict=True)), strict=True))
    shape = {name: [kind] for name, kind in columns.items()}
    parts = ", ".join(f"unnest(d.{name})" for name in columns)
    db.execute(
        f"INSERT INTO {table} SELECT {parts} FROM (SELECT from_json_strict(?, ?) AS d)",  # noqa: S608 - our own names
        [msgspec.json.encode(document).decode(), msgspec.json.encode(shape).decode()],
    )
