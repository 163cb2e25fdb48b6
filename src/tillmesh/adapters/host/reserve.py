"""Room kept back on the disk, given free when it is full: the till can finish its sales and close the shift."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 16 << 20
SHARE_MAX: Final = 10  # Never more than a tenth of the disk.


class Reserve:
    """A file of real blocks in the data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "reserve"
        self._directory = data_dir

    @property
    def held(self) -> bool:
        """Say whether the room is kept back now."""
        return self._path.exists()

    def hold(self) -> bool:
        """Keep room back if the disk has twice as much free; say whether it is held."""
        if self.held:
            return True
        usage = shutil.disk_usage(self._directory)
        size = min(RESERVE_BYTES, usage.total // SHARE_MAX)
        if usage.free < 2 * size:
            return False
        # Under its name only once it is whole: a program killed in between must not believe in half a reserve.
        half = self._path.with_suffix(".new")
        try:
            handle = os.open(half, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(handle, 0, size)
            finally:
                os.close(handle)
            half.rename(self._path)
        except OSError:
            with suppress(OSError):
                half.unlink()
            return False
        return True

    def release(self) -> bool:
        """Give the room free; say whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def free_bytes(self) -> int:
        """Give the free space of the disk, without the reserve."""
        return shutil.disk_usage(self._directory).free
