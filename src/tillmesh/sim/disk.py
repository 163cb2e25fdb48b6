"""A disk that can lose power, under the real cipher: an apsw VFS that the encrypting VFS stands on.

The model: a write reaches a cache; only an honest sync brings everything written to that file to the platter. When the
power goes, each 512-byte sector of each write since then has arrived or not, independently and in any order. Changes
of a file's length and its deletion can be lost in the same way. The file on disk always has the cached content, so
the till reads what it wrote; :meth:`Disk.platter` undoes what did not arrive.

A plaintext VFS named X is used encrypted as ``multipleciphers-X`` (SQLite3 Multiple Ciphers registers that by itself).
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw

SECTOR: Final = 512
_names = itertools.count()


class PowerCut(Exception):
    """The power is gone; nothing this process does reaches the disk any more."""


@dataclass(frozen=True, slots=True)
class Held:
    """One write that may still get lost: where, and what stood there before. Without anything new: a truncation."""

    offset: int
    old: bytes
    new: bytes


@dataclass(slots=True)
class Disk:
    """What the files under one VFS went through."""

    cut_at: int | None = None  # the write (from 1) at which the power goes, with that write itself in doubt
    lies: bool = False  # says "synced" and does nothing
    fail_sync_at: int | None = None
    die_at_sync: int | None = None  # the program dies before this sync; the cache lives on, so set ``is_off`` back
    is_full: bool = False  # no file grows any more, except by
    spare_bytes: int = 0
    writes: int = 0
    syncs: int = 0
    is_off: bool = False
    held: dict[str, list[Held]] = field(default_factory=dict)
    deleted: dict[str, bytes] = field(default_factory=dict)

    def revive(self) -> None:
        """Start again after a program was killed; what was not synced is still in the cache, and can still be lost."""
        self.cut_at = self.fail_sync_at = self.die_at_sync = None
        self.is_off = False

    def settle(self) -> None:
        """Take what is in the files now for what there is: after a power cut, or when they were put there by hand."""
        for held in self.held.values():
            held.clear()
        self.deleted.clear()

    def grow(self, by_bytes: int) -> None:
        """Take room for a longer file."""
        if self.is_full:
            if by_bytes > self.spare_bytes:
                raise apsw.FullError("the disk is full")
            self.spare_bytes -= by_bytes

    def step(self) -> None:
        """Count a write, and lose power in its turn."""
        if self.is_off:
            raise PowerCut
        self.writes += 1
        if self.writes == self.cut_at:
            self.is_off = True

    def platter(self, draw: random.Random, *, share: float = 0.5) -> int:
        """Leave in the files what a power cut would; give how many sectors of writes were lost."""
        lost = 0
        for name, content in self.deleted.items():
            if not Path(name).exists() and draw.random() < share:
                Path(name).write_bytes(content)
        for name, writes in self.held.items():
            if not Path(name).exists():
                continue
            with Path(name).open("r+b") as file:
                for write in reversed(writes):
                    lost += _undo(file, write, draw, share)
        return lost


def _undo(file: Any, write: Held, draw: random.Random, share: float) -> int:
    lost = 0
    if not write.new:  # a truncation: all of it or nothing
        if draw.random() < share:
            file.seek(write.offset)
            file.write(write.old)
        return 0
    first = write.offset - write.offset % SECTOR
    for start in range(first, write.offset + len(write.new), SECTOR):
        low, high = max(start, write.offset), min(start + SECTOR, write.offset + len(write.new))
        if draw.random() < share:
            # Where the file was shorter before, a lost sector of a grown file reads as zeros.
            file.seek(low)
            file.write(write.old[low - write.offset : high - write.offset].ljust(high - low, b"\0"))
            lost += 1
    return lost


class FaultVfs(apsw.VFS):
    """A plaintext VFS over the system's, with one :class:`Disk` below; open databases through ``encrypted``.

    SQLite keeps a VFS for as long as the process lives, so put another ``disk`` below one rather than make another.
    """

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        name = f"faulty{next(_names)}"
        super().__init__(name, "unix")
        self.encrypted = f"multipleciphers-{name}"

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        """Open a file on the disk."""
        return _File(name, flags, self.disk)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Delete a file, which a power cut may bring back."""
        if self.disk.is_off:
            raise PowerCut
        path = Path(filename)
        if path.exists():
            self.disk.deleted[filename] = path.read_bytes()
            self.disk.held.get(filename, []).clear()
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], disk: Disk) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._name = str(name.filename() if hasattr(name, "filename") else name)
        self._held = disk.held.setdefault(self._name, [])

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._disk.step()
        size = self.xFileSize()
        if offset + len(data) > size:
            self._disk.grow(offset + len(data) - size)
        old = bytes(super().xRead(min(len(data), max(0, size - offset)), offset)) if offset < size else b""
        self._held.append(Held(offset, old, bytes(data)))
        super().xWrite(data, offset)
        if self._disk.is_off:
            raise PowerCut

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._disk.is_off:
            raise PowerCut
        size = self.xFileSize()
        if newsize < size:
            self._held.append(Held(newsize, bytes(super().xRead(size - newsize, newsize)), b""))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        disk = self._disk
        if disk.is_off:
            raise PowerCut
        disk.syncs += 1
        if disk.syncs == disk.die_at_sync:
            disk.is_off = True
            raise PowerCut
        if disk.syncs == disk.fail_sync_at:
            raise apsw.IOError("the disk could not sync")
        if not disk.lies:
            self._held.clear()
        super().xSync(flags)
