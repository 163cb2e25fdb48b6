"""PostgreSQL from the system's packages, with a cluster of its own beside any that the system runs."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

import psycopg

from tillmesh.hub.stack.processes import LOOK_S, STOP_S, Server, as_user
from tillmesh.kernel.errors import Invalid, NotFound, StorageFailed

USER: Final = "tillmesh"
_SERVERS_USER: Final = "postgres"  # which Debian's package makes; PostgreSQL refuses to run as root
_STILL_THERE: Final = "is still in use"  # as PostgreSQL says of the memory that they share
_SETTINGS: Final = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 60
shared_buffers = '{buffers}'
"""


class Postgres(Server):
    """One cluster in a folder."""

    def __init__(self, place: Path, port: int, *, buffers: str = "128MB") -> None:
        self._root = os.geteuid() == 0
        super().__init__("PostgreSQL", place, user=_SERVERS_USER if self._root else "", stop_with=signal.SIGINT)
        self.port, self._buffers = port, buffers

    @property
    def dsn(self) -> str:
        """Give where it is, with the password."""
        password = (self.place / "password").read_text("ascii")
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/postgres"

    def up(self) -> None:
        """Start it, making the cluster the first time."""
        programs = find_programs()
        if not (self.place / "data" / "PG_VERSION").exists():
            self._make(programs)
        settings = self.place / "data" / "conf.d" / "tillmesh.conf"
        settings.write_text(_SETTINGS.format(port=self.port, buffers=self._buffers), "ascii")
        self._start(programs)

    def _start(self, programs: Path) -> None:
        """Start it; after a crash the last of the old processes may still be on their way out."""
        end = time.monotonic() + STOP_S
        while True:
            try:
                self.start([str(programs / "postgres"), "-D", str(self.place / "data")], self._answers)
            except StorageFailed as failed:
                if _STILL_THERE not in failed.detail or time.monotonic() > end:
                    raise
                time.sleep(LOOK_S)
            else:
                return

    def _make(self, programs: Path) -> None:
        self.place.mkdir(mode=0o755, parents=True, exist_ok=True)
        secret = self.place / "password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24), "ascii")
        if self._root:
            self._give_away(secret)
        made = subprocess.run(  # noqa: S603 - a command of ours
            [str(programs / "initdb"), "-D", str(self.place / "data"), f"--username={USER}", f"--pwfile={secret}",
             "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"],
            capture_output=True, text=True, check=False, cwd=self.place, **as_user(self.user),
        )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(self.place / "data", ignore_errors=True)
            raise StorageFailed(f"initdb failed: {made.stderr.strip()[-400:]}", hint="See the message.")
        (self.place / "data" / "conf.d").mkdir()
        with (self.place / "data" / "postgresql.conf").open("a", encoding="ascii") as file:
            file.write("include_dir 'conf.d'\n")
        if self._root:
            self._give_away(self.place / "data" / "conf.d")

    def _give_away(self, *more: Path) -> None:
        """Let the server's user have its folder, and find out whether it gets there."""
        found = pwd.getpwnam(_SERVERS_USER)
        for path in (self.place, *more):
            os.chown(path, found.pw_uid, found.pw_gid)
        look = ["test", "-x", str(self.place)]
        if subprocess.run(look, check=False, cwd="/", **as_user(self.user)).returncode != 0:  # noqa: S603 - ours
            raise Invalid(
                f"the user {_SERVERS_USER} can't get into {self.place}",
                hint="Choose a directory whose parents everybody may enter, such as one below /var/tmp.",
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def find_programs() -> Path:
    """Find the newest PostgreSQL that is installed; raises :class:`NotFound`."""
    found = sorted(
        (int(match[1]), path.parent)
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if (match := re.fullmatch(r"(\d+)", path.parent.parent.name))
    )
    if found:
        return found[-1][1]
    other = shutil.which("postgres")
    if other is None:
        raise NotFound("no PostgreSQL is installed here", hint="Run scripts/setup.sh stack, or install postgresql.")
    return Path(other).resolve().parent
