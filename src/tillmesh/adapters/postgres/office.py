"""Who may do what at head office, in PostgreSQL: all services share it, wherever they run.

It has a schema of its own beside the master database's: that one is added up anew from the event log at will, this one
is nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import Any, Final

from tillmesh.adapters.postgres.credentials import Credentials
from tillmesh.adapters.postgres.database import Database, one, plain, rows
from tillmesh.adapters.postgres.plans import Plans
from tillmesh.adapters.postgres.sessions import Sessions
from tillmesh.fleet.office import KEPT, Audited, Person
from tillmesh.fleet.ports import Away

STEPS: Final = files("tillmesh.adapters.postgres") / "office"
SCHEMA_ENDS: Final = "_office"
_ONCE: Final = "INSERT INTO meta (name, value) VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"
_NOTE: Final = "INSERT INTO meta (name, value) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_META: Final = "SELECT value FROM meta WHERE name = %s"
_PERSON: Final = (
    "INSERT INTO person (name, role, password) VALUES (%s, %s, %s) ON CONFLICT (name) DO UPDATE SET "
    "role = excluded.role, password = excluded.password, active = 1"
)
_CONTACT: Final = (
    "INSERT INTO contact AS c (store, heard_ms, held) VALUES (%s, %s, %s) ON CONFLICT (store) DO UPDATE SET "
    "heard_ms = excluded.heard_ms, held = excluded.held WHERE excluded.heard_ms > c.heard_ms"
)
_TRUST: Final = (
    "INSERT INTO trust (store, authority, lists) VALUES (%s, %s, %s) ON CONFLICT (store) "
    "DO UPDATE SET authority = excluded.authority, lists = excluded.lists"
)
_AUDITED: Final = (
    "SELECT id, at_ms, by, action, subject, detail FROM audit WHERE (%s = 0 OR id < %s) AND "
    "strpos(lower(by || ' ' || action || ' ' || subject || ' ' || detail), lower(%s)) > 0 ORDER BY id DESC LIMIT %s"
)
_LOCK: Final = "(hashtext(current_schema()), hashtext(%s))"


class PostgresOffice(Sessions, Plans, Credentials):
    """One connection; one thread at a time. Any number of these, in any number of programs, on one database."""

    def __init__(self, dsn: str, schema: str) -> None:
        self._database = Database(dsn, schema + SCHEMA_ENDS, STEPS)

    def meta(self, name: str) -> bytes | None:
        """Give a value that was noted, or None."""
        with self._database.using() as db:
            found = one(db, _META, (name,))
            return None if found is None else bytes(found)

    def note(self, name: str, value: bytes) -> None:
        """Note a value."""
        self._do(_NOTE, (name, value))

    def note_once(self, name: str, value: bytes) -> bytes:
        """Note a value unless there is one; gives the one that is there: several services may start at once."""
        with self._database.using() as db:
            db.execute(_ONCE, (name, value))
            return bytes(one(db, _META, (name,)))

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Keep every other service out of the same thing meanwhile.

        The lock is this connection's: PostgreSQL gives it to the next one when the connection ends, however it ends.
        """
        with self._database.using() as db:
            db.execute(f"SELECT pg_advisory_lock{_LOCK}", (plain(what),))
        try:
            yield
        finally:
            with suppress(Away), self._database.using() as db:  # a connection that broke has let go of it
                db.execute(f"SELECT pg_advisory_unlock{_LOCK}", (plain(what),))

    def person(self, name: str) -> Person | None:
        """Find somebody who is active."""
        found = self._ask("SELECT name, role, password FROM person WHERE name = %s AND active = 1", (plain(name),))
        return Person(*found[0]) if found else None

    def put_person(self, person: Person) -> None:
        """Add somebody, or change role and password."""
        self._do(_PERSON, person)

    def people(self) -> list[tuple[str, str]]:
        """List name and role of everybody who may sign in."""
        return [
            (name, role) for name, role in self._ask("SELECT name, role FROM person WHERE active = 1 ORDER BY name")
        ]

    def change_role(self, name: str, role: str) -> bool:
        """Change what somebody may do; says whether there was such a person."""
        return self._do("UPDATE person SET role = %s WHERE name = %s AND active = 1", (role, plain(name))) > 0

    def remove_person(self, name: str) -> bool:
        """Let somebody sign in no more; says whether there was such a person."""
        return self._do("UPDATE person SET active = 0 WHERE name = %s AND active = 1", (plain(name),)) > 0

    def has_people(self) -> bool:
        """Say whether anybody can sign in."""
        return bool(self._ask("SELECT 1 FROM person WHERE active = 1 LIMIT 1"))

    def put_contacts(self, told: Sequence[tuple[str, int, bytes]]) -> None:
        """Note when leaders of stores were here and what they held, unless something later is known."""
        if told:
            with self._database.using() as db, db.transaction(), db.cursor() as cursor:
                cursor.executemany(_CONTACT, sorted(told))  # in one order: two services must not wait for each other

    def contacts(self, after_ms: int) -> list[tuple[str, int, bytes]]:
        """List the contacts since a time."""
        found = self._ask("SELECT store, heard_ms, held FROM contact WHERE heard_ms > %s", (after_ms,))
        return [(store, heard_ms, bytes(held)) for store, heard_ms, held in found]

    def trust(self, store: str) -> tuple[bytes, bytes] | None:
        """Give the authority of a store and the lists of its tills, or None if it named none."""
        found = self._ask("SELECT authority, lists FROM trust WHERE store = %s", (plain(store),))
        return (bytes(found[0][0]), bytes(found[0][1])) if found else None

    def put_trust(self, store: str, authority: bytes, lists: bytes) -> None:
        """Note whose signatures count for a store."""
        self._do(_TRUST, (store, authority, lists))

    def keep_lists(self, store: str, authority: bytes, lists: bytes) -> None:
        """Note the lists of a store's tills, if this is its authority still."""
        self._do("UPDATE trust SET lists = %s WHERE store = %s AND authority = %s", (lists, store, authority))

    def groups(self) -> dict[str, list[str]]:
        """List the groups of stores, by name, with the stores in each."""
        with self._database.using() as db, db.transaction():
            found: dict[str, list[str]] = {name: [] for (name,) in rows(db, "SELECT name FROM store_group")}
            for name, store in rows(db, "SELECT name, store FROM grouped ORDER BY store"):
                found.setdefault(name, []).append(store)
        return dict(sorted(found.items()))

    def put_group(self, name: str, stores: Collection[str]) -> None:
        """Make a group of these stores, or change which stores are in it."""
        with self._database.using() as db, db.transaction():
            # The row is locked whether it is new or not: of two who change one group the later one counts, whole.
            db.execute(
                "INSERT INTO store_group VALUES (%s) ON CONFLICT (name) DO UPDATE SET name = excluded.name", (name,)
            )
            db.execute("DELETE FROM grouped WHERE name = %s", (name,))
            db.execute("INSERT INTO grouped SELECT %s, * FROM unnest(%s::text[])", (name, sorted(set(stores))))

    def remove_group(self, name: str) -> bool:
        """Forget a group, not its stores; says whether there was one."""
        with self._database.using() as db, db.transaction():
            gone = db.execute("DELETE FROM store_group WHERE name = %s", (plain(name),)).rowcount > 0
            db.execute("DELETE FROM grouped WHERE name = %s", (plain(name),))
        return gone

    def audit(self, at_ms: int, by: str, action: str, subject: str, detail: str = "") -> None:
        """Note what was done."""
        said = (at_ms, *map(plain, (by, action, subject, detail)))
        self._do("INSERT INTO audit (at_ms, by, action, subject, detail) VALUES (%s, %s, %s, %s, %s)", said)

    def audited(self, limit: int, before: int = 0, words: str = "") -> list[Audited]:
        """List what was done before an entry (0: up to now) and holds the words, the newest first, with its number."""
        found = self._ask(_AUDITED, (before, before, plain(words), limit))
        return [(id_, at, by, what, on, why) for id_, at, by, what, on, why in found]

    def carry(self, kept: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        """Take in what another kind of this database holds, all of it or nothing; what is here already stays."""
        with self._database.using() as db, db.transaction(), db.cursor() as cursor:
            for table, columns in KEPT.items():
                values = ", ".join(["%s"] * len(columns))
                query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608
                cursor.executemany(query, [[plain(v) if isinstance(v, str) else v for v in row] for row in kept[table]])
            for table in ("audit", "plan"):
                last = f"(SELECT max(id) FROM {table})"  # noqa: S608 - a constant
                cursor.execute(f"SELECT setval(pg_get_serial_sequence(%s, 'id'), {last})", (table,))

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()

    def _ask(self, query: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._database.using() as db:
            return rows(db, query, bindings)

    def _do(self, query: str, bindings: Sequence[Any]) -> int:
        """Run one statement; give how many rows it changed."""
        with self._database.using() as db:
            return db.execute(query, bindings).rowcount
