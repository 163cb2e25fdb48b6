"""The dumb loop around the till: one thread writes, commands wait their turn, readers go beside it."""

from __future__ import annotations

import asyncio
import functools
import logging
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, TypeVar

import apsw

from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import DatabaseDamaged, DiskBroken, DiskFull
from tillmesh.adapters.sqlite.store import Reader, write_origin
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Damaged, StorageFailed, TillmeshError
from tillmesh.sync.signatures import SignedHead
from tillmesh.terminal.bootstrap import Opened, reopen
from tillmesh.till.agreement import Promise
from tillmesh.till.commands import Command, Who
from tillmesh.till.desk import Company
from tillmesh.till.effects import Outcome

READERS = 2
T = TypeVar("T")
log = logging.getLogger(__name__)


def now_ms() -> int:
    """Read the wall clock."""
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Read the clock that nobody sets: for waiting, never for stamps."""
    return time.monotonic_ns() // 1_000_000


DAMAGED, BROKEN, BEHIND, FORKED = "damaged", "broken", "behind", "forked"


class Trouble(NamedTuple):
    """Why this till can't go on with its database as the actor that it is.

    DAMAGED: it does not read. BROKEN: it reads, and its hashes do not agree with what it says. BEHIND: other tills hold
    more of this actor's events. FORKED: they hold other ones.
    """

    detail: str
    kind: str = DAMAGED


class Driver:
    """Runs commands on the writer's thread and tells the listeners about every committed outcome."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.identity = opened.till.identity
        self.storage_error = ""  # what the disk said last, empty when the last write went well
        self.company: Callable[[], Company] = Company  # asked before each command: who of the store is heard
        self.on_trouble: Callable[[Trouble], None] = log.error  # told on any thread
        self._disowned: Trouble | None = None  # another incarnation has to go on from here
        self._doubtful = False  # an I/O error happened, and the disk was not looked at since
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[Outcome], None]] = []
        self._writing = ThreadPoolExecutor(1, "writer")
        self._reading = ThreadPoolExecutor(READERS, "reader")
        self._readers: queue.SimpleQueue[Reader] = queue.SimpleQueue()
        for _ in range(READERS):
            self._readers.put(opened.reader())

    def listen(self, listener: Callable[[Outcome], None]) -> None:
        """Call the listener (on the event loop) after each committed outcome."""
        self._listeners.append(listener)

    async def do(self, who: Who, command: Command, name: str = "") -> Outcome:
        """Decide a command, make it durable, and give the outcome; raises with nothing stored. A name counts once."""
        self.opened.till.company = self.company()
        outcome = await asyncio.get_running_loop().run_in_executor(self._writing, self.do_now, who, command, name)
        for listener in self._listeners:
            try:
                listener(outcome)
            except Exception:
                log.exception("a listener failed; what it was told of is committed all the same")
        return outcome

    async def check(self, who: Who, command: Command) -> None:
        """Raise what the shop would say to a command, and store nothing."""

        def decide(opened: Opened) -> None:
            opened.till.decide(who, command, opened.writer.books, now_ms())

        await asyncio.get_running_loop().run_in_executor(self._writing, decide, self.opened)

    def do_now(self, who: Who, command: Command, name: str = "") -> Outcome:
        """Do it on the calling thread, which must be the writer's."""
        if self._disowned is not None:
            raise StorageFailed("this till has to start anew", hint="Try again in a moment.")
        outcome = self._with_disk(lambda opened: opened.writer.execute(opened.till, who, command, now_ms(), name))
        self.storage_error = ""
        if outcome.events:
            self._remember(outcome.head)
        return outcome

    def _with_disk(self, work: Callable[[Opened], T], *, spare: bool = True) -> T:
        """Run work that writes; mend what can be mended when the disk refuses, and remember what it said.

        Without ``spare`` it may wait for room: the reserve is not for it, and nobody has to be told.
        """
        try:
            if self._doubtful:
                self._reopen()
            try:
                return work(self.opened)
            except DiskFull:
                # The room kept back lets the till finish its sales and close the shift.
                if not spare or not self.opened.reserve.release():
                    raise
                log.warning("the disk is full: the reserve was released")
                return work(self.opened)
        except TillmeshError as error:
            if isinstance(error, DiskFull) and not spare:
                raise
            # Damage that is not the database's is somebody else's: events that do not join on.
            if error.status >= 500 and (not isinstance(error, Damaged) or isinstance(error, DatabaseDamaged)):
                self.storage_error = error.detail
            if isinstance(error, DatabaseDamaged):
                self.on_trouble(Trouble(error.detail))
            if isinstance(error, DiskBroken):
                self._doubtful = True
                with suppress(TillmeshError):
                    self._reopen()
            raise

    def _reopen(self) -> None:
        """After an I/O error nothing this connection believes can be trusted: open anew and look at the disk.

        Until that works no command is tried: what was half written before must be settled first.
        """
        self.opened = reopen(self.opened)
        self._doubtful = False

    def _remember(self, head: Head) -> None:
        """Note the head beside the database; the sale is on disk whatever becomes of the note."""
        try:
            self.opened.anchor.remember(head, self.opened.till.receipts)
        except OSError as cause:
            self.storage_error = f"the anchor file can't be written ({cause.strerror})"
            log.warning(self.storage_error)

    def promised(self, promise: Promise) -> None:
        """Note a promise to other tills beside the database that holds it; on the writer's thread."""
        try:
            self.opened.anchor.promise(promise)
        except OSError as cause:
            self.storage_error = f"the anchor file can't be written ({cause.strerror})"
            log.warning(self.storage_error)

    async def merge(self, events: Sequence[Envelope], signed: Sequence[SignedHead] = ()) -> dict[str, Head]:
        """Store events of other actors, with signatures, on the writer's thread; give where their chains end then.

        In parts, between which a waiting sale takes its turn. If one fails the parts before it stay: they joined on,
        and what is held already is passed over when the batch comes again. On a full disk they wait for more room: the
        reserve is for this till's own sales.
        """
        heads: dict[str, Head] = {}
        for part in replica.parts(events):
            ends = {(event.actor, event.seq) for event in part}
            vouched = [each for each in signed if (each.head.actor, each.head.seq) in ends]
            work = functools.partial(self._with_disk, functools.partial(self._merge, part, vouched), spare=False)
            heads |= await asyncio.get_running_loop().run_in_executor(self._writing, work)
        return heads

    def _merge(self, events: Sequence[Envelope], signed: Sequence[SignedHead], opened: Opened) -> dict[str, Head]:
        self._look_for_own(events)
        return replica.merge(opened.writer, opened.till, events, now_ms(), signed)

    def _look_for_own(self, events: Sequence[Envelope]) -> None:
        """Refuse events that this actor wrote and does not hold: its disk lost them, and nobody noticed.

        Before the next sale takes one of their numbers; on the writer's thread, so that nothing comes in between.
        """
        head = self.opened.till.head
        last = max((event.seq for event in events if event.actor == head.actor), default=0)
        if last > head.seq:
            lost = f"events {head.seq + 1} to {last} of {head.actor} were committed and are gone; another till has them"
            self.disown(Trouble(lost, BEHIND))
            raise StorageFailed("this till has to start anew", hint="Try again in a moment.")

    def disown(self, trouble: Trouble) -> None:
        """Write nothing more as this actor; whoever listens starts the till anew."""
        if self._disowned is None:
            self._disowned = trouble
            self.on_trouble(trouble)

    async def note_acks(self, acks: Sequence[tuple[str, Mapping[str, int]]]) -> None:
        """Note what peers hold durably."""
        work = functools.partial(self._with_disk, lambda opened: replica.acknowledge(opened.writer, acks))
        await asyncio.get_running_loop().run_in_executor(self._writing, work)

    async def look_after(self) -> None:
        """Housekeeping: bring the anchor to the disk, take the reserve back, and see if a refusing disk works again."""
        loop = asyncio.get_running_loop()
        if self.storage_error:
            await loop.run_in_executor(self._writing, self._try_disk)
        await loop.run_in_executor(None, self.opened.anchor.sync)
        await loop.run_in_executor(None, self.opened.reserve.hold)

    def _try_disk(self) -> None:
        """Write something that changes nothing, so that the alarm ends when its cause does."""
        self._with_disk(lambda opened: write_origin(opened.writer.db, opened.origin))
        self.storage_error = ""

    async def read(self, query: Callable[[apsw.Connection, Books], T]) -> T:
        """Run a read-only query beside the writer."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, query)

    async def look(self, query: Callable[[Books], T]) -> T:
        """Run a read-only query that needs the books alone."""
        return await self.read(lambda _, books: query(books))

    def _read(self, query: Callable[[apsw.Connection, Books], T]) -> T:
        reader = self._readers.get()
        try:
            return reader.read(query)
        except Damaged as error:
            self.storage_error = error.detail
            if isinstance(error, DatabaseDamaged):
                self.on_trouble(Trouble(error.detail))
            raise
        finally:
            self._readers.put(reader)

    def later(self, query: Callable[[apsw.Connection, Books], T], then: Callable[[T], None]) -> None:
        """Read beside everything else and hand the result to ``then`` on the event loop."""

        async def run() -> None:
            try:
                then(await self.read(query))
            except TillmeshError as error:
                log.warning("a page was not told what changed: %s", error.detail)

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def on_opened(self, work: Callable[[Opened], T]) -> T:
        """Run work that needs more than a connection on the writer's thread, between commands."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._with_disk, work)

    async def on_writer(self, work: Callable[[apsw.Connection], T], *, spare: bool = True) -> T:
        """Run housekeeping on the writer's connection, between commands; without ``spare`` it may wait for room."""
        run = functools.partial(self._with_disk, _on(work), spare=spare)
        return await asyncio.get_running_loop().run_in_executor(self._writing, run)

    def close(self) -> None:
        """Finish what is queued, then close every connection."""
        self._writing.shutdown(wait=True)
        self._reading.shutdown(wait=True)
        while not self._readers.empty():
            self._readers.get().close()
        self.opened.close()


def _on(work: Callable[[apsw.Connection], T]) -> Callable[[Opened], T]:
    return lambda opened: work(opened.writer.db)
