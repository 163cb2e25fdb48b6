"""Whether a packet to everybody on an interface comes back: without that nobody is found by mDNS there."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from typing import Final

GROUP: Final = "224.0.0.251"  # the group of mDNS (RFC 6762, section 3); the port is one of our own
WAIT_S: Final = 0.5
LOOPS_MAX: Final = 32


def multicast_works(interface: str) -> bool:
    """Send a packet to the group of mDNS by way of an address of this host, and see whether it arrives."""
    word = secrets.token_bytes(16)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("", 0))
        place = socket.inet_aton(interface)
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + place)
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, place)
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        ear.settimeout(WAIT_S)
        ear.sendto(word, (GROUP, ear.getsockname()[1]))
        return any(ear.recv(64) == word for _ in range(LOOPS_MAX))
    return False
