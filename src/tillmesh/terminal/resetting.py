"""Leaving a store, and making a till's data directory empty: neither loses a sale that nobody was told about."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import apsw

from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.database import connect, one, storage_errors
from tillmesh.adapters.sqlite.store import FILE, read_origin
from tillmesh.kernel.errors import Conflict, NotFound

# Of every incarnation of this terminal: what is behind all that any other till, or head office, is known to hold.
_ALONE: Final = (
    "SELECT count(*) FROM receipt r JOIN actor a ON a.id = r.actor WHERE r.kind = 0 AND a.name LIKE ? || '.%' "
    "AND r.seq > (SELECT coalesce(max(p.seq), 0) FROM peer_ack p WHERE p.actor = r.actor)"
)


class SalesWouldBeLost(Conflict):
    """Sales are on this till alone; whoever goes on all the same says how many."""

    kind = "sales-would-be-lost"
    title = "Sales would be lost"


def alone_here(data_dir: Path, key_file: Path | None = None) -> int:
    """Count the sales of a till that neither another till nor head office is known to hold."""
    if not (data_dir / FILE).exists():
        raise NotFound(f"no till's data in {data_dir}", hint="Name the directory of a till.")
    with storage_errors(), closing(connect(data_dir / FILE, database_key(data_dir, key_file), read_only=True)) as db:
        return _count(db)


def _count(db: apsw.Connection) -> int:
    origin = read_origin(db)
    return 0 if origin is None else int(one(db, _ALONE, (origin.terminal,)))


def refuse_to_lose(data_dir: Path, lose: int | None, key_file: Path | None = None) -> int:
    """Raise :class:`SalesWouldBeLost` unless nothing is lost, or exactly this many sales may be; give how many."""
    alone = alone_here(data_dir, key_file)
    if alone and alone != lose:
        raise SalesWouldBeLost(
            f"{alone} sales are on this till alone: no other till and no head office is known to have them",
            hint=f"Let it reach one of them first. To lose these sales for ever, say --lose-sales {alone}.",
        )
    return alone


def reset(data_dir: Path, lose: int | None = None, *, key_file: Path | None = None) -> dict[str, Any]:
    """Delete the data of a till that is not running."""
    if not (data_dir / FILE).exists():
        raise NotFound(f"no till's data in {data_dir}", hint="Name the directory of a till.")
    anchor = Anchor.beside(data_dir)
    try:
        if not anchor.lock():
            raise Conflict(f"another program has {data_dir} open", hint="Stop the till that runs there first.")
        lost = refuse_to_lose(data_dir, lose, key_file)
        shutil.rmtree(data_dir)
    finally:
        anchor.close()
    return {"deleted": str(data_dir), "sales_lost": lost}
