"""The worker behind the till: it prints what sales left, whatever printer, disk and power do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from tests.contracts.memory_print_jobs import MemoryPrintJobs
from tests.receipt_builders import HEADER, WORDS, full_ticket
from tillmesh.kernel.errors import StorageFailed
from tillmesh.shop.receipt import Mark, Receipt, layout, render_text
from tillmesh.terminal.printing import PrintWorker, QueueStatus
from tillmesh.till.printing import PrinterStatus, PrintFailed, PrintJob, PrintJobs, Printout

T = TypeVar("T")


class TextEncoder:
    """Encodes as text, so that a test can read the paper."""

    def encode(self, receipt: Receipt, name: str) -> Printout:
        text = render_text(receipt)
        return Printout(text.encode(), text, name)

    def kick(self, name: str) -> Printout:
        return Printout(b"kick", "kick", name)


@dataclass
class ScriptedPrinter:
    """Fails as told, one entry a job; prints when the script is empty."""

    script: list[PrintFailed | None] = field(default_factory=list)
    paper: list[Printout] = field(default_factory=list)
    now: PrinterStatus = field(default_factory=lambda: PrinterStatus("ready"))
    on_paper: Callable[[], object] = lambda: None

    def print(self, out: Printout) -> None:
        failure = self.script.pop(0) if self.script else None
        if failure is None or failure.maybe_printed:
            self.paper.append(out)
            self.on_paper()
        if failure is not None:
            raise failure

    def status(self) -> PrinterStatus:
        return self.now


@dataclass
class Counter:
    """A shop counter: jobs, a printer, a clock that only moves when told."""

    jobs: MemoryPrintJobs = field(default_factory=MemoryPrintJobs)
    printer: ScriptedPrinter = field(default_factory=ScriptedPrinter)
    now_ms: int = 1_000
    told: list[QueueStatus] = field(default_factory=list)

    async def outbox(self, work: Callable[[PrintJobs], T]) -> T:
        return work(self.jobs)

    async def compose(self, job: PrintJob) -> Receipt | None:
        match job.ref:
            case "unknown":
                return None
            case "odd":
                raise ZeroDivisionError("odd receipt")
            case "unreadable":
                raise StorageFailed("the disk broke")
            case _:
                return layout(full_ticket(), HEADER, WORDS, mark=job.mark)

    def worker(self) -> PrintWorker:
        return PrintWorker(
            self.outbox, self.printer, TextEncoder(), self.compose,
            now_ms=lambda: self.now_ms, draw=lambda: 0.0, on_status=self.told.append,
        )  # fmt: skip

    def printed(self) -> list[str]:
        return [out.name for out in self.printer.paper]

    def states(self) -> list[str]:
        return [kept.state for kept in self.jobs.kept.values()]


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def all_due(worker: PrintWorker) -> None:
    while await worker.step():
        pass


def test_receipts_come_out_in_order_with_the_drawer_first() -> None:
    counter = Counter()
    counter.jobs.add("sale", "a", 1_000)
    counter.jobs.add("drawer", "b", 1_000)
    counter.jobs.add("sale", "b", 1_000)
    run(all_due(counter.worker()))
    assert counter.printed() == ["000002-drawer", "000001-sale", "000003-sale"]
    assert counter.states() == ["done", "done", "done"]


def test_printer_that_comes_back_prints_what_waited_as_originals() -> None:
    counter = Counter(printer=ScriptedPrinter([PrintFailed("off"), PrintFailed("off")]))
    counter.jobs.add("sale", "a", 1_000)
    worker = counter.worker()
    for _ in range(3):
        run(all_due(worker))
        counter.now_ms += 10_000
    (paper,) = counter.printer.paper
    assert "DUPLICATE" not in paper.text
    assert counter.jobs.kept[1].job.attempts == 3


def test_paper_that_ran_out_in_the_middle_is_followed_by_a_marked_one() -> None:
    counter = Counter(printer=ScriptedPrinter([PrintFailed("empty", state="paper_out", maybe_printed=True)]))
    counter.jobs.add("sale", "a", 1_000)
    worker = counter.worker()
    run(all_due(worker))
    assert counter.told[-1] == QueueStatus("paper_out", 1, "empty")
    counter.now_ms += 10_000
    run(all_due(worker))
    assert ["POSSIBLE DUPLICATE" in out.text for out in counter.printer.paper] == [False, True]
    assert counter.told[-1] == QueueStatus("ready", 0)


def test_drawer_opens_while_a_receipt_waits_for_a_dead_printer() -> None:
    counter = Counter(printer=ScriptedPrinter([PrintFailed("off")]))
    counter.jobs.add("sale", "a", 1_000)
    worker = counter.worker()
    run(all_due(worker))
    counter.jobs.add("drawer", "b", 1_000)
    run(all_due(worker))
    assert counter.printed() == ["000002-drawer"]


def test_drawer_stays_shut_when_its_moment_has_passed() -> None:
    counter = Counter(now_ms=20_000)
    counter.jobs.add("drawer", "a", 9_000)
    run(all_due(counter.worker()))
    assert counter.printed() == []
    assert counter.states() == ["failed"]


def test_crash_in_the_middle_of_a_receipt_never_gives_a_second_original() -> None:
    """The paper may be out or not: both tills, before and after, only differ in what the printer did."""
    counter = Counter()
    counter.jobs.add("sale", "a", 1_000)
    counter.jobs.add("drawer", "a", 1_000)
    counter.jobs.add("sale", "b", 1_000)
    counter.jobs.claim(1_000)
    counter.jobs.claim(1_000)
    worker = counter.worker()

    async def restarted() -> None:
        await worker.recover()
        await all_due(worker)

    run(restarted())
    assert ["POSSIBLE DUPLICATE" in out.text for out in counter.printer.paper] == [True, False]
    assert counter.printed() == ["000001-sale", "000003-sale"]
    assert counter.states() == ["done", "failed", "done"]


def test_receipt_that_cannot_be_laid_out_does_not_hold_up_the_next() -> None:
    counter = Counter()
    for ref in ("unknown", "odd", "fine"):
        counter.jobs.add("sale", ref, 1_000)
    run(all_due(counter.worker()))
    assert counter.states() == ["failed", "failed", "done"]
    assert counter.jobs.kept[1].error == "it can't be laid out: there is no sale unknown"


def test_receipt_that_cannot_be_read_now_is_tried_again() -> None:
    counter = Counter()
    counter.jobs.add("sale", "unreadable", 1_000)
    run(all_due(counter.worker()))
    assert counter.states() == ["waiting"]
    assert counter.jobs.kept[1].error == "the disk broke"


def test_copy_is_marked() -> None:
    counter = Counter()
    counter.jobs.add("sale", "a", 1_000, Mark.COPY)
    run(all_due(counter.worker()))
    assert "*** COPY ***" in counter.printer.paper[0].text


def test_without_a_printer_jobs_end_and_nothing_waits() -> None:
    counter = Counter(printer=ScriptedPrinter([PrintFailed("none", state="off")]))
    counter.jobs.add("sale", "a", 1_000)
    run(all_due(counter.worker()))
    assert counter.states() == ["failed"]
    assert counter.told[-1] == QueueStatus("off", 0, "none")


def test_status_is_told_only_when_it_changes() -> None:
    counter = Counter()
    worker = counter.worker()

    async def look_thrice() -> None:
        await worker.look()
        counter.printer.now = PrinterStatus("ready", "Paper is running low.")
        await worker.look()
        await worker.look()

    run(look_thrice())
    assert counter.told == [QueueStatus("ready", 0, "Paper is running low.")]
    assert worker.status() == counter.told[0]


def test_background_task_prints_what_it_is_woken_for_and_stops_when_asked() -> None:
    counter = Counter()

    async def working_day() -> None:
        printed = asyncio.Event()
        loop = asyncio.get_running_loop()
        counter.printer.on_paper = lambda: loop.call_soon_threadsafe(printed.set)
        worker = counter.worker()
        worker.start()
        for ref in "ab":
            printed.clear()
            counter.jobs.add("sale", ref, 1_000)
            worker.wake()
            async with asyncio.timeout(5):
                await printed.wait()
        await worker.stop()

    run(working_day())
    assert counter.states() == ["done", "done"]


class FullDisk(MemoryPrintJobs):
    """Refuses the first note that a job is done."""

    refusals: int = 1

    def done(self, job_id: int) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StorageFailed("the disk is full")
        super().done(job_id)


def test_disk_that_refused_to_note_the_end_does_not_bring_a_second_paper() -> None:
    counter = Counter(FullDisk())
    counter.jobs.add("sale", "a", 1_000)
    worker = counter.worker()

    async def printed_but_not_noted() -> None:
        with pytest.raises(StorageFailed):
            await worker.step()
        await worker.recover()
        await all_due(worker)

    run(printed_but_not_noted())
    assert counter.printed() == ["000001-sale"]
    assert counter.states() == ["done"]


def test_new_printer_takes_over_with_the_next_job() -> None:
    counter, other = Counter(), ScriptedPrinter()
    worker = counter.worker()
    counter.jobs.add("sale", "a", 1_000)
    worker.use(other, TextEncoder())
    run(all_due(worker))
    assert (len(counter.printer.paper), len(other.paper)) == (0, 1)
