"""So many packets a second, of one address and of all: a flood of announcements must not take the time of sales.

Reading and noting what one packet says takes up to a millisecond of the loop that also answers the till's own page.
What comes over the limit is dropped unread. Announcements are hints that come again; links that are up need none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from tillmesh.adapters.lan.door import Allowance

# A unit is a packet of hardly any bytes, or 256 bytes more of one: measured, some 50 microseconds.
BYTES_PER_UNIT: Final = 256
UNITS_PER_S: Final = 200  # of one address in the long run: a hundredth of a core; a till says two packets a minute
UNITS_AT_ONCE: Final = 2_000
UNITS_PER_S_IN_ALL: Final = 800
UNITS_AT_ONCE_IN_ALL: Final = 4_000
ADDRESSES_MAX: Final = 1_024  # whose packets are counted


class Listening(Protocol):
    """What hears datagrams."""

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take one in."""

    def error_received(self, exc: Exception) -> None:
        """Hear of an error."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear of the end."""


class Meter:
    """What several sockets together may still take in."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.dropped = 0
        self._clock_s = clock_s
        self._all = Allowance(UNITS_AT_ONCE_IN_ALL, UNITS_PER_S_IN_ALL, clock_s())
        self._of: dict[str, Allowance] = {}

    def lets_in(self, size: int, address: str) -> bool:
        """Count a packet, and say whether it may be read."""
        now_s, units = self._clock_s(), 1 + size / BYTES_PER_UNIT
        mine = self._of.get(address)
        if mine is None:
            if len(self._of) >= ADDRESSES_MAX:
                self._of.clear()  # then the limit on all of them holds
            mine = self._of[address] = Allowance(UNITS_AT_ONCE, UNITS_PER_S, now_s)
        if mine.take(now_s, units) and self._all.take(now_s, units):
            return True
        self.dropped += 1
        return False


class Metered(asyncio.DatagramProtocol):
    """Stands before a protocol and passes on what a meter lets in."""

    def __init__(self, inner: Listening, meter: Meter) -> None:
        self._inner, self._meter = inner, meter

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Pass a packet on, or drop it."""
        if self._meter.lets_in(len(data), str(addr[0])):
            self._inner.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Pass it on."""
        self._inner.error_received(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._inner.connection_lost(exc)
