"""Walk through all stored data once a day, slowly: damage that nobody reads is found before the last copy is gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tillmesh.adapters.sqlite.database import DatabaseDamaged
from tillmesh.adapters.sqlite.store import Reader
from tillmesh.adapters.sqlite.walking import Piece, walk
from tillmesh.kernel.errors import Damaged, TillmeshError
from tillmesh.terminal.driver import BROKEN, DAMAGED, Driver, Trouble
from tillmesh.terminal.errands import Errands

FIRST_S: Final = 600.0  # after the start; guess: the busiest minutes are over
EVERY_S: Final = 86_400.0
REST: Final = 20  # for each second of reading so many seconds of rest: 5 % of a disk at most
REST_S_LEAST: Final = 0.2
log = logging.getLogger(__name__)


class Patrol:
    """Reads everything, now and then, on a thread and a connection of its own."""

    def __init__(
        self, driver: Driver, *, first_s: float = FIRST_S, every_s: float = EVERY_S, rest: float = REST
    ) -> None:
        self._driver = driver
        self._first_s, self._every_s, self._rest = first_s, every_s, rest
        self._reading = ThreadPoolExecutor(1, "patrol")
        self._errands = Errands("the walk through the stored data")
        self.walks = 0  # finished, without a finding

    def start(self) -> None:
        """Begin, after a while."""
        self._errands.run(self._walking())

    async def stop(self) -> None:
        """Stop after the piece that is being read."""
        await self._errands.stop()
        await asyncio.to_thread(self._reading.shutdown, wait=True)

    async def _walking(self) -> None:
        await asyncio.sleep(self._first_s)
        while True:
            try:
                await self._walk()
            except TillmeshError as cause:
                log.warning("the walk through the stored data was given up for today: %s", cause.detail)
            await asyncio.sleep(self._every_s)

    async def _walk(self) -> None:
        """Read piece after piece; what does not verify is told to whoever watches the driver."""
        loop = asyncio.get_running_loop()
        round_ = _Walk(self._driver)
        try:
            while True:
                took_s = await loop.run_in_executor(self._reading, round_.step)
                if took_s is None:
                    break
                await asyncio.sleep(max(REST_S_LEAST if self._rest else 0, took_s * self._rest))
            self.walks += 1
        except Damaged as cause:
            log.error("a walk through the stored data found: %s", cause.detail)  # noqa: TRY400 - our own words
            self._tell(cause)
            kind = DAMAGED if isinstance(cause, DatabaseDamaged) else BROKEN
            self._driver.on_trouble(Trouble(cause.detail, kind))
        finally:
            await loop.run_in_executor(self._reading, round_.close)

    def _tell(self, cause: Damaged) -> None:
        """Keep an alarm up in the health of a till that goes on all the same, being alone."""
        opened = self._driver.opened
        told = ("damaged_data", f"{cause.detail}; read it out with tillmesh doctor --rebuild, with the till stopped")
        opened.notices = (*(notice for notice in opened.notices if notice[0] != told[0]), told)


class _Walk:
    """One walk; on the patrol's thread."""

    def __init__(self, driver: Driver) -> None:
        self._opened = driver.opened
        self._reader: Reader | None = None
        self._pieces: Iterator[Piece] = iter(())

    def step(self) -> float | None:
        """Read the next piece and say how many seconds it took; None at the end."""
        begun = time.monotonic()
        if self._reader is None:
            self._reader = self._opened.reader()
            store = self._opened.origin.store
            self._pieces = self._reader.read(lambda db, _: walk(db, store))
        piece = next(self._pieces, None)
        if piece is None:
            return None
        self._reader.read(piece)
        return time.monotonic() - begun

    def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._reader.close()
