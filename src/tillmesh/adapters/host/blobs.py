"""Files that are named by the SHA-256 of what is in them: written once, never changed, checked when read whole."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final

from tillmesh.adapters.host.keys import write_file
from tillmesh.fleet.models import Bundles
from tillmesh.kernel.errors import Damaged, NotFound

_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """A folder of such files, and perhaps where other machines find them too."""

    def __init__(self, folder: Path, shared: Bundles | None = None) -> None:
        self._folder, self._shared, self._fetching = folder, shared, Lock()

    def put(self, data: bytes) -> str:
        """Keep these bytes durably and give their name."""
        name = sha256(data).hexdigest()
        path = self.path(name)
        if not path.exists() or path.stat().st_size != len(data):
            write_file(path, data)
        if self._shared is not None:
            self._shared.keep(name, data)
        return name

    def has(self, name: str) -> bool:
        """Say whether a file is here, after a look where other machines keep theirs."""
        with self._fetching:
            if not self.path(name).exists() and self._shared is not None:
                data = self._shared.give(name)
                if data is not None and sha256(data).hexdigest() == name:
                    write_file(self.path(name), data)
        return self.path(name).exists()

    def path(self, name: str) -> Path:
        """Say where a file is, or would be."""
        if not _HASH.fullmatch(name):
            raise NotFound(f"{name[:70]!r} is no SHA-256")
        return self._folder / name[:2] / f"{name}.bundle"

    def read(self, name: str) -> bytes:
        """Give a whole file, checked against its name."""
        path = self.path(name)
        try:
            data = path.read_bytes()
        except OSError as cause:
            raise NotFound(f"{path} can't be read ({cause.strerror})", hint="Publish the model again.") from cause
        if sha256(data).hexdigest() != name:
            raise Damaged(f"{path} is not what was put there", hint="Publish the model again.")
        return data

    def close(self) -> None:
        """Let go of what is shared."""
        if self._shared is not None:
            self._shared.close()

    def part(self, name: str, first: int, last: int) -> bytes:
        """Give the bytes of a file from ``first`` up to ``last``, both included; fewer if it ends before."""
        path = self.path(name)
        try:
            with path.open("rb") as file:
                file.seek(first)
                return file.read(last - first + 1)
        except OSError as cause:
            raise NotFound(f"{path} can't be read ({cause.strerror})", hint="Publish the model again.") from cause
