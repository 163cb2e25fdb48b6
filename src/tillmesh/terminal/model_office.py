"""Head office's door for models: a line of its own, so that a bundle never stands before a sale."""

from __future__ import annotations

import logging
from typing import Final, Protocol

from tillmesh.adapters.wan.client import HubClient, Reply
from tillmesh.adapters.wan.speaking import Speaker
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import RETRY_AFTER_S_MAX
from tillmesh.sync.model_orders import Order
from tillmesh.terminal.driver import steady_ms
from tillmesh.terminal.uplinking import Uplinking

log = logging.getLogger(__name__)
WHOLE, PART, BEYOND = 200, 206, 416
REFUSED: Final = range(400, 500)


class Office(Protocol):
    """What a till can have of head office."""

    def speaks(self) -> bool:
        """Say whether this till is the one that speaks to head office now."""
        ...

    def is_busy(self) -> bool:
        """Say whether sales are under way there, or it asked to come later."""
        ...

    async def piece(self, order: Order, offset: int, size: int) -> bytes | None:
        """Get a piece of a bundle; None if there is no answer."""
        ...

    async def report(self, body: bytes) -> bool | None:
        """Hand reports in: taken, or refused for good; None to try again later."""
        ...


class HeadOffice:
    """Head office, through the door for stores."""

    def __init__(self, uplinking: Uplinking, client: HubClient) -> None:
        self._uplinking, self._client = uplinking, client
        self._speaking = Speaker("models")
        self._not_before_ms = 0  # head office asked to be left alone until then

    def speaks(self) -> bool:
        """Say whether this till uploads."""
        return self._uplinking.leads

    def is_busy(self) -> bool:
        """Say whether sales are under way, or head office asked to come later."""
        return self._uplinking.busy or steady_ms() < self._not_before_ms

    async def piece(self, order: Order, offset: int, size: int) -> bytes | None:
        """Get a piece of a bundle."""
        last = min(offset + size, order.size) - 1
        try:
            reply = await self._speaking.ask(lambda: self._client.model(order.name, order.version, offset, last))
        except TillmeshError as cause:
            log.info("no model from head office: %s", cause.detail)
            return None
        if reply.status == PART:
            return reply.body[:size]
        if reply.status == WHOLE:  # all of it at once: it was small
            return reply.body[offset : offset + size]
        self._heed(reply)
        log.warning("head office gives no %s %s: %s", order.name, order.version, reply.status)
        return None

    async def report(self, body: bytes) -> bool | None:
        """Hand reports in."""
        try:
            reply = await self._speaking.ask(lambda: self._client.report(body))
        except TillmeshError as cause:
            log.info("no report to head office: %s", cause.detail)
            return None
        if reply.status == WHOLE:
            return True
        self._heed(reply)
        log.warning("head office takes no reports of models: %s", reply.status)
        return False if reply.status in {400, 413, 422} else None

    def _heed(self, reply: Reply) -> None:
        self._not_before_ms = steady_ms() + 1_000 * min(reply.retry_after_s, RETRY_AFTER_S_MAX)

    def close(self) -> None:
        """Let go of the line."""
        self._speaking.close()
