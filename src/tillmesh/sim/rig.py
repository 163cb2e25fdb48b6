"""The program of one simulated till and the machine below it: it starts, writes on one thread, dies, starts again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar

import apsw

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import DiskBroken, DiskFull
from tillmesh.adapters.sqlite.identity import Former, agree, till_of
from tillmesh.adapters.sqlite.store import Reader, Writer
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.ids import series
from tillmesh.sim.clock import Clock, Timeline
from tillmesh.sim.disk import PowerCut
from tillmesh.sim.machine import KEY, Machine
from tillmesh.sim.shop import STORE
from tillmesh.till.commands import Note, Who
from tillmesh.till.node import Till

SYSTEM: Final = Who(user_id="system", role="manager")
RESERVE_BYTES: Final = 1 << 18
T = TypeVar("T")
Told = Callable[[T | TillmeshError | None], None]  # None: the till died before it could say


@dataclass(slots=True)
class Job:
    """Something for the one thread that writes."""

    work: Callable[[], Any]
    done: Told[Any]


class Rig:
    """A till's machine, which stays, and its program, which comes and goes."""

    def __init__(self, number: int, timeline: Timeline, machine: Machine, draw: Random) -> None:
        self.number = number
        self.machine = machine
        self.clock = Clock(timeline)
        self.running = False
        self.boots = 0
        self.slow_ms = 0  # the most that a write takes beyond its few milliseconds
        self.dies_after_commit = False
        self.held: dict[str, int] = {}  # what is durable on this disk, as the simulator knows it
        self.held_once: dict[str, int] = {}  # what ever was, on this disk or the ones before it
        self.incarnations: list[str] = []
        self._timeline = timeline
        self._draw = draw
        self._jobs: deque[Job] = deque()
        self._busy = False
        self._doubtful = False
        self._reserve = True

    # What the program does beside writing: for the station on top.

    def begin(self, db: apsw.Connection) -> None:
        """The database is open: read from it what else is needed."""

    def started(self) -> None:
        """The program runs."""

    def ended(self, *, silently: bool) -> None:
        """The program is gone; with the power, nobody hears of it."""

    # The program --------------------------------------------------------------------------------------------------

    def boot(self) -> bool:
        """Start the program on whatever the disk holds; False when the disk does not let it."""
        assert not self.running
        self.boots += 1
        try:
            self._open()
        except PowerCut:
            self._lose_power()
            return False
        except (TillmeshError, apsw.Error) as error:
            # SQLite says nothing of a last checkpoint that fails while it closes; our Python VFS is heard all the same.
            self._timeline.note(f"till {self.number} can't start: {error}")
            self.machine.stop()
            return False
        self.running = True
        self._timeline.note(f"till {self.number} starts as {self.origin.actor} at {self.till.head.seq}")
        self.started()
        return True

    def _open(self) -> None:
        db = self.machine.open()
        try:
            former = (
                Former(STORE, self.incarnations[-1], frozenset(map(series, self.incarnations)))
                if self.incarnations
                else None
            )
            self.origin, doubt = agree(db, self.machine.anchor, STORE, self._draw.randbytes, former=former)
            self.writer = Writer(db, self.origin)
            self.till: Till = till_of(self.writer, self.origin, self.clock.wall_ms())
            if doubt:
                self._timeline.note(f"till {self.number} doubts: {doubt}")
                note = Note(action="new_incarnation", subject=self.origin.actor, detail=doubt)
                self.writer.execute(self.till, SYSTEM, note, self.clock.wall_ms())
            self.begin(db)
            self.reader = Reader(self.machine.path, KEY, self.origin, vfs=self.machine.vfs)
        except BaseException:
            self.machine.stop(db)
            raise
        self.machine.anchor.remember(self.till.head)
        if self.origin.actor not in self.incarnations:
            self.incarnations.append(self.origin.actor)
        self._doubtful, self._reserve = False, not self.machine.disk.is_full

    def kill(self) -> None:
        """End the program with no word to anybody; the system hangs up for it, and its cache lives on."""
        self._timeline.note(f"till {self.number} is killed")
        self._end(silently=False)

    def lose_power(self) -> int:
        """Switch the machine off; give how many sectors were lost."""
        self._timeline.note(f"till {self.number} loses power")
        self._end(silently=True)
        return self._lose_power()

    def _lose_power(self) -> int:
        lost = self.machine.lose_power(self._draw)
        self._timeline.note(f"till {self.number} lost {lost} sectors")
        return lost

    def _end(self, *, silently: bool) -> None:
        self.running = False
        self.boots += 1
        self.dies_after_commit = False
        self.machine.stop(self.reader.db, self.writer.db)
        self.ended(silently=silently)
        jobs, self._jobs, self._busy = list(self._jobs), deque(), False
        for job in jobs:
            job.done(None)

    def later(self, delay_ms: int, work: Callable[[], None]) -> None:
        """Plan work of this run of the program; it is off when the program ends."""
        boot = self.boots

        def still() -> None:
            if self.running and self.boots == boot:
                work()

        self._timeline.after(delay_ms, still)

    # Writing ------------------------------------------------------------------------------------------------------

    def holds(self, heads: Mapping[str, Head]) -> None:
        """Note what is durable on this disk."""
        for actor, head in heads.items():
            self.held[actor] = max(self.held.get(actor, 0), head.seq)
            self.held_once[actor] = max(self.held_once.get(actor, 0), head.seq)

    def write(self, work: Callable[[apsw.Connection], None], done: Callable[[TillmeshError | None], None]) -> None:
        """Write on the writer's thread, and tell how it went; nothing when the program ended meanwhile."""
        boot = self.boots

        def told(result: bool | TillmeshError | None) -> None:
            if self.running and self.boots == boot:
                done(result if isinstance(result, TillmeshError) else None)

        def run() -> bool:
            work(self.writer.db)
            return True

        self.queue(run, told)

    def queue(self, work: Callable[[], T], done: Told[T]) -> None:
        """Let the one thread that writes do something, after what came before."""
        self._jobs.append(Job(work, done))
        if not self._busy:
            self._start_next()

    def _start_next(self) -> None:
        self._busy = bool(self._jobs)
        if self._busy:
            self.later(1 + self._draw.randrange(8) + self._draw.randrange(self.slow_ms + 1), self._run_job)

    def _run_job(self) -> None:
        job = self._jobs.popleft()
        result: Any = None
        try:
            result = self._with_disk(job.work)
        except PowerCut:
            pass
        except TillmeshError as error:
            result = error
        if self.machine.disk.is_off:
            self._timeline.note(f"till {self.number} loses power while it writes")
            self._end(silently=True)
            self._lose_power()
            job.done(None)
            return
        if self.dies_after_commit:
            self._timeline.note(f"till {self.number} dies between disk and answer")
            self._end(silently=self._draw.random() < 0.5)
            job.done(None)
            return
        self._start_next()
        job.done(result)

    def _with_disk(self, work: Callable[[], T]) -> T:
        """Do as the terminal's driver does: the reserve for a full disk, a new connection for a broken one."""
        if self._doubtful:
            self._reopen()
        try:
            return work()
        except DiskFull:
            if not self._reserve:
                raise
            self._reserve, self.machine.disk.spare_bytes = False, RESERVE_BYTES
            return work()
        except DiskBroken:
            self._doubtful = True
            with suppress(TillmeshError):
                self._reopen()
            raise

    def _reopen(self) -> None:
        with suppress(Exception):
            self.writer.close()
        self.writer = Writer(self.machine.open(), self.origin)
        self.till.head = self.writer.head(self.origin.actor)
        self.till.receipts = self.writer.receipts_used(self.origin.actor)
        self._doubtful = False

    def look(self, query: Callable[[Books], T]) -> T:
        """Read as pages do: beside the writer, whose connection may be gone after an error."""
        return self.reader.read(lambda _, books: query(books))
