"""One simulated till: the real node, database and exchange, driven as the terminal's mesh and driver drive them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final, assert_never

import apsw
import msgspec

from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.watching import silences_ms
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Damaged, TillmeshError
from tillmesh.kernel.ids import terminal_of
from tillmesh.sim.clock import Timeline
from tillmesh.sim.machine import Machine
from tillmesh.sim.network import Connection, Network
from tillmesh.sim.rig import SYSTEM, Rig, Told
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
from tillmesh.till.silence import counted

TICK_MS: Final = 500
ACKS_MS: Final = 5_000
BUSY_MS: Final = 2_000


class Station(Rig):
    """A till's place in the shop: what its program says to the other tills, and hears from them."""

    def __init__(self, number: int, timeline: Timeline, network: Network, machine: Machine, draw: Random) -> None:
        super().__init__(number, timeline, machine, draw)
        self._network = network
        self._batches = 0
        self._links: dict[tuple[str, int], Connection] = {}
        self._names: dict[int, tuple[str, int]] = {}  # serial of a connection -> peer and number of the link
        self._unsaved: dict[str, dict[str, int]] = {}
        self.seat: Seat | None = None
        self.watch: Watch | None = None  # with one, the till takes part in the store's agreement
        self.known = Belonging()  # who belongs to the store, as far as this till has heard
        self.at: Callable[[int], Station] = lambda _: self  # the till with this number
        network.add(self)

    # The program --------------------------------------------------------------------------------------------------

    def begin(self, db: apsw.Connection) -> None:
        """The database is open: take a seat among the others, and know what everybody holds."""
        heads = replica.heads(db)
        self.held = {}
        self.holds(heads)
        me = Side(self.origin.store, self.origin.actor)
        self.exchange = Exchange(me, self.origin.terminal, heads, notary=KeyNotary(STORE, self._key_of))
        self.exchange.recall(replica.acks(db))
        self.signatures = SimSignatures([*self.incarnations, self.origin.actor])
        self._take_seat(db)

    def started(self) -> None:
        """The program runs: look at the time now and then."""
        if self.seat is not None:
            self.seat.start()
        self.later(self._draw.randrange(TICK_MS), self._tick)
        self.later(ACKS_MS, self._save_acks)

    def ended(self, *, silently: bool) -> None:
        """The program is gone: the system hangs up for it, or nobody does."""
        if self.seat is not None:
            self.seat.given_up()
            self.seat = None
        self._links.clear()
        self._names.clear()
        self._unsaved.clear()
        self._network.gone(self.number, silently=silently)

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
                self.holds({result.head.actor: result.head})
                self._timeline.note(f"till {self.number} has {[event.id for event in result.events]}")
                if self.running:
                    self.perform(self.exchange.appended(result.head))
            told(result)

        self.queue(work, done)

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

    def hears(self, actor: str) -> bool:
        """Say whether a connection to a peer in its present life is up, as far as this till has noticed."""
        return any(name == actor for name, _ in self._names.values())

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

    def promised(self, promise: Promise) -> None:
        """Note a promise beside the database that holds it."""
        self.machine.anchor.promise(promise)

    def counted(self) -> frozenset[str]:
        """Name the terminals of the store without those that have been silent for too long."""
        members = frozenset(terminal_of(actor) for actor in self.known.members)
        lacked, now_ms = self.exchange.lacked(members), self.clock.wall_ms()
        return counted(members, self.reader.read(lambda db, _: silences_ms(db, lacked, now_ms)))

    def stable(self, members: frozenset[str]) -> Mapping[str, int] | None:
        """Give how far every log is on the disk of each of these, as far as this till was told."""
        return self.exchange.stable(members)

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
                self.holds(result)
                now_ms = self.clock.steady_ms()
                self.perform(self.exchange.applied(ask.peer, ask.link, step.batch, result, now_ms))
                self._batches += 1
                if self._batches % replica.HEADS_BEFORE_THINNING == 0:
                    own = self.signatures.actors
                    self.queue(lambda: replica.thin_signatures(self.writer.db, own), lambda _: None)

        def merge() -> dict[str, Head]:
            return replica.merge(self.writer, self.till, step.events, self.clock.wall_ms(), step.signed)

        self.queue(merge, done)

    def _tick(self) -> None:
        self.later(TICK_MS, self._tick)
        self.perform(self.exchange.wake(self.clock.steady_ms()))

    def _save_acks(self) -> None:
        self.later(ACKS_MS, self._save_acks)
        self.machine.anchor.sync()
        acks, self._unsaved = self._unsaved, {}
        if acks:
            self.queue(lambda: replica.acknowledge(self.writer, list(acks.items())), lambda _: None)
