"""A service of an older program beside newer ones on one PostgreSQL: it is hung up on, and writes nothing any more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from tests.contracts.test_hub_ports import A, chain, entry
from tests.servers import ON_SERVERS, Servers, master_in, office_in
from tillmesh.adapters.postgres import master as master_of
from tillmesh.adapters.postgres import office as office_of
from tillmesh.adapters.postgres.database import Database, one, rows, scripts
from tillmesh.fleet.ports import Away
from tillmesh.hub.settings import PostgresTables, Settings
from tillmesh.kernel.errors import StorageFailed

pytestmark = [*ON_SERVERS]


@pytest.fixture
def room(servers: Servers) -> Settings:
    return servers.room()


def steps_before(steps: Traversable, folder: Path) -> Path:
    """Copy the steps of a schema without the last one: what the program before this one knew."""
    known = sorted(Path(str(steps)).glob("0*.sql"))
    assert len(known) > 1, "there was a program before this one"
    folder.mkdir()
    for file in known[:-1]:
        shutil.copy(file, folder)
    return folder


@pytest.fixture
def older(room: Settings, tmp_path: Path) -> Iterator[dict[str, Database]]:
    """Services of the program before this one, at work: their connections are open."""
    assert isinstance(room.master, PostgresTables)
    dsn, schema = room.master.dsn, room.master.schema
    made = {
        "master": Database(dsn, schema, steps_before(master_of.STEPS, tmp_path / "master")),
        "office": Database(dsn, schema + office_of.SCHEMA_ENDS, steps_before(office_of.STEPS, tmp_path / "office")),
    }
    for each in made.values():
        with each.using() as db:
            assert one(db, "SELECT max(number) FROM version") >= 1
    yield made
    for each in made.values():
        each.close()


def refused(old: Database) -> None:
    """See that a service which was hung up on is refused when it comes back, and says why."""
    old._away_until = 0.0  # it waits for two seconds otherwise
    with pytest.raises(StorageFailed, match=r"are of version \d+, this program knows \d+"), old.using():
        pass


def test_a_service_of_an_older_program_is_ended_in_the_middle_of_writing_and_never_comes_back(
    older: dict[str, Database], room: Settings
) -> None:
    newer = master_in(room)

    def write() -> None:
        with older["master"].using() as db, db.transaction():
            db.execute("INSERT INTO store (name) VALUES ('half')")
            newer.apply({"log": 1}, entry(chain(A, 2)))
            db.execute("INSERT INTO store (name) VALUES ('more')")

    with pytest.raises(Away, match="master database is away"):
        write()
    refused(older["master"])
    beside = master_in(room)  # one more of the same program leaves the first alone
    assert beside.held("corner").heads[A].seq == newer.held("corner").heads[A].seq == 2
    with newer._database.using() as db:
        assert rows(db, "SELECT name FROM store") == [("corner",)]
        assert one(db, "SELECT max(number) FROM version") == scripts(master_of.STEPS)[-1][0]
    for each in (newer, beside):
        each.close()


def test_it_is_the_same_for_people_and_keys(older: dict[str, Database], room: Settings) -> None:
    people = office_in(room)
    assert not people.has_people()
    with pytest.raises(Away), older["office"].using() as db:
        db.execute("UPDATE version SET number = number")
    refused(older["office"])
    people.close()
