"""Kafka's jars: fetched once into a cache of this user, each checked against the hash that is written down here.

    python -m tillmesh.hub.stack.jars

``TILLMESH_MAVEN`` names another repository with Maven's layout, ``TILLMESH_CACHE`` another cache.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from tillmesh.kernel.errors import Damaged, NotFound

MAVEN: Final = "https://repo1.maven.org/maven2"
JAR_BYTES_MAX: Final = 64 << 20
TRIES: Final = 3
TIMEOUT_S: Final = 120


class Jar(NamedTuple):
    """One file of the list."""

    path: str  # in the repository
    digest: str  # SHA-256

    @property
    def name(self) -> str:
        """Give the name of the file."""
        return self.path.rpartition("/")[2]


def listed() -> list[Jar]:
    """Give what a broker needs, as written down in ``jars.txt``."""
    text = (files("tillmesh.hub.stack") / "jars.txt").read_text("ascii")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return [Jar(path, digest) for digest, path in lines]


def folder() -> Path:
    """Give where the jars of this list belong; another list has another folder."""
    cache = os.environ.get("TILLMESH_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    mark = sha256("\n".join(jar.digest for jar in listed()).encode()).hexdigest()[:12]
    return Path(cache).expanduser() / "tillmesh" / f"kafka-{mark}"


def jars() -> Path:
    """Give the folder with all jars; raises :class:`NotFound` if they were not fetched."""
    place = folder()
    if not (place / "complete").exists():
        raise NotFound("Kafka's jars are not there yet", hint="Run scripts/setup.sh stack.")
    return place


def fetch() -> Path:
    """Fetch what is missing and check every file; give the folder."""
    place = folder()
    if (place / "complete").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    for jar in listed():
        file = place / jar.name
        if file.exists() and sha256(file.read_bytes()).hexdigest() == jar.digest:
            continue
        half = file.with_suffix(f".{os.getpid()}")
        half.write_bytes(_fetched(jar))
        half.replace(file)
    (place / "complete").touch()
    return place


def _fetched(jar: Jar) -> bytes:
    base = os.environ.get("TILLMESH_MAVEN", MAVEN).rstrip("/")
    for tries_left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(f"{base}/{jar.path}", timeout=TIMEOUT_S) as answer:  # noqa: S310 - as configured
                data: bytes = answer.read(JAR_BYTES_MAX + 1)
        except (OSError, urllib.error.URLError) as cause:
            if tries_left == 0:
                raise NotFound(
                    f"{jar.name} can't be fetched ({cause})", hint="Look at the network, try again."
                ) from cause
            continue
        if sha256(data).hexdigest() == jar.digest:
            return data
    raise Damaged(f"{jar.name} came with another hash than is written down", hint="Do not use it.")


if __name__ == "__main__":
    sys.stdout.write(f"{fetch()}\n")
