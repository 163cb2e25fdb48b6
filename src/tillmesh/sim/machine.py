"""The machine below a simulated till: its files with everything that can happen to them, and the note beside them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import apsw

from tillmesh.adapters.sqlite.database import KEY_BYTES
from tillmesh.adapters.sqlite.store import FILE, open_database
from tillmesh.kernel.envelope import Head
from tillmesh.sim.disk import Disk, FaultVfs, PowerCut
from tillmesh.till.agreement import Promise

KEY: Final = bytes(range(KEY_BYTES))  # the same for all: it protects nothing here
_FILES: Final = (FILE, f"{FILE}-wal", f"{FILE}-shm")


class SimAnchor:
    """The anchor file as the disk has it: nonces synced at once, the head whenever the system gets to it."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._nonces: tuple[str, ...] = ()
        self._head: Head | None = None
        self._synced: Head | None = None
        self._promise: Promise | None = None

    def nonces(self) -> tuple[str, ...]:
        """Give the nonces that the database may carry."""
        return self._nonces

    def agree(self, before: str, now: str) -> None:
        """Note the nonce that the database is about to take."""
        self._nonces = (now, before)

    def place(self) -> str:
        """Give what a copied directory can't bring along."""
        return self._place

    def head(self) -> Head | None:
        """Give the head noted last."""
        return self._head

    def remember(self, head: Head) -> None:
        """Note a head that was committed, without sync."""
        self._head = head

    def sync(self) -> None:
        """Bring the noted head to the platter."""
        self._synced = self._head

    def promise(self, promise: Promise) -> None:
        """Note a promise to other tills that was committed, with sync."""
        self._promise = promise

    def promised(self) -> Promise | None:
        """Give the promise noted last."""
        return self._promise

    def lose_power(self, draw: Random) -> None:
        """Keep the noted head, or only the one synced last."""
        if draw.random() < 0.5:
            self._head = self._synced
        self.sync()


Copy = dict[str, bytes]


class Machine:
    """One till's computer."""

    def __init__(self, folder: Path, vfs: FaultVfs, template: bytes) -> None:
        self._folder = folder
        self._vfs = vfs
        self._template = template
        self._places = 0
        self.disk = Disk()
        self.anchor = SimAnchor("")
        self.replace({FILE: template})

    def replace(self, files: Copy, *, anchor: bool = True) -> None:
        """Put a disk with these files in; with a new anchor, or with the one that is there."""
        for name in _FILES:
            with suppress(FileNotFoundError):
                (self._folder / name).unlink()
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        is_full = self.disk.is_full
        self.disk = self._vfs.disk = Disk(is_full=is_full)
        if anchor:
            self._places += 1
            self.anchor = SimAnchor(f"{self._folder.name} {self._places}")

    def wipe(self) -> None:
        """Lose the database; the note beside it tells who lived here."""
        self.replace({FILE: self._template}, anchor=False)

    def copy(self) -> Copy:
        """Copy the files as somebody does who backs up a running till between two writes."""
        return {name: (self._folder / name).read_bytes() for name in _FILES[:2] if (self._folder / name).exists()}

    def open(self) -> apsw.Connection:
        """Open the database as the program does."""
        return open_database(self._folder / FILE, KEY, vfs=self._vfs.encrypted)

    @property
    def path(self) -> Path:
        """Where the database is."""
        return self._folder / FILE

    @property
    def vfs(self) -> str:
        """The name under which SQLite reaches the disk."""
        return self._vfs.encrypted

    def stop(self, *connections: apsw.Connection) -> None:
        """End the program in the middle of whatever it does: nothing more reaches the disk."""
        self.disk.is_off = True
        for connection in connections:
            with suppress(PowerCut, apsw.Error):
                connection.close()
        self.disk.revive()

    def lose_power(self, draw: Random) -> int:
        """Leave on the platter what a power cut does, after the program was stopped; give the sectors lost."""
        lost = self.disk.platter(draw, share=draw.choice((0.1, 0.5, 0.9, 1.0)))
        self.disk.settle()
        self.anchor.lose_power(draw)
        return lost


@contextmanager
def workshop() -> Iterator[Path]:
    """Give a folder for the disks of one process, in memory where there is such a place."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder made below it is ours alone
    folder = Path(tempfile.mkdtemp(prefix="tillmesh-sim-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def vfs(slot: int) -> FaultVfs:
    """Give the VFS of the n-th machine; one for the process, as SQLite never forgets one."""
    assert slot >= 0
    return FaultVfs(Disk())
