"""Gets bundles, piece by piece and behind the sales: from a till that has one, or at the leader from head office."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from tillmesh.edge.bundle import Refused
from tillmesh.edge.pacing import Pace
from tillmesh.kernel.limits import MODEL_CHUNK_BYTES_MAX, MODEL_PIECE_BYTES_MAX, MODEL_PIECE_BYTES_MIN
from tillmesh.sync.model_orders import Order
from tillmesh.terminal.driver import steady_ms
from tillmesh.terminal.model_office import Office
from tillmesh.terminal.model_post import ModelPost

log = logging.getLogger(__name__)
HUB: Final = "head office"
PIECE_WAIT_S: Final = 30.0
BUSY_S: Final = 0.2
HUB_REST_MS: Final = 200  # head office takes ten calls a second from a store, and sales are some of them
NOT_YET_MS: Final = 5_000  # the leader fetches it because it was asked, and says when it is there
AVOID_MS: Final = 15_000  # whoever gave no answer
AVOID_MS_MAX: Final = 3_600_000  # whoever gave what was wrong, again and again


class Fetching:
    """What this till fetches, one piece at a time. Memory: one piece; disk: what :class:`Parcels` allows."""

    def __init__(self, post: ModelPost, office: Office | None) -> None:
        self._post, self._office = post, office
        self._paces: dict[str, Pace] = {}
        self._avoid: dict[str, tuple[int, int]] = {}  # source -> until when, and how long it was
        self._not_yet: dict[str, int] = {}  # source -> until when
        self._sources: dict[str, set[str]] = {}  # bundle -> who gave pieces of it

    async def piece(self, order: Order) -> bool:
        """Fetch one piece, and rest; False if nobody can be asked now. Raises :class:`Refused` when it went wrong."""
        source = self._source(order.sha256)
        if not source:
            return False
        parcels = self._post.parcels
        begun = await asyncio.to_thread(parcels.begun, order.sha256)
        if begun == 0 or source not in self._paces:
            await asyncio.to_thread(parcels.check_room, order.size, begun)
        if begun >= order.size:
            await self._complete(order)
            return True
        if source == HUB and self._office is not None and self._office.is_busy():
            await asyncio.sleep(BUSY_S)  # sales go first
            return True
        pace = self._pace(source)
        asked_ms = steady_ms()
        data = await self._ask(source, order, begun, min(pace.size, order.size - begun))
        if data == b"":
            self._not_yet[source] = steady_ms() + NOT_YET_MS  # sooner, if it says that it has it
            return False
        if data is None:
            pace.failed()
            self._avoid[source] = steady_ms() + AVOID_MS, AVOID_MS
            return False
        self._sources.setdefault(order.sha256, set()).add(source)
        begun = await asyncio.to_thread(parcels.append, order.sha256, begun, data)
        if begun >= order.size:
            await self._complete(order)
        await asyncio.sleep(pace.took(steady_ms() - asked_ms) / 1000)
        return True

    def begun(self, sha256: str) -> int:
        """Say how many bytes of a bundle are here."""
        return self._post.parcels.begun(sha256)

    async def _ask(self, source: str, order: Order, offset: int, size: int) -> bytes | None:
        if source != HUB:
            return await self._post.ask(source, order.sha256, offset, size, PIECE_WAIT_S)
        return await self._office.piece(order, offset, size) if self._office is not None else None

    async def _complete(self, order: Order) -> None:
        try:
            await asyncio.to_thread(self._post.parcels.complete, order.sha256)
        except Refused:
            for source in self._sources.pop(order.sha256, set()) - {HUB}:  # head office is asked again with the order
                self._blame(source)
            raise
        self._sources.pop(order.sha256, None)
        await self._post.tidy()

    def _blame(self, source: str) -> None:
        """Ask somebody who gave what was wrong less and less often."""
        wait_ms = min(max(AVOID_MS, 4 * self._avoid.get(source, (0, 0))[1]), AVOID_MS_MAX)
        self._avoid[source] = steady_ms() + wait_ms, wait_ms
        log.error("what %s gave is not the model that head office ordered", source)

    def _source(self, sha256: str) -> str:
        """Choose whom to ask: who has it, else head office if that is this till's to do, else the leader."""
        now = steady_ms()

        def may(source: str) -> bool:
            return self._avoid.get(source, (0, 0))[0] <= now

        for terminal in self._post.holders(sha256):
            if may(terminal):
                return terminal
        if self._office is not None and self._office.speaks():
            return HUB if may(HUB) else ""
        leader = self._post.leader()
        return leader if leader and may(leader) and self._not_yet.get(leader, 0) <= now else ""

    def _pace(self, source: str) -> Pace:
        if source not in self._paces:
            with_hub = Pace(MODEL_PIECE_BYTES_MIN, MODEL_CHUNK_BYTES_MAX, HUB_REST_MS)
            self._paces[source] = with_hub if source == HUB else Pace(MODEL_PIECE_BYTES_MIN, MODEL_PIECE_BYTES_MAX)
        return self._paces[source]
