"""The program of a till under a wall clock that a test moves: ``python moved_clock.py FILE terminal ...``.

Eight bytes of the file say by how many nanoseconds; every look at the clock reads them. What libfaketime does for whole
programs is too slow here: it also stands between the threads and their locks, and the page is served by several.
"""

from __future__ import annotations

import mmap
import sys
import time
from pathlib import Path

BYTES = 8


def set_offset(file: Path, ns: int) -> None:
    """Move the clock of every program that reads this file."""
    with file.open("r+b" if file.exists() else "w+b", buffering=0) as out:
        out.write(ns.to_bytes(BYTES, "little", signed=True))


def main(file: str, *words: str) -> None:
    """Run the program with a clock of its own; nothing of it may have been imported yet."""
    with Path(file).open("rb") as opened:
        offset = mmap.mmap(opened.fileno(), BYTES, prot=mmap.PROT_READ)
    wall_ns = time.time_ns

    def moved_ns() -> int:
        return wall_ns() + int.from_bytes(offset[:BYTES], "little", signed=True)

    time.time_ns = moved_ns
    time.time = lambda: moved_ns() / 1e9
    from tillmesh.cli import main as program

    program(words)


if __name__ == "__main__":
    main(*sys.argv[1:])
