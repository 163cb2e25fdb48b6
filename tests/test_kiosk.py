"""What makes a machine a till: the files fit each other, and a version is switched in one step and back."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from fnmatch import fnmatch
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.tracked_files import ROOT
from tillmesh.adapters.devices.serial_line import line_of
from tillmesh.adapters.host.keys import CREDENTIAL

DEPLOY = ROOT / "deploy" / "till"
UNITS = sorted(DEPLOY.glob("*.service"))
DROP_INS = "etc/systemd/system/tillmesh-till.service.d"


def install(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(DEPLOY / "install.sh"), *words]
    environment = {**os.environ, "TILLMESH_ROOT": str(root)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def release(root: Path, name: str) -> None:
    (root / "opt/tillmesh/releases" / name).mkdir(parents=True)


def link(root: Path, name: str) -> str:
    return str((root / "opt/tillmesh" / name).readlink())


def two_releases(root: Path) -> None:
    for name in ("1", "2"):
        release(root, name)
    (root / "opt/tillmesh/current").symlink_to("releases/2")
    (root / "opt/tillmesh/previous").symlink_to("releases/1")


def test_going_back_points_at_the_version_before_and_forward_again(tmp_path: Path) -> None:
    two_releases(tmp_path)
    assert install(tmp_path, "rollback").returncode == 0
    assert (link(tmp_path, "current"), link(tmp_path, "previous")) == ("releases/1", "releases/2")
    assert install(tmp_path, "rollback").returncode == 0
    assert (link(tmp_path, "current"), link(tmp_path, "previous")) == ("releases/2", "releases/1")


@pytest.mark.parametrize(("ends", "current"), [(0, "releases/1"), (1, "releases/2")])
def test_going_back_with_the_data_switches_only_if_the_newer_version_could_put_the_database_back(
    tmp_path: Path, ends: int, current: str
) -> None:
    two_releases(tmp_path)
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
    assert CREDENTIAL in script


@pytest.mark.parametrize("sealed", [True, False])
def test_the_till_is_given_a_sealed_key_only_when_there_is_one(tmp_path: Path, sealed: bool) -> None:
    # systemd starts no service whose credential is missing: with one named in the unit no till without a TPM started.
    assert "Credential" not in (DEPLOY / "tillmesh-till.service").read_text()
    two_releases(tmp_path)
    if sealed:
        (tmp_path / "etc/tillmesh").mkdir(parents=True)
        (tmp_path / "etc/tillmesh/database.cred").touch()
    assert install(tmp_path, "rollback").returncode == 0
    part = tmp_path / DROP_INS / "key.conf"
    assert part.exists() == sealed
    if sealed:
        assert f"LoadCredentialEncrypted={CREDENTIAL}:/etc/tillmesh/database.cred\n" in part.read_text()


def test_each_version_runs_under_the_unit_that_came_with_it_and_one_that_has_none_is_not_waited_for(
    tmp_path: Path,
) -> None:
    two_releases(tmp_path)
    unit = tmp_path / "opt/tillmesh/releases/2/deploy/till/tillmesh-till.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("# of version 2\n")
    assert install(tmp_path, "rollback").returncode == 0
    older = tmp_path / DROP_INS / "older.conf"
    assert "Type=simple\nWatchdogSec=0\n" in older.read_text()  # it would never say that it is ready
    assert install(tmp_path, "rollback").returncode == 0
    assert not older.exists()
    assert (tmp_path / "etc/systemd/system/tillmesh-till.service").read_text() == "# of version 2\n"


def test_taking_the_program_away_leaves_what_was_sold_and_how_the_till_was_set_up(tmp_path: Path) -> None:
    two_releases(tmp_path)
    kept = [tmp_path / "var/lib/tillmesh/till.db", tmp_path / "etc/tillmesh/till.env"]
    gone = [tmp_path / "etc/systemd/system" / unit.name for unit in UNITS]
    for path in (*kept, *gone):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("shop")
    done = install(tmp_path, "uninstall")
    assert done.returncode == 0
    assert f"untouched in {tmp_path}/var/lib/tillmesh" in done.stderr
    assert all(path.read_text() == "shop" for path in kept)
    assert not any(path.exists() for path in (*gone, tmp_path / "opt/tillmesh"))


def test_what_the_installer_puts_away_is_what_it_has_put_there() -> None:
    script = (DEPLOY / "install.sh").read_text()
    put = set(
        re.findall(r"^ *(?:put|install -D).* \"?(?:\$root)?(/etc/[^t]\S+[^\"\s]|/etc/tmp\S+)\"?$", script, re.MULTILINE)
    )
    assert put
    away = script[script.index("uninstall() {") :]
    assert all(path in away[: away.index("\n}")] for path in put), put


def test_what_the_screen_does_not_start_without_is_installed_with_it() -> None:
    script = (DEPLOY / "install.sh").read_text()
    packages = re.search(r'screen" = no \] \|\| packages\+=\((.*)\)', script)
    assert packages is not None
    assert {"cage", "chromium", "seatd", "xwayland"} <= set(packages[1].split())
    assert "seatd.service" in (DEPLOY / "tillmesh-kiosk.service").read_text()


def test_the_screen_begins_on_a_page_of_its_own_that_looks_for_the_till_where_the_till_is() -> None:
    page = (DEPLOY / "waiting.html").read_text()
    unit = (DEPLOY / "tillmesh-kiosk.service").read_text()
    port = re.search(r"--port (\d+)", (DEPLOY / "till.env").read_text().splitlines()[-1])
    assert port is not None
    address = f"http://127.0.0.1:{port[1]}"
    assert f"TILL_URL={address}\n" in unit
    assert address in page
    assert address in (DEPLOY / "screen.sh").read_text()
    assert all(f'lang="{language}"' in page for language in ("en", "de", "fr"))
    assert not re.search(r"(src|href)=", page)  # whole by itself: nothing answers yet
    allowed = json.loads((DEPLOY / "browser-policy.json").read_text())
    assert allowed["URLBlocklist"] == ["*"]
    assert "127.0.0.1" in allowed["URLAllowlist"]
    assert "file:///home/tillscreen/page/" in allowed["URLAllowlist"]


def has_begun(starts: Path, times: int) -> bool:
    return starts.read_text().count("\n") == times


@pytest.mark.service
def test_the_screen_goes_over_to_the_till_when_it_answers_and_comes_back_when_it_is_closed(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$$ $@" >>"{tmp_path}/starts"\nexec sleep 600\n')
    browser.chmod(0o755)
    with socket.socket() as till:
        till.bind(("127.0.0.1", 0))  # taken, and nobody answers there
        address = f"http://127.0.0.1:{till.getsockname()[1]}"
        environment = {**os.environ, "HOME": str(tmp_path), "TILL_URL": address, "SCREEN_BROWSER": str(browser)}
        screen = subprocess.Popen([str(DEPLOY / "screen.sh")], env=environment, start_new_session=True)
        try:
            starts = tmp_path / "starts"
            wait_for(lambda: starts.exists() and starts.read_text().count("\n") == 1)
            assert starts.read_text().endswith(f" file://{tmp_path}/page/waiting.html#{address}\n")
            assert (tmp_path / "page/waiting.html").read_text() == (DEPLOY / "waiting.html").read_text()
            assert not (tmp_path / "page/up.js").exists()
            till.listen()
            wait_for((tmp_path / "page/up.js").exists)
            unsent = tmp_path / "profile/Default/Local Storage/leveldb/CURRENT"
            unsent.parent.mkdir(parents=True)
            unsent.write_text("a sale that the till has not heard of")
            for number in range(3):  # closed before the till has shown a page: the profile is not to blame
                os.kill(int(starts.read_text().splitlines()[number].split()[0]), signal.SIGKILL)
                wait_for(partial(has_begun, starts, number + 2))
            assert unsent.exists()
        finally:
            os.killpg(screen.pid, signal.SIGKILL)
            screen.wait()


class Questions(BaseHTTPRequestHandler):
    """A till whose page lives for the first questions and says nothing any more from then on."""

    LIVES: ClassVar = 3
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b'{"silent_s":%d}' % (0 if len(self.asked) <= self.LIVES else 50)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.service
def test_a_screen_whose_page_crashed_is_started_anew_and_one_whose_page_lives_is_left_alone(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$$ $@" >>"{tmp_path}/starts"\nexec sleep 600\n')
    browser.chmod(0o755)
    Questions.asked.clear()
    with HTTPServer(("127.0.0.1", 0), Questions) as till:
        answering = threading.Thread(target=till.serve_forever, kwargs={"poll_interval": 0.05})
        answering.start()
        # It would wait for ever for a page that is still to come: only one that was there can have crashed.
        environment = {**os.environ, "HOME": str(tmp_path), "SCREEN_BROWSER": str(browser)}
        environment |= {"SCREEN_LOADS_S": "9999", "SCREEN_PATIENCE_S": "9999", "SCREEN_CRASHED_S": "1"}
        environment["TILL_URL"] = f"http://127.0.0.1:{till.server_port}"
        screen = subprocess.Popen([str(DEPLOY / "screen.sh")], env=environment, start_new_session=True)
        try:
            starts = tmp_path / "starts"
            wait_for(lambda: starts.exists() and starts.read_text().count("\n") == 2)
            assert len(Questions.asked) > Questions.LIVES
            assert set(Questions.asked) == {"/api/v1/screen"}
        finally:
            os.killpg(screen.pid, signal.SIGKILL)
            screen.wait()
            till.shutdown()
            answering.join()


class Blank(Questions):
    """A till that answers, and whose page never comes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"silent_s":null}')


@pytest.mark.service
def test_a_profile_that_a_power_cut_left_or_that_shows_no_page_is_left_behind_and_what_pages_keep_as_long_as_it_may(
    tmp_path: Path,
) -> None:
    profile, starts = tmp_path / "profile", tmp_path / "starts"
    page, rotten = profile / "Default/Local Storage/leveldb/CURRENT", profile / "Default/History"
    page.parent.mkdir(parents=True)
    page.write_text("look")
    rotten.write_text("torn")
    (profile / "SingletonLock").symlink_to("till-1")
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\ncd "{tmp_path}"\necho $(find profile -type f) >>starts\n'
        "mkdir -p profile/Default && touch profile/Default/History\nexec sleep 600\n"
    )
    browser.chmod(0o755)
    with HTTPServer(("127.0.0.1", 0), Blank) as till:
        answering = threading.Thread(target=till.serve_forever, kwargs={"poll_interval": 0.05})
        answering.start()
        environment = {**os.environ, "HOME": str(tmp_path), "SCREEN_BROWSER": str(browser), "SCREEN_LOADS_S": "1"}
        environment["TILL_URL"] = f"http://127.0.0.1:{till.server_port}"
        screen = subprocess.Popen([str(DEPLOY / "screen.sh")], env=environment, start_new_session=True)
        try:
            wait_for(lambda: starts.exists() and starts.read_text().count("\n") >= 3)
        finally:
            os.killpg(screen.pid, signal.SIGKILL)
            screen.wait()
            till.shutdown()
            answering.join()
    kept = "profile/Default/Local Storage/leveldb/CURRENT"
    assert starts.read_text().splitlines()[:3] == [kept, kept, ""]


@pytest.mark.service
@pytest.mark.parametrize(("opens", "renderers"), [(True, ["as it is"]), (False, ["as it is", "pixman"])])
def test_a_display_without_opengl_is_drawn_on_by_the_processor(
    tmp_path: Path, opens: bool, renderers: list[str]
) -> None:
    cage = tmp_path / "cage"
    tries = f'#!/bin/sh\necho "${{WLR_RENDERER:-as it is}}" >>"{tmp_path}/tried"\n'
    cage.write_text(tries + f'[ {opens} = True ] || [ "$WLR_RENDERER" = pixman ]\n')
    cage.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "WLR_RENDERER"}
    environment["SCREEN_CAGE"] = str(cage)
    assert subprocess.run([str(DEPLOY / "display.sh")], env=environment, check=False).returncode == 0
    assert (tmp_path / "tried").read_text().splitlines() == renderers


def wait_for(fulfilled: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not fulfilled():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_a_shell_understands_the_scripts_of_a_till(script: Path) -> None:
    shell = script.read_text().splitlines()[0].rsplit(maxsplit=1)[-1].removeprefix("#!")
    assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0
    assert os.access(script, os.X_OK)


def test_the_till_may_open_the_serial_lines_that_its_settings_can_name() -> None:
    rule = next(line for line in (DEPLOY / "70-tillmesh.rules").read_text().splitlines() if 'SUBSYSTEM=="tty"' in line)
    kernel = re.search(r'KERNEL=="([^"]+)"', rule)
    group = re.search(r'GROUP="(\w+)"', rule)
    assert kernel
    assert group
    for name in ("ttyUSB0", "ttyACM3", "ttyS1"):
        assert any(fnmatch(name, pattern) for pattern in kernel[1].split("|"))
        assert line_of(f"/dev/{name}", "9600 8N1").url == f"/dev/{name}"
    unit = (DEPLOY / "tillmesh-till.service").read_text()
    assert group[1] in re.search(r"^SupplementaryGroups=(.*)$", unit, re.MULTILINE)[1].split()  # type: ignore[index]
    assert "PrivateDevices" not in unit
