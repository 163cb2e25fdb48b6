"""Printing into a file: a device such as /dev/usb/lp0, one growing file, or a folder with one pair of files a job."""

from __future__ import annotations

import errno
import os
import re
import select
from pathlib import Path
from typing import Final

from tillmesh.till.printing import PrinterStatus, PrintFailed, Printout

WRITE_S: Final = 4.0  # how long a device may take no byte before it counts as stopped
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class FilePrinter:
    """Appends to a file or device. A device is never waited for longer than WRITE_S."""

    def __init__(self, path: Path, *, patience: float = 1.0) -> None:
        """Take the path; its folder must exist. ``patience`` stretches the time limit."""
        self._path = path
        self._wait_s = WRITE_S * patience
        # An unplugged printer must not become a file in /dev.
        self._flags = _FLAGS if str(path).startswith("/dev/") else _FLAGS | os.O_CREAT

    def print(self, out: Printout) -> None:
        """Append the bytes; raises PrintFailed."""
        left = memoryview(out.data)
        try:
            handle = os.open(self._path, self._flags, 0o600)
            try:
                while left:
                    left = left[self._write(handle, left) :]
            finally:
                os.close(handle)
        except OSError as cause:
            raise PrintFailed(
                f"{self._path} takes no data ({cause.strerror})",
                hint="Is the printer on, and is there paper?",
                maybe_printed=len(left) < len(out.data),
            ) from cause

    def _write(self, handle: int, data: memoryview) -> int:
        """Write some of the data; a device whose buffer stays full is off, stopped or out of paper."""
        if not select.select([], [handle], [], self._wait_s)[1]:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        try:
            return os.write(handle, data)
        except BlockingIOError:
            return 0

    def status(self) -> PrinterStatus:
        """Say whether the file or device is there; never raises."""
        if self._path.exists() or (self._flags & os.O_CREAT and self._path.parent.is_dir()):
            return PrinterStatus("ready")
        return PrinterStatus("error", f"{self._path} is not there.")


class FolderPrinter:
    """Writes every job as a pair of files: bytes as a printer would get them, and text for people."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the first job comes."""
        self._folder = folder

    def print(self, out: Printout) -> None:
        """Write ``name.bin`` and ``name.txt``; raises PrintFailed."""
        stem = re.sub(r"[^\w.-]+", "-", out.name)[:100]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for suffix, data in ((".txt", out.text.encode()), (".bin", out.data)):
                unfinished = self._folder / f".{stem}{suffix}"
                unfinished.write_bytes(data)
                unfinished.replace(self._folder / f"{stem}{suffix}")
        except OSError as cause:
            raise PrintFailed(
                f"{self._folder} can't be written ({cause.strerror})", hint="Choose another folder in the settings."
            ) from cause

    def status(self) -> PrinterStatus:
        """Say whether the folder can be used; never raises."""
        there = next((folder for folder in (self._folder, *self._folder.parents) if folder.exists()), None)
        if there is not None and there.is_dir() and os.access(there, os.W_OK):
            return PrinterStatus("ready")
        return PrinterStatus("error", f"{self._folder} can't be written.")
