"""The background worker of the print outbox: takes a job, lays it out, prints it, notes what became of it.

It runs as one asyncio task. The printer is only touched from a thread of its own, so neither a dead printer nor a
slow one holds up a sale. Decisions are ``till.printing``'s; here they are carried out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar, assert_never

import msgspec

from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.receipt import Receipt
from tillmesh.till.printing import (
    HISTORY_MS,
    Encoder,
    GiveUp,
    Printer,
    PrinterState,
    PrinterStatus,
    PrintFailed,
    PrintJob,
    PrintJobs,
    Printout,
    Retry,
    after_failure,
    after_restart,
    is_expired,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_S: Final = 15.0  # how often an idle printer is asked how it is; guess
STORE_RETRY_S: Final = 5.0  # when the disk refuses, that is for the cashier to see elsewhere; here we wait
STOP_S: Final = 12.0  # a job under way may take this long; longer than every time limit of a printer together

Compose = Callable[[PrintJob], Awaitable[Receipt | None]]


class Outbox(Protocol):
    """Runs work on the stored jobs where the database may be written, and gives its result."""

    async def __call__(self, work: Callable[[PrintJobs], T]) -> T:
        """Run the work; raises what it raises."""


class QueueStatus(msgspec.Struct, frozen=True):
    """The printer and its queue, as GET /printer and the UI show them."""

    state: PrinterState
    waiting: int
    detail: str = ""


class PrintWorker:
    """Works off the outbox. ``compose`` gives None for a job whose event is not there (any more).

    Invariant: at most one job is in state "printing", and only while :meth:`step` runs.
    """

    def __init__(
        self,
        outbox: Outbox,
        printer: Printer,
        encoder: Encoder,
        compose: Compose,
        *,
        now_ms: Callable[[], int],
        draw: Callable[[], float],
        on_status: Callable[[QueueStatus], None] = lambda _: None,
    ) -> None:
        """Take the ports; ``on_status`` is called on the event loop whenever the status has changed."""
        self._outbox = outbox
        self._printer = printer
        self._encoder = encoder
        self._compose = compose
        self._now_ms = now_ms
        self._draw = draw
        self._on_status = on_status
        self._status = QueueStatus("ready", 0)  # until it was looked at, which is the first thing the task does
        self._threads = ThreadPoolExecutor(1, "printing")
        self._awake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._printed: set[int] = set()  # jobs that came out, but whose end the disk would not take down
        self._task: asyncio.Task[None] | None = None

    def status(self) -> QueueStatus:
        """Say how printer and queue are, as last seen."""
        return self._status

    def wake(self) -> None:
        """Say that a job was stored; call it on the event loop, after the commit."""
        self._awake.set()

    def use(self, printer: Printer, encoder: Encoder) -> None:
        """Change the printer, from the next job on; call it on the event loop."""
        self._printer, self._encoder = printer, encoder
        self.wake()

    def start(self) -> None:
        """Begin to work, as a task of the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self.run(), name="printing")

    async def stop(self) -> None:
        """Finish the job under way, if it takes no longer than a printer may, and end."""
        self._stopping.set()
        self.wake()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._threads.shutdown(wait=False)

    async def run(self) -> None:
        """Recover what was interrupted, then work until stopped; errors of the disk only delay it."""
        recovered = False
        while not self._stopping.is_set():
            self._awake.clear()
            try:
                if not recovered:
                    await self.recover()
                    recovered = True
                if not await self._work():
                    await self.look()
                pause = await self._pause_s()
            except TillmeshError as cause:
                log.warning("the print outbox can't be read or written: %s", cause.detail)
                pause, recovered = STORE_RETRY_S, False
            await self._sleep(pause)

    async def _work(self) -> bool:
        """Work off what is due and say whether anything was."""
        worked = False
        while not self._stopping.is_set() and await self.step():
            worked = True
        return worked

    async def recover(self) -> None:
        """Settle jobs that were being printed when the program stopped, and forget old ones."""
        now_ms = self._now_ms()
        for job in await self._outbox(lambda jobs: jobs.interrupted()):
            if job.job_id in self._printed:
                await self._done(job)
            else:
                await self._settle(job, after_restart(job, now_ms), "interrupted")
        await self._outbox(lambda jobs: jobs.forget(now_ms - HISTORY_MS))

    async def step(self) -> bool:
        """Work off one job and say whether there was one."""
        now_ms = self._now_ms()
        job = await self._outbox(lambda jobs: jobs.claim(now_ms))
        if job is None:
            return False
        self._status = msgspec.structs.replace(self._status, waiting=max(1, self._status.waiting))
        if is_expired(job, now_ms):
            await self._settle(job, GiveUp("nobody waits for it any more; print it again from the list of sales"))
        else:
            await self._print(job)
        return True

    async def _print(self, job: PrintJob) -> None:
        try:
            out = await self._lay_out(job)
            await self._in_thread(self._printer.print, out)
        except PrintFailed as failure:
            log.warning("print job %d (%s %s): %s", job.job_id, job.kind, job.ref, failure.detail)
            await self._settle(job, after_failure(job, failure, self._now_ms(), self._draw()), failure.detail)
            await self._tell(PrinterStatus(failure.state, failure.detail))
        except TillmeshError as cause:
            log.warning("print job %d (%s %s) can't be read: %s", job.job_id, job.kind, job.ref, cause.detail)
            unread = PrintFailed(cause.detail)
            await self._settle(job, after_failure(job, unread, self._now_ms(), self._draw()), cause.detail)
        except Exception as cause:
            # Whatever is wrong with this one receipt will be wrong again: the next ones must not wait behind it.
            log.exception("print job %d (%s %s) can't be laid out", job.job_id, job.kind, job.ref)
            await self._settle(job, GiveUp(f"it can't be laid out: {cause}"))
        else:
            await self._done(job)
            await self._tell(PrinterStatus("ready"))

    async def _done(self, job: PrintJob) -> None:
        self._printed.add(job.job_id)
        await self._outbox(lambda jobs: jobs.done(job.job_id))
        self._printed.discard(job.job_id)

    async def _lay_out(self, job: PrintJob) -> Printout:
        name = f"{job.job_id:06d}-{job.kind}"
        if job.kind == "drawer":
            return await self._in_thread(self._encoder.kick, name)
        receipt = await self._compose(job)
        if receipt is None:
            raise LookupError(f"there is no {job.kind} {job.ref}")
        return await self._in_thread(self._encoder.encode, receipt, name)

    async def _settle(self, job: PrintJob, decision: Retry | GiveUp, error: str = "") -> None:
        match decision:
            case Retry(next_at_ms, mark):
                await self._outbox(lambda jobs: jobs.retry(job.job_id, error, next_at_ms, mark))
            case GiveUp(why):
                await self._outbox(lambda jobs: jobs.give_up(job.job_id, why))
            case _:
                assert_never(decision)

    async def look(self) -> None:
        """Ask the printer how it is, and tell if that has changed."""
        await self._tell(await self._in_thread(self._printer.status))

    async def _tell(self, printer: PrinterStatus) -> None:
        """Remember the status, and tell if it has changed."""
        waiting = await self._outbox(lambda jobs: jobs.waiting())
        status = QueueStatus(printer.state, waiting, printer.detail)
        if status != self._status:
            self._status = status
            self._on_status(status)

    async def _pause_s(self) -> float:
        """Say how long there is nothing to do: until a job is due, or until the printer is looked at again."""
        due_ms = await self._outbox(lambda jobs: jobs.due_ms())
        if due_ms is None:
            return LOOK_S
        return min(LOOK_S, max(0, due_ms - self._now_ms()) / 1000)

    async def _sleep(self, seconds: float) -> None:
        if self._stopping.is_set() or seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            pass

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
