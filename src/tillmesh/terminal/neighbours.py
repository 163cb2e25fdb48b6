"""Find the other tills and keep links to them: addresses are hints, who it is stands in the certificate."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tillmesh.adapters.lan.links import Links
from tillmesh.adapters.lan.transport import Link, LinkRefused
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.ids import terminal_of
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.provisioning import Belonging
from tillmesh.till.agreement import Belonging as Known

log = logging.getLogger(__name__)
RETRY_S_FIRST: Final = 0.25
RETRY_S_MAX: Final = 4.0  # A till that comes back is found within 5 s.
CUT_S: Final = 0.25
LINKED_S: Final = 1.0  # how often a linked address is looked at again


@dataclass(frozen=True, slots=True)
class Address:
    """Where a till may be listening."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """Read ``host:port``."""
        host, _, port = text.rpartition(":")
        if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            raise Invalid(f"{text[:60]!r} is no address", hint="Write it like 192.168.1.20:9461.")
        return cls(host.strip("[]"), int(port))


class Neighbours:
    """The links of one till: accepts, and dials every address it knows until it is linked."""

    def __init__(self, belonging: Belonging, mesh: Mesh, draw: Callable[[], float] = random.random) -> None:
        self._mesh = mesh
        self._membership = belonging.gate.membership
        self._draw = draw
        self._cut: frozenset[str] = frozenset()
        self._links = Links(belonging.credentials, belonging.gate, self._taken_on)
        self.links = self._links
        self._tasks: set[asyncio.Task[None]] = set()
        self._at: dict[Address, str] = {}  # who answered there last

    async def start(self, listen: Address, peers: Sequence[Address]) -> int:
        """Accept links at an address, and look for those at the others; gives the port."""
        port = await self._links.listen(listen.host, listen.port)
        for peer in peers:
            self._keep(self._look_for(peer))
        return port

    def obey(self, cut_file: Path) -> None:
        """Look again and again whom a file says to be out of reach."""
        self._keep(self._obeying(cut_file))

    async def stop(self) -> None:
        """Stop looking and close every link."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._links.close()

    def members(self) -> list[str]:
        """List the actors that belong to the store, as far as this till knows."""
        return [actor for actor, member in self._membership.members.items() if member.state == "active"]

    def known(self) -> Known:
        """Say who belongs to the store and who was revoked, as far as this till knows."""
        return Known(frozenset(self.members()), self._membership.revoked)

    def cut(self, terminals: frozenset[str]) -> None:
        """Behave as if these terminals were out of reach, for demonstrations and tests; nobody else is told."""
        self._cut = terminals
        self._mesh.part(terminals)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _obeying(self, cut_file: Path) -> None:
        while True:
            wanted = await asyncio.to_thread(_words, cut_file)
            if wanted != self._cut:
                self.cut(wanted)
            await asyncio.sleep(CUT_S)

    def _taken_on(self, link: Link) -> None:
        if terminal_of(link.peer) in self._cut:
            self._keep(link.close())
        else:
            self._mesh.join(link)

    async def _look_for(self, address: Address) -> None:
        """Dial an address whenever whoever answers there is not linked, ever more seldom while nobody does."""
        pause = RETRY_S_FIRST
        while True:
            known = self._at.get(address)
            if known is not None and (known in self._links.linked() or terminal_of(known) in self._cut):
                pause = RETRY_S_FIRST
                await asyncio.sleep(LINKED_S)
                continue
            try:
                link = await self._links.dial(address.host, address.port)
            except LinkRefused as refused:
                log.debug("%s: %s", address, refused.detail)
                # Somebody is there and linked already: look again, but do not hurry.
                pause = RETRY_S_MAX if refused.reason == "duplicate" else min(2 * pause, RETRY_S_MAX)
                # A random part, so that two tills that dial each other do not do it in step for ever.
                await asyncio.sleep(pause * (0.5 + self._draw() / 2))
                continue
            self._at[address] = link.peer
            self._taken_on(link)


def _words(file: Path) -> frozenset[str]:
    """Read the words of a small file; one that is not there has none."""
    return frozenset(file.read_text("utf-8").split()) if file.exists() else frozenset()
