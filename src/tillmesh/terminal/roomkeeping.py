"""Looks how much room the disk has, and makes some: old sales are compressed, what can be fetched again is dropped."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from tillmesh.adapters.host.reserve import Reserve
from tillmesh.adapters.inference.parcels import Parcels
from tillmesh.adapters.sqlite.database import settle
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.adapters.sqlite.upgrade_copy import forget_copy
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.archiving import Archiving
from tillmesh.terminal.driver import Driver
from tillmesh.till.room import Room, Stage, archive_after_days, check_room, stage_of

LOG_KEPT_BYTES: Final = 8 << 20  # Guess: a write-ahead log this short is left alone
log = logging.getLogger(__name__)


def measure(data_dir: Path, reserve: Reserve) -> Room:
    """Look at the disk of a data directory."""
    usage = os.statvfs(data_dir)
    return Room(
        free=reserve.free_bytes(),
        disk=usage.f_blocks * usage.f_frsize,
        data=_bytes_in(data_dir),
        reserve_held=reserve.held,
    )


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += Path(place, name).lstat().st_size
    return total


class Roomkeeping:
    """What is known of one till's disk. Lives on the event loop; ``look`` is called again and again."""

    def __init__(self, driver: Driver, archiving: Archiving) -> None:
        self._driver, self._archiving = driver, archiving
        self._data_dir = driver.opened.data_dir
        self.room = measure(self._data_dir, driver.opened.reserve)
        self.stage = stage_of(self.room)
        archiving.after_days = lambda: archive_after_days(self.stage)

    async def look(self) -> None:
        """Look at the disk, and do what the stage asks for."""
        before = self.stage
        await asyncio.to_thread(self._measure)
        if self.stage != before:
            log.warning("room on the disk: %s, %d MiB are free", self.stage.name.lower(), self.room.free >> 20)
        if self.stage > before:
            self._archiving.hurry()
        if self.stage >= Stage.TIGHT:
            await asyncio.to_thread(self._drop)
            if await asyncio.to_thread(self._log_bytes) > LOG_KEPT_BYTES:
                with suppress(TillmeshError):  # a disk that refuses is told of by the next sale
                    await self._driver.on_writer(settle)

    def check(self) -> None:
        """Refuse what is no sale while room is tight: as the disk is now, not as it was at the last look."""
        reserve = self._driver.opened.reserve
        self.room = replace(self.room, free=reserve.free_bytes(), reserve_held=reserve.held)
        self.stage = stage_of(self.room, self.stage)
        check_room(self.room, self.stage)

    def _measure(self) -> None:
        self.room = measure(self._data_dir, self._driver.opened.reserve)
        self.stage = stage_of(self.room, self.stage)

    def _drop(self) -> None:
        """Drop models on their way, which others have, and the database of before an upgrade: others have its data."""
        Parcels(self._data_dir / "models").keep(())
        forget_copy(self._data_dir)

    def _log_bytes(self) -> int:
        try:
            return (self._data_dir / f"{FILE}-wal").stat().st_size
        except OSError:
            return 0
