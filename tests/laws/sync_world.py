"""A tiny world for sync sessions: logs in memory, links that lose, double, and overtake each other."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from tillmesh.kernel.envelope import GENESIS, Envelope, Head, check_link, seal
from tillmesh.sync import (
    Acked,
    Apply,
    Closed,
    Fence,
    Hello,
    Intake,
    Load,
    Message,
    Notary,
    Send,
    Session,
    Side,
    Step,
    WakeAt,
    read_frame,
    write_frame,
)

STORE = "store"
STEP_MS = 500
FRAMES_MAX = 100_000


@dataclass
class Till:
    """A till that does nothing but keep logs."""

    actor: str
    logs: dict[str, list[Envelope]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    told: dict[str, dict[str, int]] = field(default_factory=dict)  # peer -> what it said is durable there
    fenced: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    intake: Intake | None = None

    def head(self, actor: str) -> Head:
        log = self.logs.get(actor)
        return Head(actor, log[-1].seq, log[-1].hash) if log else Head(actor)

    def heads(self) -> dict[str, Head]:
        return {actor: self.head(actor) for actor, log in self.logs.items() if log}

    def sell(self, body: bytes = b"sale") -> Head:
        """Append an event of one's own and tell every session."""
        head = self.head(self.actor)
        event = seal(STORE, head, hlc=head.seq + 1, kind="sale_closed", version=1, body=body)
        self.logs.setdefault(self.actor, []).append(event)
        return self.head(self.actor)

    def store(self, events: Iterable[Envelope]) -> list[str]:
        """Apply a batch as the ledger does: skip what is held, insist on the chain."""
        changed = []
        for event in events:
            head = self.head(event.actor)
            if event.seq <= head.seq:
                continue
            check_link(STORE, head, event)
            self.logs.setdefault(event.actor, []).append(event)
            changed.append(event.actor)
        return changed


class World:
    """Tills, the messages on their way between them, and a clock; everything drawn from one seed."""

    def __init__(self, names: list[str], seed: int, *, loss: float = 0.0, double: float = 0.0) -> None:
        self.random = random.Random(seed)
        self.tills = {name: Till(f"{name}.boot1") for name in names}
        self.wire: list[tuple[str, str, bytes]] = []
        self.loss, self.double = loss, double
        self.now_ms = 1_000_000
        self.frames = 0
        self.notary: Notary | None = None

    def connect(self, one: str, other: str) -> None:
        """Open a link; messages of an older link are gone."""
        self.wire = [frame for frame in self.wire if {frame[0], frame[1]} != {one, other}]
        for me, peer in ((one, other), (other, one)):
            till = self.tills[me]
            session = Session(Side(STORE, till.actor), till.heads(), notary=self.notary, intake=till.intake)
            till.sessions[peer] = session
            self.perform(me, peer, session.start(self.now_ms))

    def connect_all(self) -> None:
        names = sorted(self.tills)
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                self.connect(one, other)

    def perform(self, me: str, peer: str, steps: Iterable[Step]) -> None:
        """Do what a session asks for."""
        till = self.tills[me]
        for step in steps:
            match step:
                case Send(message):
                    self._post(me, peer, message)
                case Load():
                    events, signatures = self.load(me, step)
                    self.perform(me, peer, till.sessions[peer].loaded(events, self.now_ms, signatures))
                case Apply(batch, events):
                    self.keep_signatures(me, step)
                    self._apply(me, peer, batch, events)
                case Acked(durable):
                    till.told.setdefault(peer, {}).update(durable)
                case Fence(actor, _):
                    till.fenced.append(actor)
                case Closed(detail):
                    till.closed.append(detail)
                case WakeAt(_):
                    pass  # the world wakes everybody every STEP_MS

    def load(self, me: str, step: Load) -> tuple[list[Envelope], dict[tuple[str, int], bytes]]:
        """Read what a session asks for; nobody signs anything in this world."""
        logs = self.tills[me].logs
        return [e for s in step.spans for e in logs[s.actor][s.first - 1 : s.last]][: step.events_max], {}

    def keep_signatures(self, me: str, step: Apply) -> None:
        """Keep what the events came signed with."""

    def _apply(self, me: str, peer: str, batch: int, events: tuple[Envelope, ...]) -> None:
        till = self.tills[me]
        changed = till.store(events)
        durable = {event.actor: till.head(event.actor) for event in events}
        self.perform(me, peer, till.sessions[peer].applied(batch, durable, self.now_ms))
        self.spread(me, changed, but=peer)

    def spread(self, me: str, actors: Iterable[str], but: str = "") -> None:
        """Tell the other sessions that logs have grown."""
        till = self.tills[me]
        for actor in dict.fromkeys(actors):
            for peer, session in till.sessions.items():
                if peer != but:
                    self.perform(me, peer, session.appended(till.head(actor)))

    def _post(self, me: str, peer: str, message: Message) -> None:
        frame = write_frame(message)
        lossless = isinstance(message, Hello)  # a link that loses its first message is no link
        for _ in range(2 if self.random.random() < self.double else 1):
            if lossless or self.random.random() >= self.loss:
                self.wire.append((me, peer, frame))

    def sell(self, name: str, body: bytes = b"sale") -> None:
        head = self.tills[name].sell(body)
        self.spread(name, [head.actor])

    def deliver(self) -> bool:
        """Deliver the next message of some link, and say whether there was one; each link keeps its order."""
        if not self.wire:
            return False
        link = self.random.choice(sorted({frame[:2] for frame in self.wire}))
        place = next(place for place, frame in enumerate(self.wire) if frame[:2] == link)
        sender, receiver, frame = self.wire.pop(place)
        self.frames += 1
        assert self.frames < FRAMES_MAX, "the sessions talk for ever"
        session = self.tills[receiver].sessions.get(sender)
        if session is not None:
            self.perform(receiver, sender, session.receive(read_frame(frame), self.now_ms))
        return True

    def settle(self, rounds: int = 400) -> None:
        """Let time pass and messages arrive until nothing moves any more."""
        for _ in range(rounds):
            while self.deliver():
                pass
            self.now_ms += STEP_MS
            for name, till in self.tills.items():
                for peer, session in list(till.sessions.items()):
                    self.perform(name, peer, session.wake(self.now_ms))
            if not self.wire and self.equal():
                return

    def equal(self) -> bool:
        """Whether all tills hold the same logs."""
        first, *others = [{a: [e.hash for e in log] for a, log in t.logs.items()} for t in self.tills.values()]
        return all(other == first for other in others)


def genesis_fork(actor: str, body: bytes) -> Envelope:
    """Make a first event of an actor that nobody else has."""
    return seal(STORE, Head(actor, 0, GENESIS), hlc=1, kind="sale_closed", version=1, body=body)
