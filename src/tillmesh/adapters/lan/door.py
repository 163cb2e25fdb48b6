"""The listening socket: so many strangers at a time, from one address and in all, before TLS costs us anything.

Without it whoever reaches a port takes all files that a process may open, a connection each, and nothing else of the
program works any more: no sale, no database.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

STRANGERS_PER_ADDRESS_MAX: Final = 16  # Guess: fifteen tills on one machine may all knock at once.
STRANGERS_MAX: Final = 64
assert STRANGERS_PER_ADDRESS_MAX <= STRANGERS_MAX


class Door(socket.socket):
    """A listening socket that closes what comes over the limits, and knows who has not proved anything yet."""

    def __init__(
        self, family: int, turned_away: Callable[[str, str], None], *,
        per_address: int = STRANGERS_PER_ADDRESS_MAX, in_all: int = STRANGERS_MAX,
    ) -> None:  # fmt: skip
        # Named as TCP, asyncio switches Nagle's algorithm off: an answer in two writes would wait 40 ms for the second.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._turned_away = turned_away
        self._per_address, self._in_all = per_address, in_all
        self._strangers: dict[tuple[str, int], str] = {}
        self._addresses: Counter[str] = Counter()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection, or close it and raise what asyncio takes for "nobody there"."""
        handle, where = self._accept()  # type: ignore[attr-defined] # what socket.accept itself is made of
        place = (str(where[0]), int(where[1]))
        if self._addresses[place[0]] >= self._per_address or len(self._strangers) >= self._in_all:
            socket.socket(fileno=handle).close()
            self._turned_away("crowd", place[0])
            raise BlockingIOError
        self._strangers[place] = place[0]
        self._addresses[place[0]] += 1
        return Visitor(handle, self, place), where

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
