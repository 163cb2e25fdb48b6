"""Actor names as small integers, the same for one database for ever."""

from __future__ import annotations

import apsw

from tillmesh.adapters.sqlite.database import one


class Actors:
    """Translate actor names to row ids and back; ids are local to this database and never leave it.

    Names are added, never changed. Only a rollback can take one back: whoever rolls back says :meth:`forget`.
    """

    __slots__ = ("_db", "_ids", "_names")

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def id(self, name: str) -> int:
        """Give the id of an actor, adding it when it is new (needs a write transaction then)."""
        found = self.find(name)
        if found is None:
            self._db.execute("INSERT INTO actor (name) VALUES (?)", (name,))
            found = self._db.last_insert_rowid()
            self._remember(found, name)
        return found

    def find(self, name: str) -> int | None:
        """Give the id of an actor, or None when it never wrote here."""
        known = self._ids.get(name)
        if known is None:
            known = one(self._db, "SELECT id FROM actor WHERE name = ?", (name,))
            if known is not None:
                self._remember(known, name)
        return known

    def name(self, number: int) -> str:
        """Give the name of a known id."""
        known = self._names.get(number)
        if known is None:
            known = str(one(self._db, "SELECT name FROM actor WHERE id = ?", (number,)))
            self._remember(number, known)
        return known

    def _remember(self, number: int, name: str) -> None:
        self._ids[name] = number
        self._names[number] = name

    def forget(self) -> None:
        """Drop what was cached: a transaction that added actors may have been rolled back."""
        self._ids.clear()
        self._names.clear()
