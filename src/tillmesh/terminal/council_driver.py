"""The driver of the store's agreement: ticks and frames in, disk and links out. The council decides, nothing here does.

The node lives on the event loop, its disk on the writer's thread. Heartbeats never wait for that thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable, Iterable
from typing import Any, Final, assert_never

import apsw

from tillmesh.adapters.sqlite.raft_storage import Cut, SqliteRaftStorage, promise
from tillmesh.kernel.errors import StorageFailed, TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.raft import Config, ConfState, HardState, RawNode, Ready, Role
from tillmesh.shop.events import Change, counted
from tillmesh.sync.channels import Channel
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.errands import Errands
from tillmesh.terminal.mesh import SYSTEM, Mesh
from tillmesh.terminal.silence import Silence
from tillmesh.till.agreement import Belonging, CutDecided, Decision, RightsGranted, SettingsDecided
from tillmesh.till.commands import ChangeRecords, Note, Who
from tillmesh.till.council import PROPOSALS_WAITING_MAX, TICK_MS, Council, beginning
from tillmesh.till.council_steps import Compact, CouncilStep, Led, NoQuorum, Persist, Publish, Refused, SendTo, Settled

log = logging.getLogger(__name__)
ENTRIES_BESIDE_SNAPSHOT: Final = 200
DECIDE_S: Final = 4.0  # well above a failover
ASK_AGAIN_S: Final = 0.25
SEEN_S: Final = 2.0
DISK_AGAIN_S: Final = 1.0
HOUSEKEEPING_TICKS: Final = 100
MEMBERS_TICKS: Final = 10
CUT_TICKS: Final = 600  # Guess: nobody prunes more often than every half minute.
HAND_OVER_S: Final = 0.6

NO_ANSWER: Final = NoQuorum(
    "no majority of the store's tills took this in, so its shared settings did not change for now",
    hint="Selling goes on. Bring the other tills back; if they are lost for good, your technician can "
    "let this one decide alone.",
)


class CouncilDriver:
    """Runs the council of one till over the mesh."""

    def __init__(
        self,
        driver: Driver,
        mesh: Mesh,
        council: Council,
        storage: SqliteRaftStorage,
        known: Callable[[], Belonging],
    ) -> None:
        self.council = council
        self._driver, self._mesh, self._storage, self._known = driver, mesh, storage, known
        self.silence = Silence(driver, mesh, known)
        self._errands = Errands("the store's agreement")
        self._waiting: dict[str, asyncio.Future[int]] = {}
        self._listeners: list[Callable[[Led], None]] = []
        self.on_settled: Callable[[], None] = lambda: None  # told after each decision that was taken
        self._handing: asyncio.Event | None = None  # set when another till has taken over
        self._new_leader = asyncio.Event()
        self._publishing: asyncio.Queue[Publish] = asyncio.Queue()
        self._looking_after = False
        self._alarmed = False  # about an authority that nobody gave
        self.led = Led(None, council.status().role, council.status().term)
        self.elections = 0  # how often the leader changed since the start
        mesh.on(Channel.RAFT, self._received)
        mesh.watch(self._link_changed)

    @classmethod
    async def over(cls, driver: Driver, mesh: Mesh, known: Callable[[], Belonging], *, founder: bool) -> CouncilDriver:
        """Begin with what is on disk; a founder that has nothing yet is the first voter.

        ``known`` says who belongs to the store, as far as this till has heard.
        """
        me = driver.identity.actor

        def load(db: apsw.Connection) -> SqliteRaftStorage:
            storage = SqliteRaftStorage(db, ConfState())
            if founder and storage.last_index() == 0 and storage.initial_state()[0] == HardState():
                hard, snapshot = beginning(me)
                storage.save(Ready(None, hard, (), snapshot, (), (), must_sync=True))
            # What was applied after the snapshot is applied again: it is small, and taking it twice changes nothing.
            storage.set_applied(storage.snapshot().index, storage.snapshot().conf_state)
            return storage

        storage = await driver.on_writer(load)
        node = RawNode(Config(id=me, rng=random.Random(), applied=storage.applied), storage)  # noqa: S311 - timeouts
        return cls(driver, mesh, Council(me, node, storage.snapshot()), storage, known)

    def listen(self, listener: Callable[[Led], None]) -> None:
        """Call the listener whenever who leads, or what this till is, has changed."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to tick; the only voter of its store leads at once."""
        self._errands.run(self._ticking())
        self._errands.run(self._publishing_in_order())
        status = self.council.status()
        if status.voters == (self.council.me,):
            self._perform(self.council.campaign())

    async def stop(self) -> None:
        """Let another till lead, if there is one, then stop."""
        self._perform(self.council.hand_over())
        if self.council.status().transferee is not None:
            self._handing = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HAND_OVER_S):
                    await self._handing.wait()
        await self._errands.stop()

    async def decide_settings(self, changes: tuple[Change, ...], who: Who) -> None:
        """Have the store decide on settings, and wait until they hold here; raises NoQuorum, with nothing decided yet.

        A decision that was asked for and not heard of may still be taken: asking again with other words is safe.
        """
        if len(self._waiting) >= PROPOSALS_WAITING_MAX:
            raise NoQuorum(f"{len(self._waiting)} changes wait for the store already", hint="Try again in a moment.")
        decision = SettingsDecided(op_id=secrets.token_hex(12), by=who.user_id, changes=changes)
        index = await self._decided(decision)
        await self._seen(index)

    def granted(self, sku: str) -> RightsGranted | None:
        """Give the last grant of a product's rights that the store agreed on, as far as is known here."""
        return self.council.agreed.grants.get(sku)

    def grants_of(self, actor: str) -> list[RightsGranted]:
        """List the last grants of all products that were an actor's."""
        return [each for each in self.council.agreed.grants.values() if each.actor == actor]

    async def grant(self, wanted: RightsGranted) -> bool:
        """Have the store agree that rights are given out, and say whether it counts; raises NoQuorum."""
        await self._decided(wanted)
        return self.granted(wanted.sku) == wanted

    async def _decided(self, decision: Decision) -> int:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[int] = loop.create_future()
        self._waiting[decision.op_id] = answer
        end, refusal = loop.time() + DECIDE_S, NO_ANSWER
        try:
            while loop.time() < end:
                try:
                    self._perform(self.council.propose(decision))
                except NoQuorum as cause:
                    refusal = cause
                if await self._answered(answer):
                    return answer.result()
            raise refusal
        finally:
            del self._waiting[decision.op_id]

    async def _answered(self, answer: asyncio.Future[int]) -> bool:
        """Wait for an answer, but not past the moment when somebody else leads, who has not been asked yet."""
        self._new_leader.clear()
        news = asyncio.ensure_future(self._new_leader.wait())
        both: set[asyncio.Future[Any]] = {answer, news}
        await asyncio.wait(both, timeout=ASK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        return answer.done()

    async def offer_cut(self) -> None:
        """As the leader, agree on how far all logs are on the disks of all but silent members; archives rest on it."""
        if not self.council.leads:
            return
        try:
            await self.silence.look()
        except TillmeshError as cause:
            log.warning("it can't be read who has been silent for long: %s", cause.detail)
        cut = self._mesh.exchange.stable(self.silence.counted()) or {}
        if grown := self.council.agreed.grown(cut):
            self.offer(CutDecided(op_id=secrets.token_hex(12), vector=grown))

    def offer(self, decision: Decision) -> None:
        """As the leader, propose something that nobody waits for; the next round offers what comes of it anew."""
        if self.council.leads:
            with contextlib.suppress(TillmeshError):
                self._perform(self.council.propose(decision))

    async def _seen(self, index: int) -> None:
        """Wait until the decision is an event here, so that whoever asked reads what was decided."""
        end = asyncio.get_running_loop().time() + SEEN_S
        while await self._published() < index:
            if asyncio.get_running_loop().time() >= end:
                return
            await asyncio.sleep(0.02)

    async def _published(self) -> int:
        return await self._driver.look(lambda books: books.settings_authority())

    # What comes in ----------------------------------------------------------------------------------------------

    async def _ticking(self) -> None:
        ticks = 0
        while True:
            if ticks % MEMBERS_TICKS == 0:
                self.council.belong(self._known())
            await asyncio.sleep(TICK_MS / 1000)
            self._perform(self.council.tick())
            ticks += 1
            if ticks % HOUSEKEEPING_TICKS == 0 and not self._looking_after:
                self._errands.run(self._look_after_log())
            if ticks % CUT_TICKS == 0:
                self._errands.run(self.offer_cut())

    async def _look_after_log(self) -> None:
        """Let go of what is published; beside the ticks, since a heartbeat must not wait for a disk that reads."""
        self._looking_after = True
        try:
            self._perform(self.council.published(await self._published()))
        except TillmeshError as cause:
            log.warning("it can't be read how far the store's decisions are published: %s", cause.detail)
        finally:
            self._looking_after = False

    def _received(self, actor: str, body: bytes) -> None:
        self._perform(self.council.received(actor, body))

    def _link_changed(self, actor: str) -> None:
        if terminal_of(actor) not in self._mesh.linked():
            self._perform(self.council.unlinked(actor))

    # What goes out ----------------------------------------------------------------------------------------------

    def _perform(self, steps: Iterable[CouncilStep]) -> None:
        """Do what the council asks for; nothing here waits."""
        for step in steps:
            match step:
                case Persist(ready):
                    self._errands.run(self._persist(ready))
                case SendTo(actor, body):
                    self._mesh.tell(terminal_of(actor), Channel.RAFT, body)
                case Publish():
                    self._publishing.put_nowait(step)
                case Settled(op_id, index):
                    answer = self._waiting.get(op_id)
                    if answer is not None and not answer.done():
                        answer.set_result(index)
                    self.on_settled()
                case Refused(op_id, detail):
                    log.info("the leader refused %s: %s", op_id, detail)
                case Led():
                    self._lead(step)
                case Compact():
                    self._errands.run(self._compact(step))
                case _:
                    assert_never(step)

    def view(self) -> dict[str, Any]:
        """Show who leads, by terminal ids."""
        status = self.council.status()
        return {
            "state": str(status.role),
            "term": status.term,
            "leader_id": None if status.leader is None else terminal_of(str(status.leader)),
            "voters": sorted(terminal_of(str(node)) for node in status.voters),
            "learners": sorted(terminal_of(str(node)) for node in status.learners),
            "commit_index": status.commit,
            "has_quorum": status.has_quorum,
            "stable": sum(self.council.agreed.cut.values()),
        }

    def leads_term(self) -> int | None:
        """Give the term in which this till leads with a majority behind it, or None."""
        return self.led.term if self.council.leads else None

    def _lead(self, led: Led) -> None:
        if led.leader is not None and led.leader != self.led.leader:
            self.elections += 1
            log.info("%s leads in term %d", led.leader, led.term)
        self.led = led
        if led.leader is not None:
            self._new_leader.set()
        if self._handing is not None and led.role is not Role.LEADER:
            self._handing.set()
        self._mesh.lead(None if led.leader is None else terminal_of(led.leader))
        for listener in self._listeners:
            listener(led)

    async def _persist(self, ready: Ready) -> None:
        """Write a Ready, however long the disk refuses: until then this till promises nothing to anybody."""
        while True:
            try:
                await self._driver.on_writer(lambda db: self._write(db, ready))
                break
            except TillmeshError as cause:
                log.warning("the store's agreement can't be written: %s", cause.detail)
                await asyncio.sleep(DISK_AGAIN_S)
        self._storage.note(ready)
        self._perform(self.council.stored(ready))

    def _write(self, db: apsw.Connection, ready: Ready) -> None:
        self._storage.bind(db)
        self._storage.write(ready)
        self._driver.promised(promise(db, self.council.me))

    def _write_cut(self, db: apsw.Connection, cut: Cut) -> None:
        self._storage.bind(db)
        self._storage.write_cut(cut)

    async def _compact(self, step: Compact) -> None:
        cut = self._storage.begin_cut(step.index, step.conf, step.data, ENTRIES_BESIDE_SNAPSHOT)
        try:
            await self._driver.on_writer(lambda db: self._write_cut(db, cut))
        except TillmeshError as cause:
            log.warning("the store's agreement can't be shortened now: %s", cause.detail)
            return
        self._storage.end_cut(cut)

    async def _publishing_in_order(self) -> None:
        """As the leader, make decisions events; one whose authority is known here was published before."""
        while True:
            step = await self._publishing.get()
            while not await self._publish(step):  # noqa: ASYNC110 - what is waited for is a disk
                await asyncio.sleep(DISK_AGAIN_S)

    async def _publish(self, step: Publish) -> bool:
        """Make a decision an event; False when the disk refuses: it has to be tried again, before any later one."""
        try:
            known, authority = await self._published(), step.index
            if known >= step.index:
                if not await self._is_made_up(known):
                    return True
                authority = counted(known + 1)
            who = Who(user_id=step.decision.by, role="manager")
            change = ChangeRecords(entity="setting", changes=step.decision.changes, authority=authority)
            await self._driver.do(who, change)
        except NoQuorum:
            return not self.council.leads  # whoever leads then does it
        except TillmeshError as cause:
            log.warning("decision %d can't take effect now: %s", step.index, cause.detail)
            return not isinstance(cause, StorageFailed)
        return True

    async def _is_made_up(self, authority: int) -> bool:
        """Say whether the store never decided anything with this authority: then it must not silence what is decided.

        This log may just be shorter than another leader's. So something more is decided: whatever was decided when the
        authority had been seen lies before it.
        """
        if authority <= self.council.applied or not self.council.leads:
            return False
        if authority <= await self._decided(CutDecided(op_id=secrets.token_hex(12), vector={})):
            return False
        if not self._alarmed:
            self._alarmed = True
            detail = f"settings came with authority {authority}, which this store has never given: a till made it up"
            log.error(detail)
            await self._driver.do(SYSTEM, Note(action="authority_made_up", subject="store", detail=detail))
        return True
