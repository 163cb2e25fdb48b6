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

from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import database_key, secret, signing_key
from tillmesh.adapters.host.reserve import Reserve
from tillmesh.adapters.sqlite.database import DiskFull, storage_errors
from tillmesh.adapters.sqlite.identity import agree, till_of
from tillmesh.adapters.sqlite.store import FILE, Origin, Reader, Writer, open_database
from tillmesh.kernel.errors import StorageFailed
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
        origin, doubt = agree(db, anchor, store, secrets.token_bytes)
        signing_key(data_dir, origin.actor)
        reserve = Reserve(data_dir)
        reserve.hold()
        writer = Writer(db, origin)
        now_ms = time.time_ns() // 1_000_000
        till = till_of(writer, origin, now_ms)
        notices: tuple[tuple[str, str], ...] = ()
        if doubt:
            notices = (("new_incarnation", doubt),)
            note = Note(action="new_incarnation", subject=origin.actor, detail=doubt)
            writer.execute(till, SYSTEM, note, now_ms)
        # Only now: a crash before this finds the same doubt again and tells of it then.
        anchor.remember(till.head)
        opened = Opened(
            data_dir, key, secret(data_dir, "pepper.key"), origin, till, writer, anchor, reserve, vfs, notices
        )
        undo.pop_all()
        return opened


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
