"""Whoever wishes the store ill: one trouble after the other, as the seed says, until the store is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

from tillmesh.sim.clock import Timeline
from tillmesh.sim.machine import Copy
from tillmesh.sim.network import Network
from tillmesh.sim.station import Station

HOUR_MS: Final = 3_600_000
TEN_YEARS_MS: Final = 10 * 365 * 24 * HOUR_MS
TROUBLES: Final = frozenset({
    "kill", "power cut", "power cut within a write", "power cut before a sync", "death between disk and answer",
    "sync fails once", "disk full", "slow disk", "old copy put back", "database lost", "start", "cut", "one-way cut",
    "partition", "mend", "link broken", "clock jump back", "clock jump ahead", "wrong leader",
})  # fmt: skip


class Nemesis:
    """Breaks things and keeps count of it."""

    def __init__(self, draw: Random, timeline: Timeline, network: Network, stations: list[Station]) -> None:
        self._draw = draw
        self._timeline = timeline
        self._network = network
        self._stations = stations
        self._copies: dict[int, Copy] = {}
        self.counts: Counter[str] = Counter()
        self.taken: Callable[[Station], None] = lambda _: None  # a disk is about to be taken away

    def trouble(self) -> None:
        """Make one trouble, if it is possible now."""
        acts, weights = zip(*self._ACTS.items(), strict=True)
        act = self._draw.choices(acts, weights)[0]
        done = act(self)
        if done:
            assert done in TROUBLES, f"{done} stands on no list"
            self.counts[done] += 1
            self._timeline.note(f"trouble: {done}")

    def _some(self, *, running: bool) -> Station | None:
        there = [station for station in self._stations if station.running == running]
        return self._draw.choice(there) if there else None

    # Programs and disks -------------------------------------------------------------------------------------------

    def _kill(self) -> str:
        station = self._some(running=True)
        if station is None:
            return ""
        station.kill()
        return "kill"

    def _power(self) -> str:
        station = self._some(running=True)
        if station is None:
            return ""
        self.counts["sectors lost"] += station.lose_power()
        return "power cut"

    def _power_within_a_write(self) -> str:
        station = self._some(running=True)
        if station is None:
            return ""
        disk = station.machine.disk
        disk.cut_at = disk.writes + self._draw.randrange(1, 30)
        return "power cut within a write"

    def _die_before_answer(self) -> str:
        station = self._some(running=True)
        if station is None:
            return ""
        station.dies_after_commit = True
        return "death between disk and answer"

    def _die_before_sync(self) -> str:
        station = self._some(running=True)
        if station is None:
            return ""
        disk = station.machine.disk
        disk.cut_at, disk.die_at_sync = None, disk.syncs + self._draw.randrange(1, 4)
        return "power cut before a sync"

    def _fail_sync(self) -> str:
        station = self._some(running=True)
        if station is None:
            return ""
        disk = station.machine.disk
        disk.fail_sync_at = disk.syncs + 1
        return "sync fails once"

    def _fill(self) -> str:
        station = self._draw.choice(self._stations)
        disk = station.machine.disk
        disk.is_full, disk.spare_bytes = not disk.is_full, 0
        return "disk full" if disk.is_full else ""

    def _slow(self) -> str:
        station = self._draw.choice(self._stations)
        station.slow_ms = self._draw.choice((0, 100, 500))
        return "slow disk" if station.slow_ms else ""

    def _copy(self) -> str:
        station = self._some(running=True)
        if station is None or station.number in self._copies:
            return ""
        self._copies[station.number] = station.machine.copy()
        return ""

    def _put_back(self) -> str:
        """Put an old copy of a disk back, with or without the note beside it."""
        there = [one for one in self._stations if one.number in self._copies]
        if not there:
            return ""
        station = self._draw.choice(there)
        if station.running:
            station.kill()
        self.taken(station)
        # With a note that forgot, too, nothing on this disk could tell; what peers do then is not simulated.
        noted, once = station.machine.anchor.head(), station.held_once
        forgot = noted is None or noted.seq < once.get(noted.actor, 0)
        anchor = self._draw.random() < 0.5 or forgot
        station.machine.replace(self._copies.pop(station.number), anchor=anchor)
        return "old copy put back"

    def _wipe(self) -> str:
        """Lose the database of a till that is not alone."""
        if len(self._stations) == 1:
            return ""
        station = self._draw.choice(self._stations)
        if station.running:
            station.kill()
        self.taken(station)
        station.machine.wipe()
        return "database lost"

    def _start(self) -> str:
        station = self._some(running=False)
        if station is None or not station.boot():
            return ""
        return "start"

    # Network and clocks -------------------------------------------------------------------------------------------

    def _cut(self) -> str:
        one, other = self._pair()
        if one == other:
            return ""
        self._network.cuts |= {(one, other), (other, one)}
        return "cut"

    def _cut_one_way(self) -> str:
        one, other = self._pair()
        if one == other:
            return ""
        self._network.cuts.add((one, other))
        return "one-way cut"

    def _pair(self) -> tuple[int, int]:
        numbers = range(len(self._stations))
        return self._draw.choice(numbers), self._draw.choice(numbers)

    def _split(self) -> str:
        numbers = [station.number for station in self._stations]
        side = set(self._draw.sample(numbers, self._draw.randrange(len(numbers))))
        ways = {(a, b) for a in side for b in numbers if b not in side}
        self._network.cuts |= ways | {(b, a) for a, b in ways}
        return "partition" if ways else ""

    def _mend(self) -> str:
        if not self._network.cuts:
            return ""
        self._network.mend()
        return "mend"

    def _drop(self) -> str:
        return "link broken" if self._network.drop_some() else ""

    def _jump(self) -> str:
        station = self._draw.choice(self._stations)
        by_ms = self._draw.choice((-HOUR_MS, -60_000, 60_000, HOUR_MS, 24 * HOUR_MS, TEN_YEARS_MS))
        station.clock.jump(by_ms)
        return "clock jump back" if by_ms < 0 else "clock jump ahead"

    def _right(self) -> str:
        station = self._draw.choice(self._stations)
        station.clock.jump(-station.clock.offset_ms)
        return ""

    def _believe(self) -> str:
        """Let a till believe that another one leads, rightly or not."""
        station = self._some(running=True)
        if station is None or station.seat is not None:
            return ""
        other = self._draw.choice([None, *self._stations])
        leader = other.origin.terminal if other is not None and other.boots else None
        station.perform(station.exchange.lead(leader))
        return "wrong leader"

    def leave_alone(self) -> None:
        """Mend everything: from here on the store has to come right by itself."""
        self._timeline.note("everything is mended")
        self._network.mend()
        for station in self._stations:
            disk = station.machine.disk
            disk.cut_at = disk.die_at_sync = disk.fail_sync_at = None
            disk.is_full, station.slow_ms, station.dies_after_commit = False, 0, False
            station.clock.jump(-station.clock.offset_ms)
            if not station.running:
                station.boot()
            if station.seat is None:
                station.perform(station.exchange.lead(None))

    _ACTS: Final[dict[Callable[[Nemesis], str], int]] = {
        _kill: 4, _power: 3, _power_within_a_write: 5, _die_before_answer: 4, _die_before_sync: 2, _fail_sync: 2,
        _fill: 2, _slow: 2, _copy: 4, _put_back: 4, _wipe: 1, _start: 14, _cut: 4, _cut_one_way: 4, _split: 4, _mend: 8,
        _drop: 4, _jump: 2, _right: 2, _believe: 2,
    }  # fmt: skip
