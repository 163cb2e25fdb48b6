"""The worker's process as the till holds it: started, written to, listened to, and buried when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tillmesh.adapters.inference.frames import HEADER, FromWorker, ToWorker, frame, from_worker, size_of
from tillmesh.kernel.limits import INFERENCE_MEMORY_MIB, INFERENCE_RESTART_MS_FIRST, INFERENCE_RESTART_MS_MAX

TASKS: Final = "tillmesh.adapters.inference.tasks"
log = logging.getLogger(__name__)


@dataclass(slots=True)
class WorkerProcess:
    """One worker at most. The next one starts after a rest, which grows until one has worked."""

    started: Callable[[], None]
    heard: Callable[[FromWorker], None]
    ended: Callable[[], None]  # whatever the reason, and also if none could be started
    memory_mib: int = INFERENCE_MEMORY_MIB
    tasks: str = TASKS
    ends: int = 0  # how often one ended
    not_before_ms: int = 0
    _rest_ms: int = INFERENCE_RESTART_MS_FIRST
    _process: asyncio.subprocess.Process | None = None
    _living: asyncio.Task[None] | None = None  # from its start until it is buried
    _is_ending: bool = False

    @property
    def pid(self) -> int | None:
        """Its process id; None while none runs."""
        return self._process.pid if self._process is not None else None

    @property
    def is_up(self) -> bool:
        """Whether one can be written to."""
        return self._process is not None

    @property
    def is_gone(self) -> bool:
        """Whether none runs, is being started or being buried."""
        return self._living is None

    def start(self) -> None:
        """Start one, and read what it says until it ends."""
        self._living = asyncio.get_running_loop().create_task(self._live())

    def send(self, message: ToWorker) -> None:
        """Write to it. It may have died: then its end is noticed where it is read."""
        assert self._process is not None, "there is a worker"
        assert self._process.stdin is not None, "its input is a pipe"
        self._process.stdin.write(frame(message))

    def kill(self) -> None:
        """End it; ``ended`` is told when it is over."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    def worked(self) -> None:
        """It has answered: the next one need not wait for long."""
        self._rest_ms = INFERENCE_RESTART_MS_FIRST

    async def stop(self) -> None:
        """End it and wait until it is over."""
        if self._living is not None:
            if not self._is_ending:
                self._living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._living

    async def _live(self) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tillmesh.adapters.inference.worker",
                "--memory-mib", str(self.memory_mib), "--tasks", self.tasks,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            self.started()
            await self._listen(self._process)
        except (OSError, ValueError, asyncio.IncompleteReadError) as cause:
            log.warning("the model worker ended: %s", str(cause)[:200])
        finally:
            await self._bury()

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None, "its output is a pipe"
        while True:
            body = await process.stdout.readexactly(size_of(await process.stdout.readexactly(HEADER.size)))
            self.heard(from_worker(body))

    async def _bury(self) -> None:
        """See it off for good, and only then say so: another one must not be taken for it."""
        process, self._process, self._is_ending = self._process, None, True
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            if process.stdin is not None:
                process.stdin.close()
            if process.stdout is not None:  # to its end, or the pipe stays open
                while await process.stdout.read(1 << 16):
                    pass
            await process.wait()
        self.ends += 1
        self.not_before_ms = steady_ms() + self._rest_ms
        self._rest_ms = min(2 * self._rest_ms, INFERENCE_RESTART_MS_MAX)
        self._living, self._is_ending = None, False
        self.ended()


def steady_ms() -> int:
    """Read the clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000
