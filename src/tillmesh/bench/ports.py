"""Ports for the programs that a benchmark starts: below what Linux gives to outgoing connections (32768 and up)."""

from __future__ import annotations

import socket
from random import SystemRandom
from typing import Final

FIRST: Final = 31_000
LAST: Final = 32_768
TRIES: Final = 200


def free_ports(count: int) -> int:
    """Find so many ports in a row that nobody listens on, and give the first; raises OSError when there are none."""
    for _ in range(TRIES):
        first = SystemRandom().randrange(FIRST, LAST - count)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise OSError(f"no {count} free ports in a row between {FIRST} and {LAST}")


def is_free(port: int) -> bool:
    """Say whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
