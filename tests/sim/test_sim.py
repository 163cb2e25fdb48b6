"""Whole stores from seeds: nothing breaks, everything replays, and what breaks says which line replays it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tillmesh.sim.machine import workshop
from tillmesh.sim.plan import draw_plan
from tillmesh.sim.program import Simulator, simulate

pytestmark = pytest.mark.slow
SEEDS = int(os.environ.get("TILLMESH_SIM_SEEDS", "24"))
PARTS = 4


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Simulator:
    return Simulator(tmp_path_factory.mktemp("stores"))


@pytest.mark.parametrize("part", range(PARTS))
def test_stores_under_faults_lose_nothing_double_nothing_and_agree_in_the_end(part: int) -> None:
    said: list[str] = []
    first = 1 + part * SEEDS // PARTS
    assert simulate(range(first, first + SEEDS // PARTS), None, None, say=said.append) == 0, "\n".join(said)


@pytest.mark.parametrize(
    ("seed", "tills", "steps"),
    [
        (5214, 7, 25),  # an old copy with the newest events and an older agreed log went unnoticed
        (
            20036,
            3,
            60,
        ),  # the simulator itself took one disk after the other away, and asked for what was on all of them
        (21505, 3, 60),  # a shift opened by a clock that was ahead went on without the sales of a later incarnation
        (20252, 4, 60),  # and believed a till to lie about one that came back as somebody else a moment ago
    ],
)
def test_what_once_broke_a_store_breaks_none_again(simulator: Simulator, seed: int, tills: int, steps: int) -> None:
    assert simulator.live(draw_plan(seed, tills, steps)).troubles


def test_one_seed_twice_is_the_same_life_to_the_last_frame(simulator: Simulator) -> None:
    plan = draw_plan(7, 3)
    assert simulator.live(plan).trace == simulator.live(plan).trace


@pytest.mark.service
def test_a_seed_replays_in_another_process_with_other_hashes() -> None:
    traces = set()
    for hashing in ("1", "2"):
        command = [sys.executable, "-m", "tillmesh", "sim", "--seed", "5", "--tills", "4"]
        ran = subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": hashing},
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        traces.add(ran.stdout.rpartition("trace ")[2])
    assert len(traces) == 1
    assert len(traces.pop().strip()) == 64


@pytest.mark.parametrize("tills", [1, 15])
def test_the_smallest_and_the_largest_store_live(simulator: Simulator, tills: int) -> None:
    assert simulator.live(draw_plan(3, tills, 30)).troubles


def test_many_worlds_without_one_kind_of_trouble_show_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("tillmesh.sim.program.WORLDS_FOR_EVERYTHING", 2)
    assert simulate([1, 2], 2, 10, say=said.append) == 1
    assert "never came" in said[-1]


def test_other_seeds_are_other_lives(simulator: Simulator) -> None:
    assert len({simulator.live(draw_plan(seed, 2, 20)).trace for seed in range(5)}) == 5


def test_a_store_of_sixteen_tills_is_refused() -> None:
    from tillmesh.kernel.errors import Invalid

    with pytest.raises(Invalid, match="16 tills"):
        simulate([1], 16, None, say=lambda _: None)


def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    @contextmanager
    def watched() -> Iterator[Path]:
        with workshop() as folder:
            made.append(folder)
            yield folder

    monkeypatch.setattr("tillmesh.sim.program.workshop", watched)
    assert simulate([2], 2, 5, say=lambda _: None) in {0, 1}
    assert made
    assert not any(folder.exists() for folder in made)


@pytest.mark.parametrize(
    ("seed", "tills"),
    [
        (11, 5),  # a restart took over the clock of a till that was an hour ahead
        (110, 3),  # a database that was put back had forgotten nothing but a vote
        (1000, 3),  # a leader that was started anew published a later decision first, which hid an earlier one
        (353, 5),  # what was decided while the leader's disk was full never took effect
        (503_242, 2),  # each trouble that was drawn was impossible just then: it showed nothing
    ],
)
def test_a_world_that_once_broke_holds(simulator: Simulator, seed: int, tills: int) -> None:
    assert simulator.live(draw_plan(seed, tills, 60)).troubles
