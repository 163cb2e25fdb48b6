"""Server-sent events: what changed, to every open page, bounded and resumable."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

QUEUE_MAX = 500  # per page; a page that falls behind more is told to reload
REPLAY_MAX = 500
PAGES_MAX = 50
QUIET_S = 15.0


class Live:
    """Fans events out to the open pages. Lives on the event loop; never blocks a sender."""

    def __init__(self) -> None:
        self._next = 1
        self._replay: deque[tuple[int, bytes]] = deque(maxlen=REPLAY_MAX)
        self._pages: set[asyncio.Queue[bytes | None]] = set()

    def send(self, kind: str, data: dict[str, Any]) -> None:
        """Queue an event for every page, and for those that are away for a moment."""
        number = self._next
        self._next += 1
        frame = b"id: %d\n%s" % (number, _frame(kind, data))
        self._replay.append((number, frame))
        self._queue(frame)

    def show(self, kind: str, data: dict[str, Any]) -> None:
        """Queue how something is now; who misses it asks anew, so it takes no room from what must not be lost."""
        self._queue(_frame(kind, data))

    def _queue(self, frame: bytes) -> None:
        for page in list(self._pages):
            if page.qsize() >= QUEUE_MAX:
                self._drop(page)
            else:
                page.put_nowait(frame)

    def _drop(self, page: asyncio.Queue[bytes | None]) -> None:
        """End a page's stream that is too far behind; it reconnects and is told to reload."""
        self._pages.discard(page)
        while not page.empty():
            page.get_nowait()
        page.put_nowait(None)

    def stream(self, last_id: int | None) -> AsyncGenerator[bytes, None]:
        """Give the frames for one page, from ``last_id`` on if they are still held, else a ``resync`` first.

        The page counts from this call on, not from its first frame: what happens in between must not be lost.
        """
        page: asyncio.Queue[bytes | None] = asyncio.Queue()
        page.put_nowait(b"retry: 1000\n\n")
        if len(self._pages) >= PAGES_MAX:
            page.put_nowait(b"event: busy\ndata: {}\n\n")
            page.put_nowait(None)
        else:
            for frame in self._missed(last_id):
                page.put_nowait(frame)
            self._pages.add(page)
        return self._frames(page)

    async def _frames(self, page: asyncio.Queue[bytes | None]) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                try:
                    got = await asyncio.wait_for(page.get(), QUIET_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if got is None:
                    return
                yield got
        finally:
            self._pages.discard(page)

    def _missed(self, last_id: int | None) -> list[bytes]:
        if last_id is None or last_id == self._next - 1:
            return []
        oldest = self._replay[0][0] if self._replay else self._next
        if last_id + 1 < oldest or last_id >= self._next:
            return [b"event: resync\ndata: {}\n\n"]
        return [frame for number, frame in self._replay if number > last_id]

    def close(self) -> None:
        """End every stream."""
        for page in list(self._pages):
            self._drop(page)


def _frame(kind: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(data))
