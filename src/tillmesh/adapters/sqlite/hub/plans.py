"""What head office has planned for its stores, as people there see it: prices from a time on, and promotions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import apsw
import msgspec

from tillmesh.adapters.sqlite.database import rows, write
from tillmesh.fleet.office import Plan, Whom

_ALL: Final = "SELECT id, kind, key, shown, places, chosen, by, at_ms, ended_ms, follows, named FROM plan"

_NEW: Final = (
    "INSERT INTO plan (kind, key, shown, places, chosen, by, at_ms, follows, named) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_CHANGED: Final = (
    "UPDATE plan SET shown = ?, places = ?, chosen = ?, by = ?, at_ms = ?, follows = ?, named = ?, ended_ms = NULL "
    "WHERE id = ?"
)


class Plans:
    """Mixed into head office's own database."""

    _db: apsw.Connection

    def plans(self, kind: str, limit: int) -> list[Plan]:
        """List what was planned, the newest first."""
        return [_plan(row) for row in rows(self._db, f"{_ALL} WHERE kind = ? ORDER BY id DESC LIMIT ?", (kind, limit))]

    def plan(self, kind: str, key: str) -> Plan | None:
        """Find the newest plan with a key."""
        found = rows(self._db, f"{_ALL} WHERE kind = ? AND key = ? ORDER BY id DESC LIMIT 1", (kind, key))
        return _plan(found[0]) if found else None

    def plan_by_id(self, kind: str, number: int) -> Plan | None:
        """Find a plan by its number."""
        found = rows(self._db, f"{_ALL} WHERE kind = ? AND id = ?", (kind, number))
        return _plan(found[0]) if found else None

    def put_plan(
        self, kind: str, key: str, shown: Mapping[str, Any], places: Mapping[str, str], whom: Whom, *, by: str,
        at_ms: int, number: int | None = None,
    ) -> None:  # fmt: skip
        """Note a plan, or with its number one that was changed."""
        what: tuple[str | int, ...] = (_json(shown), _json(places), whom.words, by, at_ms, *map(_json, whom[1:]))
        with write(self._db) as db:
            if number is None:
                db.execute(_NEW, (kind, key, *what))
            else:
                db.execute(_CHANGED, (*what, number))

    def following(self) -> list[Plan]:
        """List the plans that were made for groups and not taken back, the oldest first."""
        sql = f"{_ALL} WHERE ended_ms IS NULL AND follows <> '[]' ORDER BY id"
        return [_plan(row) for row in rows(self._db, sql)]

    def move_plan(self, number: int, places: Mapping[str, str]) -> None:
        """Note where a plan is by now."""
        with write(self._db) as db:
            db.execute("UPDATE plan SET places = ? WHERE id = ?", (_json(places), number))

    def end_plan(self, number: int, at_ms: int) -> None:
        """Note that a plan was taken back."""
        with write(self._db) as db:
            db.execute("UPDATE plan SET ended_ms = ? WHERE id = ?", (at_ms, number))


def _plan(row: tuple[Any, ...]) -> Plan:
    number, kind, key, shown, places, words, by, at_ms, ended_ms, groups, stores = row
    where = msgspec.json.decode(places, type=dict[str, str])
    whom = Whom(words, *(msgspec.json.decode(names, type=tuple[str, ...]) for names in (groups, stores)))
    return Plan(number, kind, key, msgspec.json.decode(shown), where, by, at_ms, ended_ms, whom)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
