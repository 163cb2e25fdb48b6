"""A small disk of its own for a till: a tmpfs in the tests' mounts, which can be filled and made read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

TRIES = 100


def needs_mounts() -> None:
    """Skip the test, saying why, where no file system may be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk to fill it")


class SmallDisk:
    """A mounted tmpfs."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self, leave_bytes: int = 0) -> None:
        """Fill what is free, but for ``leave_bytes``; a till that writes meanwhile may take some of it first."""
        with self._ballast.open("ab") as file:
            for _ in range(TRIES):
                held, usage = os.fstat(file.fileno()).st_size, os.statvfs(self.place)
                free = usage.f_bavail * usage.f_frsize - leave_bytes
                if free <= 0:
                    return
                with suppress(OSError):
                    os.posix_fallocate(file.fileno(), held, free)
                    return
        raise AssertionError("others write all the time")

    def clear(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)

    def read_only(self) -> None:
        """Turn the file system read-only; nobody may have a file open for writing."""
        _mount("-o", "remount,ro", str(self.place))

    def writable(self) -> None:
        """Turn it back."""
        _mount("-o", "remount,rw", str(self.place))


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[SmallDisk]:
    """Mount a disk of ``size`` (tmpfs's notation) while the block runs."""
    needs_mounts()
    place.mkdir()
    tried = _mount("-t", "tmpfs", "-o", f"size={size}", "tillmesh-test", str(place))
    if tried:
        pytest.skip(f"no file system can be mounted here: {tried}")
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _mount(*arguments: str) -> str:
    """Run mount and give what it complains about."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""
