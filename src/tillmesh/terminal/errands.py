"""Work beside everything else on the event loop: kept until it ends, called off together, never failing in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from tillmesh.kernel.errors import TillmeshError

log = logging.getLogger(__name__)


class Errands:
    """The background tasks of one part of the program; ``whose`` names it in the log."""

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._tasks: set[asyncio.Task[Any]] = set()

    def __bool__(self) -> bool:
        """Say whether anything is under way."""
        return bool(self._tasks)

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin something; the loop alone would let it be collected half-way."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def stop(self) -> None:
        """Call off what is under way, and wait until it has ended."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, TillmeshError):
            log.warning("%s: %s", self._whose, error.detail)
        else:
            log.error("%s made a mistake", self._whose, exc_info=error)
