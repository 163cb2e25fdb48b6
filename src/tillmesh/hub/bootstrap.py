"""Open head office's data directory: keys, databases, its authority, its own name as an author of events."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.host.keys import secret
from tillmesh.adapters.lan.certificates import read_authority
from tillmesh.adapters.sqlite.hub import log, office
from tillmesh.adapters.wan.bundle import Bundle, write_bundle
from tillmesh.adapters.wan.certificates import HubAuthority, Identity, serial_of
from tillmesh.fleet.office import Office
from tillmesh.fleet.pictures import PictureShelf
from tillmesh.fleet.ports import Analytics, Away, EventLog, Master, Reading
from tillmesh.fleet.syncing import SyncService
from tillmesh.hub.keys import Keys, another_actor, carry_over, own_keys
from tillmesh.hub.models import Models
from tillmesh.hub.parts import (
    open_analytics,
    open_log,
    open_master,
    open_models,
    open_office,
    open_pictures,
    open_reading,
)
from tillmesh.hub.settings import Envoy, PostgresTables, Settings, SqliteTables
from tillmesh.hub.trust import Trust
from tillmesh.kernel.errors import Invalid, NotFound, StorageFailed
from tillmesh.sync.signatures import head_message

log_of_program = logging.getLogger(__name__)
EMBEDDED: Final = Settings()
DATABASE_KEY: Final = "database.key"
BESIDE: Final = "lock.services"
DOOR_KEY: Final = "door.key"
LOCK_CHARS_MAX: Final = 20


@dataclass(slots=True)
class Opened:
    """An opened data directory of head office."""

    data_dir: Path
    settings: Settings
    key: bytes
    log: EventLog
    master: Master
    analytics: Analytics | None  # a further sync service has none
    office: Office
    service: SyncService
    models: Models
    authority: HubAuthority
    door: Identity
    sign_public: bytes  # what stores check head office's events with
    lock: IO[str]
    shared: bool = False  # with other sync services that write beside this one

    def reading(self) -> Reading:
        """Open one more connection that answers questions."""
        return open_reading(self.settings, self.data_dir, self.key)

    def asked(self) -> Office:
        """Open one more connection to what says who may do what, to be asked beside the writer."""
        return open_office(self.settings, self.data_dir, self.key)

    def shelf(self) -> PictureShelf:
        """Open the pictures of products."""
        return open_pictures(self.settings, self.data_dir, self.key)

    def feed(self) -> EventLog:
        """Open the event log once more, to be read beside the writer."""
        return open_log(self.settings, self.data_dir, self.key, read_only=True)

    def close(self) -> None:
        """Close everything."""
        if self.analytics is not None:
            self.analytics.close()
        self.log.close()
        self.master.close()
        self.office.close()
        self.models.close()
        self.lock.close()


def open_hub(data_dir: Path, settings: Settings = EMBEDDED, *, beside: bool = False) -> Opened:
    """Open a data directory, making a new head office of an empty one.

    ``beside`` opens it for one more sync service, while head office runs in it: any number of them may.

    Servers that are away are no reason not to start: whoever asks is told so, and what was missed is caught up later.
    """
    with ExitStack() as undo:
        if beside:
            require_office(data_dir, settings)
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = undo.enter_context(taken(data_dir, BESIDE if beside else "lock", shared=beside))
        new = not (data_dir / log.FILE).exists() and not (data_dir / office.FILE).exists()
        key = secret(data_dir, DATABASE_KEY, create=new)
        events = open_log(settings, data_dir, key)
        undo.callback(events.close)
        tables = open_master(settings, data_dir, key)
        undo.callback(tables.close)
        reports = None if beside else open_analytics(settings, data_dir, key)
        if reports is not None:
            undo.callback(reports.close)
        people = open_office(settings, data_dir, key)
        undo.callback(people.close)
        authority, pen, actor = keys_in(settings, data_dir, key, people)
        door_key = Ed25519PrivateKey.from_private_bytes(secret(data_dir, DOOR_KEY))
        door = authority.issue(door_key, "", int(time.time()))
        public = pen.public_key().public_bytes_raw()
        models = open_models(settings, data_dir, key, pen)
        undo.callback(models.close)
        service = SyncService(
            events,
            tables,
            actor,
            lambda store, head: pen.sign(head_message(store, head)),
            trust=Trust(people, public).notary,
            mint=lambda: another_actor(people),
            models=models.answer,
        )
        try:
            service.catch_up()
        except Away as away:
            log_of_program.warning("%s", away.detail)
        opened = Opened(
            data_dir, settings, key, events, tables, reports, people, service, models, authority, door, public, lock,
            shared=beside or isinstance(settings.gateway, Envoy) or isinstance(settings.master, PostgresTables),
        )  # fmt: skip
        undo.pop_all()
        return opened


def taken(data_dir: Path, name: str, *, shared: bool = False) -> IO[str]:
    """Lock a data directory against other programs until the file is closed; ``shared`` ones keep out the others."""
    lock = (data_dir / name).open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as cause:
        lock.seek(0)
        who = lock.read(LOCK_CHARS_MAX) or "of unknown number"
        lock.close()
        raise StorageFailed(f"another program has {data_dir} open: process {who}", hint="Stop it first.") from cause
    lock.truncate(0)
    lock.write(str(os.getpid()))  # the last one of those that share it
    lock.flush()
    return lock


def require_office(data_dir: Path, settings: Settings) -> None:
    """Raise :class:`NotFound` unless there is a head office to be found with a data directory and settings."""
    if isinstance(settings.master, SqliteTables) and not (data_dir / office.FILE).exists():
        raise NotFound(f"no head office in {data_dir}", hint="Enrol a store, or start head office once.")


def keys_in(settings: Settings, data_dir: Path, key: bytes, people: Office) -> Keys:
    """Give head office's keys, once what was in files is where the settings say."""
    try:
        if carry_over(data_dir, key, settings, people):
            log_of_program.warning("people, keys and certificates of %s are in PostgreSQL from now on", data_dir)
    except Away as away:
        log_of_program.warning("%s", away.detail)
    return own_keys(settings, data_dir, key, people)


def enrol_store(opened: Opened, store: str, now_ms: int, authority: bytes = b"", *, by: str = "system") -> bytes:
    """Issue a certificate and an API key bound to it, and give both as a bundle for the store's tills.

    ``authority`` is that of the store (DER): from now on its tills' events count only under their own signatures.
    """
    if not (1 <= len(store) <= 64 and store.isascii() and store.isalnum() and store == store.lower()):
        raise Invalid(f"{store[:70]!r} is not the id of a store", hint="Take it from the store's settings.")
    if authority:
        read_authority(authority)
        held = opened.office.trust(store)
        opened.office.put_trust(
            store, authority, held[1] if held and held[0] == authority else msgspec.msgpack.encode([])
        )
    private = secrets.token_bytes(32)
    issued = opened.authority.issue(Ed25519PrivateKey.from_private_bytes(private), store, now_ms // 1000)
    key = secrets.token_urlsafe(32)
    serial = serial_of(issued.certificate)
    opened.office.put_certificate(serial, store, now_ms)
    opened.office.put_key(key, store, serial, now_ms)
    opened.office.audit(now_ms, by, "store_enrolled", store)
    office, public = opened.service.actor, opened.sign_public
    return write_bundle(Bundle(store, private, issued.certificate, issued.authority, key, office, public))
