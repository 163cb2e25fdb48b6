"""Prepare a head office while it is not running: a store, and somebody who may sign in."""

from __future__ import annotations

from pathlib import Path

from tillmesh.fleet.people import OfficeRole
from tillmesh.hub.bootstrap import EMBEDDED, enrol_store, open_hub
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import Settings
from tillmesh.hub.web.people import make_person


def prepare(
    data_dir: Path, store: str, user: str, password: str, authority: bytes = b"", *, settings: Settings = EMBEDDED
) -> bytes:
    """Enrol a store and give its bundle; the first one who may sign in is ``user``."""
    opened = open_hub(data_dir, settings)
    try:
        if not opened.office.has_people():
            opened.office.put_person(make_person(user, OfficeRole.ADMIN, password))
        return enrol_store(opened, store, now_ms(), authority)
    finally:
        opened.close()
