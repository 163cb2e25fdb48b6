"""Wire the print outbox of a terminal: the stored jobs, the printer that the settings name, the pages that watch."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from tillmesh.adapters.devices import EscPosEncoder, NoPrinter, open_printer
from tillmesh.adapters.sqlite.print_jobs import SqlitePrintJobs
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.receipt import Receipt
from tillmesh.shop.settings import TerminalSettings
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.terminal.printing import PrintWorker, QueueStatus
from tillmesh.terminal.receipts import receipt_for
from tillmesh.terminal.web.live import Live
from tillmesh.till.effects import Outcome, Print
from tillmesh.till.printing import Printer, PrintJob, PrintJobs

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Printing:
    """The running print worker and what pages are shown of it."""

    worker: PrintWorker

    def view(self) -> dict[str, Any]:
        """Show printer and queue."""
        return msgspec.to_builtins(self.worker.status())  # type: ignore[no-any-return]

    async def stop(self) -> None:
        """Finish the job under way and stop."""
        await self.worker.stop()


async def start_printing(
    driver: Driver, live: Live, *, signed: Callable[[str], Awaitable[None]] | None = None
) -> Printing:
    """Start the worker with the printer of the settings, and follow their changes.

    ``signed`` waits until a receipt has its signature, where a device gives one.
    """

    async def outbox(work: Callable[[PrintJobs], T]) -> T:
        return await driver.on_writer(lambda db: work(SqlitePrintJobs(db)))

    async def compose(job: PrintJob) -> Receipt | None:
        if signed is not None:
            await signed(job.ref)
        return await driver.look(lambda books: receipt_for(books, job, now_ms()))

    async def settings() -> TerminalSettings:
        return await driver.look(lambda books: books.terminal())

    def told(status: QueueStatus) -> None:
        live.send("printer", msgspec.to_builtins(status))

    held = await settings()
    worker = PrintWorker(
        outbox, _printer(driver, held), EscPosEncoder(columns=held.printer_columns), compose,
        now_ms=now_ms, draw=random.random, on_status=told,
    )  # fmt: skip

    def follow(outcome: Outcome) -> None:
        if any(isinstance(effect, Print) for effect in outcome.effects):
            worker.wake()
        if any(event.type == "settings_changed" for event in outcome.events):
            driver.later(lambda _, books: books.terminal(), change)

    def change(now: TerminalSettings) -> None:
        worker.use(_printer(driver, now), EscPosEncoder(columns=now.printer_columns))

    driver.listen(follow)
    worker.start()
    return Printing(worker)


def _printer(driver: Driver, settings: TerminalSettings) -> Printer:
    """Open the printer; settings that name none that can be used switch printing off, and say so."""
    try:
        return open_printer(settings.printer_kind, settings.printer_target, driver.opened.data_dir)
    except TillmeshError as error:
        log.warning("no printer: %s", error.detail)
        return NoPrinter()
