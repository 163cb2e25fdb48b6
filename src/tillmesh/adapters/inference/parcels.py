"""Bundles on their way: pieces that came so far, and whole ones that are kept to be handed out to other tills.

``models/on-the-way/SHA256`` is a whole bundle, ``SHA256.part`` what has come of one. A file counts as whole only after
its hash was found to be the one in its name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from tillmesh.edge.bundle import Refused
from tillmesh.kernel.limits import MODEL_FREE_BYTES_MIN, MODEL_STORED_BYTES_MAX

FOLDER: Final = "on-the-way"  # no model is called so
PART: Final = ".part"
READ_BYTES: Final = 1 << 20


class Parcels:
    """The bundles of one data directory that travel. Blocks; one at a time fetches, any number read."""

    def __init__(self, models: Path) -> None:
        self._folder = models / FOLDER
        self.free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free

    def whole(self) -> list[str]:
        """List the bundles that are here, by SHA-256 in hex."""
        try:
            return sorted(path.name for path in self._folder.iterdir() if not path.suffix)
        except OSError:
            return []

    def verify(self) -> None:
        """Forget whole bundles of which a byte has changed on the disk: nobody should be handed one."""
        for name in self.whole():
            with suppress(OSError):
                if _hash_of(self._folder / name) != name:
                    (self._folder / name).unlink()

    def is_whole(self, sha256: str) -> bool:
        """Say whether all of a bundle is here."""
        return (self._folder / sha256).is_file()

    def begun(self, sha256: str) -> int:
        """Say how many bytes of a bundle have come so far."""
        try:
            return (self._folder / (sha256 + PART)).stat().st_size
        except OSError:
            return 0

    def check_room(self, size: int, begun: int) -> None:
        """Raise :class:`Refused` if a bundle would take room that sales may need."""
        self._folder.mkdir(parents=True, exist_ok=True)
        free = self.free(self._folder)
        if free - (2 * size - begun) < MODEL_FREE_BYTES_MIN:  # as it travels, and unpacked
            raise Refused(
                f"{free >> 20} MiB are free on the disk; {MODEL_FREE_BYTES_MIN >> 20} MiB stay free for sales",
                reason="disk",
                hint="Free some space on this till.",
            )
        held = sum(path.stat().st_size for path in self._folder.iterdir())
        if held - begun + size > MODEL_STORED_BYTES_MAX:
            raise Refused(
                f"{held >> 20} MiB of models are kept to be handed out; the limit is {MODEL_STORED_BYTES_MAX >> 20}",
                reason="disk",
            )

    def append(self, sha256: str, offset: int, data: bytes) -> int:
        """Put a piece where it belongs and say how far the bundle has come; one that does not join on is let fall."""
        if offset != self.begun(sha256):
            return self.begun(sha256)
        with (self._folder / (sha256 + PART)).open("ab") as file:
            file.write(data)
        return offset + len(data)

    def complete(self, sha256: str) -> None:
        """Look whether what has come is the bundle; raises :class:`Refused` and forgets it if it is not."""
        part = self._folder / (sha256 + PART)
        with part.open("rb") as file:
            os.fsync(file.fileno())
            found = _hash_of(part)
        if found != sha256:
            part.unlink()
            raise Refused("what came is not the bundle that head office ordered", reason="hash")
        part.rename(self._folder / sha256)

    def read(self, sha256: str, offset: int, size: int) -> bytes:
        """Give a piece of a whole bundle; nothing if it is not here."""
        try:
            with (self._folder / sha256).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        except OSError:
            return b""

    def load(self, sha256: str) -> bytes:
        """Give a whole bundle; raises :class:`Refused` and forgets it if a byte has changed on the disk."""
        path = self._folder / sha256
        try:
            data = path.read_bytes()
        except OSError as cause:
            raise Refused(f"the bundle can't be read ({cause.strerror})", reason="missing") from cause
        if hashlib.sha256(data).hexdigest() != sha256:
            path.unlink(missing_ok=True)
            raise Refused("the bundle has changed on this till's disk", reason="hash")
        return data

    def keep(self, wanted: Collection[str]) -> None:
        """Forget everything else."""
        if not self._folder.is_dir():
            return
        for path in list(self._folder.iterdir()):
            if path.name.removesuffix(PART) not in wanted:
                path.unlink(missing_ok=True)


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            digest.update(data)
    return digest.hexdigest()
