"""The listening socket: so many strangers at a time, from one address and in all, before TLS costs us anything.

Without it whoever reaches a port takes all files that a process may open, a connection each, and nothing else of the
program works any more: no sale, no database.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

STRANGERS_PER_ADDRESS_MAX: Final = 16  # Guess: fifteen tills on one machine may all knock at once.
STRANGERS_MAX: Final = 64
assert STRANGERS_PER_ADDRESS_MAX <= STRANGERS_MAX
# A handshake with a stranger costs 2 ms of the event loop that also answers the till's own page.
VISITS_PER_S: Final = 50  # of one address, in the long run: a tenth of a core
VISITS_AT_ONCE: Final = 400  # guess: pages that open a connection for each of their files
VISITS_PER_S_IN_ALL: Final = 150
VISITS_AT_ONCE_IN_ALL: Final = 1_000
ADDRESSES_MAX: Final = 4_096  # whose visits are counted


class Allowance:
    """What may still come: so much at once, and then as much as grows back."""

    __slots__ = ("_at_once", "_grown_s", "_left", "_per_s")

    def __init__(self, at_once: int, per_s: int, now_s: float) -> None:
        self._at_once, self._per_s, self._left, self._grown_s = at_once, per_s, float(at_once), now_s

    def take(self, now_s: float, units: float = 1.0) -> bool:
        """Count so much more, if so much is left."""
        self._left = min(self._at_once, self._left + (now_s - self._grown_s) * self._per_s)
        self._grown_s = now_s
        if self._left < units:
            return False
        self._left -= units
        return True


class Door(socket.socket):
    """A listening socket that closes what comes over the limits, and knows who has not proved anything yet."""

    def __init__(
        self, family: int, turned_away: Callable[[str, str], None], *,
        per_address: int = STRANGERS_PER_ADDRESS_MAX, in_all: int = STRANGERS_MAX, hurried: bool = True,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """``hurried`` limits how many come in a second, too."""
        # Named as TCP, asyncio switches Nagle's algorithm off: an answer in two writes would wait 40 ms for the second.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._turned_away = turned_away
        self._per_address, self._in_all = per_address, in_all
        self._hurried, self._clock_s = hurried, clock_s
        self._visits: dict[str, Allowance] = {}
        self._all_visits = Allowance(VISITS_AT_ONCE_IN_ALL, VISITS_PER_S_IN_ALL, clock_s())
        self._strangers: dict[tuple[str, int], str] = {}
        self._addresses: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, or close it and raise what asyncio takes for "nobody there"."""
        handle, where = self._accept()  # type: ignore[attr-defined] # what socket.accept itself is made of
        place = (str(where[0]), int(where[1]))
        is_crowd = self._addresses[place[0]] >= self._per_address or len(self._strangers) >= self._in_all
        if is_crowd or not self._may_come(place[0]):
            socket.socket(fileno=handle).close()
            self._turned_away("crowd", place[0])
            raise BlockingIOError
        self._strangers[place] = place[0]
        self._addresses[place[0]] += 1
        return Visitor(handle, self, place), where

    def _may_come(self, address: str) -> bool:
        if not self._hurried:
            return True
        now_s = self._clock_s()
        visits = self._visits.get(address)
        if visits is None:
            if len(self._visits) >= ADDRESSES_MAX:
                self._visits.clear()  # then the limit on all of them holds
            visits = self._visits[address] = Allowance(VISITS_AT_ONCE, VISITS_PER_S, now_s)
        return visits.take(now_s) and self._all_visits.take(now_s)

    def proved(self, where: tuple[Any, ...]) -> None:
        """Count somebody as a stranger no longer."""
        address = self._strangers.pop((str(where[0]), int(where[1])), None)
        if address is not None:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def left(self, place: tuple[str, int]) -> None:
        """Somebody is gone; who never proved anything failed in TLS or said nothing."""
        if place in self._strangers:
            self._turned_away("tls", place[0])
        self.proved(place)


class Visitor(socket.socket):
    """An accepted connection that tells its door when it closes."""

    def __init__(self, handle: int, door: Door, place: tuple[str, int]) -> None:
        super().__init__(fileno=handle)
        self._door, self._place = door, place
        self._open = True

    def close(self) -> None:
        """Close, and say so once."""
        if self._open:
            self._open = False
            self._door.left(self._place)
        super().close()
