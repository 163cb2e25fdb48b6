"""What systemd is told of a running till: that it answers, and again and again that its event loop turns.

The protocol is sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names. Without one nobody is told, and
nothing waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from typing import Final

# Opening may bring a year's tables up to date on the event loop; whoever takes longer than this is dead.
OPENING_S: Final = 3 * 3600
LOOK_S: Final = 0.1
_US: Final = 1_000_000


class Supervision:
    """Speaks to whatever started the program, if it listens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Look where systemd listens, and how often it wants to hear something."""
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._watchdog_us = int(environment.get("WATCHDOG_USEC") or 0)

    @property
    def every_s(self) -> float:
        """How often to tell that the program lives: a third of what systemd waits; 0 when nobody wants to hear it."""
        return self._watchdog_us / 3 / _US if self._address else 0.0

    def tell(self, *lines: str) -> None:
        """Send some lines; a supervisor that is gone is no trouble of the till's."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.sendto("\n".join(lines).encode(), self._address)

    @contextlib.contextmanager
    def patient(self) -> Iterator[None]:
        """Ask for hours: what runs in here holds the event loop for as long as it takes."""
        if not self.every_s:
            yield
            return
        self.tell(f"WATCHDOG_USEC={OPENING_S * _US}", "WATCHDOG=1")
        try:
            yield
        finally:
            self.tell(f"WATCHDOG_USEC={self._watchdog_us}", "WATCHDOG=1")

    async def watch(self, listening: socket.socket) -> None:
        """Tell when the socket takes connections, and from then on that the event loop turns, until cancelled."""
        if not self._address:
            return
        while not await _answers(listening.getsockname()):  # noqa: ASYNC110 - a socket does not tell when it listens
            await asyncio.sleep(LOOK_S)
        self.tell("READY=1")
        while self.every_s:
            await asyncio.sleep(self.every_s)
            self.tell("WATCHDOG=1")


async def _answers(address: tuple[str, int]) -> bool:
    try:
        _, writer = await asyncio.open_connection(*address[:2])
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
