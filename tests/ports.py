"""Ports for programs that tests start: below the system's own range, and never the same one for two test processes.

A port that the system chose for an instant can be given to any outgoing connection in the next; one from below its
range is taken by nobody, unless another test does. So a port is reserved by a lock on a file while this process lives.
"""

import fcntl
import random
import tempfile
from pathlib import Path
from typing import IO

from tillmesh.bench.ports import is_free

FIRST, LAST = 10_240, 31_000  # Linux gives outgoing connections 32768 to 60999.
SPREAD = 101  # A demo takes PORT to PORT + tills for pages, and PORT + 100 + N for links.
_held: list[IO[bytes]] = []


def free_port() -> int:
    """Reserve a port that nobody listens on."""
    return free_ports(1)


def free_ports(count: int, *, links: bool = False) -> int:
    """Reserve ``count`` ports in a row and give the first; ``links`` takes those a demo uses for links too."""
    while True:
        first = random.randrange(FIRST, LAST - count - SPREAD)
        wanted = list(range(first, first + count))
        if links:
            wanted += [port + SPREAD - 1 for port in wanted]
        if all(is_free(port) for port in wanted) and _reserve(wanted):
            return first


def _reserve(ports: list[int]) -> bool:
    folder = Path(tempfile.gettempdir()) / "tillmesh-test-ports"
    folder.mkdir(mode=0o777, exist_ok=True)
    taken: list[IO[bytes]] = []
    for port in ports:
        handle = (folder / str(port)).open("wb")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            for each in (*taken, handle):
                each.close()
            return False
        taken.append(handle)
    _held.extend(taken)
    return True
