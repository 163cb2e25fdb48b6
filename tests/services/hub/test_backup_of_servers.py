"""A back-up of a head office on PostgreSQL: who may do what comes back with pg_dump and pg_restore."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers import ON_SERVERS, Servers
from tests.services.hub.office import enrolled
from tillmesh.adapters.postgres.database import Database
from tillmesh.adapters.postgres.office import SCHEMA_ENDS
from tillmesh.hub import backup
from tillmesh.hub.bootstrap import open_hub
from tillmesh.hub.settings import PostgresTables
from tillmesh.kernel.errors import StorageFailed

pytestmark = list(ON_SERVERS)


def test_a_head_office_on_postgresql_comes_back_with_its_keys_and_certificates(
    servers: Servers, tmp_path: Path
) -> None:
    settings = servers.room()
    assert isinstance(settings.master, PostgresTables)
    hub, disk = tmp_path / "hub", tmp_path / "disk"
    disk.mkdir()
    bundle = enrolled(hub, "backedup", settings)
    key = Path(shutil.copy(hub / "keys" / "database.key", tmp_path / "safe.key"))
    whole = Path(backup.make(hub, disk, settings)["backup"])
    assert settings.master.dsn.encode() not in (whole / "about.json").read_bytes()
    with pytest.raises(StorageFailed, match="already exists"):
        backup.restore(whole, tmp_path / "beside", settings, key_file=key)
    with closing(Database(settings.master.dsn, settings.master.schema)) as there, there.using() as db:
        db.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        db.execute(f"DROP SCHEMA {settings.master.schema}{SCHEMA_ENDS} CASCADE")
    shutil.rmtree(hub)
    backup.restore(whole, hub, settings, key_file=key)
    with closing(open_hub(hub, settings)) as opened:
        owner = opened.office.key_owner(bundle.api_key)
        assert owner is not None
        assert owner[0] == "backedup"
        assert opened.authority.certificate == bundle.authority
