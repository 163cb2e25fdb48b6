"""A back-up of a till: whole, of no use without its key, put back as another incarnation, and tried out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.services.sqlite.disk_shop import shop_at, trade
from tests.unit.till.shop_till import MANAGER
from tillmesh.adapters.host.backup_note import read_note
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.cli import main
from tillmesh.kernel.errors import Conflict, Damaged, NotFound, StorageFailed
from tillmesh.kernel.ids import series
from tillmesh.shop.events import Change
from tillmesh.terminal import backup
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c

NAME = "Perpetua Quillfeather"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    trade(tmp_path / "till")
    return tmp_path / "till"


@pytest.fixture
def to(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


@pytest.fixture
def key_file(place: Path, tmp_path: Path) -> Path:
    """The key as the shop keeps it, in its safe."""
    return Path(shutil.copy(place / "keys" / "database.key", tmp_path / "safe.key"))


def made(place: Path, to: Path, **more: Any) -> Path:
    return Path(backup.make(place, to, **more)["backup"])


def test_a_till_that_is_put_back_has_all_of_then_and_gives_out_no_number_twice(
    place: Path, to: Path, key_file: Path, tmp_path: Path
) -> None:
    with shop_at(place) as shop:  # it runs, and sells on
        customer = Change(key="c1", fields={"name": NAME})
        shop.do(c.ChangeRecords(entity="customer", changes=(customer,)), MANAGER)
        shop.sign()
        whole = made(place, to)
        shop.sell(cart_id="after the back-up")
        numbers, former = shop.numbers(), shop.opened.origin
        shop.sign()
    shutil.rmtree(place)
    said = backup.restore(whole, tmp_path / "new", key_file=key_file)
    with shop_at(tmp_path / "new") as shop:
        reborn = shop.opened.origin
        assert (reborn.store, reborn.terminal) == (former.store, former.terminal)
        assert reborn.actor == said["actor"] != former.actor
        assert shop.numbers() == numbers[:-1]
        assert dict(shop.writer.books.records("customer"))["c1"]["name"] == NAME
        shop.sell(cart_id="after it was put back")
        assert shop.numbers()[-1].startswith(said["receipts_begin_with"])
        assert series(reborn.actor) not in {number[:4] for number in numbers}
        waiting = "SELECT count(*) FROM print_job WHERE state <> 'done' AND created_ms < ?"
        assert shop.writer.db.execute(waiting, (shop.clock_ms,)).fetchall() == [(0,)]
        assert dict(shop.opened.notices) == {}  # it was settled when it was put back
    assert verify(tmp_path / "new")["ok"]


def test_a_back_up_holds_neither_its_key_nor_anything_to_read(place: Path, to: Path) -> None:
    whole = made(place, to)
    keys = [path.read_bytes() for path in (place / "keys").iterdir()]
    assert len(keys) >= 3
    for path in whole.iterdir():
        assert path.stat().st_mode & 0o077 == 0
        data = path.read_bytes()
        assert not any(key in data or key.hex().encode() in data for key in keys)
        assert b"Enamel mug" not in data
    assert set(json.loads((whole / "about.json").read_bytes())["files"]) == {"customers.db", "small-files.sealed", FILE}


def test_a_rotten_byte_is_found_without_the_key_and_a_wrong_key_is_said(
    place: Path, to: Path, key_file: Path, tmp_path: Path
) -> None:
    whole = made(place, to)
    assert backup.check(whole)["ok"]
    report = backup.check(whole, key_file=key_file)
    assert (report["ok"], report["sales"], report["problems"]) == (True, 2, [])
    other = tmp_path / "other.key"
    other.write_bytes(bytes(32))
    with pytest.raises(Damaged, match="wrong key"):
        backup.check(whole, key_file=other)
    with (whole / FILE).open("r+b") as file:
        file.seek(9_000)
        byte = file.read(1)
        file.seek(9_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(Damaged, match="is not what was written there"):
        backup.check(whole)
    with pytest.raises(Damaged):
        backup.restore(whole, tmp_path / "new", key_file=key_file)
    assert not (tmp_path / "new").exists()


def test_what_went_wrong_is_noted_until_a_back_up_works_again(place: Path, to: Path) -> None:
    with pytest.raises(NotFound, match="is not there"):
        backup.make(place, to / "unmounted")
    failed = read_note(place)
    assert "is not there" in failed.why
    assert not failed.made_ms
    with (place / FILE).open("r+b") as file:  # damage on the till's own disk is found while it is copied
        file.seek(9_000)
        file.write(bytes(64))
    with pytest.raises(Damaged):
        backup.make(place, to)
    assert list(to.iterdir()) == []
    assert read_note(place).why


def test_a_disk_without_room_is_said_before_anything_is_written(
    place: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(to)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    with pytest.raises(StorageFailed, match="1 MiB are free"):
        backup.make(place, to)
    assert list(to.iterdir()) == []


def test_only_the_newest_are_kept_and_what_was_cut_off_is_cleared_away(place: Path, to: Path) -> None:
    first = made(place, to)
    whose = first.name.rsplit("-", 1)[0]
    for day in (1, 2, 3):
        shutil.copytree(first, to / f"{whose}-2026010{day}T030000Z")
    half = to / f"{whose}-20260104T030000Z.half"
    half.mkdir()
    shutil.rmtree(first)
    said = backup.make(place, to, keep=2)
    assert said["dropped"] == [f"{whose}-20260101T030000Z", f"{whose}-20260102T030000Z"]
    assert len(list(to.iterdir())) == 2


def test_a_drill_looks_through_the_newest_one_and_leaves_the_till_and_no_trace(
    place: Path, to: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = tmp_path / "trials"
    trials.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(trials))
    made(place, to)
    with shop_at(place) as shop:
        shop.sell(cart_id="since then")
        before = {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        said = backup.drill(place, to)
        after = {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
        assert (said["ok"], said["sales"], said["problems"]) == (True, 2, [])
        assert said["events_since"] >= 1
        assert said["receipts_would_begin_with"] != series(shop.opened.origin.actor)
    assert {path.name for path in after if before.get(path) != after[path]} <= {"backup.json", f"{FILE}-shm"}
    assert list(trials.iterdir()) == []
    assert read_note(place).drilled_ms
    assert read_note(place).drill_why == ""


def test_a_drill_says_when_a_copy_is_not_a_beginning_of_the_till(
    place: Path, to: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(place, to)
    early = tmp_path / "early"
    shutil.copytree(place, early)
    with shop_at(place) as shop:
        shop.sell(cart_id="here")
        shop.sign()
    [whole] = to.iterdir()
    with shop_at(early) as shop:  # somebody started a copy beside it: another incarnation, which the till has not
        shop.sell(cart_id="there")
        shop.sign()
    shutil.rmtree(whole)
    backup.make(early, to)
    with pytest.raises(SystemExit) as ended:
        main(["backup", "drill", "--data-dir", str(place), "--to", str(to)])
    said = json.loads(capsys.readouterr().out)
    assert (ended.value.code, said["ok"]) == (1, False)
    assert "is not the till's own" in said["problems"][0]
    assert "is not the till's own" in read_note(place).drill_why


def test_nothing_is_written_over_and_a_restoring_that_was_cut_off_begins_again(
    place: Path, to: Path, key_file: Path, tmp_path: Path
) -> None:
    whole = made(place, to)
    with pytest.raises(Conflict, match="is not empty"):
        backup.restore(whole, place, key_file=key_file)
    new = tmp_path / "new"
    new.mkdir()
    half = tmp_path / "new.restoring"
    half.mkdir()
    (half / FILE).write_bytes(b"half")
    assert backup.restore(whole, new, key_file=key_file)["events"] > 0
    assert not half.exists()
    with shop_at(new) as shop:
        assert len(shop.numbers()) == 2


def test_the_command_says_in_words_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["make", "--data-dir", str(tmp_path), "--to", str(tmp_path)],
        ["check", str(tmp_path)],
        ["drill", "--data-dir", str(tmp_path), "--to", str(tmp_path)],
        ["restore", str(tmp_path), "--data-dir", str(tmp_path / "new"), "--key-file", str(tmp_path / "none.key")],
    ):
        with pytest.raises(SystemExit) as ended:
            main(["backup", *words])
        assert ended.value.code == 1
        assert capsys.readouterr().err.startswith("tillmesh: ")
