"""A simulated till's seat in the store's agreement: the real council, performed as the terminal performs it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from random import Random
from typing import Final, Protocol, assert_never

import apsw

from tillmesh.adapters.sqlite.raft_storage import Cut, SqliteRaftStorage, promise
from tillmesh.kernel.errors import StorageFailed, TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.raft import Config, ConfState, HardState, RawNode, Ready, Role
from tillmesh.shop.events import Change
from tillmesh.till.agreement import Belonging, CutDecided, Promise, SettingsDecided
from tillmesh.till.commands import ChangeRecords, Who
from tillmesh.till.council import TICK_MS, Council, beginning
from tillmesh.till.council_steps import Compact, CouncilStep, Led, NoQuorum, Persist, Publish, Refused, SendTo, Settled

ENTRIES_BESIDE_SNAPSHOT: Final = 200
ASK_AGAIN_MS: Final = 250
DECIDE_MS: Final = 4_000
DISK_AGAIN_MS: Final = 1_000
HOUSEKEEPING_TICKS: Final = 100
MEMBERS_TICKS: Final = 10
CUT_TICKS: Final = 40  # far more often than a real till: a world is short


class Place(Protocol):
    """What a seat needs of its till."""

    def later(self, delay_ms: int, work: Callable[[], None]) -> None:
        """Plan work for as long as the program runs."""

    def write(self, work: Callable[[apsw.Connection], None], done: Callable[[TillmeshError | None], None]) -> None:
        """Write on the writer's thread, and tell how it went; nothing when the program ended meanwhile."""

    def promised(self, promise: Promise) -> None:
        """Note a promise beside the database that holds it."""

    def tell(self, actor: str, body: bytes) -> None:
        """Say something to the council of a peer, if it is linked."""

    def lead(self, leader: str | None) -> None:
        """Let the exchange follow who leads."""

    def publish(self, who: Who, command: ChangeRecords, done: Callable[[TillmeshError | None], None]) -> None:
        """Make a decision an event."""

    def authority(self) -> int:
        """Give the newest decision that is an event here."""
        ...

    def roster(self) -> Belonging:
        """Say who belongs to the store, as far as this till has heard."""
        ...

    def counted(self) -> frozenset[str]:
        """Name the terminals of the store without those that have been silent for too long."""
        ...

    def stable(self, members: frozenset[str]) -> Mapping[str, int] | None:
        """Give how far every log is on the disk of each of these, as far as this till was told."""
        ...


class Watch(Protocol):
    """The judge, as it looks over the shoulder of every seat."""

    def persisted(self, actor: str, hard: HardState) -> None:
        """Term and vote of an actor are durable."""

    def loaded(self, actor: str, hard: HardState) -> None:
        """An actor starts with this term and vote from its disk."""

    def leads(self, actor: str, term: int) -> None:
        """An actor leads in a term."""

    def settled(self, actor: str, op_id: str, index: int) -> None:
        """An actor applied a decision."""

    def offered(self, members: frozenset[str], cut: Mapping[str, int]) -> None:
        """A leader says that all these terminals hold all logs so far."""


class Seat:
    """Runs the council of one till for one run of its program."""

    def __init__(self, db: apsw.Connection, actor: str, place: Place, watch: Watch, draw: Random) -> None:
        self._place, self._watch, self._draw = place, watch, draw
        self._storage = SqliteRaftStorage(db, ConfState())
        self._actor = actor
        self._waiting: dict[str, Callable[[], None]] = {}
        self._publishing: deque[Publish] = deque()
        self._busy = False
        self._ticks = 0
        self.led = Led(None, Role.FOLLOWER, 0)

    def begin(self, *, founder: bool) -> None:
        """Begin with what is on disk; a founder that has nothing yet is the first voter."""
        storage = self._storage
        if founder and storage.last_index() == 0 and storage.initial_state()[0] == HardState():
            hard, snapshot = beginning(self._actor)
            storage.save(Ready(None, hard, (), snapshot, (), (), must_sync=True))
        storage.set_applied(storage.snapshot().index, storage.snapshot().conf_state)
        self._watch.loaded(self._actor, storage.initial_state()[0])
        node = RawNode(Config(id=self._actor, rng=self._draw, applied=storage.applied), storage)
        self.council = Council(self._actor, node, storage.snapshot())

    def start(self) -> None:
        """Begin to tick; the only voter of its store leads at once."""
        self._place.later(self._draw.randrange(1, TICK_MS), self._tick)
        if self.council.status().voters == (self._actor,):
            self.perform(self.council.campaign())

    def _tick(self) -> None:
        self._place.later(TICK_MS, self._tick)
        if self._ticks % MEMBERS_TICKS == 0:
            self.council.belong(self._place.roster())
        self.perform(self.council.tick())
        self._ticks += 1
        if self._ticks % HOUSEKEEPING_TICKS == 0:
            self.perform(self.council.published(self._place.authority()))
        if self._ticks % CUT_TICKS == 0 and self.council.leads:
            self._offer_cut()

    def _offer_cut(self) -> None:
        """As the leader, agree on how far all logs are on the disks of all but silent members."""
        members = self._place.counted()
        cut = self._place.stable(members)
        if cut and (grown := self.council.agreed.grown(cut)):
            self._watch.offered(members, cut)
            with suppress(NoQuorum):  # the next round offers a later one
                op_id = f"cut {self._actor} {self._ticks}"
                self.perform(self.council.propose(CutDecided(op_id=op_id, vector=grown)))

    def received(self, actor: str, body: bytes) -> None:
        """Take in what a peer's council said; an error it raises ends the link."""
        self.perform(self.council.received(actor, body))

    def unlinked(self, actor: str) -> None:
        """No link to a peer is left."""
        self.perform(self.council.unlinked(actor))

    def decide(self, op_id: str, changes: tuple[Change, ...], who: Who, told: Callable[[bool], None]) -> None:
        """Have the store decide on settings; tells whether that was heard of in time."""
        decision, tries = SettingsDecided(op_id=op_id, by=who.user_id, changes=changes), DECIDE_MS // ASK_AGAIN_MS

        def done(*, taken: bool) -> None:
            if self._waiting.pop(op_id, None) is not None:
                told(taken)

        def ask(left: int) -> None:
            if op_id not in self._waiting:
                return
            if not left:
                done(taken=False)
                return
            self._place.later(ASK_AGAIN_MS, lambda: ask(left - 1))
            try:
                self.perform(self.council.propose(decision))
            except NoQuorum:
                return

        self._waiting[op_id] = lambda: done(taken=True)
        ask(tries)

    def given_up(self) -> None:
        """The program ends: who waits for a decision is never answered."""
        self._waiting.clear()

    def perform(self, steps: Iterable[CouncilStep]) -> None:
        """Do what the council asks for."""
        for step in steps:
            match step:
                case Persist(ready):
                    self._persist(ready)
                case SendTo(actor, body):
                    self._place.tell(actor, body)
                case Publish():
                    self._publishing.append(step)
                    self._publish_next()
                case Settled(op_id, index):
                    self._watch.settled(self._actor, op_id, index)
                    if op_id in self._waiting:
                        self._waiting[op_id]()
                case Refused():
                    pass  # whoever waits asks again
                case Led():
                    self._lead(step)
                case Compact():
                    self._compact(step)
                case _:
                    assert_never(step)

    def _lead(self, led: Led) -> None:
        self.led = led
        if led.role is Role.LEADER:
            self._watch.leads(self._actor, led.term)
        self._place.lead(None if led.leader is None else terminal_of(led.leader))

    def _persist(self, ready: Ready) -> None:
        """Write a Ready, however long the disk refuses: until then this till promises nothing to anybody."""

        def write(db: apsw.Connection) -> None:
            self._storage.bind(db)
            self._storage.write(ready)
            self._place.promised(promise(db, self._actor))

        def done(error: TillmeshError | None) -> None:
            if error is not None:
                self._place.later(DISK_AGAIN_MS, lambda: self._persist(ready))
                return
            if ready.hard_state is not None:
                self._watch.persisted(self._actor, ready.hard_state)
            self._storage.note(ready)
            self.perform(self.council.stored(ready))

        self._place.write(write, done)

    def _compact(self, step: Compact) -> None:
        cut: Cut = self._storage.begin_cut(step.index, step.conf, step.data, ENTRIES_BESIDE_SNAPSHOT)

        def write(db: apsw.Connection) -> None:
            self._storage.bind(db)
            self._storage.write_cut(cut)

        self._place.write(write, lambda error: self._storage.end_cut(cut) if error is None else None)

    def _publish_next(self) -> None:
        """As the leader, make decisions events, one after the other; one that is known here was published before."""
        if self._busy or not self._publishing:
            return
        step = self._publishing.popleft()
        if self._place.authority() >= step.index:
            self._publish_next()
            return
        self._busy = True

        def done(error: TillmeshError | None) -> None:
            self._busy = False
            if isinstance(error, StorageFailed):  # again, before any later one
                self._publishing.appendleft(step)
                self._place.later(DISK_AGAIN_MS, self._publish_next)
            else:
                self._publish_next()

        who = Who(user_id=step.decision.by, role="manager")
        change = ChangeRecords(entity="setting", changes=step.decision.changes, authority=step.index)
        self._place.publish(who, change, done)
