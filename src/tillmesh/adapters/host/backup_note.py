"""What the last back-up of a data directory came to, in a small file beside the data: for whoever watches it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from tillmesh.adapters.host.keys import write_file

FILE: Final = "backup.json"
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
        os.chown(file, owner.st_uid, owner.st_gid)
