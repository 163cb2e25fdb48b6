"""Actor names as small integers, the same for one database for ever."""

from __future__ import annotations

import apsw

from tillmesh.adapters.sqlite.database import one


class Actors:
    """Translate actor names to row ids and back; ids are local to this database and never leave it."""

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
            # Not remembered yet: the transaction may still be rolled back.
            found = self._db.last_insert_rowid()
        return found

    def find(self, name: str) -> int | None:
        """Give the id of an actor, or None when it never wrote here."""
        known = self._ids.get(name)
        if known is None:
            known = one(self._db, "SELECT id FROM actor WHERE name = ?", (name,))
            if known is not None and not self._db.in_transaction:
                self._ids[name] = known
                self._names[known] = name
        return known

    def name(self, number: int) -> str:
        """Give the name of a known id."""
        known = self._names.get(number)
        if known is None:
            known = str(one(self._db, "SELECT name FROM actor WHERE id = ?", (number,)))
            if not self._db.in_transaction:
                self._names[number] = known
        return known

    def learn(self) -> None:
        """Load all committed actors; called outside of transactions, so that lookups inside one are free."""
        for number, name in self._db.execute("SELECT id, name FROM actor"):
            self._ids[name] = number
            self._names[number] = name
