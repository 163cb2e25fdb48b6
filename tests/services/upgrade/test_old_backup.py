"""A back-up by an older program, made while the newer one brings its tables up to date, is whole and goes on."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import tamper, trade
from tests.services.upgrade.record import KEY
from tillmesh.adapters.sqlite.database import _MIGRATIONS, connect, newest, one, scripts, write
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.kernel.errors import StorageFailed
from tillmesh.terminal import backup
from tillmesh.terminal.verifying import verify

HERE = Path(__file__).parent


def test_a_back_up_made_in_the_middle_of_an_upgrade_is_of_before_it_and_is_upgraded_when_it_is_put_back(
    tmp_path: Path,
) -> None:
    place, to, key = tmp_path / "till", tmp_path / "backups", tmp_path / "safe.key"
    (place / "keys").mkdir(parents=True)
    to.mkdir()
    (place / FILE).write_bytes((HERE / "version_7.db").read_bytes())
    key.write_bytes(KEY)
    script = next(sql for number, sql in scripts(_MIGRATIONS) if number == 8)
    with closing(connect(place / FILE, KEY)) as db:
        events = one(db, "SELECT count(*) FROM event")
        with write(db):
            db.execute(script)
            db.execute("PRAGMA user_version=8")
            whole = Path(backup.make(place, to, key_file=key)["backup"])
    with closing(connect(whole / FILE, KEY, read_only=True)) as copy:
        assert one(copy, "PRAGMA user_version") == 7
    said = backup.restore(whole, tmp_path / "new", key_file=key)
    assert said["events"] == events + 1, "and that it goes on as somebody else"
    with closing(connect(tmp_path / "new" / FILE, KEY, read_only=True)) as db:
        assert one(db, "PRAGMA user_version") == newest()
    report = verify(tmp_path / "new")
    assert report["gaps"] == []
    assert [problem for problem in report["problems"] if "signed" not in problem] == []  # its keys were not kept


def test_a_back_up_of_a_newer_program_is_not_put_back_and_nothing_stays_of_the_try(tmp_path: Path) -> None:
    place, to, key = tmp_path / "till", tmp_path / "backups", tmp_path / "safe.key"
    trade(place)
    to.mkdir()
    shutil.copy(place / "keys" / "database.key", key)
    tamper(place, f"PRAGMA user_version={newest() + 1}")
    whole = Path(backup.make(place, to)["backup"])
    with pytest.raises(StorageFailed, match=f"of version {newest() + 1}, this program knows {newest()}") as refused:
        backup.restore(whole, tmp_path / "new", key_file=key)
    assert "Install the newer program" in refused.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backups", "safe.key", "till"]
