"""The shop's network: connections that keep their order and lose what is in flight, links that are cut and mended.

A connection behaves as TLS over TCP does: frames arrive in order or not at all. A lost packet is a delay, a damaged
one the end of the connection, and what is sent into a cut waits until the cable is back or somebody gives up. In a
hostile world a connection also doubles and swaps frames, which TLS would not let through: sessions have to bear that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol

from tillmesh.sim.clock import Timeline

REDIAL_MS: Final = 1_000
RETRANSMIT_MS: Final = 250
WAITING_MAX: Final = 100  # as in the terminal's mesh: a peer that lets more frames pile up loses its link


class Post(Protocol):
    """One end of the network: a till that may be running or not."""

    @property
    def number(self) -> int:
        """Which till it is."""
        ...

    @property
    def running(self) -> bool:
        """Whether anybody is there."""
        ...

    def linked(self, connection: Connection) -> None:
        """A connection is up."""

    def received(self, connection: Connection, frame: bytes) -> None:
        """A frame came in."""

    def unlinked(self, connection: Connection) -> None:
        """A connection is gone."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad the network is."""

    delay_ms: int = 5
    loss: float = 0.0
    double: float = 0.0
    swap: float = 0.0
    damage: float = 0.0


@dataclass(slots=True, eq=False)
class Connection:
    """One connection between two tills; each end is open until it hears otherwise."""

    ends: tuple[int, int]
    serial: int
    open: set[int]
    arrives_ms: dict[int, int] = field(default_factory=dict)  # per receiver: when the last frame sent arrives
    waiting: dict[int, list[bytes]] = field(default_factory=dict)  # per receiver: sent into a cut
    first: set[int] = field(default_factory=set)  # receivers whose first frame is under way
    up: set[int] = field(default_factory=set)  # ends that know of it

    def other(self, number: int) -> int:
        """Give the till at the other end."""
        return self.ends[1] if number == self.ends[0] else self.ends[0]


class Network:
    """All connections of the store. ``cuts`` holds (from, to): what is sent that way does not arrive."""

    def __init__(self, timeline: Timeline, rng: Random) -> None:
        self._timeline = timeline
        self._rng = rng
        self._posts: dict[int, Post] = {}
        self._connections: dict[tuple[int, int], Connection] = {}
        self._serial = 0
        self.cuts: set[tuple[int, int]] = set()
        self.weather = Weather()
        self.counts: Counter[str] = Counter()

    def add(self, post: Post) -> None:
        """Put one more till on the network; it looks for the others from now on."""
        for other in self._posts:
            pair = (min(other, post.number), max(other, post.number))
            self._timeline.after(self._rng.randrange(REDIAL_MS), lambda pair=pair: self._dial(*pair))  # type: ignore[misc]
        self._posts[post.number] = post

    def _dial(self, one: int, other: int) -> None:
        """Let a pair of tills that is not linked link, again and again."""
        pause_ms = REDIAL_MS + self._rng.randrange(REDIAL_MS)
        self._timeline.after(pause_ms, lambda: self._dial(one, other))
        held = self._connections.get((one, other))
        if held is not None and len(held.open) == 2:
            return
        if {(one, other), (other, one)} & self.cuts or not (self._posts[one].running and self._posts[other].running):
            return
        if held is not None:  # one end did not hear that the other is gone: the new link takes its place
            self.drop(held)
        self._serial += 1
        connection = Connection((one, other), self._serial, {one, other})
        self._connections[one, other] = connection
        for number in (one, other):
            self._timeline.after(self._delay_ms(), lambda number=number: self._up(connection, number))  # type: ignore[misc]

    def _up(self, connection: Connection, number: int) -> None:
        if number in connection.open and self._posts[number].running:
            connection.up.add(number)
            self._posts[number].linked(connection)
            for frame in connection.waiting.pop(number, []):
                self._posts[number].received(connection, frame)

    def _delay_ms(self) -> int:
        delay = 1 + self._rng.randrange(self.weather.delay_ms + 1)
        while self._rng.random() < self.weather.loss:
            self.counts["lost packets"] += 1
            delay += RETRANSMIT_MS
        return delay

    def send(self, connection: Connection, sender: int, frame: bytes) -> None:
        """Send a frame; nobody learns here whether it arrives."""
        if sender not in connection.open:
            return
        receiver = connection.other(sender)
        if (sender, receiver) in self.cuts or connection.waiting.get(receiver):
            waiting = connection.waiting.setdefault(receiver, [])
            waiting.append(frame)
            if len(waiting) > WAITING_MAX:
                self.counts["links given up"] += 1
                self.close(connection, sender)
            return
        self._carry(connection, receiver, frame)

    def _carry(self, connection: Connection, receiver: int, frame: bytes) -> None:
        arrival = max(self._timeline.now_ms + self._delay_ms(), connection.arrives_ms.get(receiver, 0))
        connection.arrives_ms[receiver] = arrival
        for late_ms, copy in self._mischief(connection, receiver, frame):
            wait_ms = arrival - self._timeline.now_ms + late_ms
            self._timeline.after(wait_ms, lambda copy=copy: self._arrive(connection, receiver, copy))  # type: ignore[misc]

    def _mischief(self, connection: Connection, receiver: int, frame: bytes) -> list[tuple[int, bytes]]:
        """What a hostile network makes of a frame: (how much late, bytes). The first frame, hello, comes as it is."""
        rng, weather = self._rng, self.weather
        if weather.damage and rng.random() < weather.damage:
            self.counts["frames damaged"] += 1
            self._timeline.after(self._delay_ms(), lambda: self.drop(connection))
            return []
        if receiver not in connection.first:
            connection.first.add(receiver)
            return [(0, frame)]
        copies = [(0, frame)]
        if weather.swap and rng.random() < weather.swap:
            self.counts["frames overtaken"] += 1
            copies = [(rng.randrange(4 * weather.delay_ms + 2), frame)]
        if weather.double and rng.random() < weather.double:
            self.counts["frames doubled"] += 1
            copies.append((rng.randrange(4 * weather.delay_ms + 2), frame))
        return copies

    def _arrive(self, connection: Connection, receiver: int, frame: bytes) -> None:
        if receiver not in connection.open or not self._posts[receiver].running:
            return
        if (connection.other(receiver), receiver) in self.cuts or receiver not in connection.up:
            # Cut while it was under way, or nobody has taken the connection on yet: it comes later.
            connection.waiting.setdefault(receiver, []).append(frame)
            return
        self._posts[receiver].received(connection, frame)

    def close(self, connection: Connection, end: int) -> None:
        """One end hangs up; the other hears of it, unless the way there is cut."""
        if end not in connection.open:
            return
        connection.open.discard(end)
        self._posts[end].unlinked(connection)
        other = connection.other(end)
        if (end, other) not in self.cuts:
            self._timeline.after(self._delay_ms(), lambda: self._hear_of_end(connection, other))

    def _hear_of_end(self, connection: Connection, end: int) -> None:
        if end in connection.open:
            connection.open.discard(end)
            if self._posts[end].running:
                self._posts[end].unlinked(connection)

    def drop(self, connection: Connection) -> None:
        """Break a connection: both ends hear of it, what is in flight is lost."""
        for end in sorted(connection.open):
            self._hear_of_end(connection, end)

    def drop_some(self) -> bool:
        """Break one connection that is up, if there is one."""
        up = [held for held in self._connections.values() if held.open]
        if up:
            self.drop(self._rng.choice(up))
        return bool(up)

    def gone(self, number: int, *, silently: bool) -> None:
        """A till is gone: with its program the system hangs up, with its power nobody says anything."""
        for connection in list(self._connections.values()):
            if number in connection.open:
                connection.open.discard(number)
                if not silently:
                    other = connection.other(number)
                    self._timeline.after(
                        self._delay_ms(),
                        lambda connection=connection, other=other: self._hear_of_end(connection, other),  # type: ignore[misc]
                    )

    def mend(self, *ways: tuple[int, int]) -> None:
        """Mend cuts (all of them, when none are named): what waited goes on, and old hang-ups are heard."""
        mended = set(ways) or set(self.cuts)
        self.cuts -= mended
        for connection in list(self._connections.values()):
            for sender, receiver in (connection.ends, connection.ends[::-1]):
                if (sender, receiver) not in mended:
                    continue
                if sender not in connection.open:
                    self._timeline.after(
                        self._delay_ms(),
                        lambda connection=connection, end=receiver: self._hear_of_end(connection, end),  # type: ignore[misc]
                    )
                for frame in connection.waiting.pop(receiver, []) if receiver in connection.up else []:
                    self._carry(connection, receiver, frame)
