"""What head office has planned for its stores, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tillmesh.adapters.postgres.database import Database, plain, rows
from tillmesh.fleet.office import Plan, Whom

_ALL: Final = "SELECT id, kind, key, shown, places, chosen, by, at_ms, ended_ms, follows, named FROM plan"
_NEW: Final = (
    "INSERT INTO plan (shown, places, chosen, by, at_ms, follows, named, kind, key) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_CHANGED: Final = (
    "UPDATE plan SET shown = %s, places = %s, chosen = %s, by = %s, at_ms = %s, follows = %s, named = %s, "
    "ended_ms = NULL WHERE id = %s"
)


class Plans:
    """Mixed into head office's own database."""

    _database: Database

    def plans(self, kind: str, limit: int) -> list[Plan]:
        """List what was planned, the newest first."""
        return self._plans("WHERE kind = %s ORDER BY id DESC LIMIT %s", (kind, limit))

    def plan(self, kind: str, key: str) -> Plan | None:
        """Find the newest plan with a key."""
        return next(
            iter(self._plans("WHERE kind = %s AND key = %s ORDER BY id DESC LIMIT 1", (kind, plain(key)))), None
        )

    def plan_by_id(self, kind: str, number: int) -> Plan | None:
        """Find a plan by its number."""
        return next(iter(self._plans("WHERE kind = %s AND id = %s", (kind, number))), None)

    def put_plan(
        self, kind: str, key: str, shown: Mapping[str, Any], places: Mapping[str, str], whom: Whom, *, by: str,
        at_ms: int, number: int | None = None,
    ) -> None:  # fmt: skip
        """Note a plan, or with its number one that was changed."""
        what = (_json(shown), _json(places), plain(whom.words), by, at_ms, *map(_json, whom[1:]))
        with self._database.using() as db:
            if number is None:
                db.execute(_NEW, (*what, kind, plain(key)))
            else:
                db.execute(_CHANGED, (*what, number))

    def following(self) -> list[Plan]:
        """List the plans that were made for groups and not taken back, the oldest first."""
        return self._plans("WHERE ended_ms IS NULL AND follows <> '[]' ORDER BY id", ())

    def move_plan(self, number: int, places: Mapping[str, str]) -> None:
        """Note where a plan is by now."""
        with self._database.using() as db:
            db.execute("UPDATE plan SET places = %s WHERE id = %s", (_json(places), number))

    def end_plan(self, number: int, at_ms: int) -> None:
        """Note that a plan was taken back."""
        with self._database.using() as db:
            db.execute("UPDATE plan SET ended_ms = %s WHERE id = %s", (at_ms, number))

    def _plans(self, which: str, bindings: tuple[object, ...]) -> list[Plan]:
        with self._database.using() as db:
            return [_plan(row) for row in rows(db, f"{_ALL} {which}", bindings)]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()  # which writes a NUL as six characters, so any text can be in it


def _plan(row: tuple[Any, ...]) -> Plan:
    number, kind, key, shown, places, words, by, at_ms, ended_ms, groups, stores = row
    where = msgspec.json.decode(places, type=dict[str, str])
    whom = Whom(words, *(msgspec.json.decode(names, type=tuple[str, ...]) for names in (groups, stores)))
    return Plan(number, kind, key, msgspec.json.decode(shown), where, by, at_ms, ended_ms, whom)
