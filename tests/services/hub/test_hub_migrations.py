"""Head office's tables come up to date with what is in them."""

from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from tests.contracts.test_hub_ports import KEY, chain, entry
from tillmesh.adapters.postgres import master as postgres_master
from tillmesh.adapters.postgres import office as postgres_office
from tillmesh.adapters.postgres import pictures as postgres_pictures
from tillmesh.adapters.postgres.database import scripts as postgres_scripts
from tillmesh.adapters.sqlite.database import connect, migrate, one, rows, scripts, write
from tillmesh.adapters.sqlite.hub import log, master, models, office, pictures
from tillmesh.adapters.sqlite.hub.master import SqliteMaster


def test_totals_of_stores_are_made_from_the_sales_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "master.db"
    made = SqliteMaster(file, KEY)
    made.apply({"log": 1}, entry(chain("tilla.aaaaaaaa", 3)))
    digest = made.digest()
    made.close()
    db = connect(file, KEY)  # as the first version left it
    with write(db):
        db.execute("ALTER TABLE store DROP COLUMN sales")
        db.execute("ALTER TABLE store DROP COLUMN revenue_minor")
        db.execute("ALTER TABLE store DROP COLUMN generation")
        db.execute("ALTER TABLE actor DROP COLUMN weight")
        db.execute("ALTER TABLE actor DROP COLUMN aside")
        db.execute("PRAGMA user_version=1")
    db.close()
    again = SqliteMaster(file, KEY)
    assert rows(again._db, "SELECT name, sales, revenue_minor FROM store") == [("corner", 3, 600)]
    assert again.digest() == digest
    again.close()


@pytest.mark.parametrize(
    "steps",
    [postgres_master.STEPS, postgres_office.STEPS, postgres_pictures.STEPS],
    ids=["master", "office", "pictures"],
)
def test_no_two_steps_of_a_schema_in_postgresql_share_a_number(steps: Traversable) -> None:
    numbers = [number for number, _ in postgres_scripts(steps)]
    assert numbers == list(range(1, len(numbers) + 1)), "the next program would stop at the second of them"


def test_every_file_of_head_office_comes_up_to_its_newest_version_once(tmp_path: Path) -> None:
    for name, steps in (
        ("log", log.STEPS),
        ("master", master.STEPS),
        ("office", office.STEPS),
        ("models", models.STEPS),
        ("pictures", pictures.STEPS),
    ):
        db = connect(tmp_path / name, KEY)
        numbers = [number for number, _ in scripts(steps)]
        assert numbers == list(range(1, len(numbers) + 1)), f"{name}: two steps share a number, so one never runs"
        newest = numbers[-1]
        assert migrate(db, steps) == migrate(db, steps) == newest == one(db, "PRAGMA user_version")
        db.close()
