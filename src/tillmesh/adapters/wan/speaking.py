"""A thread that speaks to head office, one thing after the other; it holds up neither the till nor its end."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Speaker:
    """Runs blocking calls on one thread that the program's end does not wait for."""

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def ask(self, call: Callable[[], T]) -> T:
        """Run a call when those before it are through, and give what it gives."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def run() -> None:
            result: Any = None
            error: BaseException | None = None
            try:
                result = call()
            except BaseException as cause:  # noqa: BLE001 - it is raised where it was asked for
                error = cause
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, answer, result, error)

        self._work.put(run)
        return await answer

    def close(self) -> None:
        """Let the thread end after what it is doing."""
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _settle(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.done():  # nobody waits any more
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
