"""Every oracle can fail: a bug planted for it is seen within a few seeds."""

from pathlib import Path

import pytest

from tests.sim.plants import PLANTS
from tillmesh.sim.plan import draw_plan
from tillmesh.sim.program import Simulator
from tillmesh.sim.verdicts import Broken

pytestmark = pytest.mark.slow
SEEDS_MAX = 60
ORACLES = {
    "lost", "doubled", "convergence", "stock", "money", "receipts", "chain", "replicated", "clocks", "tables",
    "nemesis", "leader", "vote", "term", "decision", "leadership", "forged", "cut",
}  # fmt: skip


def test_there_is_a_bug_for_every_oracle() -> None:
    assert {plant.oracle for plant in PLANTS.values()} == ORACLES
    page = (Path(__file__).parents[2] / "docs" / "reference" / "simulator.md").read_text("utf-8")
    assert all(f"| `{oracle}` |" in page for oracle in ORACLES)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_bug_is_seen_by_its_oracle(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = PLANTS[name]
    simulator = Simulator(tmp_path)
    plant.plant(monkeypatch)
    seen = set()
    for seed in range(1, SEEDS_MAX + 1):
        try:
            simulator.live(draw_plan(seed, plant.tills))
        except Broken as broken:
            seen.add(broken.oracle)
            if broken.oracle == plant.oracle:
                return
    pytest.fail(f"a till that {name} went unnoticed by {plant.oracle} in {SEEDS_MAX} worlds; seen were {seen}")
