"""`tillmesh doctor` on tills in a bad state: what is wrong, what to do next, no traceback, no secret in the bundle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import settle_log, shop_at, tamper
from tests.unit.till.shop_till import MANAGER
from tillmesh.adapters.host.backup_note import BackupNote, write_note
from tillmesh.adapters.host.keys import write_file
from tillmesh.adapters.sqlite.database import newest
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.hub.enrolling import prepare
from tillmesh.shop.events import Change
from tillmesh.terminal import store_commands
from tillmesh.terminal.doctor import examine
from tillmesh.terminal.support import write_bundle
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c

NAME = "Perpetua Quillfeather"
NOBODY = 65_534
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A till that sold something to somebody, and is well."""
    place = tmp_path_factory.mktemp("sound") / "till"
    with shop_at(place) as shop:
        shop.furnish().open()
        customer = Change(key="c1", fields={"name": NAME})
        shop.do(c.ChangeRecords(entity="customer", changes=(customer,)), MANAGER)
        shop.sell(cart_id="one")
        shop.sign()
    settle_log(place)
    return place


@pytest.fixture
def place(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "till"))


def wrong_key(place: Path) -> None:
    (place / "keys" / "database.key").write_bytes(bytes(32))


def no_key(place: Path) -> None:
    (place / "keys" / "database.key").unlink()


def a_rotten_page(place: Path) -> None:
    with (place / FILE).open("r+b") as file:
        file.seek(9_000)
        file.write(bytes(64))


def an_empty_database(place: Path) -> None:
    (place / FILE).write_bytes(b"")


def a_newer_schema(place: Path) -> None:
    tamper(place, f"PRAGMA user_version={newest() + 1}")


def a_table_that_is_gone(place: Path) -> None:
    tamper(place, "DROP TABLE signed_head")


def an_origin_that_is_none(place: Path) -> None:
    tamper(place, "UPDATE meta SET value = x'00' WHERE name = 'origin'")


def a_file_of_root(place: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    for path in (place, *place.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    os.chown(place / FILE, 0, 0)


def a_torn_bundle(place: Path) -> None:
    (place / "hub.bundle").write_bytes(b"torn")


def an_expired_certificate(place: Path) -> None:
    bundle = prepare(place.parent / "hub", "corner", "ann", "a long enough password")
    write_file(place / "hub.bundle", bundle)


def an_old_back_up(place: Path) -> None:
    then = time.time_ns() // 1_000_000 - 9 * DAY_MS
    write_note(place, BackupNote(made_ms=then, tried_ms=then))


STATES: list[tuple[Callable[[Path], None], str, str]] = [
    (wrong_key, "wrong key", "Restore the key file"),
    (no_key, "database.key is missing", "Put the key file back"),
    (a_rotten_page, "the database is damaged", "Start the till if it has others"),
    (an_empty_database, "is empty", "Start the till if it has others"),
    (a_newer_schema, f"of version {newest() + 1}, this program knows {newest()}", "Install the newer program again"),
    (a_table_that_is_gone, "not as this program makes them (no such table: signed_head)", "Start the till if it has"),
    (an_origin_that_is_none, "does not say whose it is", "Recover from a peer or a backup"),
    (a_file_of_root, "belongs to root, the data directory to nobody", "chown -R nobody"),
    (a_torn_bundle, "nothing is uploaded from here", "Get it from head office anew"),
    (an_old_back_up, "The newest back-up is 9 days old", "Look why there is no newer one"),
]


@pytest.mark.parametrize(("spoil", "what", "step"), STATES, ids=[state[0].__name__ for state in STATES])
def test_each_bad_state_is_said_with_the_next_step_and_the_bundle_holds_no_secret(
    place: Path, tmp_path: Path, spoil: Callable[[Path], None], what: str, step: str
) -> None:
    keys = [path.read_bytes() for path in (place / "keys").iterdir()]
    spoil(place)
    bad = " | ".join(finding.text for finding in examine(place) if not finding.ok)
    assert what in bad
    assert step in bad
    write_bundle(place, tmp_path / "till.zip")
    with zipfile.ZipFile(tmp_path / "till.zip") as bundle:
        whole = b"".join(bundle.read(name) for name in bundle.namelist())
    assert what.encode() in whole
    for secret in (NAME.encode(), b"Enamel mug", *keys, *(key.hex().encode() for key in keys)):
        assert secret not in whole


def test_an_older_schema_is_no_fault_and_a_till_that_runs_is_said(place: Path) -> None:
    with shop_at(place):
        found = examine(place)
        assert all(finding.ok for finding in found)
        assert any("the till runs" in finding.text for finding in found)
    tamper(place, f"PRAGMA user_version={newest() - 1}")
    assert any(f"the next start brings it up to {newest()}" in finding.text for finding in examine(place))
    assert all(finding.ok for finding in examine(place))


def test_what_can_not_be_read_hides_nothing_of_what_can(place: Path) -> None:
    store_commands.create(place)
    (place / "store" / "authority.der").unlink()
    (place / "store" / "authority.der").mkdir()
    found = {finding.text: finding.ok for finding in examine(place)}
    [strange] = [text for text in found if "authority.der can't be read (Is a directory). Put it back" in text]
    assert not found[strange]
    assert any("sales verified" in text for text in found), "the database is looked at all the same"
    assert any("authority.der can't be read" in problem for problem in verify(place)["problems"])


def test_a_directory_that_can_not_be_looked_into_is_a_finding_that_says_as_whom_to_look(
    place: Path, tmp_path: Path
) -> None:
    place.chmod(0)
    # To root nothing is forbidden; what no file system can name fails in the same place.
    [*_, last] = examine(place if os.geteuid() else tmp_path / ("x" * 300))
    place.chmod(0o700)
    assert not last.ok
    assert "can't be read (" in last.text
    assert "as whom the till runs: sudo -u" in last.text


@pytest.mark.service
def test_a_clock_before_the_program_was_made_is_said(place: Path) -> None:
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed; scripts/setup.sh test installs it")
    words = ["faketime", "1999-12-31 12:00:00", sys.executable, "-m", "tillmesh", "doctor", "--data-dir", str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "BAD  The clock of this till is" in done.stdout, done.stderr
    assert "days behind" in done.stdout


@pytest.mark.service
def test_a_certificate_of_head_office_that_ends_is_said(place: Path) -> None:
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed; scripts/setup.sh test installs it")
    an_expired_certificate(place)
    words = ["faketime", "-f", "+400d", sys.executable, "-m", "tillmesh", "doctor", "--data-dir", str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "BAD  The certificate of this store for head office has ended" in done.stdout, done.stderr
