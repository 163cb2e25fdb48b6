"""Head office's shelf of pictures on a thread of its own: it holds up no upload, and few may wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from tillmesh.fleet.pictures import PictureShelf
from tillmesh.kernel.errors import TooMany
from tillmesh.kernel.limits import OFFICE_PICTURES_WAITING_MAX

RETRY_MS: Final = 5_000
T = TypeVar("T")


class PicturesBusy(TooMany):
    """More stores bring pictures than are kept at once; pictures can wait."""

    status = 503
    kind = "pictures-busy"
    title = "Head office is busy with pictures"


class Pictures:
    """The shelf, opened when somebody asks for it first."""

    def __init__(self, open_shelf: Callable[[], PictureShelf]) -> None:
        self._open = open_shelf
        self._shelf: PictureShelf | None = None
        self._thread = ThreadPoolExecutor(1, "pictures")
        self._waiting = 0

    async def ask(self, work: Callable[[PictureShelf], T]) -> T:
        """Run work on the shelf's thread, unless too much waits for it already."""
        if self._waiting >= OFFICE_PICTURES_WAITING_MAX:
            raise PicturesBusy(
                f"{self._waiting} calls wait already; the limit is {OFFICE_PICTURES_WAITING_MAX}",
                retry_after_ms=RETRY_MS,
                hint="Try again in a moment.",
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Finish what is queued, then close the shelf."""
        self._thread.shutdown(wait=True)
        if self._shelf is not None:
            self._shelf.close()

    def _do(self, work: Callable[[PictureShelf], T]) -> T:
        if self._shelf is None:
            self._shelf = self._open()
        return work(self._shelf)
