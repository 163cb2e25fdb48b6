"""One world from one seed: a time of troubles in which nothing may break, then peace in which all must agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tillmesh.kernel.ids import parse_event_id
from tillmesh.sim import oracles
from tillmesh.sim.assembly import Assembly, decisions_hold, quorum, united
from tillmesh.sim.clock import START_MS, Timeline
from tillmesh.sim.history import Attempt, History
from tillmesh.sim.machine import Machine, vfs
from tillmesh.sim.nemesis import Nemesis
from tillmesh.sim.network import Network, Weather
from tillmesh.sim.plan import Plan
from tillmesh.sim.shoppers import Shoppers
from tillmesh.sim.station import Station
from tillmesh.sim.verdicts import Broken, require

AGREE_MS_MAX: Final = 120_000  # of virtual time after the store was mended
LOOK_MS: Final = 1_000
LATE_STEPS: Final = 10  # from here on a world without any trouble is troubled at each step
TRIES_MAX: Final = 100  # to make the one trouble of a world that had none


@dataclass(frozen=True, slots=True)
class Lived:
    """How a world ended well."""

    trace: str
    virtual_ms: int
    agreed_ms: int
    happenings: int
    counts: Counter[str]
    troubles: int


class World:
    """The store, its network, its people and its nemesis."""

    def __init__(self, plan: Plan, folder: Path, template: bytes, tell: Callable[[str], None] | None = None) -> None:
        self.plan = plan
        self.timeline = Timeline(tell)
        self.history = History()
        self.stations: list[Station] = []
        self.assembly = Assembly(self.stations)
        self.network = Network(self.timeline, _chance("network", plan))
        self.stations += [self._station(number, folder, template) for number in range(plan.tills)]
        self.nemesis = Nemesis(_chance("nemesis", plan), self.timeline, self.network, self.stations)
        self.nemesis.taken = self._taken
        self.shoppers = Shoppers(_chance("shoppers", plan), self.history)
        self._draw = _chance("world", plan)
        self._gone: dict[int, int] = {}  # till whose disk was taken away -> how often it had started by then
        self._last: Attempt | None = None  # what is decided in the end, to see that it can be

    def _station(self, number: int, folder: Path, template: bytes) -> Station:
        place = folder / f"till-{number}"
        place.mkdir(exist_ok=True)
        draw = _chance(f"till {number}", self.plan)
        machine = Machine(place, vfs(number), template)
        station = Station(number, self.timeline, self.network, machine, draw)
        station.clock.set_up(draw.randint(-self.plan.skew_ms, self.plan.skew_ms),
                             draw.randint(-self.plan.drift_ppm, self.plan.drift_ppm))  # fmt: skip
        station.at = lambda other: self.stations[other]
        station.watch = self.assembly if self.plan.council else None
        return station

    def _taken(self, station: Station) -> None:
        """A disk is taken away: what stands on no other disk may be gone afterwards.

        On a disk that was taken away itself nothing stands until its till has started again.
        """
        there = [one for one in self.stations if self._gone.get(one.number) != one.boots]
        others = [other for other in there if other is not station]
        for attempt in self.history.attempts:
            if attempt.event_id:
                actor, seq = parse_event_id(attempt.event_id)
                if all(other.held.get(actor, 0) < seq for other in others):
                    self.history.spared.add(attempt.event_id)
        self._gone[station.number] = station.boots

    def live(self) -> Lived:
        """Live through it; raises :class:`Broken`, or whatever else went wrong in a till."""
        try:
            self._troubled()
            agreed_ms = self._peace()
            facts = oracles.judge(self.stations, self.history)
            if self.plan.council and quorum(self.stations):
                decisions_hold(self.assembly, facts, self.stations, self.history)
        finally:
            for station in self.stations:
                if station.running:
                    station.machine.stop(station.reader.db, station.writer.db)
        troubles = sum(self.nemesis.counts.values()) + sum(self.network.counts.values())
        require("nemesis", troubles, "nothing went wrong in this run: it shows nothing")
        counts = self.nemesis.counts + self.network.counts + self.history.counts
        timeline = self.timeline
        return Lived(
            timeline.trace, timeline.now_ms - START_MS, agreed_ms, timeline.happenings, counts, troubles
        )  # fmt: skip

    def _troubled(self) -> None:
        for station in self.stations:
            station.boot()
        self.network.weather = self.plan.weather
        self._look()
        for left in range(self.plan.steps, 0, -1):
            self.timeline.run(self._draw.randrange(1, self.plan.pause_ms))
            is_late = left <= LATE_STEPS and not self.nemesis.counts
            if self._draw.random() < self.plan.troubles or is_late:
                self.nemesis.trouble()
            there = [station for station in self.stations if station.running]
            if there:
                self.shoppers.visit(self._draw.choice(there))
        for _ in range(TRIES_MAX):  # all that was drawn may have been impossible just then
            if self.nemesis.counts:
                break
            self.nemesis.trouble()

    def _look(self) -> None:
        """Look at something that must hold at any time."""
        self.timeline.after(LOOK_MS, self._look)
        sales = self.history.sales()
        running = [station for station in self.stations if station.running]
        if sales and running:
            sale, station = self._draw.choice(sales), self._draw.choice(running)
            oracles.claims_are_true(station, self.stations, self.history, sale)

    def _peace(self) -> int:
        """Mend everything and wait until all tills agree; give how long that took, in virtual milliseconds."""
        self.network.weather = Weather()
        self.nemesis.leave_alone()
        for waited_ms in range(0, AGREE_MS_MAX, LOOK_MS):
            self.timeline.run(LOOK_MS)
            if self._agreed():
                return waited_ms + LOOK_MS
        vectors = {
            station.number: station.look(lambda books: books.vector()) for station in self.stations if station.running
        }
        oracle = "convergence" if len(set(vectors.values())) > 1 else "leadership"
        seats = [station.seat.council.status() for station in self.stations if station.seat is not None]
        raise Broken(oracle, f"no agreement {AGREE_MS_MAX} ms after everything was mended: {vectors} {seats}")

    def _agreed(self) -> bool:
        """Say whether all tills hold the same, follow one leader, and have just decided on something together."""
        if not all(station.running for station in self.stations) or not oracles.all_equal(self.stations):
            return False
        if not self.plan.council or not quorum(self.stations):
            return True
        if not united(self.stations):
            return False
        if self._last is None or self._last.answer == "unknown":
            self._last = self.shoppers.decide(self._draw.choice(self.stations))
        return self._last.answer == "ok"


def _chance(purpose: str, plan: Plan) -> Random:
    """Give a source of chance of its own for each purpose, so that one more draw here changes nothing there."""
    return Random(f"{purpose} {plan.seed}")  # noqa: S311 - a world must replay
