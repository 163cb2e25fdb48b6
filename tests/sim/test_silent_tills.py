"""A till lies in a cupboard for longer than anybody waits, with sales that nobody has heard of, and comes back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tillmesh.adapters.sqlite import archive
from tillmesh.adapters.sqlite.database import write
from tillmesh.kernel.limits import TILL_SILENT_DAYS
from tillmesh.sim import oracles
from tillmesh.sim.network import Weather
from tillmesh.sim.plan import Plan
from tillmesh.sim.shop import template
from tillmesh.sim.station import Station
from tillmesh.sim.world import World
from tillmesh.till.retention import DAY_MS, archived_before_ms, settled

pytestmark = pytest.mark.slow
PLAN = Plan(
    seed=11, tills=3, steps=0, pause_ms=1, troubles=0.0, council=True, weather=Weather(), skew_ms=0, drift_ppm=0
)
WAIT_S = 120  # of virtual time


def until(world: World, holds: Callable[[], bool], what: str) -> None:
    for _ in range(WAIT_S):
        world.timeline.run(1_000)
        if holds():
            return
    pytest.fail(f"not within {WAIT_S} s: {what}")


def serve(world: World, station: Station, times: int) -> None:
    for _ in range(times):
        world.shoppers.visit(station)
        world.timeline.run(300)


def cut(station: Station) -> dict[str, int]:
    assert station.seat is not None
    return dict(station.seat.council.agreed.cut)


def vector(station: Station) -> dict[str, int]:
    return dict(station.look(lambda books: books.vector()))


def all_are_cut(world: World, *stations: Station) -> bool:
    """Say whether these hold the same, and the store agreed that all of it may be put away."""
    return all(cut(one) == vector(one) == vector(stations[0]) for one in stations)


def put_away(station: Station) -> int:
    """Put away what the store agreed on, as a till does every hour; give how many sales that were."""
    db, count, held = station.writer.db, 0, cut(station)
    for actor, upto in settled(vector(station), held_by_tills=held, held_by_office=None).items():
        number = station.reader.books.actors.find(actor)
        assert number is not None
        while chunk := archive.gather(db, number, upto, archived_before_ms(station.clock.wall_ms()), least=1):
            with write(db):
                archive.put_away(db, chunk)
            count += len(chunk.sizes)
    return count


def test_nobody_waits_for_a_till_that_was_silent_for_too_long_and_its_unsent_sales_count_when_it_is_back(
    tmp_path: Path,
) -> None:
    world = World(PLAN, tmp_path, template(tmp_path))
    try:
        lie_in_a_cupboard_and_come_back(world)
    finally:
        for station in world.stations:
            if station.running:
                station.machine.stop(station.reader.db, station.writer.db)


def lie_in_a_cupboard_and_come_back(world: World) -> None:
    first, second, away = world.stations
    for station in world.stations:
        station.boot()
    until(world, world._agreed, "the three follow one leader")
    for station in world.stations:
        serve(world, station, 12)
    until(world, lambda: all_are_cut(world, *world.stations), "what all hold may be put away")

    world.network.cuts |= {(a, 2) for a in (0, 1)} | {(2, a) for a in (0, 1)}
    serve(world, away, 12)
    away.kill()
    serve(world, first, 20)
    serve(world, second, 20)
    world.timeline.run(30_000)
    known = cut(first)
    assert vector(first) == vector(second)
    assert known != vector(first), "it still counts: what it lacks is not put away"

    for station in world.stations:
        station.clock.jump((TILL_SILENT_DAYS + 1) * DAY_MS)
    until(world, lambda: all_are_cut(world, first, second), "nobody waits for it any more")
    unheard = vector(first)[first.origin.actor]
    assert put_away(first) > 0
    assert put_away(second) > 0
    assert archive.reached(first.reader.db)[first.origin.actor] > known[first.origin.actor], "also what it lacks"

    world.network.mend()
    away.boot()
    unsent = vector(away)[away.origin.actor]
    assert unsent > vector(first)[away.origin.actor]
    until(world, world._agreed, "it is back, and all hold the same")
    for station in world.stations:
        assert vector(station)[away.origin.actor] >= unsent, "what it sold while it was silent counts"
        assert vector(station)[first.origin.actor] >= unheard
    oracles.judge(world.stations, world.history)
    until(world, lambda: all_are_cut(world, *world.stations), "it counts again")
