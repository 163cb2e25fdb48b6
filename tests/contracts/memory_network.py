"""The shop's network in memory: the same rules as the real one, without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tillmesh.adapters.lan.transport import LINK_FRAMES_WAITING_MAX, Link, LinkGone, LinkRefused
from tillmesh.kernel.errors import TooLarge
from tillmesh.kernel.limits import FRAME_BYTES_MAX


@dataclass
class Ether:
    """Who listens where, and who is revoked."""

    listening: dict[int, MemoryNetwork] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)


class MemoryLink:
    """One end of a link."""

    def __init__(self, network: MemoryNetwork, peer: str, *, dialled: bool) -> None:
        self.network, self.peer, self.dialled = network, peer, dialled
        self.other: MemoryLink | None = None
        self.inbox: list[bytes] = []
        self.changed = asyncio.Condition()
        self.open = True

    async def send(self, frame: bytes) -> None:
        if len(frame) > FRAME_BYTES_MAX:
            raise TooLarge(f"a frame of {len(frame)} bytes; the limit is {FRAME_BYTES_MAX}")
        other = self.other
        assert other is not None
        async with other.changed:
            await other.changed.wait_for(lambda: not self.open or len(other.inbox) <= LINK_FRAMES_WAITING_MAX)
            if not self.open:
                raise LinkGone(f"the link to {self.peer} is closed")
            other.inbox.append(bytes(frame))
            other.changed.notify_all()

    async def receive(self) -> bytes:
        async with self.changed:
            await self.changed.wait_for(lambda: not self.open or self.inbox)
            if not self.inbox:
                raise LinkGone(f"the link to {self.peer} is closed")
            self.changed.notify_all()
            return self.inbox.pop(0)

    async def close(self) -> None:
        for end in (self, self.other):
            assert end is not None
            end.drop()
            async with end.changed:
                end.changed.notify_all()

    def drop(self) -> None:
        self.open = False
        if self.network.links.get(self.peer) is self:
            del self.network.links[self.peer]


class MemoryNetwork:
    """The network as one till sees it."""

    def __init__(self, ether: Ether, actor: str, on_link: Callable[[Link], None]) -> None:
        self.ether, self.actor, self.on_link = ether, actor, on_link
        self.links: dict[str, MemoryLink] = {}

    async def listen(self, host: str, port: int) -> int:
        port = port or max([0, *self.ether.listening]) + 1
        self.ether.listening[port] = self
        return port

    async def dial(self, host: str, port: int, *, expect: str = "") -> Link:
        there = self.ether.listening.get(port)
        if there is None:
            raise LinkRefused("unreachable", f"nobody at {port}")
        self._check(there, expect)
        here, far = MemoryLink(self, there.actor, dialled=True), MemoryLink(there, self.actor, dialled=False)
        here.other, far.other = far, here
        for link in (here, far):
            old = link.network.links.pop(link.peer, None)
            link.network.links[link.peer] = link
            if old is not None:
                await old.close()
        there.on_link(far)
        return here

    def linked(self) -> frozenset[str]:
        return frozenset(self.links)

    def reconsider(self) -> frozenset[str]:
        gone = self.links.keys() & self.ether.revoked
        for peer in gone:
            self._loop_close(self.links[peer])
        return frozenset(gone)

    async def close(self) -> None:
        self.ether.listening = {port: net for port, net in self.ether.listening.items() if net is not self}
        for link in list(self.links.values()):
            await link.close()

    def _check(self, there: MemoryNetwork, expect: str) -> None:
        if there is self:
            raise LinkRefused("self", "this address is our own")
        if {self.actor, there.actor} & self.ether.revoked:
            raise LinkRefused("identity", "revoked")
        if expect and there.actor != expect:
            raise LinkRefused("unexpected", f"{there.actor} answered where {expect} was expected")
        old = self.links.get(there.actor)
        if old is not None and not old.dialled and there.actor < self.actor:
            raise LinkRefused("duplicate", f"a link to {there.actor} is up already")

    def _loop_close(self, link: MemoryLink) -> None:
        other = link.other
        assert other is not None
        link.drop()
        other.drop()
        for end in (link, other):
            task = asyncio.get_running_loop().create_task(end.close())
            end.closing = task  # type: ignore[attr-defined] # kept, so that it is not collected
