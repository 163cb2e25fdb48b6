"""Pictures of products as this till keeps them: beside the log, which holds only how products name them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import apsw

from tillmesh.adapters.sqlite.database import one, rows, write
from tillmesh.shop.pictures import Picture, read_reference
from tillmesh.till.picture_shelf import Held, Named

_HASH: Final = "substr(image, 1, 64)"
_KEEP: Final = (
    "INSERT INTO picture (sha256, media, size, own, used_ms, body) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (sha256) DO UPDATE SET own = max(own, excluded.own), used_ms = max(used_ms, excluded.used_ms)"
)
_LACKING: Final = (
    f"SELECT DISTINCT image FROM product WHERE image <> '' AND image > ? AND active "  # noqa: S608 - parts from above
    f"AND NOT EXISTS (SELECT 1 FROM picture WHERE sha256 = {_HASH}) ORDER BY image LIMIT ?"
)
_NAMED: Final = (
    f"SELECT DISTINCT image, EXISTS (SELECT 1 FROM picture WHERE sha256 = {_HASH}) FROM product "  # noqa: S608
    "WHERE image <> '' AND image > ? AND active ORDER BY image LIMIT ?"
)
_SHELF: Final = (
    "SELECT sha256, size, own, used_ms, "  # noqa: S608 - parts from above
    f"sha256 IN (SELECT {_HASH} FROM product WHERE image <> '') FROM picture"
)


def keep(db: apsw.Connection, picture: Picture, data: bytes, now_ms: int, *, own: bool) -> None:
    """Put a picture on the shelf; the caller has looked at its bytes."""
    with write(db):
        db.execute(_KEEP, (picture.sha256, picture.media, picture.size, own, now_ms, data))


def load(db: apsw.Connection, sha256: str) -> tuple[str, bytes, int] | None:
    """Give media, bytes and when it was last used; None if it is not here."""
    found = rows(db, "SELECT media, body, used_ms FROM picture WHERE sha256 = ?", (sha256,))
    return found[0] if found else None


def here(db: apsw.Connection, sha256s: Collection[str]) -> set[str]:
    """Say which of some are here."""
    held = (one(db, "SELECT sha256 FROM picture WHERE sha256 = ?", (each,)) for each in sha256s)
    return {each for each in held if each is not None}


def lacking(db: apsw.Connection, after: str, limit: int) -> list[Picture]:
    """List pictures that products name and that are not here, from a reference on, in order."""
    named = (read_reference(image) for (image,) in rows(db, _LACKING, (after, limit)))
    return [picture for picture in named if picture is not None]


def named(db: apsw.Connection, after: str, limit: int) -> tuple[list[Named], str]:
    """List pictures that products name, from a reference on, in order, and where to go on; nothing at the end."""
    found = rows(db, _NAMED, (after, limit))
    listed = [Named(picture, bool(here)) for image, here in found if (picture := read_reference(image)) is not None]
    return listed, found[-1][0] if len(found) == limit else ""


def reference_of(db: apsw.Connection, sha256: str) -> Picture | None:
    """Find how products name a picture; None if none of them does."""
    sql = "SELECT image FROM product WHERE image > ? AND image < ? AND image <> '' LIMIT 1"
    found = one(db, sql, (f"{sha256}.", f"{sha256}/"))  # a slash follows the dot
    return None if found is None else read_reference(found)


def total(db: apsw.Connection) -> int:
    """Add up the bytes of all that is here; the whole shelf takes ten times as long to read."""
    return int(one(db, "SELECT coalesce(sum(size), 0) FROM picture"))


def shelf(db: apsw.Connection) -> list[Held]:
    """List all that is here."""
    return [Held(sha256, size, bool(own), used, bool(named)) for sha256, size, own, used, named in rows(db, _SHELF)]


def drop(db: apsw.Connection, sha256s: Collection[str]) -> None:
    """Forget some; one that a product has come to name meanwhile will be fetched again."""
    with write(db):
        db.executemany("DELETE FROM picture WHERE sha256 = ?", [(each,) for each in sha256s])


def used(db: apsw.Connection, when: Mapping[str, int]) -> None:
    """Note when some were last shown."""
    with write(db):
        sql = "UPDATE picture SET used_ms = max(used_ms, ?) WHERE sha256 = ?"
        db.executemany(sql, [(at, each) for each, at in when.items()])
