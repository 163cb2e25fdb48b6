"""Open a terminal's data directory: keys, database, identity, and the question whether this is still the original."""

from __future__ import annotations

import errno
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import apsw

from tillmesh.adapters.host.anchor import Anchor, End, Whose, key_mark
from tillmesh.adapters.host.keys import database_key, secret, signing_key
from tillmesh.adapters.host.quarantine import settled
from tillmesh.adapters.host.reserve import Reserve
from tillmesh.adapters.sqlite.database import DatabaseDamaged, DiskFull, storage_errors
from tillmesh.adapters.sqlite.identity import Former, agree, till_of
from tillmesh.adapters.sqlite.registers import erased
from tillmesh.adapters.sqlite.restoration import Missing, Restoring, begin_restoring, missing, restoring
from tillmesh.adapters.sqlite.store import FILE, Origin, Reader, Writer, open_database, read_origin
from tillmesh.adapters.sqlite.subject_keys import SubjectKeys
from tillmesh.kernel.errors import StorageFailed
from tillmesh.terminal.recovering import ALONE_HINT, GiveUp, check_key, former_self, is_gone, make_room
from tillmesh.till.commands import Note, Who
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
    crashed: bool = False  # the run before this one did not end in good order
    lacking: Missing | None = None  # what was committed here once and is not here now, as far as that is known
    restoring: Restoring | None = None  # the database is fresh, and the other tills have yet to give its data back

    def reader(self) -> Reader:
        """Open one more connection that only reads."""
        return Reader(self.data_dir / FILE, self.key, self.origin, vfs=self.vfs, keys=self.writer.keys)

    def close(self) -> None:
        """Close database and files."""
        try:
            self.writer.close()
            if self.writer.keys is not None:
                self.writer.keys.close()
            with suppress(OSError):  # then the next start is a little more careful than it needs to be
                self.anchor.rest()
        finally:
            self.anchor.close()


@dataclass(frozen=True, slots=True)
class How:
    """How a data directory is to be opened."""

    key_file: Path | None = None
    vfs: str | None = None
    store: str = ""  # an empty directory becomes a till of this store; empty: of a new one
    actor: str = ""  # ... as this actor; empty: as a new one
    recover: bool = False  # whether a database that can't be used may be replaced by a fresh one
    damage: GiveUp | None = None  # what was found wrong with the database: it is given up
    doubt: str = ""  # what was found out that makes this till go on as another incarnation
    recovering: bool = False  # it is filled from head office, which only the command that does so may open


def open_terminal(
    data_dir: Path,
    *,
    key_file: Path | None = None,
    vfs: str | None = None,
    store: str = "",
    actor: str = "",
    recover: bool = False,
    damage: GiveUp | None = None,
    doubt: str = "",
) -> Opened:
    """Open a data directory, making a new terminal of an empty one: of ``store``, or of a new store.

    A disk that is full gets the reserve's room first: a till that can't start can't sell its way out either. To
    ``recover`` means: a database that is damaged or gone is put away if other tills hold its data, and this till begins
    with a fresh one; ``restoring`` then says what it waits for.
    """
    how = How(key_file, vfs, store, actor, recover, damage, doubt)
    try:
        return _open(data_dir, how)
    except DiskFull:
        if not Reserve(data_dir).release():
            raise
        log.warning("the disk is full: the reserve was released")
        return _open(data_dir, how)
    except DatabaseDamaged as cause:
        if damage or not recover:
            raise
        return _open(data_dir, replace(how, damage=GiveUp(cause.detail)))


def open_to_fill(data_dir: Path, *, store: str, actor: str, key_file: Path | None = None) -> Opened:
    """Open a data directory that head office fills: an empty one, as an actor of a store, or one on the way already."""
    return _open(data_dir, How(key_file, store=store, actor=actor, recovering=True))


def _open(data_dir: Path, how: How) -> Opened:
    with ExitStack() as undo, file_errors(), storage_errors():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = database_key(data_dir, how.key_file)
        anchor = _anchor(data_dir, undo)
        check_key(data_dir, anchor, key)
        former = former_self(data_dir, anchor)
        db = _database(data_dir, key, anchor, former, how)
        undo.callback(db.close)
        crashed = read_origin(db) is not None and not anchor.rested()
        draw = secrets.token_bytes
        origin, doubt = agree(db, anchor, how.store, draw, former=former, doubt=how.doubt, actor=how.actor)
        anchor.belongs(Whose(origin.store, origin.actor, key_mark(key)))
        signing_key(data_dir, origin.actor)
        reserve = Reserve(data_dir)
        reserve.hold()
        keys = SubjectKeys(data_dir, key, draw, erased(db))
        undo.callback(keys.close)
        writer = Writer(db, origin, keys)
        till = _till(writer, origin, doubt)
        notices = (("new_incarnation", doubt),) if doubt else ()
        lacking = missing_of(db, anchor.end()) if doubt else None
        # Only now: a crash before this finds the same doubt again and tells of it then.
        anchor.remember(till.head, till.receipts)
        pepper = secret(data_dir, "pepper.key")
        opened = Opened(
            data_dir,
            key,
            pepper,
            origin,
            till,
            writer,
            anchor,
            reserve,
            how.vfs,
            notices,
            crashed,
            lacking,
            restoring(db),
        )
        undo.pop_all()
        return opened


def _anchor(data_dir: Path, undo: ExitStack) -> Anchor:
    """Take the directory for this program alone, and give what is remembered beside the database."""
    anchor = Anchor.beside(data_dir)
    undo.callback(anchor.close)
    if not anchor.lock():
        raise StorageFailed(
            f"another program has {data_dir} open", hint="Use the till that runs there, or stop it first."
        )
    return anchor


def _till(writer: Writer, origin: Origin, doubt: str) -> Till:
    """Let the till go on where its log ends; what it doubted is the first thing it writes down."""
    now_ms = time.time_ns() // 1_000_000
    till = till_of(writer, origin, now_ms)
    if doubt:
        note = Note(action="new_incarnation", subject=origin.actor, detail=doubt)
        writer.execute(till, SYSTEM, note, now_ms)
    return till


def _database(data_dir: Path, key: bytes, anchor: Anchor, former: Former | None, how: How) -> apsw.Connection:
    """Open the database that is there, or a fresh one in the place of one that is given up."""
    if former is not None and is_gone(data_dir) and not how.damage:
        raise DatabaseDamaged("the database is gone", hint=ALONE_HINT)
    begun = None
    if how.damage and former is not None:
        begun = make_room(data_dir, anchor, former, how.damage, datetime.now(UTC).date())
    db = open_database(data_dir / FILE, key, vfs=how.vfs)
    try:
        if begun is not None:
            begin_restoring(db, begun)
            settled(data_dir)
        elif former is not None and read_origin(db) is None:
            raise DatabaseDamaged("the database is empty", hint=ALONE_HINT)
        elif (what := restoring(db)) is not None:
            _refuse_half(what, how)
    except BaseException:
        db.close()
        raise
    return db


def _refuse_half(what: Restoring, how: How) -> None:
    """Refuse a database that is not whole yet to whoever does not make it so."""
    if what.from_office and not how.recovering:
        raise StorageFailed(
            "this till is being filled from head office", hint="Run tillmesh store recover --bundle again: it goes on."
        )
    if not what.from_office and not how.recover:
        raise StorageFailed("this till is getting its data back", hint="Start it, and wait until it sells again.")


def missing_of(db: apsw.Connection, end: End | None) -> Missing | None:
    """Say what the anchor file saw committed and the database does not hold."""
    return None if end is None else missing(db, Restoring("", end.actor, end.seq, end.receipts))


def reopen(opened: Opened) -> Opened:
    """Open the database anew after an I/O error, and go on from what is really on disk."""
    with suppress(Exception):
        opened.writer.close()
    db = open_database(opened.data_dir / FILE, opened.key, vfs=opened.vfs)
    writer = Writer(db, opened.origin, opened.writer.keys)
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
