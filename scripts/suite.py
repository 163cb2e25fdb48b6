"""Run a part of the suite; what starts processes and failed is tried a second time, alone, and told at the end.

``python scripts/suite.py NAME [what pytest takes]`` writes ``artifacts/NAME.xml`` in the working directory and gives
pytest's exit status. A test of our own code in our own process never gets a second try (ADR 50).

Each run has a directory of its own for what tests write. By itself pytest shares one with all runs of a user and clears
away what older ones left; what it can't clear, say a disk that a killed run left mounted, ends the run that found it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

ARTIFACTS: Final = Path("artifacts")
FAILURES_MAX: Final = 4  # of one run; with more of them something is broken, not disturbed
FAILED: Final = 1  # pytest: it ran, and some tests failed


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed, by the name pytest takes, and whether the machine may have had a part in it."""

    test: str
    disturbable: bool


def failures(report: Path) -> list[Failure]:
    """Read what failed out of a JUnit report, whose tests carry the properties that ``tests/conftest.py`` gives."""
    found: dict[str, bool] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - we wrote it ourselves, just now
        if case.find("failure") is not None or case.find("error") is not None:
            said = {one.get("name"): one.get("value", "") for one in case.iter("property")}
            test = said.get("test") or f"{case.get('classname')}.{case.get('name')}"
            found[test] = said.get("disturbable") == "yes"
    return [Failure(test, disturbable) for test, disturbable in found.items()]


def again(failed: list[Failure]) -> list[str]:
    """Give the tests to try a second time: all that failed, or none."""
    if not failed or len(failed) > FAILURES_MAX or not all(one.disturbable for one in failed):
        return []
    return [one.test for one in failed]


def pytest(name: str, *options: str) -> int:
    """Run pytest with these options and a report of that name; give its exit status."""
    command = [sys.executable, "-m", "pytest", f"--junitxml={ARTIFACTS / name}.xml"]
    with tempfile.TemporaryDirectory(prefix="tillmesh-suite-", ignore_cleanup_errors=True) as place:
        return subprocess.run([*command, f"--basetemp={place}/t", *options], check=False).returncode


def main(name: str, *options: str) -> int:
    """Run the part, and what failed of it once more."""
    status = pytest(name, *options)
    tests = again(failures(ARTIFACTS / f"{name}.xml")) if status == FAILED else []
    if not tests:
        return status
    print("\nsuite: failed beside others, now alone:", *tests, sep="\n  ", flush=True)
    status = pytest(f"{name}-again", "-n", "0", *tests)
    print("suite:", "failed again:" if status else "PASSED ONLY AT THE SECOND TRY:", *tests, sep="\n  ", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
