"""Open a terminal's data directory: keys, database, identity, and the question whether this is still the original."""

from __future__ import annotations

import errno
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import apsw
import msgspec

from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import database_key, secret, signing_key
from tillmesh.adapters.host.reserve import Reserve
from tillmesh.adapters.sqlite.database import DiskFull, one, rows, storage_errors
from tillmesh.adapters.sqlite.ledger import Ledger
from tillmesh.adapters.sqlite.store import FILE, Origin, Reader, Writer, open_database, read_origin, write_origin
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Conflict, StorageFailed
from tillmesh.kernel.hlc import HybridLogicalClock
from tillmesh.kernel.ids import mint_actor, mint_terminal, spell, terminal_of
from tillmesh.kernel.limits import HLC_DRIFT_MS_MAX
from tillmesh.till.commands import Note, Who
from tillmesh.till.desk import Identity
from tillmesh.till.node import Till

SYSTEM = Who(user_id="system", role="manager")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Opened:
    """An opened data directory."""

    data_dir: Path
    key: bytes
    pepper: bytes
    origin: Origin
    till: Till
    writer: Writer
    anchor: Anchor
    reserve: Reserve
    vfs: str | None
    notices: tuple[tuple[str, str], ...]  # (action, detail): what a manager should know about this start

    def reader(self) -> Reader:
        """Open one more connection that only reads."""
        return Reader(self.data_dir / FILE, self.key, self.origin, vfs=self.vfs)

    def close(self) -> None:
        """Close database and files."""
        try:
            self.writer.close()
        finally:
            self.anchor.close()


def open_terminal(data_dir: Path, *, key_file: Path | None = None, vfs: str | None = None, store: str = "") -> Opened:
    """Open a data directory, making a new terminal of an empty one: of ``store``, or of a new store.

    A disk that is full gets the reserve's room first: a till that can't start can't sell its way out either.
    """
    try:
        return _open(data_dir, key_file, vfs, store)
    except DiskFull:
        if not Reserve(data_dir).release():
            raise
        log.warning("the disk is full: the reserve was released")
        return _open(data_dir, key_file, vfs, store)


def _open(data_dir: Path, key_file: Path | None, vfs: str | None, store: str) -> Opened:
    with ExitStack() as undo, file_errors(), storage_errors():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = database_key(data_dir, key_file)
        anchor = Anchor.beside(data_dir)
        undo.callback(anchor.close)
        if not anchor.lock():
            raise StorageFailed(
                f"another program has {data_dir} open", hint="Use the till that runs there, or stop it first."
            )
        db = open_database(data_dir / FILE, key, vfs=vfs)
        undo.callback(db.close)
        origin, doubt = _agree(db, anchor, store)
        signing_key(data_dir, origin.actor)
        reserve = Reserve(data_dir)
        reserve.hold()
        writer = Writer(db, origin)
        till = _till(writer, origin)
        notices: tuple[tuple[str, str], ...] = ()
        if doubt:
            notices = (("new_incarnation", doubt),)
            note = Note(action="new_incarnation", subject=origin.actor, detail=doubt)
            writer.execute(till, SYSTEM, note, time.time_ns() // 1_000_000)
        # Only now: a crash before this finds the same doubt again and tells of it then.
        anchor.remember(till.head)
        opened = Opened(
            data_dir, key, secret(data_dir, "pepper.key"), origin, till, writer, anchor, reserve, vfs, notices
        )
        undo.pop_all()
        return opened


def _agree(db: apsw.Connection, anchor: Anchor, store: str) -> tuple[Origin, str]:
    """Settle who this database is, with a new incarnation if it may not be the newest original; and say why."""
    held, doubt = read_origin(db), ""
    if held is None:
        terminal = mint_terminal(secrets.token_bytes(16))
        held = Origin(
            store=store or spell(secrets.token_bytes(16), 12), terminal=terminal, actor=_new_actor(db, terminal)
        )
    elif store and held.store != store:
        raise Conflict(f"this data directory belongs to store {held.store}", hint="Join with an empty directory.")
    elif doubt := _doubt(db, held, anchor):
        held = msgspec.structs.replace(held, actor=_new_actor(db, held.terminal))
    nonce = secrets.token_hex(16)
    origin = msgspec.structs.replace(held, nonce=nonce, place=anchor.place())
    anchor.agree(held.nonce, nonce)
    write_origin(db, origin)
    return origin, doubt


def _till(writer: Writer, origin: Origin) -> Till:
    return Till(
        Identity(store=origin.store, terminal=origin.terminal, actor=origin.actor, series=_series(origin.actor)),
        HybridLogicalClock(origin.actor, last=writer.last_hlc(), max_drift_ms=HLC_DRIFT_MS_MAX),
        writer.head(origin.actor),
        writer.receipts_used(origin.actor),
    )


def reopen(opened: Opened) -> Opened:
    """Open the database anew after an I/O error, and go on from what is really on disk."""
    with suppress(Exception):
        opened.writer.close()
    writer = Writer(open_database(opened.data_dir / FILE, opened.key, vfs=opened.vfs), opened.origin)
    opened.writer = writer
    opened.till.head = writer.head(opened.origin.actor)
    opened.till.receipts = writer.receipts_used(opened.origin.actor)
    return opened


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn what the system says about a file beside the database into our own words."""
    try:
        yield
    except OSError as cause:
        if cause.errno == errno.ENOSPC:
            raise DiskFull("the disk is full", hint="Free some space, or use another till.") from cause
        raise StorageFailed(
            f"{cause.filename or 'the data directory'} can't be used ({cause.strerror})",
            hint="Use another till and call your technician.",
        ) from cause


def _doubt(db: apsw.Connection, held: Origin, anchor: Anchor) -> str:
    """Say why this database may not be the newest original, or nothing."""
    if held.nonce not in anchor.nonces():
        return "the database and the anchor file beside it do not belong together: an old copy was put back"
    if held.place != anchor.place():
        return "the data directory was copied or moved to another disk or machine"
    noted = anchor.head()
    if noted is None:
        return ""
    head = Ledger(db, held.store).head(noted.actor)
    if noted.seq > head.seq:
        lost = f"events {head.seq + 1} to {noted.seq} of {head.actor} were committed and are gone"
        return f"{lost}; the last receipt of series {_series(head.actor)} that is still here is {_receipts(db, head)}"
    if noted.seq == head.seq and noted.hash != head.hash:
        return f"event {head.seq} of {head.actor} is not the one that was committed"
    return ""


def _receipts(db: apsw.Connection, head: Head) -> str:
    sql = "SELECT number FROM receipt r JOIN actor a ON a.id = r.actor WHERE a.name = ? ORDER BY r.seq DESC LIMIT 1"
    return one(db, sql, (head.actor,)) or "none"


def _new_actor(db: apsw.Connection, terminal: str) -> str:
    """Mint an incarnation whose receipt numbers start like those of no other that is known here."""
    taken = {_series(name) for (name,) in rows(db, "SELECT name FROM actor")}
    while True:
        actor = mint_actor(terminal_of(terminal), secrets.token_bytes(16))
        if _series(actor) not in taken:
            return actor


def _series(actor: str) -> str:
    """Start receipt numbers with four characters of the incarnation, so that no copy ever repeats a number."""
    return actor.partition(".")[2][:4].upper()
