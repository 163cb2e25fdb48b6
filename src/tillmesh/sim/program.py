"""``tillmesh sim``: worlds from seeds, one after the other, and the line that replays the first that fails."""

from __future__ import annotations

import shutil
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tillmesh.kernel.errors import Invalid
from tillmesh.sim.machine import workshop
from tillmesh.sim.nemesis import TROUBLES
from tillmesh.sim.plan import TILLS_MAX, Plan, draw_plan
from tillmesh.sim.shop import template
from tillmesh.sim.verdicts import Broken
from tillmesh.sim.world import Lived, World

Tell = Callable[[str], None]
WORLDS_FOR_EVERYTHING: Final = 200  # in so many worlds every kind of trouble comes about


class Simulator:
    """Lives through worlds; the prepared disk is made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._template = template(folder)

    def live(self, plan: Plan, tell: Tell | None = None) -> Lived:
        """Live through one world."""
        return World(plan, self._folder, self._template, tell).live()


def command_of(plan: Plan) -> str:
    """Give the line that lives through this world again."""
    return f"tillmesh sim --seed {plan.seed} --tills {plan.tills} --steps {plan.steps}"


def commit() -> str:
    """Name the commit of the checkout that runs, or nothing."""
    git = shutil.which("git")
    if git is None:
        return ""
    asked = subprocess.run(  # noqa: S603 - nothing in it comes from outside
        [git, "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def simulate(
    seeds: Iterable[int], tills: int | None, steps: int | None, *, say: Tell, trace: bool = False
) -> int:  # fmt: skip
    """Live through worlds until one breaks; give the exit status."""
    if tills is not None and not 1 <= tills <= TILLS_MAX:
        raise Invalid(f"a store of {tills} tills", hint=f"1 to {TILLS_MAX} are possible.")
    counts: Counter[str] = Counter()
    lived: list[Lived] = []
    started = time.perf_counter()
    with workshop() as folder:
        simulator = Simulator(folder)
        for seed in seeds:
            plan = draw_plan(seed, tills, steps)
            try:
                one = simulator.live(plan, say if trace else None)
            except Exception as error:  # noqa: BLE001 - whatever a till does wrong is a finding
                if not isinstance(error, Broken):
                    say(traceback.format_exc())
                say(f"broken {error}" if isinstance(error, Broken) else f"broken till: {error!r}")
                say(command_of(plan) + (f"  # commit {name}" if (name := commit()) else ""))
                return 1
            lived.append(one)
            counts += one.counts
    _report(lived, counts, time.perf_counter() - started, say)
    never = sorted(TROUBLES - counts.keys()) if len(lived) >= WORLDS_FOR_EVERYTHING else []
    if never:
        say(f"in {len(lived)} worlds these troubles never came: {', '.join(never)}")
    return 1 if never else 0


def _report(lived: list[Lived], counts: Counter[str], took_s: float, say: Tell) -> None:
    summary: dict[str, Any] = {
        "worlds": len(lived),
        "virtual hours": round(sum(one.virtual_ms for one in lived) / 3_600_000, 1),
        "happenings": sum(one.happenings for one in lived),
        "slowest agreement, virtual ms": max((one.agreed_ms for one in lived), default=0),
        "seconds": round(took_s, 1),
    }
    for name, value in [*summary.items(), *sorted(counts.items())]:
        say(f"{value:>12}  {name}")
    if len(lived) == 1:
        say(f"trace {lived[0].trace}")
