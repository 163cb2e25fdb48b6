"""Find the other tills and keep links to them: addresses are hints, who it is stands in the certificate."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tillmesh.adapters.lan.dialler import Dialler
from tillmesh.adapters.lan.discovery import Mdns
from tillmesh.adapters.lan.hints import Discovery, Hint, Several, StaticPeers, read_peer
from tillmesh.adapters.lan.links import Links
from tillmesh.adapters.lan.remembered import Remembered
from tillmesh.adapters.lan.transport import Link
from tillmesh.kernel.ids import terminal_of
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.provisioning import Belonging
from tillmesh.till.agreement import Belonging as Known

CUT_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Address:
    """Where a till may be listening."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """Read ``host:port``."""
        hint = read_peer(text)
        return cls(hint.host, hint.port)

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class InReach:
    """What a discovery knows, without whom this till is to behave as if it could not reach."""

    def __init__(self, known: Discovery, shunned: Callable[[str], bool]) -> None:
        self._known, self._shunned = known, shunned

    def hints(self) -> tuple[Hint, ...]:
        """Give what is known now."""
        return tuple(hint for hint in self._known.hints() if not self._shunned(hint.terminal))

    def proved(self, hint: Hint, terminal: str) -> None:
        """Remember who answered where."""
        self._known.proved(hint, terminal)

    async def start(self) -> None:
        """Begin."""
        await self._known.start()

    async def close(self) -> None:
        """Stop."""
        await self._known.close()


class Neighbours:
    """The links of one till: accepts, and dials whom it hears of until they are linked."""

    def __init__(self, belonging: Belonging, mesh: Mesh) -> None:
        self._belonging = belonging
        self._mesh = mesh
        self._membership = belonging.gate.membership
        self._cut: frozenset[str] = frozenset()
        self.links = Links(belonging.credentials, belonging.gate, self._taken_on)
        self.mdns: Mdns | None = None
        self._discovery: Discovery | None = None
        self._dialler: Dialler | None = None
        self._errands = Errands("looking for neighbours")

    async def start(
        self, listen: Address, peers: Sequence[Address], *, mdns: bool = False, places: Path | None = None
    ) -> int:
        """Accept links at an address, and look for other tills; gives the port.

        They are looked for at some addresses, by mDNS, and where a file says that they were before.
        """
        port = await self.links.listen(listen.host, listen.port)
        parts: list[Discovery] = [StaticPeers([str(peer) for peer in peers])]
        if mdns:
            parts.append(self._announced(listen.host, port))
        known: Discovery = Several(*parts)
        if places is not None:
            known = Remembered(known, places, self._is_member)
        self._discovery = InReach(known, self._is_shunned)
        self._dialler = Dialler(
            self._discovery,
            self.links,
            actor=self._belonging.actor,
            on_link=self._taken_on,
            known=self._is_member,
        )
        self._mesh.watch(lambda _: self._wake())
        await self._discovery.start()
        self._dialler.start()
        return port

    def obey(self, cut_file: Path) -> None:
        """Look again and again whom a file says to be out of reach."""
        self._errands.run(self._obeying(cut_file))

    async def stop(self) -> None:
        """Stop looking and close every link."""
        await self._errands.stop()
        if self._dialler is not None:
            await self._dialler.close()
        if self._discovery is not None:
            await self._discovery.close()
        await self.links.close()

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
        self._wake()

    def _announced(self, host: str, port: int) -> Mdns:
        """Announce this till by mDNS where it listens: on one address, or on all of the host."""
        anywhere = ipaddress.ip_address(host).is_unspecified
        self.mdns = Mdns(
            store=self._belonging.credentials.store,
            terminal=terminal_of(self._belonging.actor),
            port=port,
            known=self._is_member,
            on_hint=self._wake,
            addresses=None if anywhere else lambda: [host],
            interfaces=() if anywhere else (host,),
        )
        return self.mdns

    def _is_member(self, terminal: str) -> bool:
        return any(terminal_of(actor) == terminal for actor in self.members())

    def _is_shunned(self, terminal: str) -> bool:
        return terminal in self._cut or self._mesh.shuns(terminal)

    def _wake(self) -> None:
        if self._dialler is not None:
            self._dialler.wake()

    async def _obeying(self, cut_file: Path) -> None:
        while True:
            wanted = await asyncio.to_thread(_words, cut_file)
            if wanted != self._cut:
                self.cut(wanted)
            await asyncio.sleep(CUT_S)

    def _taken_on(self, link: Link) -> None:
        if terminal_of(link.peer) in self._cut:
            self._errands.run(link.close())
        else:
            self._mesh.join(link)


def _words(file: Path) -> frozenset[str]:
    """Read the words of a small file; one that is not there has none."""
    try:
        return frozenset(file.read_text("utf-8").split())
    except FileNotFoundError:
        return frozenset()
