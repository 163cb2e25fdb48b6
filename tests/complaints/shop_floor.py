"""Several tills of one store in one process: the real till, its SQLite tables, and the real sessions between them.

Only three things are not real here: the databases lie in memory, the links are a list of frames, and the clock is a
number. So a thousand stores with bad luck cost seconds, and each is drawn from one seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from tests.unit.till.shop_till import CASHIER, ORIGIN, START_MS, Shop
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.adapters.sqlite.store import Origin, log
from tillmesh.sync import Ack, Apply, Load, Message, Presence, Push, Send, Side, read_frame, write_frame
from tillmesh.till import commands as c
from tillmesh.till.effects import Outcome
from tillmesh.till.exchange import Ask, Exchange

STEP_MS = 500
FRAMES_MAX = 200_000


class Post(Shop):
    """One till with its place in the mesh."""

    def __init__(self, name: str, committed: Callable[[Post], None], incarnation: str = "") -> None:
        actor = f"{name}.{incarnation or name[::-1]}"
        super().__init__(Origin(store=ORIGIN.store, terminal=name, actor=actor))
        self.name = name
        self.exchange = self._exchange()
        self._committed = committed

    def do(self, command: c.Command, who: c.Who = CASHIER, *, approved: Sequence[str] = ()) -> Outcome:
        """Do something, and tell the neighbours after the commit as the driver does."""
        outcome = super().do(command, who, approved=approved)
        if outcome.events:
            self._committed(self)
        return outcome

    def _exchange(self) -> Exchange:
        identity = self.till.identity
        return Exchange(Side(identity.store, identity.actor), identity.terminal, replica.heads(self.writer.db))

    def restart(self) -> None:
        """Stop and start again: what is not on the disk is forgotten."""
        writer, clock_ms = self.writer, self.clock_ms
        super().__init__(Origin(ORIGIN.store, self.name, self.till.identity.actor), writer.db)
        self.clock_ms = clock_ms
        self.exchange = self._exchange()

    @property
    def actor(self) -> str:
        return self.till.identity.actor

    def hash(self) -> str:
        return str(state_hash(self.writer.db, self.books)["hash"])

    def held(self, actor: str) -> int:
        """How far another till's log has come to this disk."""
        return self.writer.head(actor).seq

    def pending(self) -> int:
        """How many own events no other till has acknowledged: what the badge counts from."""
        return self.till.head.seq - self.exchange.held_elsewhere()


class Floor:
    """The tills, the links between them and the frames on their way; everything drawn from one seed."""

    def __init__(self, names: Sequence[str], seed: int, *, batch_max: int = 1_000) -> None:
        self.random = random.Random(seed)
        self.posts = {name: Post(name, self._tell) for name in names}
        self.links: dict[tuple[str, str], int] = {}  # (at, to) -> the number of the link at that end
        self.wire: list[tuple[str, str, int, bytes]] = []
        self.batch_max = batch_max  # events in one frame: few, so that a cut can come in the middle
        self.acks_to_lose: dict[tuple[str, str], int] = {}
        self._pushes: dict[str, int] = {}
        self.now_ms = START_MS
        self.frames = 0

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_: object) -> None:
        for post in self.posts.values():
            post.writer.close()

    def __getitem__(self, name: str) -> Post:
        return self.posts[name]

    def found(self, first: str) -> None:
        """Furnish a shop on one till and let all of them know; every till opens its own shift."""
        self[first].furnish()
        self.connect_all()
        self.settle()
        for post in self.posts.values():
            post.clock_ms = max(post.clock_ms, self.now_ms)
            post.open()
        self.settle()

    def connect(self, one: str, other: str) -> None:
        """Put a new link between two tills; what was on the way is gone."""
        self.cut(one, other)
        for me, peer in ((one, other), (other, one)):
            number, asks = self[me].exchange.linked(peer, self.now_ms)
            self.links[me, peer] = number
            self.perform(me, asks)

    def connect_all(self) -> None:
        names = sorted(self.posts)
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                self.connect(one, other)

    def cut(self, one: str, other: str) -> None:
        """Tear the link between two tills, with everything that was on the way."""
        self.wire = [frame for frame in self.wire if {frame[0], frame[1]} != {one, other}]
        for me, peer in ((one, other), (other, one)):
            number = self.links.pop((me, peer), None)
            if number is not None:
                self[me].exchange.unlinked(peer, number)

    def isolate(self, *names: str) -> None:
        """Cut some tills off from all the others."""
        for name in names:
            for other in self.posts:
                if other not in names:
                    self.cut(name, other)

    def restart(self, name: str) -> None:
        """Kill a till and start it again, with its old neighbours in reach."""
        linked = [peer for me, peer in self.links if me == name]
        self.isolate(name)
        self[name].restart()
        for peer in linked:
            self.connect(name, peer)

    def replace_disk(self, name: str, incarnation: str, peer: str) -> None:
        """Give a till whose disk is lost a new one, filled from a peer: the same terminal, a new incarnation."""
        self.isolate(name)
        lost, post = self[name], Post(name, self._tell, incarnation)
        replica.merge(post.writer, post.till, list(log(self[peer].writer.db)), self.now_ms)
        post.clock_ms = max(lost.clock_ms, self.now_ms)
        post.restart()
        lost.writer.close()
        self.posts[name] = post

    def perform(self, me: str, asks: Iterable[Ask]) -> None:
        """Do what the sessions ask for, as the driver does: a batch is acknowledged when it is in the tables."""
        post = self[me]
        for ask in asks:
            match ask.step:
                case Send(message):
                    self._post(me, ask, message)
                case Load(spans, events_max, bytes_max):
                    events = replica.load(post.books, spans, min(events_max, self.batch_max), bytes_max)
                    self.perform(me, post.exchange.loaded(ask.peer, ask.link, events, self.now_ms))
                case Apply(batch, events):
                    heads = replica.merge(post.writer, post.till, events, self.now_ms)
                    post.clock_ms = max(post.clock_ms, self.now_ms)
                    self.perform(me, post.exchange.applied(ask.peer, ask.link, batch, heads, self.now_ms))
                case _:
                    pass

    def _post(self, me: str, ask: Ask, message: Message) -> None:
        if self.acks_to_lose.get((me, ask.peer), 0) > 0:
            if isinstance(message, Ack):
                self.acks_to_lose[me, ask.peer] -= 1
                return
            if isinstance(message, Presence):
                message = Presence({})  # a sign of life that acknowledges nothing
        if isinstance(message, Push):
            self._pushes[ask.peer] = self._pushes.get(ask.peer, 0) + 1
        self.wire.append((me, ask.peer, ask.link, write_frame(message)))

    def _tell(self, post: Post) -> None:
        self.perform(post.name, post.exchange.appended(post.till.head))

    def deliver(self) -> bool:
        """Deliver the next frame of some link, and say whether there was one; each link keeps its order."""
        if not self.wire:
            return False
        sender, receiver = self.random.choice(sorted({frame[:2] for frame in self.wire}))
        place = next(n for n, frame in enumerate(self.wire) if frame[:2] == (sender, receiver))
        *_, data = self.wire.pop(place)
        self.frames += 1
        assert self.frames < FRAMES_MAX, "the tills talk for ever"
        number = self.links.get((receiver, sender))
        if number is not None:
            asks = self[receiver].exchange.received(sender, number, read_frame(data), self.now_ms)
            self.perform(receiver, asks)
        return True

    def settle_between(self, one: str, other: str) -> None:
        """Let two tills tell each other everything, whoever else is out of reach."""
        for _ in range(400):
            while self.deliver():
                pass
            if self[one].books.vector() == self[other].books.vector():
                return
            self.pass_time()
        raise AssertionError(f"{one} and {other} did not come to agree")

    def pushes_to(self, name: str) -> int:
        """How many batches of events were sent to a till so far."""
        return self._pushes.get(name, 0)

    def pass_long(self, steps: int = 40) -> None:
        """Let some time go by with everything that is said in it."""
        for _ in range(steps):
            self.pass_time()
            while self.deliver():
                pass

    def pass_time(self) -> None:
        """Let half a second go by."""
        self.now_ms += STEP_MS
        for name, post in self.posts.items():
            self.perform(name, post.exchange.wake(self.now_ms))

    def settle(self, rounds: int = 400) -> None:
        """Let frames arrive and time pass until every till holds the same events."""
        for _ in range(rounds):
            while self.deliver():
                pass
            if self.agree() and not self.wire:
                return
            self.pass_time()
        raise AssertionError("the tills did not come to agree")

    def agree(self) -> bool:
        """Whether all tills hold the same events."""
        first, *others = [post.books.vector() for post in self.posts.values()]
        return all(other == first for other in others)

    def hashes(self) -> set[str]:
        return {post.hash() for post in self.posts.values()}
