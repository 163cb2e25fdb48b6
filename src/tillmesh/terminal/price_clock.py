"""Telling the open pages when a planned price begins or ends: nothing comes into the log then, and they show prices."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from tillmesh.adapters.sqlite import offers
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands

log = logging.getLogger(__name__)
LOOK_MS: Final = 30_000  # a price that is planned for the next seconds is told no later than that


class PriceClock:
    """Looks at the planned prices, and tells which products turn from one price to the next. On the event loop."""

    def __init__(
        self, driver: Driver, tell: Callable[[list[str]], None], *, clock_ms: Callable[[], int] = now_ms
    ) -> None:
        self._driver, self._tell, self._clock_ms = driver, tell, clock_ms
        self._seen_ms = clock_ms()
        self._errands = Errands("telling of planned prices")

    def start(self) -> None:
        """Begin to look."""
        self._errands.run(self._watch())

    async def stop(self) -> None:
        """Look no more."""
        await self._errands.stop()

    async def _watch(self) -> None:
        while True:
            wait_ms = LOOK_MS
            try:
                wait_ms = await self.look()
            except TillmeshError as error:  # a disk that is full or broken may be well again
                log.warning("planned prices could not be looked at: %s", error.detail)
            await asyncio.sleep(wait_ms / 1_000)

    async def look(self) -> int:
        """Tell what has turned since the last look; give in how many milliseconds to look again."""
        now = self._clock_ms()
        after = min(self._seen_ms, now)  # a clock that was put back makes prices turn once more
        skus, coming = await self._driver.read(
            lambda db, _: (offers.turned(db, after, now), offers.turns_next(db, now))
        )
        self._seen_ms = now
        if skus:
            self._tell(skus)
        return LOOK_MS if coming is None else max(1, min(LOOK_MS, coming - self._clock_ms()))
