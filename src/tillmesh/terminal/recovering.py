"""A database that is damaged or gone: who lived there, whether other tills can give its data back, and the fresh start.

Decided here, before anything is opened; :mod:`tillmesh.terminal.restoring` then waits for the data.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from tillmesh.adapters.host.anchor import Anchor, key_mark
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.host.quarantine import is_pending, put_away, resume
from tillmesh.adapters.lan.certificates import named
from tillmesh.adapters.sqlite.database import UNREADABLE, DatabaseDamaged, connect, rows, storage_errors
from tillmesh.adapters.sqlite.identity import Former
from tillmesh.adapters.sqlite.restoration import Restoring
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.kernel.errors import Damaged, NotFound, StorageFailed, TillmeshError
from tillmesh.kernel.ids import series
from tillmesh.terminal import provisioning

log = logging.getLogger(__name__)
ALONE_HINT: Final = (
    "No other till holds its data. Leave it as it is and call your technician: a copy of the data directory, or "
    "tillmesh doctor --rebuild"
)


def former_self(data_dir: Path, anchor: Anchor) -> Former | None:
    """Say who lives in a data directory, from what stands beside the database; None in a new one."""
    numbered = frozenset(series(path.stem) for path in (data_dir / "keys").glob("*.sign"))
    if (whose := anchor.whose()) is not None:
        return Former(whose.store, whose.actor, numbered)
    certificate = provisioning.certificate_in(data_dir)
    if certificate is not None:
        store, actor = named(certificate)
        return Former(store, actor, numbered)
    return None


def check_key(data_dir: Path, anchor: Anchor, key: bytes) -> None:
    """Raise :class:`Damaged` for a key that is not this database's: that is not the database's fault."""
    whose = anchor.whose()
    if whose is not None and whose.key_mark != key_mark(key) and (data_dir / FILE).exists():
        raise Damaged(
            "this is the wrong key: the database was locked with another one",
            hint="Put back the key file that belongs to this data directory.",
        )


def is_gone(data_dir: Path) -> bool:
    """Say whether there is no database file, or an empty one, or one that was on its way into the quarantine."""
    path = data_dir / FILE
    return not path.exists() or path.stat().st_size == 0 or is_pending(data_dir)


def reads_whole(data_dir: Path, key_file: Path | None) -> bool:
    """Read every page of a database that was found damaged: the fault may have been in reading, once."""
    try:
        with (
            closing(connect(data_dir / FILE, database_key(data_dir, key_file), read_only=True)) as db,
            storage_errors(),
        ):
            return bool(rows(db, "PRAGMA quick_check(1)") == [("ok",)])
    except TillmeshError:
        return False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Why a database is to be given up, and what else is known of it."""

    why: str
    forked: bool = False  # the other tills hold another history of this actor, and theirs counts
    alone: bool = False  # even if no other till can give the data back: somebody wants what can still be read


def give_up(data_dir: Path, why: str) -> str:
    """Put the database of a till that is not running into quarantine by hand; the next start asks the other tills."""
    with closing(Anchor.beside(data_dir)) as anchor:
        if not anchor.lock():
            raise StorageFailed(f"a program has {data_dir} open", hint="Stop the till first.")
        former = former_self(data_dir, anchor)
        if former is None:
            raise NotFound(f"{data_dir} holds no till", hint="Name the data directory of a terminal.")
        return make_room(data_dir, anchor, former, GiveUp(why), datetime.now(UTC).date()).folder


def make_room(data_dir: Path, anchor: Anchor, former: Former, what: GiveUp, today: date) -> Restoring:
    """Put a damaged database away if other tills can give its data back; raises :class:`DatabaseDamaged` if not."""
    why = "the database does not open: its first page is damaged" if what.why == UNREADABLE else what.why
    if not what.alone and not provisioning.has_others(data_dir, former.store, former.actor):
        raise DatabaseDamaged(why, hint=ALONE_HINT)
    folder = ""
    if (interrupted := resume(data_dir, FILE)) is not None:
        folder, why = interrupted
    elif any(data_dir.glob(f"{FILE}*")):
        folder = put_away(data_dir, FILE, today.isoformat(), why)
    end = anchor.end()
    known = end if end is not None and end.actor == former.actor else None
    log.error("the database is given up and restored from the other tills: %s; kept in %s", why, folder or "no file")
    seq, receipts = (known.seq, known.receipts) if known else (0, 0)
    return Restoring(why, former.actor, seq, receipts, folder, what.forked)
