"""Who may do what at head office: people, stores' keys and certificates, and what was done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.sqlite.database import connect, migrate, one, rows, settle, storage_errors, write
from tillmesh.adapters.sqlite.hub.plans import Plans
from tillmesh.adapters.sqlite.hub.sessions import Sessions
from tillmesh.fleet.office import KEPT, Audited, InForce, Issued, Person, hashed

FILE: Final = "office.db"
STEPS: Final = files("tillmesh.adapters.sqlite.hub") / "office"
_BEGIN: Final = (
    "INSERT INTO generation (store, number) VALUES (?, ?) "
    "ON CONFLICT (store) DO UPDATE SET number = max(number + 1, excluded.number) RETURNING number"
)
_SINCE: Final = (
    "SELECT (SELECT min(newest) FROM (SELECT max(issued_ms) AS newest FROM certificate "
    "WHERE revoked_ms IS NULL AND store <> ? GROUP BY store) AS each_store), "
    "(SELECT max(issued_ms) FROM certificate WHERE revoked_ms IS NULL AND store = ?), "
    "(SELECT min(issued_ms) FROM certificate)"
)


class SqliteOffice(Plans, Sessions):
    """One connection; one thread at a time. Several programs on one machine may open the same file."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._db = connect(path, key)
        settle(self._db)
        with storage_errors():
            migrate(self._db, STEPS)

    def meta(self, name: str) -> bytes | None:
        """Give a value that was noted, or None."""
        found = one(self._db, "SELECT value FROM meta WHERE name = ?", (name,))
        return None if found is None else bytes(found)

    def note(self, name: str, value: bytes) -> None:
        """Note a value."""
        with write(self._db) as db:
            sql = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            db.execute(sql, (name, value))

    def note_once(self, name: str, value: bytes) -> bytes:
        """Note a value unless there is one; gives the one that is there: several services may start at once."""
        with write(self._db) as db:
            db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO NOTHING", (name, value))
            return bytes(one(db, "SELECT value FROM meta WHERE name = ?", (name,)))

    def alone(self, what: str) -> AbstractContextManager[None]:  # noqa: ARG002 - the lock of the folder keeps others out
        """Do nothing: in one data directory only one head office writes."""
        return nullcontext()

    def person(self, name: str) -> Person | None:
        """Find somebody who is active."""
        found = rows(self._db, "SELECT name, role, password FROM person WHERE name = ? AND active", (name,))
        return Person(*found[0]) if found else None

    def put_person(self, person: Person) -> None:
        """Add somebody, or change role and password."""
        with write(self._db) as db:
            db.execute(
                "INSERT INTO person (name, role, password) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                "role = excluded.role, password = excluded.password, active = 1",
                person,
            )

    def people(self) -> list[tuple[str, str]]:
        """List name and role of everybody who may sign in."""
        found = rows(self._db, "SELECT name, role FROM person WHERE active ORDER BY name")
        return [(str(name), str(role)) for name, role in found]

    def change_role(self, name: str, role: str) -> bool:
        """Change what somebody may do; says whether there was such a person."""
        with write(self._db) as db:
            db.execute("UPDATE person SET role = ? WHERE name = ? AND active", (role, name))
            return db.changes() > 0

    def remove_person(self, name: str) -> bool:
        """Let somebody sign in no more; says whether there was such a person."""
        with write(self._db) as db:
            db.execute("UPDATE person SET active = 0 WHERE name = ? AND active", (name,))
            return db.changes() > 0

    def has_people(self) -> bool:
        """Say whether anybody can sign in."""
        return one(self._db, "SELECT 1 FROM person WHERE active LIMIT 1") is not None

    def put_certificate(self, serial: bytes, store: str, at_ms: int) -> None:
        """Note a certificate that was issued."""
        with write(self._db) as db:
            db.execute(
                "INSERT INTO certificate (serial, store, issued_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (serial, store, at_ms),
            )

    def put_key(self, key: str, store: str, certificate: bytes, at_ms: int) -> None:
        """Note an API key by its hash, bound to a store and to the serial number of a certificate."""
        with write(self._db) as db:
            db.execute(
                "INSERT INTO api_key (hash, store, certificate, created_ms) VALUES (?, ?, ?, ?)",
                (hashed(key), store, certificate, at_ms),
            )

    def key_owner(self, key: str) -> tuple[str, bytes] | None:
        """Give store and certificate of a key that is not revoked, or None."""
        sql = "SELECT store, certificate FROM api_key WHERE hash = ? AND revoked_ms IS NULL"
        found = rows(self._db, sql, (hashed(key),))
        return (str(found[0][0]), bytes(found[0][1])) if found else None

    def certificate_store(self, serial: bytes) -> str | None:
        """Give the store of a certificate that was issued here and not revoked, or None."""
        sql = "SELECT store FROM certificate WHERE serial = ? AND revoked_ms IS NULL"
        found = one(self._db, sql, (serial,))
        return None if found is None else str(found)

    def in_force(self) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """List the hash of every API key with its certificate, and every certificate, that are not revoked."""
        keys = rows(
            self._db,
            "SELECT k.hash, c.serial FROM api_key k JOIN certificate c ON c.serial = k.certificate "
            "WHERE k.revoked_ms IS NULL AND c.revoked_ms IS NULL",
        )
        serials = rows(self._db, "SELECT serial FROM certificate WHERE revoked_ms IS NULL")
        return [(bytes(key), bytes(serial)) for key, serial in keys], [bytes(serial) for (serial,) in serials]

    def in_force_mark(self) -> tuple[int, ...]:
        """Give a mark that changes with what is in force, and costs less than reading all of it."""
        sql = "SELECT count(*), count(revoked_ms) FROM "
        return tuple(int(n) for table in ("api_key", "certificate") for n in rows(self._db, sql + table)[0])

    def put_contacts(self, told: Sequence[tuple[str, int, bytes]]) -> None:
        """Note when leaders of stores were here and what they held, unless something later is known."""
        if told:
            with write(self._db) as db:
                db.executemany(
                    "INSERT INTO contact (store, heard_ms, held) VALUES (?, ?, ?) ON CONFLICT (store) DO UPDATE SET "
                    "heard_ms = excluded.heard_ms, held = excluded.held WHERE excluded.heard_ms > heard_ms",
                    told,
                )

    def contacts(self, after_ms: int) -> list[tuple[str, int, bytes]]:
        """List the contacts since a time."""
        found = rows(self._db, "SELECT store, heard_ms, held FROM contact WHERE heard_ms > ?", (after_ms,))
        return [(str(store), int(heard_ms), bytes(held)) for store, heard_ms, held in found]

    def trust(self, store: str) -> tuple[bytes, bytes] | None:
        """Give the authority of a store and the lists of its tills, or None if it named none."""
        found = rows(self._db, "SELECT authority, lists FROM trust WHERE store = ?", (store,))
        return (bytes(found[0][0]), bytes(found[0][1])) if found else None

    def put_trust(self, store: str, authority: bytes, lists: bytes) -> None:
        """Note whose signatures count for a store."""
        with write(self._db) as db:
            db.execute(
                "INSERT INTO trust (store, authority, lists) VALUES (?, ?, ?) ON CONFLICT (store) "
                "DO UPDATE SET authority = excluded.authority, lists = excluded.lists",
                (store, authority, lists),
            )

    def keep_lists(self, store: str, authority: bytes, lists: bytes) -> None:
        """Note the lists of a store's tills, if this is its authority still."""
        with write(self._db) as db:
            db.execute("UPDATE trust SET lists = ? WHERE store = ? AND authority = ?", (lists, store, authority))

    def issued(self) -> list[Issued]:
        """List every certificate, the newest first."""
        sql = "SELECT serial, store, issued_ms, revoked_ms FROM certificate ORDER BY issued_ms DESC, serial"
        return [Issued(bytes(serial), *rest) for serial, *rest in rows(self._db, sql)]

    def in_force_since(self, gateway: str) -> InForce:
        """Say when the certificates in force were issued; ``gateway`` stands there in the place of a store."""
        return InForce(*rows(self._db, _SINCE, (gateway, gateway))[0])

    def revoke_one(self, store: str, serial: bytes, at_ms: int) -> bool:
        """Revoke one certificate of a store and the keys that are bound to it; says whether it was in force."""
        with write(self._db) as db:
            sql = "UPDATE certificate SET revoked_ms = ? WHERE store = ? AND serial = ? AND revoked_ms IS NULL"
            db.execute(sql, (at_ms, store, serial))
            found = db.changes() > 0
            sql = "UPDATE api_key SET revoked_ms = ? WHERE store = ? AND certificate = ? AND revoked_ms IS NULL"
            db.execute(sql, (at_ms, store, serial))
            if found:
                one(db, _BEGIN, (store, 1))
        return found

    def revoke(self, store: str, at_ms: int) -> int:
        """Revoke every key and certificate of a store; says how many there were."""
        with write(self._db) as db:
            changed = 0
            for table in ("api_key", "certificate"):
                sql = f"UPDATE {table} SET revoked_ms = ? WHERE store = ? AND revoked_ms IS NULL"  # noqa: S608
                db.execute(sql, (at_ms, store))
                changed += db.changes()
            if changed:
                one(db, _BEGIN, (store, 1))
        return changed

    def generation(self, store: str) -> int:
        """Say in which generation a store's credentials are."""
        return int(one(self._db, "SELECT number FROM generation WHERE store = ?", (store,)) or 0)

    def begin_generation(self, store: str, above: int = 0) -> int:
        """Begin another one, above all that were and above a number."""
        with write(self._db) as db:
            return int(one(db, _BEGIN, (store, above + 1)))

    def groups(self) -> dict[str, list[str]]:
        """List the groups of stores, by name, with the stores in each."""
        found: dict[str, list[str]] = {str(name): [] for (name,) in rows(self._db, "SELECT name FROM store_group")}
        for name, store in rows(self._db, "SELECT name, store FROM grouped ORDER BY store"):
            found[str(name)].append(str(store))
        return dict(sorted(found.items()))

    def put_group(self, name: str, stores: Collection[str]) -> None:
        """Make a group of these stores, or change which stores are in it."""
        with write(self._db) as db:
            db.execute("INSERT INTO store_group (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            db.execute("DELETE FROM grouped WHERE name = ?", (name,))
            db.executemany("INSERT INTO grouped (name, store) VALUES (?, ?)", [(name, store) for store in set(stores)])

    def remove_group(self, name: str) -> bool:
        """Forget a group, not its stores; says whether there was one."""
        with write(self._db) as db:
            db.execute("DELETE FROM grouped WHERE name = ?", (name,))
            db.execute("DELETE FROM store_group WHERE name = ?", (name,))
            return db.changes() > 0

    def audit(self, at_ms: int, by: str, action: str, subject: str, detail: str = "") -> None:
        """Note what was done."""
        with write(self._db) as db:
            sql = "INSERT INTO audit (at_ms, by, action, subject, detail) VALUES (?, ?, ?, ?, ?)"
            db.execute(sql, (at_ms, by, action, subject, detail))

    def audited(self, limit: int, before: int = 0, words: str = "") -> list[Audited]:
        """List what was done before an entry (0: up to now) and holds the words, the newest first, with its number."""
        sql = (
            "SELECT id, at_ms, by, action, subject, detail FROM audit WHERE (? = 0 OR id < ?) AND "
            "instr(lower(by || ' ' || action || ' ' || subject || ' ' || detail), lower(?)) ORDER BY id DESC LIMIT ?"
        )
        found = rows(self._db, sql, (before, before, words, limit))
        return [(int(id_), int(at), str(by), str(what), str(on), str(why)) for id_, at, by, what, on, why in found]

    def kept(self) -> dict[str, list[tuple[Any, ...]]]:
        """Give all that moves with head office to another kind of database."""
        return {
            table: rows(self._db, f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1")  # noqa: S608 - constants
            for table, columns in KEPT.items()
        }

    def close(self) -> None:
        """Close the file."""
        self._db.close()
