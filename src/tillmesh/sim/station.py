"""One simulated till: the real node, database and exchange, driven as the terminal's mesh and driver drive them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar, assert_never

import apsw
import msgspec

from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import DiskBroken, DiskFull
from tillmesh.adapters.sqlite.identity import agree, till_of
from tillmesh.adapters.sqlite.store import Reader, Writer
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Damaged, TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.sim.clock import Clock, Timeline
from tillmesh.sim.disk import PowerCut
from tillmesh.sim.machine import KEY, Machine
from tillmesh.sim.network import Connection, Network
from tillmesh.sim.seat import Seat, Watch
from tillmesh.sim.shop import STORE
from tillmesh.sim.signing import SimSignatures, public_key
from tillmesh.sim.verdicts import require
from tillmesh.sync import Acked, Apply, Closed, Fence, Load, Send, Side, WakeAt, read_frame, write_frame
from tillmesh.sync.channels import Channel, unwrap, wrap
from tillmesh.sync.signatures import KeyNotary
from tillmesh.till.agreement import Belonging, Promise
from tillmesh.till.commands import ChangeRecords, Command, Note, Who
from tillmesh.till.effects import Outcome
from tillmesh.till.exchange import Ask, Exchange
from tillmesh.till.node import Till

SYSTEM: Final = Who(user_id="system", role="manager")
TICK_MS: Final = 500
ACKS_MS: Final = 5_000
BUSY_MS: Final = 2_000
RESERVE_BYTES: Final = 1 << 18
T = TypeVar("T")
Told = Callable[[T | TillmeshError | None], None]  # None: the till died before it could say


@dataclass(slots=True)
class Job:
    """Something for the one thread that writes."""

    work: Callable[[], Any]
    done: Told[Any]


class Station:
    """A till's place in the shop: its machine stays, its program comes and goes."""

    def __init__(self, number: int, timeline: Timeline, network: Network, machine: Machine, draw: Random) -> None:
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
        self.is_doubled = False
        self.fenced: dict[str, str] = {}
        self._timeline = timeline
        self._network = network
        self._draw = draw
        self._jobs: deque[Job] = deque()
        self._busy = False
        self._doubtful = False
        self._batches = 0
        self._reserve = True
        self._links: dict[tuple[str, int], Connection] = {}
        self._names: dict[int, tuple[str, int]] = {}  # serial of a connection -> peer and number of the link
        self._unsaved: dict[str, dict[str, int]] = {}
        self.seat: Seat | None = None
        self.watch: Watch | None = None  # with one, the till takes part in the store's agreement
        self.known = Belonging()  # who belongs to the store, as far as this till has heard
        self.at: Callable[[int], Station] = lambda _: self  # the till with this number
        network.add(self)

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
        if self.seat is not None:
            self.seat.start()
        self.later(self._draw.randrange(TICK_MS), self._tick)
        self.later(ACKS_MS, self._save_acks)
        return True

    def _open(self) -> None:
        db = self.machine.open()
        try:
            self.origin, doubt = agree(db, self.machine.anchor, STORE, self._draw.randbytes)
            self.writer = Writer(db, self.origin)
            self.till: Till = till_of(self.writer, self.origin, self.clock.wall_ms())
            if doubt:
                self._timeline.note(f"till {self.number} doubts: {doubt}")
                note = Note(action="new_incarnation", subject=self.origin.actor, detail=doubt)
                self.writer.execute(self.till, SYSTEM, note, self.clock.wall_ms())
            heads, acks = replica.heads(db), replica.acks(db)
            self._take_seat(db)
            self.reader = Reader(self.machine.path, KEY, self.origin, vfs=self.machine.vfs)
        except BaseException:
            self.machine.stop(db)
            raise
        self.machine.anchor.remember(self.till.head)
        if self.origin.actor not in self.incarnations:
            self.incarnations.append(self.origin.actor)
        self.signatures = SimSignatures(self.incarnations)
        self.held = {}
        self._holds(heads)
        me = Side(self.origin.store, self.origin.actor)
        self.exchange = Exchange(me, self.origin.terminal, heads, notary=KeyNotary(STORE, self._key_of))
        self.exchange.recall(acks)
        self._doubtful, self._reserve = False, not self.machine.disk.is_full

    def _take_seat(self, db: apsw.Connection) -> None:
        if self.watch is None:
            return
        self._belongs(self.known)
        self.seat = Seat(db, self.origin.actor, self, self.watch, self._draw)
        self.seat.begin(founder=self.number == 0 and self.incarnations in ([], [self.origin.actor]))

    def _key_of(self, actor: str) -> bytes | None:
        """Give the public key of an actor that somebody has introduced."""
        return public_key(actor) if actor in self.known.members or actor in self.known.revoked else None

    def _belongs(self, heard: Belonging) -> None:
        """Take over what a peer knows of who belongs to the store, and what this till knows of itself."""
        revoked = heard.revoked | self.known.revoked | frozenset(self.incarnations) - {self.origin.actor}
        members = (heard.members | self.known.members | {self.origin.actor}) - revoked
        if self.known != (members, revoked):
            self.known = Belonging(members, revoked)
            for connection in list(self._links.values()):
                self._introduce(connection)

    def _introduce(self, connection: Connection) -> None:
        """Tell a peer who belongs to the store."""
        lists = msgspec.json.encode((sorted(self.known.members), sorted(self.known.revoked)))
        self._network.send(connection, self.number, wrap(Channel.STORE, lists))

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
        if self.seat is not None:
            self.seat.given_up()
            self.seat = None
        self._links.clear()
        self._names.clear()
        self._unsaved.clear()
        self._network.gone(self.number, silently=silently)
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

    def do(self, who: Who, command: Command, told: Told[Outcome]) -> None:
        """Decide a command when the writer gets to it, and tell once it is durable."""
        assert self.running

        def work() -> Outcome:
            outcome = self.writer.execute(self.till, who, command, self.clock.wall_ms())
            if outcome.events:
                self.machine.anchor.remember(outcome.head)
            return outcome

        def done(result: Outcome | TillmeshError | None) -> None:
            if isinstance(result, Outcome) and result.events:
                self._holds({result.head.actor: result.head})
                self._timeline.note(f"till {self.number} has {[event.id for event in result.events]}")
                if self.running:
                    self.perform(self.exchange.appended(result.head))
            told(result)

        self._write(work, done)

    def _holds(self, heads: Mapping[str, Head]) -> None:
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

        self._write(run, told)

    def _write(self, work: Callable[[], T], done: Told[T]) -> None:
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

    # The exchange, as in the terminal's mesh ----------------------------------------------------------------------

    def linked(self, connection: Connection) -> None:
        """A connection is up: begin a session on it."""
        other = self.at(connection.other(self.number))
        peer = other.origin.terminal
        number, asks = self.exchange.linked(peer, self.clock.steady_ms())
        for old in [key for key in self._links if key[0] == peer]:
            del self._links[old]  # the new link takes its place
        self._links[peer, number] = connection
        self._names[connection.serial] = other.origin.actor, number
        self._introduce(connection)
        self.perform(asks)

    def received(self, connection: Connection, frame: bytes) -> None:
        """A frame came in; one that is no message ends the link."""
        actor, number = self._names.get(connection.serial, ("", 0))
        if (terminal_of(actor), number) not in self._links:
            return
        try:
            self._take(actor, number, frame)
        except TillmeshError as cause:
            self._timeline.note(f"till {self.number} hangs up on {actor}: {cause.detail}")
            self._network.close(connection, self.number)

    def _take(self, actor: str, number: int, frame: bytes) -> None:
        channel, body = unwrap(frame)
        if channel is Channel.SYNC:
            now_ms = self.clock.steady_ms()
            self.perform(self.exchange.received(terminal_of(actor), number, read_frame(body), now_ms))
        elif channel is Channel.STORE:
            members, revoked = msgspec.json.decode(body, type=tuple[frozenset[str], frozenset[str]])
            self._belongs(Belonging(members, revoked))
        elif channel is Channel.RAFT and self.seat is not None:
            self.seat.received(actor, body)

    def unlinked(self, connection: Connection) -> None:
        """A connection is gone."""
        actor, number = self._names.pop(connection.serial, ("", 0))
        if actor:
            terminal = terminal_of(actor)
            self._links.pop((terminal, number), None)
            self.exchange.unlinked(terminal, number)
            if self.seat is not None and all(peer != terminal for peer, _ in self._links):
                self.seat.unlinked(actor)

    def tell(self, actor: str, body: bytes) -> None:
        """Say something to the council of a peer, if it is linked."""
        connection = next((one for (peer, _), one in self._links.items() if peer == terminal_of(actor)), None)
        if connection is not None:
            self._network.send(connection, self.number, wrap(Channel.RAFT, body))

    def lead(self, leader: str | None) -> None:
        """Let the exchange follow who leads."""
        self._timeline.note(f"till {self.number} hears that {leader} leads")
        self.perform(self.exchange.lead(leader))

    def publish(self, who: Who, command: ChangeRecords, done: Callable[[TillmeshError | None], None]) -> None:
        """Make a decision an event."""
        boot = self.boots

        def told(result: Outcome | TillmeshError | None) -> None:
            if self.running and self.boots == boot:
                done(result if isinstance(result, TillmeshError) else None)

        self.do(who, command, told)

    def authority(self) -> int:
        """Give the newest decision that is an event here."""
        return self.look(lambda books: books.settings_authority())

    def look(self, query: Callable[[Books], T]) -> T:
        """Read as pages do: beside the writer, whose connection may be gone after an error."""
        return self.reader.read(lambda _, books: query(books))

    def promised(self, promise: Promise) -> None:
        """Note a promise beside the database that holds it."""
        self.machine.anchor.promise(promise)

    def stable(self) -> Mapping[str, int] | None:
        """Give how far every log is on the disk of every member, as far as this till was told."""
        return self.exchange.stable(terminal_of(actor) for actor in self.known.members)

    def roster(self) -> Belonging:
        """Say who belongs to the store, as far as this till has heard."""
        return self.known

    def perform(self, asks: Sequence[Ask]) -> None:
        """Do what the sessions ask for."""
        for ask in asks:
            match ask.step:
                case Send(message):
                    self._send(ask, write_frame(message))
                case Load():
                    self._load(ask, ask.step)
                case Apply():
                    self._apply(ask, ask.step)
                case Acked(durable):
                    self._unsaved.setdefault(ask.peer, {}).update(durable)
                case Fence(actor, detail):
                    self._timeline.note(f"till {self.number} fences {actor}: {detail}")
                    self.fenced[actor] = detail
                    self.do(SYSTEM, Note(action="actor_fenced", subject=actor, detail=detail), lambda _: None)
                case Closed(detail, forger):
                    require("forged", not forger, f"till {self.number} takes {ask.peer} for a forger: {detail}")
                    self._timeline.note(f"till {self.number}: the session with {ask.peer} is over: {detail}")
                    self._close(ask)
                case WakeAt():
                    pass  # the ticking looks often enough
                case _:
                    assert_never(ask.step)

    def _send(self, ask: Ask, frame: bytes) -> None:
        connection = self._links.get((ask.peer, ask.link))
        if connection is not None:
            self._network.send(connection, self.number, wrap(Channel.SYNC, frame))

    def _close(self, ask: Ask) -> None:
        connection = self._links.get((ask.peer, ask.link))
        if connection is not None:
            self._network.close(connection, self.number)

    def _load(self, ask: Ask, step: Load) -> None:
        def read() -> None:
            events, signatures = self.reader.read(
                lambda db, books: replica.load_signed(
                    db, books, step.spans, self.signatures, events_max=step.events_max, bytes_max=step.bytes_max
                )
            )
            self.perform(self.exchange.loaded(ask.peer, ask.link, events, self.clock.steady_ms(), signatures))

        self.later(self._draw.randrange(4), read)

    def _apply(self, ask: Ask, step: Apply) -> None:
        def done(result: dict[str, Head] | TillmeshError | None) -> None:
            if isinstance(result, Damaged):
                self._timeline.note(f"till {self.number} refuses events of {ask.peer}: {result.detail}")
                self._close(ask)
            elif isinstance(result, TillmeshError):
                now_ms = self.clock.steady_ms()
                self.perform(self.exchange.put_off(ask.peer, ask.link, step.batch, BUSY_MS, now_ms))
            elif result is not None:
                self._holds(result)
                now_ms = self.clock.steady_ms()
                self.perform(self.exchange.applied(ask.peer, ask.link, step.batch, result, now_ms))
                self._batches += 1
                if self._batches % replica.HEADS_BEFORE_THINNING == 0:
                    own = self.signatures.actors
                    self._write(lambda: replica.thin_signatures(self.writer.db, own), lambda _: None)

        def merge() -> dict[str, Head]:
            return replica.merge(self.writer, self.till, step.events, self.clock.wall_ms(), step.signed)

        self._write(merge, done)

    def _tick(self) -> None:
        self.later(TICK_MS, self._tick)
        self.perform(self.exchange.wake(self.clock.steady_ms()))

    def _save_acks(self) -> None:
        self.later(ACKS_MS, self._save_acks)
        self.machine.anchor.sync()
        acks, self._unsaved = self._unsaved, {}
        if acks:
            self._write(lambda: replica.acknowledge(self.writer, list(acks.items())), lambda _: None)
