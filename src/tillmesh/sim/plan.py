"""What kind of world a seed stands for."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from tillmesh.sim.network import Weather

SIZES: Final = (1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 7, 10, 15)
STEPS: Final = 60
STEPS_LARGE: Final = 25  # each event crosses a store of many tills many times
TILLS_MAX: Final = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """A world to be lived through."""

    seed: int
    tills: int
    steps: int
    pause_ms: int  # between two things that people do, at most
    troubles: float  # faults per step
    council: bool  # whether the tills agree on things and follow a leader, or all talk to all
    weather: Weather
    skew_ms: int
    drift_ppm: int


def draw_plan(seed: int, tills: int | None = None, steps: int | None = None) -> Plan:
    """Draw a world from its seed; what is given stays as given."""
    rng = Random(f"plan {seed}")  # noqa: S311 - a world must replay
    size = rng.choice(SIZES)
    weather = Weather(
        delay_ms=rng.choice((1, 5, 50, 400)),
        loss=rng.choice((0.0, 0.0, 0.02, 0.1)),
        double=rng.choice((0.0, 0.0, 0.1)),
        swap=rng.choice((0.0, 0.0, 0.1)),
        damage=rng.choice((0.0, 0.0, 0.0, 0.02)),
    )
    return Plan(
        seed=seed,
        tills=tills or size,
        steps=steps or (STEPS if (tills or size) <= 5 else STEPS_LARGE),
        pause_ms=rng.choice((200, 500, 1_500)),
        troubles=rng.choice((0.1, 0.2, 0.4)),
        council=rng.random() < 0.6,
        weather=weather,
        skew_ms=rng.choice((0, 200, 60_000)),
        drift_ppm=rng.choice((0, 50, 500)),
    )
