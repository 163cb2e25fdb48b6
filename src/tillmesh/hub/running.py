"""Head office at work: one thread writes, questions are answered beside it, waiting has a limit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from tillmesh.adapters.wan.certificates import GATEWAY
from tillmesh.fleet.catalogue import Make, change_records, of_products
from tillmesh.fleet.models import Rollout
from tillmesh.fleet.office import Office
from tillmesh.fleet.ports import Analytics, Away, Entry, EventLog, LogBroken, Position, Reading, Stretch
from tillmesh.fleet.standing import Contact
from tillmesh.fleet.syncing import feed
from tillmesh.fleet.transfers import carry
from tillmesh.hub import upkeep
from tillmesh.hub.bootstrap import Opened
from tillmesh.hub.contacts import Contacts
from tillmesh.hub.keys import actor_of
from tillmesh.hub.models import Models, affected
from tillmesh.hub.pictures import Pictures
from tillmesh.hub.terms import forget_term
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, StorageFailed, TillmeshError, TooMany
from tillmesh.kernel.ids import is_office
from tillmesh.shop.events import Change
from tillmesh.sync.upload import Answer, Batch, State
from tillmesh.till.upkeep import Upkeep

log = logging.getLogger(__name__)
READERS: Final = 2
ASKING_MAX: Final = 1_000  # questions who may do what that wait; guess: a second of work
WAITING_MAX: Final = 64  # batches that wait for the one writer; guess: some seconds of work
FEED_S: Final = 1.0
WATCH_S: Final = 5.0
CONTACTS_S: Final = 2.0
BUSY_MS: Final = 2_000
NEWS_MS: Final = 25_000  # below what routers and proxies let an idle connection live
LISTENERS_MAX: Final = 20_000
LISTENERS_PER_STORE_MAX: Final = 16  # one leader listens; guess: others led a moment ago, and hung up unheard
LISTEN_S: Final = 1.0  # after which it is looked whether another process has written something for a store
LOOKS_PER_S_MAX: Final = 1_000  # of all listeners together
MODELS_S: Final = 2.0  # after which it is looked whether another process has changed who is to run what
RENEW_S: Final = 3_600.0
NOTHING: Final = Rollout()
T = TypeVar("T")


class Busy(TooMany):
    """More waits to be stored than is good; come back."""

    status = 503
    kind = "busy"
    title = "Head office is busy"


class Outrun(Conflict):
    """Two services wrote for one store at once, as the lock between them broke; one of the two changes is not there."""

    kind = "outrun"
    title = "Somebody else changed this at the same moment"


def now_ms() -> int:
    """Read the wall clock."""
    return time.time_ns() // 1_000_000


class Hub:
    """Runs the sync service on the writer's thread."""

    def __init__(self, opened: Opened, waiting_max: int = WAITING_MAX) -> None:
        self.opened = opened
        self._waiting_max = waiting_max
        self._writing = ThreadPoolExecutor(1, "writer")
        self._reading = ThreadPoolExecutor(READERS, "reader")
        self._readers: queue.SimpleQueue[Reading] = queue.SimpleQueue()
        self._asking = ThreadPoolExecutor(1, "office")
        self._asked = opened.asked()
        self._asking_now = 0
        self._waiting = 0
        self._bells: dict[str, asyncio.Event] = {}  # of stores whose leader listens
        self._listening: Counter[str] = Counter()  # how many do, by store
        self._contacts = Contacts(opened.service.seen)
        self._grown = asyncio.Event()  # the log, since analytics looked last
        self._feeding = ThreadPoolExecutor(1, "analytics")
        self._fetching = ThreadPoolExecutor(1, "recovery")
        self._fetched: EventLog | None = None
        self._modelling = ThreadPoolExecutor(1, "models")
        self.pictures = Pictures(opened.shelf)
        self.trouble: TillmeshError | None = None  # why nothing can be stored right now
        for _ in range(READERS):
            self._readers.put(opened.reading())
        self._loop: asyncio.AbstractEventLoop | None = None
        opened.service.carry_by(self._carry)

    async def take(self, batch: Batch, generation: int) -> Answer:
        """Take in a batch of a store whose credentials are of this generation.

        Raises what the sync service raises, or :class:`Busy`.
        """
        self._contacts.heard(batch.store, now_ms())
        self._loop = asyncio.get_running_loop()
        if isinstance(self.trouble, Away):  # said at once: :meth:`watch` finds out when it is over
            raise self.trouble
        try:
            answer = await self.write(lambda: self._take(batch, generation))
        except (Away, LogBroken, StorageFailed) as trouble:
            self.trouble = trouble
            raise
        if batch.runs:  # one without events writes nothing, so it proves nothing
            self.trouble = None
        self._grown.set()
        return answer

    def shown_trouble(self) -> dict[str, str] | None:
        """Show why nothing can be stored right now."""
        trouble = self.trouble
        return None if trouble is None else {"kind": trouble.kind, "detail": trouble.detail, "hint": trouble.hint}

    def _take(self, batch: Batch, generation: int) -> Answer:
        service = self.opened.service
        if self.opened.shared:
            service.follow(actor_of(self.opened.office))
        return service.take(batch, now_ms(), generation)

    def _carry(self, store: str, events: Sequence[Envelope]) -> None:
        """Tell stores what another one has noted about goods between them; on the writer's thread."""
        carry(store, events, self.opened.service.said, self._told)

    def _told(self, store: str, body: Record) -> bool:
        with self.opened.office.alone(f"write for {store}"):
            done = self.opened.service.tell(store, body, now_ms())
        if done and self._loop is not None:
            self._loop.call_soon_threadsafe(self._ring_for, store)
        return done

    def _ring_for(self, store: str) -> None:
        if (bell := self._bells.pop(store, None)) is not None:
            bell.set()

    async def state(self, store: str, generation: int) -> State:
        """Say what is held of a store."""
        self._contacts.heard(store, now_ms())
        return await self.write(lambda: self.opened.service.state(store, generation))

    async def forget_term(self, store: str, by: str) -> int:
        """Let the next term that a store names be its first; its leader is told at once. Gives the generation."""
        begun = await self.write(lambda: forget_term(self.opened, store, now_ms(), by=by))
        self._ring_for(store)
        return begun

    def contact(self, store: str) -> Contact:
        """Give when a store's leader was here last and what it held then; nothing from before the start."""
        return self._contacts.of(store)

    async def share_contacts(self) -> None:
        """Let the other sync services know who was here, and hear it from them."""
        while True:
            with contextlib.suppress(TillmeshError):  # it is told again
                await self.write(lambda: self._contacts.share(self.opened.office))
            await asyncio.sleep(CONTACTS_S)

    async def change_products(self, changes: Mapping[str, Sequence[Change]], by: str) -> dict[str, int]:
        """Write changes of products into head office's log for some stores; gives the last event of each."""
        return await self.change(changes, of_products(by))

    async def change(self, changes: Mapping[str, Sequence[Change]], make: Make) -> dict[str, int]:
        """Write changes of registers for some stores, one after the other; gives the last event of each.

        Each store is told as soon as it is written, and what stores upload comes in between.
        """
        written = {}
        loop = asyncio.get_running_loop()
        for store, wanted in changes.items():
            written[store] = await loop.run_in_executor(self._writing, self._change, store, wanted, make)
            self._ring_for(store)
        self._grown.set()
        return written

    async def news(self, store: str, have: int, orders: bytes | None = None) -> bool:
        """Wait until a store lacks something of head office's log, but not for long; says whether it does.

        ``orders`` is the digest of the orders for models that it has: others are news, too. One bell serves all who
        listen for a store, until it rings.
        """
        if store not in self._bells and len(self._bells) >= LISTENERS_MAX:
            raise Busy(f"{LISTENERS_MAX} stores listen already", retry_after_ms=NEWS_MS, hint="Ask again later.")
        if self._listening[store] >= LISTENERS_PER_STORE_MAX:
            raise TooMany(
                f"{LISTENERS_PER_STORE_MAX} of {store} listen already",
                retry_after_ms=NEWS_MS,
                hint="One till of a store listens.",
            )
        self._contacts.heard(store, now_ms())
        bell = self._bells.setdefault(store, asyncio.Event())
        self._listening[store] += 1
        try:
            if await self._has_news(store, have, orders):
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(NEWS_MS / 1000):
                    await self._rung(store, have, orders, bell)
                    return True
            return False
        finally:
            self._listening[store] -= 1
            if not self._listening[store]:
                del self._listening[store]

    async def _has_news(self, store: str, have: int, orders: bytes | None) -> bool:
        if orders is not None and self.opened.models.has_news(store, orders):
            return True
        return await self.write(lambda: self._written(store)) > have

    async def _rung(self, store: str, have: int, orders: bytes | None, bell: asyncio.Event) -> None:
        """Wait for the bell. What another process has written rings none here: it is looked for."""
        while True:
            pause_s = max(LISTEN_S, len(self._bells) / LOOKS_PER_S_MAX) if self.opened.shared else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), pause_s)
                return
            if await self._has_news(store, have, orders):
                return

    def _written(self, store: str) -> int:
        heads = self.opened.service.held(store).heads
        return sum(head.seq for actor, head in heads.items() if is_office(actor))

    def _change(self, store: str, wanted: Sequence[Change], make: Make) -> int:
        with self.opened.office.alone(f"write for {store}"):
            return self._changed(store, wanted, make)

    def _changed(self, store: str, wanted: Sequence[Change], make: Make) -> int:
        service = self.opened.service
        if self.opened.shared:
            service.follow(actor_of(self.opened.office))
            service.look_after()
        service.catch_up()
        held = service.held(store)
        service.clock.observe(held.clock, now_ms())
        events = change_records(store, held, service.clock, wanted, make, now_ms())
        service.store(Entry(store, held.term, service.actor, now_ms(), events, generation=held.generation))
        if not all(service.has(store, event) for event in events):
            raise Outrun(f"another service wrote for {store} at the same moment", hint="Do it once more.")
        return events[-1].seq if events else 0

    async def ask(self, question: Callable[[Office], T]) -> T:
        """Ask or tell what says who may do what; on a connection of its own, so that nobody waits for uploads."""
        if self._asking_now >= ASKING_MAX:
            raise Busy(f"{ASKING_MAX} questions wait already", retry_after_ms=BUSY_MS, hint="Try again in a moment.")
        self._asking_now += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._asking, question, self._asked)
        except Away as trouble:
            self.trouble = self.trouble or trouble
            raise
        finally:
            self._asking_now -= 1

    async def upkeep(self) -> Upkeep:
        """Look at certificates and back-ups."""
        since = await self.ask(lambda office: office.in_force_since(GATEWAY))
        return upkeep.look(self.opened.data_dir, self.opened.authority, since)

    async def write(self, work: Callable[[], T]) -> T:
        """Run work on the writer's thread, unless too much waits for it already."""
        if self._waiting >= self._waiting_max:
            raise Busy(
                f"{self._waiting} batches wait already; the limit is {self._waiting_max}",
                retry_after_ms=BUSY_MS,
                hint="Try again in a moment.",
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writing, work)
        finally:
            self._waiting -= 1

    async def watch(self) -> None:
        """Look again and again whether log and master database are there and agree; what is missing is caught up."""
        while True:
            await asyncio.sleep(WATCH_S)
            with contextlib.suppress(Busy):
                await self.look_after()

    async def watch_models(self) -> None:
        """Write orders anew before they are over, and see what another process has changed."""
        while True:
            try:
                await self.with_models(lambda models: models.renew(now_ms()))
            except TillmeshError as trouble:
                log.warning("the registry of models can't be read: %s", trouble.detail)
            await asyncio.sleep(MODELS_S if self.opened.shared else RENEW_S)

    async def look_after(self) -> None:
        """Look once."""
        before = self.trouble
        try:
            applied = await self.write(self.opened.service.look_after)
        except Busy:
            raise
        except TillmeshError as trouble:
            self.trouble = trouble
            if before is None or before.kind != trouble.kind:
                log.warning("nothing can be stored: %s", trouble.detail)
            return
        self.trouble = None
        self._grown.set()  # whatever another service took in
        if before is not None:
            log.warning("everything can be stored again; %d entries were caught up", applied)

    async def feed_analytics(self) -> None:
        """Let analytics take in what is new, again and again; a report is a few seconds behind at most."""
        log_of_its_own, analytics = self.opened.feed(), self.opened.analytics
        assert analytics is not None, "a further sync service feeds nothing"
        try:
            while True:
                self._grown.clear()
                try:
                    await self._analyse(lambda: feed(log_of_its_own, analytics))
                except TillmeshError as cause:
                    log.warning("analytics is behind: %s", cause.detail)
                await asyncio.sleep(FEED_S)
                await self._grown.wait()
        finally:
            self._feeding.shutdown(wait=True)
            log_of_its_own.close()

    async def _analyse(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._feeding, work)

    async def stretch(self, store: str, after: Position) -> Stretch:
        """Read on in the log of one store, on a thread and a connection of its own: uploads go on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._fetching, self._stretch, store, after)

    def _stretch(self, store: str, after: Position) -> Stretch:
        if self._fetched is None:
            self._fetched = self.opened.feed()
        return self._fetched.of_store(store, after)

    async def with_models(self, work: Callable[[Models], T]) -> T:
        """Read or change the registry of models, beside the writer; stores that get other orders hear of it."""
        models = self.opened.models
        before = models.picture.rollouts
        found = await asyncio.get_running_loop().run_in_executor(self._modelling, work, models)
        after = models.picture.rollouts
        if before is not after:
            self._ring([affected(before.get(name, NOTHING), after[name]) for name in after])
        return found

    def _ring(self, stores: Sequence[frozenset[str] | None]) -> None:
        everybody = any(one is None for one in stores)
        for store in list(self._bells) if everybody else frozenset[str]().union(*(one or () for one in stores)):
            if (bell := self._bells.pop(store, None)) is not None:
                bell.set()

    async def report(self, question: Callable[[Analytics], T]) -> T:
        """Answer a question over all stores."""
        assert self.opened.analytics is not None, "a further sync service answers no questions"
        return await asyncio.get_running_loop().run_in_executor(self._reading, question, self.opened.analytics)

    async def read(self, question: Callable[[Reading], T]) -> T:
        """Answer a question beside the writer."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, question)

    def _read(self, question: Callable[[Reading], T]) -> T:
        reading = self._readers.get()
        try:
            return question(reading)
        finally:
            self._readers.put(reading)

    def close(self) -> None:
        """Finish what is queued, then close every file."""
        self._writing.shutdown(wait=True)
        self._reading.shutdown(wait=True)
        self._modelling.shutdown(wait=True)
        self.pictures.close()
        self._asking.shutdown(wait=True)
        self._asked.close()
        self._fetching.shutdown(wait=True)
        if self._fetched is not None:
            self._fetched.close()
        while not self._readers.empty():
            self._readers.get().close()
        self.opened.close()
