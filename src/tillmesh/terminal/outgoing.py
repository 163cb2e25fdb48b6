"""What waits to be sent over one link: bounded, and the most urgent conversation first."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from tillmesh.sync.channels import URGENCY, Channel, wrap

FRAMES_WAITING_MAX: Final = 100  # of each channel; guess: a peer that is so far behind is better met anew


class Outgoing:
    """Frames on their way into one link.

    Invariant: frames of one channel leave in the order in which they came.
    """

    def __init__(self) -> None:
        self._waiting: dict[Channel, deque[bytes]] = {channel: deque() for channel in URGENCY}
        self._news = asyncio.Event()

    def put(self, channel: Channel, body: bytes) -> bool:
        """Queue a body; False when too many of its channel wait already, and then it is not queued."""
        queue = self._waiting[channel]
        if len(queue) >= FRAMES_WAITING_MAX:
            return False
        queue.append(wrap(channel, body))
        self._news.set()
        return True

    async def get(self) -> bytes:
        """Take the next frame, waiting for one."""
        while True:
            for channel in URGENCY:
                if self._waiting[channel]:
                    return self._waiting[channel].popleft()
            self._news.clear()
            await self._news.wait()
