"""Two ends of a link in memory, and tills to put at them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tillmesh.adapters.host.keys import signing_key
from tillmesh.sync.signatures import KeyNotary
from tillmesh.terminal.bootstrap import Opened, open_terminal
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.mesh import Mesh


class MemoryLink:
    """One end; closing it ends both."""

    def __init__(self, peer: str, inbox: asyncio.Queue[bytes | None], outbox: asyncio.Queue[bytes | None]) -> None:
        self.peer = peer
        self._inbox, self._outbox = inbox, outbox
        self.frames_sent = 0
        self.bytes_sent = 0

    async def send(self, frame: bytes) -> None:
        self.frames_sent += 1
        self.bytes_sent += len(frame)
        self._outbox.put_nowait(frame)

    async def receive(self) -> bytes:
        frame = await self._inbox.get()
        if frame is None:
            raise OSError("the link is gone")
        return frame

    async def close(self) -> None:
        self._inbox.put_nowait(None)
        self._outbox.put_nowait(None)


class Post:
    """A terminal without a web page, at its place in the mesh."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.driver = Driver(opened)
        self.actor = opened.till.identity.actor
        self.mesh: Mesh | None = None

    async def start(self) -> Mesh:
        self.mesh = await Mesh.over(self.driver, KeyNotary(self.opened.origin.store, self._key_of))
        self.mesh.start()
        return self.mesh

    def _key_of(self, actor: str) -> bytes | None:
        """Know the keys of all tills of the test, which keep their directories side by side."""
        for place in self.opened.data_dir.parent.iterdir():
            if (place / "keys" / f"{actor}.sign").exists():
                return signing_key(place, actor, create=False).public_key().public_bytes_raw()
        return None

    async def stop(self) -> None:
        if self.mesh is not None:
            await self.mesh.stop()
        self.driver.close()


def open_post(place: Path, store: str = "") -> Post:
    """Open a till of a store, or of a new one."""
    return Post(open_terminal(place, store=store))


def connect(one: Post, other: Post) -> tuple[MemoryLink, MemoryLink]:
    """Put a link between two tills and let both talk over it."""
    there: asyncio.Queue[bytes | None] = asyncio.Queue()
    back: asyncio.Queue[bytes | None] = asyncio.Queue()
    ends = MemoryLink(other.actor, back, there), MemoryLink(one.actor, there, back)
    for post, end in ((one, ends[0]), (other, ends[1])):
        assert post.mesh is not None
        post.mesh.join(end)
    return ends
