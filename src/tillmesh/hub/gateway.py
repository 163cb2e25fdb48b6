"""The gateway's files: written all at once with a new key, and kept up with what is issued and revoked meanwhile."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.envoy import configuration as envoy
from tillmesh.adapters.host.keys import secret, write_file
from tillmesh.adapters.wan.certificates import GATEWAY, OFFICE_NAME, HubAuthority, key_pem, pem_of, serial_of
from tillmesh.fleet.office import Office
from tillmesh.fleet.throttle import STORES_KEPT_MAX
from tillmesh.hub.bootstrap import DATABASE_KEY, keys_in, require_office
from tillmesh.hub.parts import open_office
from tillmesh.hub.running import Hub
from tillmesh.hub.settings import Envoy, PostgresTables, Settings
from tillmesh.kernel.errors import Invalid, NotFound, TillmeshError
from tillmesh.kernel.limits import UPLOAD_BYTES_MAX

log = logging.getLogger(__name__)
LOOK_S: Final = 0.5  # at what is in force: so long a revoked key passes the gateway, to be refused behind it
STORE_NAMES: Final = "pos://hub/[0-9a-z]+"


def find_envoy() -> str:
    """Give where Envoy is: beside this Python, as its package puts it there, or on the path."""
    found = shutil.which("envoy", path=str(Path(sys.executable).parent)) or shutil.which("envoy")
    if found is None:
        raise NotFound("no Envoy is installed here", hint="Run scripts/setup.sh stack.")
    return found


class Gateway:
    """Envoy's folder."""

    def __init__(self, data_dir: Path, settings: Settings) -> None:
        if not isinstance(settings.gateway, Envoy):
            raise Invalid("hub.toml names no gateway", hint='Write [gateway] kind = "envoy" into it.')
        self._data_dir, self._settings, self._envoy = data_dir, settings, settings.gateway
        self.folder = Path(self._envoy.folder) if self._envoy.folder else data_dir.absolute() / "gateway"
        self._mark: tuple[int, ...] = ()

    def write_all(self, now_ms: int) -> Path:
        """Write every file, with a key and certificates that are new; head office may be running meanwhile."""
        office, authority = self._opened()
        try:
            self._credentials(office, authority, now_ms)
            self.admit(office)
        finally:
            office.close()
        with self._alone():
            self._put(envoy.CONFIGURATION, envoy.configuration(self._plan()).encode())
        return self.folder

    def admit(self, office: Office) -> bool:
        """Write which keys and certificates are in force, if that has changed; says whether it has."""
        mark = office.in_force_mark()
        if mark == self._mark:
            return False
        with self._alone():
            self._put(envoy.file_of(envoy.ADMISSION), envoy.admission(*office.in_force()))
        self._mark = mark
        return True

    async def keep_up(self, hub: Hub) -> None:
        """Look again and again what is in force, where a gateway's files are: it may be on another machine."""
        while True:
            try:
                if (self.folder / envoy.CONFIGURATION).exists():
                    await hub.ask(self.admit)
            except (TillmeshError, OSError) as cause:
                log.warning("the gateway's admissions are behind: %s", cause)
            await asyncio.sleep(LOOK_S)

    def watch(self) -> None:
        """Keep the files up with what is in force, on a machine where no service does, until somebody stops this."""
        office, _ = self._opened()
        try:
            while True:
                try:
                    self.admit(office)
                except (TillmeshError, OSError) as cause:
                    log.warning("the gateway's admissions are behind: %s", cause)
                time.sleep(LOOK_S)
        finally:
            office.close()

    def _opened(self) -> tuple[Office, HubAuthority]:
        require_office(self._data_dir, self._settings)
        shared = isinstance(self._settings.master, PostgresTables)  # then this may be a new folder
        key = secret(self._data_dir, DATABASE_KEY, create=shared)
        office = open_office(self._settings, self._data_dir, key)
        try:
            return office, keys_in(self._settings, self._data_dir, key, office).authority
        except BaseException:
            office.close()
            raise

    def _credentials(self, office: Office, authority: HubAuthority, now_ms: int) -> None:
        key = Ed25519PrivateKey.generate()
        door, inside = authority.issue(key, "", now_ms // 1000), authority.issue(key, GATEWAY, now_ms // 1000)
        office.put_certificate(serial_of(inside.certificate), GATEWAY, now_ms)
        office.audit(now_ms, "system", "gateway_renewed", GATEWAY)
        root_pem = pem_of(authority.certificate)
        files = (
            (envoy.STORES, envoy.believed(envoy.STORES, root_pem, STORE_NAMES, regex=True)),
            (envoy.SERVICES, envoy.believed(envoy.SERVICES, root_pem, OFFICE_NAME)),
            (envoy.GATEWAY, envoy.credentials(envoy.GATEWAY, pem_of(inside.certificate), key_pem(key))),
            (envoy.DOOR, envoy.credentials(envoy.DOOR, pem_of(door.certificate), key_pem(key))),
        )
        with self._alone():
            for name, what in files:
                self._put(envoy.file_of(name), what)

    def _plan(self) -> envoy.Plan:
        settings, limits = self._envoy, self._settings.limits
        parts = (service.rpartition(":") for service in settings.services)
        return envoy.Plan(
            folder=str(self.folder),
            bind=settings.bind,
            port=settings.port,
            admin_port=settings.admin_port,
            services=[(host, int(port)) for host, _, port in parts],
            uploads_burst=limits.uploads_burst,
            uploads_per_s=limits.uploads_per_s,
            body_bytes_max=UPLOAD_BYTES_MAX,
            connections_max=settings.connections_max,
            stores_max=STORES_KEPT_MAX,
            request_s=limits.request_s,
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Write while nobody else does: head office and `gateway-config` would replace each other's half files."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _put(self, name: str, data: bytes) -> None:
        write_file(self.folder / name, data)
