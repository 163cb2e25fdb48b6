"""The anchor file: what this data directory last knew, kept outside the database.

It answers two questions at start. Is this the original, or a copy or an old backup? (A nonce drawn anew at every
start, the file's own inode and the machine id must agree with the database.) Did the database lose committed events
without noticing? (A bit flip in a write-ahead log does that silently, and so does a disk that lies about syncing: the
head noted here must not be ahead of it, nor the term and vote that were promised to other tills.) Its lock tells
whether another program has the data directory open. And it says whose data directory this is when there is no database
left to ask.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec

from tillmesh.adapters.host.keys import sync_directory
from tillmesh.kernel.envelope import Head
from tillmesh.till.agreement import Promise

T = TypeVar("T")

RECORD_BYTES: Final = 256  # one write within one sector: all of it or none
_NOTE_AT: Final = 512  # the head stands in a sector of its own
_WHOSE_AT: Final = 1024
_REST_AT: Final = 2048
_PROMISE_AT: Final = 1536
FS_IOC_GETVERSION: Final = 0x80087601  # linux/fs.h: _IOR('v', 1, long)
MACHINE_ID: Final = Path("/etc/machine-id")


class Note(msgspec.Struct, frozen=True, array_like=True):
    """What the file holds about the start: the nonce before and the nonce agreed now."""

    before: str
    now: str


class End(msgspec.Struct, frozen=True, array_like=True):
    """The head that was committed last, and how many receipt numbers its actor had used; 0 if nobody said."""

    actor: str
    seq: int
    hash: bytes
    receipts: int = 0


class Whose(msgspec.Struct, frozen=True, array_like=True):
    """Who lives in this data directory, and a mark of the key that its database is locked with."""

    store: str
    actor: str
    key_mark: str


class Rest(msgspec.Struct, frozen=True, array_like=True):
    """The till was stopped in good order after the start that agreed on this nonce."""

    nonce: str


class Anchor:
    """The open anchor file. ``remember`` is called after every commit and is one small write without sync."""

    def __init__(self, path: Path) -> None:
        is_new = not path.exists()
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if is_new:
            sync_directory(path.parent)
        self._promised = self.promised()

    @classmethod
    def beside(cls, data_dir: Path) -> Self:
        """Open the anchor of a data directory."""
        return cls(data_dir / "anchor")

    def lock(self) -> bool:
        """Claim the data directory for this program until it ends; False while another one has it."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)

    def nonces(self) -> tuple[str, ...]:
        """Give the nonces that the database may carry: the agreed one, and the one before a broken start."""
        note = _read(self._handle, 0, Note)
        return () if note is None else (note.now, note.before)

    def agree(self, before: str, now: str) -> None:
        """Note the nonce that the database is about to take; durable before the database moves."""
        _write(self._handle, 0, Note(before, now))
        os.fsync(self._handle)

    def place(self) -> str:
        """Give what a copied directory can't bring along: this file's inode and the machine."""
        machine = MACHINE_ID.read_text("utf-8").strip() if MACHINE_ID.exists() else ""
        return sha256(f"{os.fstat(self._handle).st_ino} {self._generation()} {machine}".encode()).hexdigest()[:32]

    def _generation(self) -> int:
        """Give the generation of the file's inode, 0 where the file system has none.

        File systems hand the number of a deleted file to the next one: a backup that is put in the place of what was
        deleted would have the number of the original.
        """
        held = bytearray(struct.calcsize("l"))
        try:
            fcntl.ioctl(self._handle, FS_IOC_GETVERSION, held)
        except OSError:
            return 0
        return int.from_bytes(held[:4], sys.byteorder)

    def remember(self, head: Head, receipts: int = 0) -> None:
        """Note the head that was just committed."""
        _write(self._handle, _NOTE_AT, End(head.actor, head.seq, head.hash, receipts))

    def sync(self) -> None:
        """Bring the noted head to the disk, now and then: the page cache would keep it for half a minute."""
        os.fdatasync(self._handle)

    def head(self) -> Head | None:
        """Give the head noted last, or None when there is none that can be read."""
        end = self.end()
        return None if end is None else Head(end.actor, end.seq, end.hash)

    def end(self) -> End | None:
        """Give all that was noted with that head."""
        return _read(self._handle, _NOTE_AT, End)

    def rest(self) -> None:
        """Note that everything was closed in good order, durably; the next start's nonce takes it back."""
        _write(self._handle, _REST_AT, Rest("".join(self.nonces()[:1])))
        os.fsync(self._handle)

    def rested(self) -> bool:
        """Say whether the till was stopped in good order; ask before the nonce changes."""
        noted = _read(self._handle, _REST_AT, Rest)
        return noted is not None and noted.nonce in self.nonces()[:1]

    def whose(self) -> Whose | None:
        """Give who lives here, or None when that was never noted."""
        return _read(self._handle, _WHOSE_AT, Whose)

    def belongs(self, whose: Whose) -> None:
        """Note who lives here, durably."""
        if self.whose() != whose:
            _write(self._handle, _WHOSE_AT, whose)
            os.fsync(self._handle)

    def promise(self, promise: Promise) -> None:
        """Note the promise that was just committed, durably if it is a new one: elections are rare."""
        if promise != self._promised:
            _write(self._handle, _PROMISE_AT, promise)
            os.fdatasync(self._handle)
            self._promised = promise

    def promised(self) -> Promise | None:
        """Give the promise noted last, or None when there is none that can be read."""
        return _read(self._handle, _PROMISE_AT, Promise)


def key_mark(key: bytes) -> str:
    """Tell one database key from another without giving it away."""
    return sha256(b"tillmesh database key\0" + key).hexdigest()[:16]


def noted_head(data_dir: Path) -> Head | None:
    """Give the head that an anchor file notes, without locking or writing it: a till may be running on it."""
    handle = os.open(data_dir / "anchor", os.O_RDONLY)
    try:
        end = _read(handle, _NOTE_AT, End)
        return None if end is None else Head(end.actor, end.seq, end.hash)
    finally:
        os.close(handle)


def _write(handle: int, at: int, value: object) -> None:
    data = msgspec.msgpack.encode(value)
    framed = len(data).to_bytes(2, "big") + data + sha256(data).digest()[:8]
    assert len(framed) <= RECORD_BYTES, "an anchor record outgrew its sector"
    os.pwrite(handle, framed.ljust(RECORD_BYTES, b"\0"), at)


def _read(handle: int, at: int, kind: type[T]) -> T | None:
    raw = os.pread(handle, RECORD_BYTES, at)
    size = int.from_bytes(raw[:2], "big")
    data, check = raw[2 : 2 + size], raw[2 + size : 10 + size]
    if not size or sha256(data).digest()[:8] != check:
        return None
    return msgspec.msgpack.decode(data, type=kind)
