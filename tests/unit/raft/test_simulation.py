"""Hundreds of small worlds: whatever breaks in them, the store never disagrees, and agrees again when healed."""

import os

import pytest

from tests.unit.raft.oracle import Broken
from tests.unit.raft.simulation import Simulation, changes_applied

SEEDS = 10_000 if os.environ.get("TILLMESH_HYPOTHESIS") == "soak" else 300
BLOCK = 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_store_stays_of_one_mind_whatever_breaks(first: int) -> None:
    for seed in range(first, first + BLOCK):
        Simulation(seed).run()


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [7, 15])
def test_large_store_stays_of_one_mind_whatever_breaks(nodes: int) -> None:
    for seed in range(100_000, 100_004):
        Simulation(seed, nodes).run()


@pytest.mark.slow
def test_simulated_worlds_are_eventful() -> None:
    worlds = [Simulation(seed) for seed in range(40)]
    for world in worlds:
        world.run()
    assert sum(changes_applied(world) for world in worlds) > 40
    assert sum(node.snapshots for world in worlds for node in world.cluster.nodes.values()) > 40
    assert sum(max(world.cluster.oracle.leaders) for world in worlds) > 200
    assert sum(len(world.cluster.oracle.committed) for world in worlds) > 1_500


def test_same_seed_gives_the_same_world() -> None:
    one, two = Simulation(7), Simulation(7)
    one.run()
    two.run()
    assert (one.now, one.order, one.proposed) == (two.now, two.order, two.proposed)
    assert one.cluster.oracle.entries == two.cluster.oracle.entries
    assert one.cluster.oracle.seen == two.cluster.oracle.seen


def test_planted_second_leader_is_noticed_with_its_seed() -> None:
    world = Simulation(3)
    for term in range(1, 60):
        world.cluster.oracle.leaders[term] = 99
    with pytest.raises(Broken, match=r"seed 3.*election safety"):
        world.run()
