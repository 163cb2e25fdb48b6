"""Puts old sales away, one chunk after another, while nobody is waiting: read and compressed beside the writer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import apsw

from tillmesh.adapters.sqlite import archive
from tillmesh.adapters.sqlite.archive import Chunk
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import write
from tillmesh.adapters.sqlite.upgrade_copy import forget_copy
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import ARCHIVE_AFTER_DAYS, ARCHIVE_CHUNK_EVENTS, UPGRADE_COPY_DAYS
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.errands import Errands
from tillmesh.till.retention import archived_before_ms, settled

FIRST_S: Final = 300.0  # after the start; guess: the busiest minutes are over
EVERY_S: Final = 3_600.0
REST_S: Final = 0.5  # between chunks: the writer is busy with one for some 10 ms
log = logging.getLogger(__name__)


class Archiving:
    """Looks every hour for sales that are old enough.

    ``tills`` and ``office`` say what others hold, None: there are none; ``reached`` hears how far the archive goes.
    """

    def __init__(self, driver: Driver, *, first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        self.after_days: Callable[[], int] = lambda: ARCHIVE_AFTER_DAYS
        self.tills: Callable[[], Mapping[str, int] | None] = lambda: None
        self.office: Callable[[], Mapping[str, int] | None] = lambda: None
        self.reached: Callable[[Mapping[str, int]], None] = lambda reached: None  # noqa: ARG005
        self.saved_bytes = 0  # since the start
        self._driver, self._first_s, self._every_s = driver, first_s, every_s
        self._hurry = asyncio.Event()
        self._errands = Errands("archiving")

    def start(self) -> None:
        """Begin, after a while."""
        self._errands.run(self._working())

    async def stop(self) -> None:
        """Stop after the chunk that is being written."""
        await self._errands.stop()

    def hurry(self) -> None:
        """Look now: room has become scarcer."""
        self._hurry.set()

    async def _working(self) -> None:
        await self._pause(self._first_s)
        while True:
            try:
                await self.put_away(rest_s=REST_S)
                forget_copy(self._driver.opened.data_dir, UPGRADE_COPY_DAYS)
            except TillmeshError as cause:
                log.warning("old sales are not put away for now: %s", cause.detail)
            await self._pause(self._every_s)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()

    async def put_away(self, *, rest_s: float = 0.0, at_ms: int = 0) -> int:
        """Put away all that may be, and give how many sales that were; ``at_ms`` is the moment, now if 0."""
        days = self.after_days()
        before = archived_before_ms(at_ms or now_ms(), days=days)
        heads = await self._driver.look(lambda books: dict(books.vector()))
        least, count = (1 if days < ARCHIVE_AFTER_DAYS else ARCHIVE_CHUNK_EVENTS), 0
        for actor, upto in settled(heads, held_by_tills=self.tills(), held_by_office=self.office()).items():
            while chunk := await self._gather(actor, upto, before, least):
                self.saved_bytes += await self._driver.on_writer(partial(_put_away, chunk), spare=False)
                count += len(chunk.sizes)
                await asyncio.sleep(rest_s)
        if count:
            log.info("%d old sales were put away", count)
        self.reached(await self._driver.read(lambda db, _: archive.reached(db)))
        return count

    async def _gather(self, actor: str, upto: int, before_ms: int, least: int) -> Chunk | None:
        def query(db: apsw.Connection, books: Books) -> Chunk | None:
            number = books.actors.find(actor)
            return None if number is None else archive.gather(db, number, upto, before_ms, least=least)

        return await self._driver.read(query)


def _put_away(chunk: Chunk, db: apsw.Connection) -> int:
    with write(db):
        return archive.put_away(db, chunk)
