"""The dumb loop around the till: one thread writes, commands wait their turn, readers go beside it."""

from __future__ import annotations

import asyncio
import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import apsw

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import DiskBroken, DiskFull
from tillmesh.adapters.sqlite.store import Reader
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.bootstrap import Opened, reopen
from tillmesh.till.commands import Command, Who
from tillmesh.till.effects import Outcome

READERS = 2
T = TypeVar("T")
log = logging.getLogger(__name__)


def now_ms() -> int:
    """Read the wall clock."""
    return time.time_ns() // 1_000_000


class Driver:
    """Runs commands on the writer's thread and tells the listeners about every committed outcome."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.identity = opened.till.identity
        self.storage_error = ""  # what the disk said last, empty when the last write went well
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

    async def do(self, who: Who, command: Command) -> Outcome:
        """Decide a command, make it durable, and give the outcome; raises with nothing stored."""
        outcome = await asyncio.get_running_loop().run_in_executor(self._writing, self.do_now, who, command)
        for listener in self._listeners:
            listener(outcome)
        return outcome

    def do_now(self, who: Who, command: Command) -> Outcome:
        """Do it on the calling thread, which must be the writer's."""
        try:
            outcome = self._execute(who, command)
        except DiskFull:
            # The room kept back lets the till finish its sales and close the shift.
            if not self.opened.reserve.release():
                raise
            log.warning("the disk is full: the reserve was released")
            outcome = self._execute(who, command)
        self.storage_error = ""
        return outcome

    def _execute(self, who: Who, command: Command) -> Outcome:
        opened = self.opened
        try:
            outcome = opened.writer.execute(opened.till, who, command, now_ms())
        except TillmeshError as error:
            if error.status >= 500:
                self.storage_error = error.detail
            if isinstance(error, DiskBroken):
                self._reopen()
            raise
        if outcome.events:
            opened.anchor.remember(outcome.head)
        return outcome

    def _reopen(self) -> None:
        """After an I/O error nothing this connection believes can be trusted: open anew and look at the disk."""
        self.opened = reopen(self.opened)

    async def read(self, query: Callable[[apsw.Connection, Books], T]) -> T:
        """Run a read-only query beside the writer."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, query)

    def _read(self, query: Callable[[apsw.Connection, Books], T]) -> T:
        reader = self._readers.get()
        try:
            return reader.read(query)
        finally:
            self._readers.put(reader)

    def later(self, query: Callable[[apsw.Connection, Books], T], then: Callable[[T], None]) -> None:
        """Read beside everything else and hand the result to ``then`` on the event loop."""

        async def run() -> None:
            then(await self.read(query))

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def on_writer(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run housekeeping on the writer's connection, between commands."""
        return await asyncio.get_running_loop().run_in_executor(self._writing, lambda: work(self.opened.writer.db))

    def close(self) -> None:
        """Finish what is queued, then close every connection."""
        self._writing.shutdown(wait=True)
        self._reading.shutdown(wait=True)
        while not self._readers.empty():
            self._readers.get().close()
        self.opened.close()
