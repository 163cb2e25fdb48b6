"""Keys and certificates of stores, in PostgreSQL: revoked here means refused by every service at its next question."""

from __future__ import annotations

from typing import Final

from tillmesh.adapters.postgres.database import Database, one, plain, rows
from tillmesh.fleet.office import InForce, Issued, hashed

_CERTIFICATE: Final = "INSERT INTO certificate (serial, store, issued_ms) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_KEY: Final = "INSERT INTO api_key (hash, store, certificate, created_ms) VALUES (%s, %s, %s, %s)"
_KEYS: Final = (
    "SELECT k.hash, c.serial FROM api_key k JOIN certificate c ON c.serial = k.certificate "
    "WHERE k.revoked_ms IS NULL AND c.revoked_ms IS NULL"
)
_MARK: Final = (
    "SELECT k.*, c.* FROM (SELECT count(*), count(revoked_ms) FROM api_key) k, "
    "(SELECT count(*), count(revoked_ms) FROM certificate) c"
)

_BEGIN: Final = (
    "INSERT INTO generation AS g (store, number) VALUES (%s, %s) "
    "ON CONFLICT (store) DO UPDATE SET number = greatest(g.number + 1, excluded.number) RETURNING number"
)
_SINCE: Final = (
    "SELECT (SELECT min(newest) FROM (SELECT max(issued_ms) AS newest FROM certificate "
    "WHERE revoked_ms IS NULL AND store <> %s GROUP BY store) AS each_store), "
    "(SELECT max(issued_ms) FROM certificate WHERE revoked_ms IS NULL AND store = %s), "
    "(SELECT min(issued_ms) FROM certificate)"
)


class Credentials:
    """Mixed into head office's own database."""

    _database: Database

    def put_certificate(self, serial: bytes, store: str, at_ms: int) -> None:
        """Note a certificate that was issued."""
        with self._database.using() as db:
            db.execute(_CERTIFICATE, (serial, store, at_ms))

    def put_key(self, key: str, store: str, certificate: bytes, at_ms: int) -> None:
        """Note an API key by its hash, bound to a store and to the serial number of a certificate."""
        with self._database.using() as db:
            db.execute(_KEY, (hashed(key), store, certificate, at_ms))

    def key_owner(self, key: str) -> tuple[str, bytes] | None:
        """Give store and certificate of a key that is not revoked, or None."""
        with self._database.using() as db:
            query = "SELECT store, certificate FROM api_key WHERE hash = %s AND revoked_ms IS NULL"
            found = rows(db, query, (hashed(key),))
        return (found[0][0], bytes(found[0][1])) if found else None

    def certificate_store(self, serial: bytes) -> str | None:
        """Give the store of a certificate that was issued here and not revoked, or None."""
        with self._database.using() as db:
            found = one(db, "SELECT store FROM certificate WHERE serial = %s AND revoked_ms IS NULL", (serial,))
        return None if found is None else str(found)

    def in_force(self) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """List the hash of every API key with its certificate, and every certificate, that are not revoked."""
        with self._database.using() as db, db.transaction():
            keys = rows(db, _KEYS)
            serials = rows(db, "SELECT serial FROM certificate WHERE revoked_ms IS NULL")
        return [(bytes(key), bytes(serial)) for key, serial in keys], [bytes(serial) for (serial,) in serials]

    def in_force_mark(self) -> tuple[int, ...]:
        """Give a mark that changes with what is in force, and costs less than reading all of it."""
        with self._database.using() as db:
            return tuple(int(count) for count in rows(db, _MARK)[0])

    def issued(self) -> list[Issued]:
        """List every certificate, the newest first."""
        query = "SELECT serial, store, issued_ms, revoked_ms FROM certificate ORDER BY issued_ms DESC, serial"
        with self._database.using() as db:
            return [Issued(bytes(serial), *rest) for serial, *rest in rows(db, query)]

    def in_force_since(self, gateway: str) -> InForce:
        """Say when the certificates in force were issued; ``gateway`` stands there in the place of a store."""
        with self._database.using() as db:
            return InForce(*rows(db, _SINCE, (gateway, gateway))[0])

    def revoke_one(self, store: str, serial: bytes, at_ms: int) -> bool:
        """Revoke one certificate of a store and the keys that are bound to it; says whether it was in force."""
        which = (at_ms, plain(store), serial)
        with self._database.using() as db, db.transaction():
            query = "UPDATE certificate SET revoked_ms = %s WHERE store = %s AND serial = %s AND revoked_ms IS NULL"
            found = db.execute(query, which).rowcount > 0
            query = "UPDATE api_key SET revoked_ms = %s WHERE store = %s AND certificate = %s AND revoked_ms IS NULL"
            db.execute(query, which)
            if found:
                db.execute(_BEGIN, (plain(store), 1))
        return found

    def revoke(self, store: str, at_ms: int) -> int:
        """Revoke every key and certificate of a store; says how many there were."""
        with self._database.using() as db, db.transaction():
            changed = sum(
                db.execute(
                    f"UPDATE {table} SET revoked_ms = %s WHERE store = %s AND revoked_ms IS NULL",  # noqa: S608
                    (at_ms, plain(store)),
                ).rowcount
                for table in ("api_key", "certificate")
            )
            if changed:
                db.execute(_BEGIN, (plain(store), 1))
        return changed

    def generation(self, store: str) -> int:
        """Say in which generation a store's credentials are."""
        with self._database.using() as db:
            return int(one(db, "SELECT number FROM generation WHERE store = %s", (plain(store),)) or 0)

    def begin_generation(self, store: str, above: int = 0) -> int:
        """Begin another one, above all that were and above a number."""
        with self._database.using() as db:
            return int(one(db, _BEGIN, (plain(store), above + 1)))
