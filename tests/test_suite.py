"""How the suite is run: what a busy machine may have disturbed is tried twice, and told; nothing else is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dead_clocks import forget_dead_clocks
from tests.tracked_files import ROOT

pytestmark = [pytest.mark.slow]

TESTS = """
from pathlib import Path
import pytest

def first_time(name):
    tried = Path(name)
    first = not tried.exists()
    tried.touch()
    return first

@pytest.mark.service
def test_a_till_that_is_disturbed_once():
    assert not first_time("till")

@pytest.mark.journey
def test_a_till_that_is_broken():
    raise RuntimeError("broken")

@pytest.mark.service
@pytest.mark.parametrize("number", range(5))
def test_many(number):
    assert number < 0

def test_a_sum_that_is_wrong():
    assert not first_time("sum")

def test_a_sum_that_is_right():
    assert 1 + 1 == 2

def test_a_place_to_write(tmp_path):
    Path("place").write_text(str(tmp_path))
"""

ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}


def run(folder: Path, chosen: str) -> tuple[int, str]:
    """Run these tests of a project of its own as `make test` runs ours; give the exit status and what was printed."""
    (folder / "conftest.py").write_text("from tests.conftest import pytest_collection_modifyitems\n")
    (folder / "test_shop.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  service\n  journey\n")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "suite.py", "junit", "-k", chosen],
        cwd=folder, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_what_passes_is_run_once(tmp_path: Path) -> None:
    status, printed = run(tmp_path, "right")
    assert (status, "suite:" in printed) == (0, False)


def test_a_disturbed_till_passes_at_the_second_try_and_it_is_told(tmp_path: Path) -> None:
    status, printed = run(tmp_path, "disturbed or right")
    assert status == 0
    assert "PASSED ONLY AT THE SECOND TRY:\n  test_shop.py::test_a_till_that_is_disturbed_once" in printed
    assert {path.name for path in (tmp_path / "artifacts").iterdir()} == {"junit.xml", "junit-again.xml"}


def test_a_broken_till_fails_twice(tmp_path: Path) -> None:
    status, printed = run(tmp_path, "disturbed or broken")
    assert status == 1
    assert "failed again:" in printed


@pytest.mark.parametrize("chosen", ["wrong or disturbed", "many"])
def test_a_wrong_sum_or_many_failures_get_no_second_try(tmp_path: Path, chosen: str) -> None:
    status, printed = run(tmp_path, chosen)
    assert (status, "suite:" in printed) == (1, False)


def test_no_test_at_all_is_told_as_pytest_tells_it(tmp_path: Path) -> None:
    status, _ = run(tmp_path, "nothing")
    assert status == 5


def test_each_run_has_a_place_of_its_own_and_leaves_nothing_there(tmp_path: Path) -> None:
    places = set()
    for _ in range(2):
        assert run(tmp_path, "place")[0] == 0
        place = Path((tmp_path / "place").read_text())
        assert not place.exists()
        places.add(place)
    assert len(places) == 2


def test_clocks_of_killed_programs_are_cleared_away_and_no_others(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = [f"faketime_shm_{gone.pid}", f"sem.faketime_sem_{gone.pid}"]
    stays = [f"faketime_shm_{os.getpid()}", "PostgreSQL.17", f"faketime_shm_{gone.pid}.txt"]
    for name in (*left, *stays):
        (tmp_path / name).touch()
    assert forget_dead_clocks(tmp_path) == left
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(stays)
    assert forget_dead_clocks(tmp_path / "none") == []
