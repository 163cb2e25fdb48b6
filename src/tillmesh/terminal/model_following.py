"""Follows head office's orders at one till: goes back at once, fetches quietly, tries beside what runs, swaps.

Whatever goes wrong, what runs goes on: it is counted, said in words, and tried again later where that can help.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from tillmesh.edge.bundle import Refused
from tillmesh.edge.orders import Due, due
from tillmesh.kernel.errors import TillmeshError
from tillmesh.sync.model_orders import Order
from tillmesh.terminal.ai import Ai
from tillmesh.terminal.driver import now_ms, steady_ms
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.model_fetching import Fetching
from tillmesh.terminal.model_post import ModelPost, view

log = logging.getLogger(__name__)
LOOK_S: Final = 5.0
AGAIN_MS: Final = 60_000
AGAIN_MS_MAX: Final = 3_600_000
# What may go better next time; all else is the order's own fault, and a new order has to come.
PASSING: Final = frozenset({"disk", "hash", "memory", "crash", "off", "slow", "error", "missing"})
Noted = Callable[[str, str, str], Awaitable[None]]  # for the audit: action, subject, detail


class Failure(NamedTuple):
    """Why an order was not followed, so far."""

    serial: int
    reason: str
    detail: str
    again_ms: int | None  # by the steady clock; None: not any more
    wait_ms: int = AGAIN_MS


class Following:
    """One till's way from what it runs to what head office wants."""

    def __init__(self, post: ModelPost, fetching: Fetching, ai: Ai | None, noted: Noted) -> None:
        self._post, self._fetching, self._ai, self._noted = post, fetching, ai, noted
        self._failures: dict[str, Failure] = {}
        self._expired: set[tuple[str, int]] = set()  # orders that were counted so
        self._errands = Errands("following orders for models")

    def start(self) -> None:
        """Begin."""
        self._errands.run(self._run())

    async def stop(self) -> None:
        """Leave what is under way as it is: the next start goes on there."""
        await self._errands.stop()

    async def _run(self) -> None:
        while True:
            self._post.news.clear()
            try:
                await self._post.tidy()
                progress = await self.look()
            except (TillmeshError, OSError) as cause:
                log.warning("orders for models can't be followed now: %s", cause)
                progress = False
            if not progress:
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._post.news.wait()
                except TimeoutError:
                    pass

    async def look(self) -> bool:
        """Do the next thing; says whether something was done, so that there may be more."""
        orders = [order for name in self._post.book.names() if (order := self._post.book.of(name, self._post.terminal))]
        for order in orders:
            if self._ai is not None and self._due(order) is Due.GO_BACK:
                await self._go_back(self._ai, order)
        for order in orders:
            if self._ai is not None and self._due(order) is Due.FETCH and self._may_try(order):
                if self._post.parcels.is_whole(order.sha256):
                    await self._install(self._ai, order)
                    return True
                if await self._fetch(order):
                    return True
        asked = set(self._post.asked_for())
        for order in self._post.book.orders():
            if order.sha256 in asked and self._may_try(order) and await self._fetch(order):
                return True
        return False

    def _due(self, order: Order) -> Due:
        assert self._ai is not None, "only a till with models follows"
        found = due(order, self._ai.shelf.standing(order.name), self._post.terminal, now_ms())
        if found is Due.EXPIRED and (order.name, order.serial) not in self._expired:
            self._expired.add((order.name, order.serial))
            self._post.refuse(order.name, "expired")
        return found

    async def _go_back(self, ai: Ai, order: Order) -> None:
        before = ai.shelf.standing(order.name).version
        try:
            await ai.go_back(order)
        except OSError as cause:
            await self._failed(order, Refused(f"the disk refused: {cause.strerror}", reason="disk"))
            return
        now = ai.shelf.standing(order.name).version
        log.warning("%s goes back to %s from %s, as head office ordered", order.name, order.version, before)
        await self._noted("model_rolled_back", order.name, f"{before} -> {now or order.version}")

    async def _fetch(self, order: Order) -> bool:
        try:
            return await self._fetching.piece(order)
        except Refused as refused:
            await self._failed(order, refused)
        except OSError as cause:
            await self._failed(order, Refused(f"the disk refused: {cause.strerror}", reason="disk"))
        return False

    async def _install(self, ai: Ai, order: Order) -> None:
        before = ai.shelf.standing(order.name).version
        try:
            await ai.follow(order, await asyncio.to_thread(self._post.parcels.load, order.sha256))
        except Refused as refused:
            await self._failed(order, refused)
        except OSError as cause:
            await self._failed(order, Refused(f"the disk refused: {cause.strerror}", reason="disk"))
        else:
            self._failures.pop(order.name, None)
            log.info("%s %s runs, as head office ordered", order.name, order.version)
            await self._noted("model_installed", order.name, f"{before} -> {order.version}")

    async def _failed(self, order: Order, why: Refused) -> None:
        before = self._failures.get(order.name)
        again = before is not None and before.serial == order.serial
        wait_ms = min(2 * before.wait_ms, AGAIN_MS_MAX) if before is not None and again else AGAIN_MS
        again_ms = steady_ms() + wait_ms if why.reason in PASSING else None
        self._failures[order.name] = Failure(order.serial, why.reason, why.detail, again_ms, wait_ms)
        self._post.refuse(order.name, why.reason)
        log.error("%s %s is not taken, what runs goes on: %s", order.name, order.version, why.detail)
        if before is None or not again or before.reason != why.reason:
            await self._noted("model_refused", f"{order.name} {order.version}", why.detail)

    def _may_try(self, order: Order) -> bool:
        failure = self._failures.get(order.name)
        if failure is None or failure.serial != order.serial:
            return True
        return failure.again_ms is not None and steady_ms() >= failure.again_ms

    def serial(self, name: str) -> int:
        """Give the newest order's for a model; 0 without any."""
        return self._post.book.serials().get(name, 0)

    # For people -------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """List the models that there are orders for."""
        return self._post.book.names()

    def view(self, name: str) -> dict[str, Any]:
        """Say what head office wants of a model, and how far this till is."""
        refused = view(self._post.refused, name)
        order = self._post.book.of(name, self._post.terminal)
        if order is None or self._ai is None:
            return {"order": None, "refused_orders": refused}
        failure = self._failures.get(name)
        failed = failure if failure is not None and failure.serial == order.serial else None
        whole = self._post.parcels.is_whole(order.sha256)
        return {
            "order": {
                "version": order.version,
                "kind": order.kind,
                "share": order.share,
                "serial": order.serial,
                "state": self._due(order),
                "bytes": order.size,
                "bytes_here": order.size if whole else self._fetching.begun(order.sha256),
                "reason": failed.reason if failed else "",
                "detail": failed.detail if failed else "",
            },
            "refused_orders": refused,
        }

    def findings(self) -> list[str]:
        """Say in words what a manager should know."""
        found = []
        for name, failure in sorted(self._failures.items()):
            order = self._post.book.of(name, self._post.terminal)
            if order is not None and order.serial == failure.serial:
                found.append(
                    f"Version {order.version} of the model for {name} is not taken ({failure.detail}). "
                    "The one before goes on."
                )
        return found

    @property
    def refused(self) -> dict[tuple[str, str], int]:
        """Give how often something was refused, by model and reason."""
        return dict(self._post.refused)
