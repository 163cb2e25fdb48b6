"""A back-up in the hands of whoever has its disk: nothing is put together, left out or led astray without a word."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.faults.small_disk import small_disk
from tests.services.sqlite.disk_shop import shop_at, trade
from tillmesh.adapters.host import backup_folder
from tillmesh.adapters.host.backup_note import FILE as NOTE
from tillmesh.adapters.host.backup_note import BackupNote, one_at_a_time, read_note, write_note
from tillmesh.adapters.host.keys import SEALED
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.kernel.errors import Conflict, Damaged, StorageFailed, TillmeshError
from tillmesh.terminal import backup
from tillmesh.terminal.upkeep import UpkeepWatch

CUSTOMERS = "customers.db"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A till, two back-ups of it with a sale between them, and its key in the safe."""
    place = tmp_path_factory.mktemp("attacked")
    trade(place / "till")
    (place / "backups").mkdir()
    backup.make(place / "till", place / "backups")
    with shop_at(place / "till") as shop:
        shop.sell(cart_id="between")
        shop.sign()
    backup.make(place / "till", place / "backups")
    shutil.copy(place / "till" / "keys" / "database.key", place / "safe.key")
    return place


@pytest.fixture
def stolen(disk: Path, tmp_path: Path) -> Path:
    """The newer back-up, as somebody may alter it."""
    [_, newer] = sorted((disk / "backups").iterdir())
    return shutil.copytree(newer, tmp_path / newer.name)


def say(whole: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Alter what a back-up says of itself, with sums that fit."""
    about = json.loads((whole / "about.json").read_bytes())
    change(about)
    for name in about["files"]:
        if (whole / name).is_file():
            about["files"][name] = sha256((whole / name).read_bytes()).hexdigest()
    (whole / "about.json").write_text(json.dumps(about))


def test_a_back_up_that_was_put_together_out_of_two_is_refused(disk: Path, stolen: Path, tmp_path: Path) -> None:
    [older, _] = sorted((disk / "backups").iterdir())
    shutil.copy(older / FILE, stolen / FILE)
    say(stolen, lambda _: None)
    assert backup.check(stolen)["ok"]  # without the key nobody can know
    with pytest.raises(Damaged, match="is not as it was made"):
        backup.check(stolen, key_file=disk / "safe.key")
    with pytest.raises(Damaged, match="is not as it was made"):
        backup.restore(stolen, tmp_path / "new", key_file=disk / "safe.key")
    assert sorted(path.name for path in tmp_path.iterdir()) == [stolen.name]


@pytest.mark.parametrize("name", [FILE, CUSTOMERS])
def test_a_back_up_that_a_file_was_taken_out_of_is_refused(disk: Path, stolen: Path, tmp_path: Path, name: str) -> None:
    (stolen / name).unlink()
    say(stolen, lambda about: about["files"].pop(name))
    with pytest.raises(Damaged, match="is not as it was made"):
        backup.restore(stolen, tmp_path / "new", key_file=disk / "safe.key")


@pytest.mark.parametrize("name", ["/etc/hostname", "../beside", "up/../../beside", "link", "inside/x", "pipe"])
def test_a_name_that_leads_out_of_the_back_up_is_refused(disk: Path, stolen: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "beside").write_text("not of the back-up")
    (stolen / "link").symlink_to(tmp_path / "beside")
    (stolen / "inside").symlink_to(tmp_path)
    (tmp_path / "x").write_text("nor this")
    os.mkfifo(stolen / "pipe")  # whoever opens that waits for ever
    say(stolen, lambda about: about["files"].update({name: ""}))
    with pytest.raises(Damaged, match="is no file of this back-up"):
        backup.check(stolen)
    with pytest.raises(Damaged, match="is no file of this back-up"):
        backup.restore(stolen, tmp_path / "new", key_file=disk / "safe.key")


@pytest.mark.parametrize("about", [b"", b"{}", b"[" * 100_000, b'{"format":', b"\xff"])
def test_whatever_a_back_up_says_of_itself_is_answered_in_words(stolen: Path, about: bytes) -> None:
    (stolen / "about.json").write_bytes(about)
    with pytest.raises(TillmeshError, match="can't be read"):
        backup.check(stolen)


def test_a_moment_that_no_calendar_knows_is_answered_in_words(stolen: Path) -> None:
    say(stolen, lambda about: about.update(made_ms=1 << 62))
    with pytest.raises(TillmeshError, match="can't be read"):
        backup.check(stolen)


def test_a_till_whose_clock_went_back_ten_years_keeps_the_back_up_that_it_makes(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = tmp_path / "to"
    to.mkdir()
    now_ns = 1_795_689_600_000_000_000
    years = 3_652 * 86_400 * 10**9
    made = []
    for clock in (now_ns + years, now_ns + years, now_ns, now_ns - years):
        monkeypatch.setattr("time.time_ns", lambda clock=clock: clock)
        made.append(Path(backup.make(disk / "till", to, keep=2)["backup"]))
    assert sorted(to.iterdir()) == made[-2:]
    assert backup.drill(disk / "till", to)["backup"] == made[-1].name


def test_a_back_up_of_the_future_counts_as_old_once_the_clock_is_right(tmp_path: Path) -> None:
    write_note(tmp_path, BackupNote(made_ms=4_000_000_000_000, tried_ms=4_000_000_000_000))
    found = UpkeepWatch(tmp_path).look(0).backups
    assert found is not None
    assert found.age_s > 86_400 * 365


def test_two_back_ups_at_once_do_not_clear_each_other_away(disk: Path, tmp_path: Path) -> None:
    with one_at_a_time(disk / "till"):
        with pytest.raises(Conflict, match="is under way"):
            backup.make(disk / "till", tmp_path)
        with pytest.raises(Conflict, match="is under way"):
            backup.drill(disk / "till", disk / "backups")
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_the_note_is_not_followed(tmp_path: Path) -> None:
    """Root makes the back-up of a till that runs as a user of its own: that user must not choose what root writes."""
    shadow = tmp_path / "shadow"
    shadow.write_text("root's own")
    (tmp_path / "till").mkdir()
    (tmp_path / "till" / Path(NOTE).with_suffix(".new")).symlink_to(shadow)
    with pytest.raises(OSError, match="symbolic link"):
        write_note(tmp_path / "till", BackupNote())
    assert shadow.read_text() == "root's own"


def test_a_drill_that_was_cut_off_leaves_nothing_that_opens_it_and_the_next_clears_it_away(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    key = (disk / "safe.key").read_bytes()
    held: list[bytes] = []

    def look(place: Path, **_: Any) -> dict[str, Any]:
        held.extend(path.read_bytes() for path in place.rglob("*") if path.is_file())
        raise StorageFailed("cut off", hint="")

    monkeypatch.setattr(backup, "verify", look)
    with pytest.raises(StorageFailed):
        backup.drill(disk / "till", disk / "backups")
    assert held
    assert not any(key in data for data in held)
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    [newest] = sorted((disk / "backups").iterdir())[-1:]
    left = tmp_path / f"tillmesh-drill-{newest.name.split('-')[1]}-killed"
    left.mkdir()
    (left / FILE).write_bytes(b"half")
    assert backup.drill(disk / "till", disk / "backups")["ok"]
    assert list(tmp_path.iterdir()) == []
    assert read_note(disk / "till").drill_why == ""


def test_a_restoring_that_fails_leaves_no_half_and_an_empty_place(
    disk: Path, stolen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(shutil, "copyfile", full)
    (tmp_path / "new").mkdir()
    with pytest.raises(TillmeshError, match="the disk is full"):
        backup.restore(stolen, tmp_path / "new", key_file=disk / "safe.key")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", stolen.name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_restores_belongs_to_whom_the_empty_place_belonged(disk: Path, stolen: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    os.chown(tmp_path / "new", 12_345, 12_345)
    backup.restore(stolen, tmp_path / "new", key_file=disk / "safe.key")
    assert {path.lstat().st_uid for path in [tmp_path / "new", *(tmp_path / "new").rglob("*")]} == {12_345}


def test_a_till_whose_keys_are_sealed_is_tried_out_with_the_key_of_the_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine seals them under a key that systemd holds; whoever restores has that key in a file."""
    held = tmp_path / "held"
    held.mkdir()
    (held / "tillmesh-database-key").write_bytes(bytes(range(32)))
    safe = Path(shutil.copy(held / "tillmesh-database-key", tmp_path / "safe.key"))
    with monkeypatch.context() as patch:
        patch.setenv("CREDENTIALS_DIRECTORY", str(held))
        trade(tmp_path / "till")
        with shop_at(tmp_path / "till"):  # the next start seals what is still open
            pass
    assert any(path.read_bytes().startswith(SEALED) for path in (tmp_path / "till" / "keys").iterdir())
    (tmp_path / "to").mkdir()
    whole = Path(backup.make(tmp_path / "till", tmp_path / "to", key_file=safe)["backup"])
    assert backup.check(whole, key_file=safe)["ok"]
    assert backup.drill(tmp_path / "till", tmp_path / "to", key_file=safe)["ok"]
    backup.restore(whole, tmp_path / "new", key_file=safe)
    with shop_at(tmp_path / "new") as shop:
        shop.sell(cart_id="after it was put back")


def test_a_small_file_that_does_not_fit_on_the_disk_is_not_written_by_half(tmp_path: Path) -> None:
    """A disk that is nearly full takes the beginning of what it is given, and says how much that was."""
    (tmp_path / "list").write_text("as it was")
    program = (
        "import resource, sys; from pathlib import Path; from tillmesh.adapters.host.keys import write_file; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); write_file(Path(sys.argv[1]), bytes(10_000))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "list")], capture_output=True, check=False)
    assert b"File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["list"]
    assert (tmp_path / "list").read_text() == "as it was"


def test_a_till_comes_back_into_a_directory_whose_parent_is_not_its_own(
    disk: Path, stolen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that is a till: its user may write in /var/lib/tillmesh, and not in /var/lib."""
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != tmp_path)
    new = tmp_path / "new"
    (new / ".restoring").mkdir(parents=True)  # one that was cut off while its files came out, the database last
    (new / ".restoring" / FILE).write_bytes(b"half")
    (new / CUSTOMERS).write_bytes(b"out already")
    backup.restore(stolen, new, key_file=disk / "safe.key")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", stolen.name]
    assert not (new / ".restoring").exists()
    with shop_at(new) as shop:
        shop.sell(cart_id="after it was put back")
    for left in ((), (FILE,)):  # of another time, beside a till that sells: nothing of it is touched
        (new / ".restoring").mkdir(exist_ok=True)
        for name in left:
            (new / ".restoring" / name).write_bytes(b"half")
        with pytest.raises(Conflict, match="is not empty"):
            backup.restore(stolen, new, key_file=disk / "safe.key")
    with shop_at(new) as shop:
        assert len(shop.numbers()) == 4


@pytest.mark.parametrize("ending", ["", ".half"])
@pytest.mark.parametrize("how", ["file", "link"])
def test_what_lies_where_a_back_up_would_lie_and_is_none_is_in_nobodys_way(
    tmp_path: Path, how: str, ending: str
) -> None:
    """Before, such a file kept every later back-up from being made, or from being noted as made."""
    place, disk, precious = tmp_path / "till", tmp_path / "backups", tmp_path / "precious"
    trade(place)
    disk.mkdir()
    precious.mkdir()
    (precious / "photo").write_text("mine")
    whose = Path(backup.make(place, disk)["backup"]).name.rsplit("-", 1)[0]
    strange = disk / f"{whose}-20260101T030000Z{ending}"
    if how == "file":
        strange.write_text("what is this")
    else:
        strange.symlink_to(precious)
    said = backup.make(place, disk, keep=2)
    assert said["dropped"] == []
    assert read_note(place).why == ""
    assert backup.check(Path(said["backup"]))["ok"]
    assert (precious / "photo").read_text() == "mine"


@pytest.mark.slow
def test_a_disk_of_back_ups_that_fills_up_or_turns_read_only_is_named_and_not_the_tills_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "till"
    trade(place)
    with small_disk(tmp_path / "to", "32m") as small:
        monkeypatch.setattr(backup_folder, "SPARE_BYTES", -(1 << 40))  # it had room when the copying began
        for left in (4_096, 150_000, 320_000):
            small.fill(left)
            with pytest.raises(StorageFailed, match=f"no back-up could be written to {small.place}: it is full"):
                backup.make(place, small.place)
            assert "it is full" in read_note(place).why
            small.clear()
            assert list(small.place.iterdir()) == [], "nothing is left of it"
        small.read_only()
        with pytest.raises(StorageFailed, match=f"no back-up could be written to {small.place}: Read-only"):
            backup.make(place, small.place)
        small.writable()
        assert backup.check(Path(backup.make(place, small.place)["backup"]))["ok"]
    assert read_note(place).why == ""
