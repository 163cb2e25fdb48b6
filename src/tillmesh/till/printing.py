"""The print outbox: ports, and every decision about a job as a pure function.

A sale is on disk, together with its print job, before anything is printed; the printer may then fail for as long as
it likes. Invariant: paper that is not marked comes out at most once per job. Once bytes may have reached the printer,
a further attempt is marked as a possible duplicate, and a drawer is never kicked again.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.receipt import Mark, Receipt

JobKind = Literal["sale", "refund", "void", "x", "z", "drawer", "slip"]
PrinterState = Literal["ready", "off", "error", "paper_out"]

# Guesses. A drawer that springs open long after the sale is a thief's friend; a customer who has left wants no paper.
KEEP_MS: Final[dict[str, int]] = {"drawer": 10_000, "z": 7 * 86_400_000}
KEEP_MS_OTHERS: Final = 30 * 60_000
HISTORY_MS: Final = 7 * 86_400_000  # finished jobs are forgotten after a week; guess
RETRY_MS_FIRST: Final = 500
RETRY_MS_MAX: Final = 15_000  # guess: how long a cashier who has put in paper will wait
ERROR_CHARS_MAX: Final = 300

assert RETRY_MS_FIRST < KEEP_MS["drawer"] < RETRY_MS_MAX < KEEP_MS_OTHERS


class PrintJob(msgspec.Struct, frozen=True):
    """One thing to print, as it stands in the outbox. ``attempts`` counts the one under way."""

    job_id: int
    kind: JobKind
    ref: str
    mark: Mark
    attempts: int
    created_ms: int


class PrinterStatus(msgspec.Struct, frozen=True):
    """How the printer is, for the pill in the UI. "off" means that none is set up."""

    state: PrinterState
    detail: str = ""


class Printout(msgspec.Struct, frozen=True):
    """What goes to a device: its bytes, the same for people, and a name for a file."""

    data: bytes
    text: str
    name: str


class PrintFailed(TillmeshError):
    """The printer did not take a job; ``maybe_printed`` once any byte of it may have arrived."""

    status = 503
    kind = "print-failed"
    title = "Not printed"

    def __init__(
        self, detail: str, *, hint: str = "", state: PrinterState = "error", maybe_printed: bool = False
    ) -> None:
        super().__init__(detail, hint=hint)
        self.state = state
        self.maybe_printed = maybe_printed


class Printer(Protocol):
    """A device that prints. Calls may block, for seconds at most; they come from one thread at a time."""

    def print(self, out: Printout) -> None:
        """Print, and return when the device has taken it all; raises :class:`PrintFailed`."""

    def status(self) -> PrinterStatus:
        """Say how the device is; never raises."""


class Encoder(Protocol):
    """Turns receipts into what the device understands."""

    def encode(self, receipt: Receipt, name: str) -> Printout:
        """Write a receipt as bytes, cut included."""

    def kick(self, name: str) -> Printout:
        """Write the pulse that opens the cash drawer."""


class PrintJobs(Protocol):
    """The stored outbox. Every change is on disk when the call returns; calls come from one thread at a time."""

    def claim(self, now_ms: int) -> PrintJob | None:
        """Take the next job and mark it as printing.

        A drawer that is due comes first; then the oldest other job, if it is due: papers keep their order.
        """

    def done(self, job_id: int) -> None:
        """Note that a job was printed."""

    def retry(self, job_id: int, error: str, next_at_ms: int, mark: Mark) -> None:
        """Let a job wait for another attempt."""

    def give_up(self, job_id: int, error: str) -> None:
        """Note that a job will not be printed any more."""

    def interrupted(self) -> tuple[PrintJob, ...]:
        """List the jobs that were being printed when the program stopped."""

    def waiting(self) -> int:
        """Count the jobs that still want to be printed."""

    def due_ms(self) -> int | None:
        """Say when :meth:`claim` can next give a job, or None while none waits."""

    def forget(self, before_ms: int) -> None:
        """Delete finished jobs that were created before a time."""


class Retry(msgspec.Struct, frozen=True):
    """Try again, at the earliest at ``next_at_ms``."""

    next_at_ms: int
    mark: Mark


class GiveUp(msgspec.Struct, frozen=True):
    """Do not try again."""

    error: str


def is_expired(job: PrintJob, now_ms: int) -> bool:
    """Say whether nobody waits for this paper (or drawer) any more."""
    return now_ms - job.created_ms > KEEP_MS.get(job.kind, KEEP_MS_OTHERS)


def retry_delay_ms(attempts: int, draw: float) -> int:
    """Wait longer after each attempt, up to RETRY_MS_MAX; ``draw`` in [0, 1) spreads over the upper half."""
    most = min(RETRY_MS_MAX, RETRY_MS_FIRST << min(attempts - 1, 16))
    return most // 2 + int(draw * (most - most // 2))


def after_failure(job: PrintJob, failure: PrintFailed, now_ms: int, draw: float) -> Retry | GiveUp:
    """Decide what becomes of a job that the printer did not take."""
    if failure.state == "off":
        return GiveUp(failure.detail)
    mark = doubted(job.mark) if failure.maybe_printed else job.mark
    if job.kind == "drawer" and failure.maybe_printed:
        return GiveUp(f"the drawer may have opened: {failure.detail}")
    delay_ms = RETRY_MS_FIRST if job.kind == "drawer" else retry_delay_ms(job.attempts, draw)
    return Retry(now_ms + delay_ms, mark)


def after_restart(job: PrintJob, now_ms: int) -> Retry | GiveUp:
    """Decide what becomes of a job that was being printed when the program stopped: its paper may be out already."""
    if job.kind == "drawer":
        return GiveUp("the till stopped while the drawer was being opened")
    return Retry(now_ms, doubted(job.mark))


def doubted(mark: Mark) -> Mark:
    """Mark a further print of what may be out already; a copy is a copy however often it comes."""
    return Mark.COPY if mark is Mark.COPY else Mark.POSSIBLE_DUPLICATE
