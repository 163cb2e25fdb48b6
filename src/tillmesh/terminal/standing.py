"""What people see of the store: told to open pages as it changes, and to the other tills, who show it too.

Everything here is looked up in memory a few times a second and told only when it has changed. Links and leadership
are told at once, counts that grow with every sale at most once a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from typing import Any, Final

from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.shop.settings import TerminalSettings
from tillmesh.sync.channels import Channel
from tillmesh.sync.standing import VERSION, Standing, read_standing, write_standing
from tillmesh.terminal.driver import steady_ms
from tillmesh.terminal.mesh import Mesh
from tillmesh.terminal.web.api import Services
from tillmesh.till.standing import Stage, lines, stage_of

log = logging.getLogger(__name__)
LOOK_S: Final = 0.2
COUNTS_S: Final = 1.0


class Standings:
    """How this till and the others are; without a mesh, one till that works alone."""

    def __init__(self, services: Services, mesh: Mesh | None = None) -> None:
        self._services = services
        self._mesh = mesh
        self._me = services.driver.identity.terminal
        self._told: dict[str, Standing] = {}  # by the others, the last thing each of them said
        self._said: dict[str, Standing] = {}  # to the others, the last thing each of them was told over its link
        self._looking: asyncio.Task[None] | None = None
        if mesh is not None:
            mesh.on(Channel.STANDING, self._heard)
            mesh.watch(self._link_changed)

    def start(self) -> None:
        """Begin to look; a till alone has nobody to look at."""
        if self._mesh is not None:
            self._looking = asyncio.get_running_loop().create_task(self._look(self._mesh))

    async def stop(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def all_know(self, version: int) -> bool:
        """Say whether every linked till has said of itself that its program is of this version or later."""
        return all(name in self._told and self._told[name].version >= version for name in self._reached())

    def stage(self) -> Stage:
        """Name what this till is doing."""
        reached = len(self._mesh.linked()) if self._mesh is not None else 0
        raft = self._raft()
        uploading = self._services.extra["uploading"]()
        known = raft["leader_id"] is not None
        return stage_of(role=raft["state"], leader_known=known, reached=reached, uploading=uploading)

    async def store(self) -> dict[str, Any]:
        """Give all that the store page shows."""
        sync = await self._services.extra["sync"]()
        heard = self._mesh.exchange.peers() if self._mesh is not None else {}
        others = [peer["terminal_id"] for peer in sync["peers"]]
        names = await self._services.driver.look(lambda books: _names(books, [self._me, *others]))
        raft, now, reached = self._raft(), steady_ms(), self._reached()
        tills = [self._row(self._me, raft, sync["unreplicated"], reached=True, silent_ms=0, lacks=0)]
        for peer in sync["peers"]:
            name = peer["terminal_id"]
            heard_ms = heard.get(name, (False, 0, None))[1]
            silent_ms = now - heard_ms if heard_ms else None
            told = self._told.get(name)
            waiting = told.waiting if told is not None else None
            tills.append(
                self._row(name, raft, waiting, reached=peer["reachable"], silent_ms=silent_ms, lacks=peer["lacks"])
            )
        drawn = lines(self._me, reached, others, {name: told.links for name, told in self._told.items()})
        return {
            **raft,
            "terminal_id": self._me,
            "terminal_state": self.stage(),
            "tills": sorted((till | names[till["terminal_id"]] for till in tills), key=_in_order),
            "links": [line._asdict() for line in drawn],
            "sync": sync,
        }

    def _row(
        self, name: str, raft: dict[str, Any], waiting: int | None, *, reached: bool, silent_ms: int | None,
        lacks: int | None,
    ) -> dict[str, Any]:  # fmt: skip
        told = self._told.get(name)
        stage = self.stage() if name == self._me else told.stage if told is not None and reached else None
        return {
            "terminal_id": name,
            "me": name == self._me,
            "leads": name == raft["leader_id"],
            "votes": name in raft["voters"],
            "reachable": reached,
            "terminal_state": stage,
            "silent_ms": None if silent_ms is None else max(0, silent_ms),
            "lacks": lacks,
            "waiting": waiting,
        }

    def _raft(self) -> dict[str, Any]:
        found: dict[str, Any] = self._services.extra["raft"]()
        return found

    def _reached(self) -> frozenset[str]:
        return frozenset(self._mesh.linked()) if self._mesh is not None else frozenset()

    def _heard(self, actor: str, body: bytes) -> None:
        self._told[terminal_of(actor)] = read_standing(body)

    def _link_changed(self, actor: str) -> None:
        self._said.pop(terminal_of(actor), None)

    async def _look(self, mesh: Mesh) -> None:
        """Tell what has changed, again and again."""
        seen: Hashable = None
        counts: Hashable = None
        counted_ms = 0
        while True:
            await asyncio.sleep(LOOK_S)
            raft, reached, now = self._raft(), self._reached(), steady_ms()
            for gone in self._told.keys() - mesh.exchange.peers().keys():
                del self._told[gone]
            links = reached, raft["leader_id"], raft["has_quorum"], raft["term"], raft["state"], _told_links(self._told)
            growing = _growing(mesh, self._services.driver.identity.actor, self._told)
            urgent = links != seen
            if urgent or (growing != counts and now - counted_ms >= COUNTS_S * 1000):
                seen, counts, counted_ms = links, growing, now
                try:
                    sync = await self._services.extra["sync"]()
                except TillmeshError as cause:
                    log.warning("pages were not told how the store is: %s", cause.detail)
                    continue
                self._services.live.show("sync", sync)
                self._say(mesh, Standing(VERSION, self.stage(), sorted(reached), sync["unreplicated"]))

    def _say(self, mesh: Mesh, now: Standing) -> None:
        """Tell every linked till how this one is, unless it was told so."""
        for peer in mesh.linked():
            if self._said.get(peer) != now and mesh.tell(peer, Channel.STANDING, write_standing(now)):
                self._said[peer] = now


def _told_links(told: dict[str, Standing]) -> Hashable:
    return tuple(sorted((name, said.stage, tuple(said.links)) for name, said in told.items()))


def _growing(mesh: Mesh, actor: str, told: dict[str, Standing]) -> Hashable:
    lacks = tuple((name, behind) for name, (_, _, behind) in mesh.exchange.peers().items())
    waiting = tuple(sorted((name, said.waiting) for name, said in told.items()))
    return mesh.exchange.held_elsewhere(), mesh.exchange.marks(actor), lacks, waiting


def _names(books: Books, terminals: list[str]) -> dict[str, dict[str, Any]]:
    found = {}
    for terminal in terminals:
        settings = TerminalSettings.of(books.fields("setting", terminal) or {})
        known = books.fields("setting", terminal) is not None
        found[terminal] = {"name": settings.name if known else terminal, "number": settings.number if known else None}
    return found


def _in_order(till: dict[str, Any]) -> tuple[bool, int, str]:
    return till["number"] is None, till["number"] or 0, till["terminal_id"]
