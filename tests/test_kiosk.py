"""What makes a machine a till: the files fit each other, and a version is switched in one step and back."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tracked_files import ROOT

DEPLOY = ROOT / "deploy" / "till"
UNITS = sorted(DEPLOY.glob("*.service"))


def install(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(DEPLOY / "install.sh"), *words]
    environment = {**os.environ, "TILLMESH_ROOT": str(root)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def release(root: Path, name: str) -> None:
    (root / "opt/tillmesh/releases" / name).mkdir(parents=True)


def link(root: Path, name: str) -> str:
    return str((root / "opt/tillmesh" / name).readlink())


def test_going_back_points_at_the_version_before_and_forward_again(tmp_path: Path) -> None:
    for name in ("1", "2"):
        release(tmp_path, name)
    (tmp_path / "opt/tillmesh/current").symlink_to("releases/2")
    (tmp_path / "opt/tillmesh/previous").symlink_to("releases/1")
    assert install(tmp_path, "rollback").returncode == 0
    assert (link(tmp_path, "current"), link(tmp_path, "previous")) == ("releases/1", "releases/2")
    assert install(tmp_path, "rollback").returncode == 0
    assert (link(tmp_path, "current"), link(tmp_path, "previous")) == ("releases/2", "releases/1")


@pytest.mark.parametrize(("ends", "current"), [(0, "releases/1"), (1, "releases/2")])
def test_going_back_with_the_data_switches_only_if_the_newer_version_could_put_the_database_back(
    tmp_path: Path, ends: int, current: str
) -> None:
    for name in ("1", "2"):
        release(tmp_path, name)
    (tmp_path / "opt/tillmesh/current").symlink_to("releases/2")
    (tmp_path / "opt/tillmesh/previous").symlink_to("releases/1")
    program = tmp_path / "opt/tillmesh/releases/2/.venv/bin/tillmesh"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/asked"\nexit {ends}\n')
    program.chmod(0o755)
    done = install(tmp_path, "rollback", "--with-data")
    assert (done.returncode, link(tmp_path, "current")) == (ends, current)
    assert (tmp_path / "asked").read_text() == f"doctor --data-dir {tmp_path}/var/lib/tillmesh --before-upgrade\n"


def test_going_back_over_a_change_of_tables_is_told(tmp_path: Path) -> None:
    for name, count in (("1", 2), ("2", 3)):
        tables = tmp_path / "opt/tillmesh/releases" / name / "src/tillmesh/adapters/sqlite/migrations"
        tables.mkdir(parents=True)
        for number in range(count):
            (tables / f"{number}.sql").touch()
    (tmp_path / "opt/tillmesh/current").symlink_to("releases/2")
    (tmp_path / "opt/tillmesh/previous").symlink_to("releases/1")
    assert "1 knows fewer tables" in install(tmp_path, "rollback").stderr
    assert "fewer" not in install(tmp_path, "rollback").stderr


def test_a_machine_with_one_version_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    done = install(tmp_path, "rollback")
    assert done.returncode == 1
    assert "no earlier version" in done.stderr


def test_a_word_that_is_no_option_changes_nothing(tmp_path: Path) -> None:
    assert install(tmp_path, "--frobnicate").returncode == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "tillmesh" not in done.stderr, done.stderr


def test_the_till_starts_what_the_installer_puts_there_with_the_data_it_owns() -> None:
    unit = (DEPLOY / "tillmesh-till.service").read_text()
    script = (DEPLOY / "install.sh").read_text()
    assert "ExecStart=/opt/tillmesh/current/.venv/bin/tillmesh terminal --data-dir /var/lib/tillmesh" in unit
    assert "home=$root/opt/tillmesh" in script
    assert "StateDirectory=tillmesh\n" in unit
    assert "tillmesh-database-key" in unit
    assert "tillmesh-database-key" in (ROOT / "src/tillmesh/adapters/host/keys.py").read_text()
