"""Kinds of master database for the suites that ask questions of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ON_SERVERS, Servers, master_in, reading_in
from tillmesh.adapters.sqlite.hub.master import SqliteMaster
from tillmesh.adapters.sqlite.hub.reading import SqliteReading
from tillmesh.fleet.ports import Master, Reading

KEY = bytes(range(32))


@pytest.fixture(params=["sqlite", pytest.param("servers", marks=ON_SERVERS)])
def read_master(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Master, Reading]]:
    """A master database, and who answers questions from it."""
    if request.param == "servers":
        servers: Servers = request.getfixturevalue("servers")
        room = servers.room()
        pair: tuple[Master, Reading] = (master_in(room), reading_in(room))
    else:
        file = tmp_path / "master.db"
        pair = (SqliteMaster(file, KEY), SqliteReading(file, KEY))
    yield pair
    for each in reversed(pair):
        each.close()
