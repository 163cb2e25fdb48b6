"""Do the catalogue of faults to real programs and print what held: ``make faults ARGS="F18 F20"``, or all of it.

Exits with 1 if anything did not hold.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.faults.catalogue import FAULTS  # noqa: E402 - it stands beside this folder

Case = tuple[str, float]  # held, FAILED or skipped; seconds


def main(wanted: list[str]) -> int:
    """Run what is wanted, all if nothing is, and print the table."""
    unknown = [name for name in wanted if name not in FAULTS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    names = wanted or list(FAULTS)
    cases = _run([test for name in names for test in FAULTS[name].tests])
    for line in _table(names, cases):
        print(line)
    return int(any(_verdict(name, cases)[0] == "FAILED" for name in names))


def _run(tests: list[str]) -> dict[str, list[Case]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests]
        subprocess.run(words, cwd=ROOT, check=False)
        found: dict[str, list[Case]] = {}
        for case in ET.parse(report).iter("testcase"):  # noqa: S314
            result = "FAILED" if case.find("failure") is not None or case.find("error") is not None else "held"
            result = "skipped" if case.find("skipped") is not None else result
            name = str(case.get("name")).partition("[")[0]
            found.setdefault(name, []).append((result, float(case.get("time") or 0)))
    return found


def _verdict(name: str, cases: dict[str, list[Case]]) -> tuple[str, int, float]:
    """Give what came of one fault, over how many runs, in how many seconds."""
    runs = [run for test in FAULTS[name].tests for run in cases.get(test.rpartition("::")[2], [("FAILED", 0.0)])]
    results = {result for result, _ in runs}
    worst = next(result for result in ("FAILED", "skipped", "held") if result in results)
    return worst, len(runs), sum(seconds for _, seconds in runs)


def _table(names: Iterable[str], cases: dict[str, list[Case]]) -> Iterable[str]:
    yield f"\n{'':4} {'':8} {'runs':>4} {'s':>6}  fault, and what must hold"
    for name in names:
        result, runs, seconds = _verdict(name, cases)
        yield f"{name:4} {result:8} {runs:4} {seconds:6.1f}  {FAULTS[name].what}: {FAULTS[name].invariants}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
