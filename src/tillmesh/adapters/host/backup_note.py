"""What the last back-up of a data directory came to, in a small file beside the data: for whoever watches it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.adapters.host.keys import write_file
from tillmesh.kernel.errors import Conflict

FILE: Final = "backup.json"
LOCK: Final = "backup.lock"
WHY_CHARS_MAX: Final = 500


class BackupNote(msgspec.Struct, frozen=True):
    """Times in milliseconds UTC; 0: never."""

    made_ms: int = 0  # when the newest good one was begun: it holds what was there then
    tried_ms: int = 0  # when the last one was begun, good or not
    why: str = ""  # why the last one that was tried did not work
    drilled_ms: int = 0  # when one was last put back in a place of its own and looked through
    drill_why: str = ""  # what that found wrong


def read_note(data_dir: Path) -> BackupNote:
    """Give what was noted; nothing, if that is not there or can't be read: then a back-up is missed in time."""
    try:
        return msgspec.json.decode((data_dir / FILE).read_bytes(), type=BackupNote)
    except (OSError, msgspec.MsgspecError):
        return BackupNote()


def write_note(data_dir: Path, note: BackupNote) -> None:
    """Note it durably, for whoever owns the data directory, even if somebody else makes the back-up."""
    file = data_dir / FILE
    write_file(file, msgspec.json.encode(note))
    owner = data_dir.stat()
    if os.geteuid() == 0:
        os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def one_at_a_time(data_dir: Path) -> Iterator[None]:
    """Be the only one that makes or tries back-ups of this data directory: who begins clears away what was cut off."""
    handle = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        owner = data_dir.stat()
        if os.geteuid() == 0:
            os.fchown(handle, owner.st_uid, owner.st_gid)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise Conflict(
                f"another back-up or drill of {data_dir} is under way", hint="Wait until it has ended."
            ) from cause
        yield
    finally:
        os.close(handle)
