"""``tillmesh hub backup`` and ``restore``: what head office has and nobody else could give it back.

Its event log, who may do what, its models, its keys. What is added up from the log, the master database and analytics,
is left out: head office makes it anew when it starts. Of what is in PostgreSQL ``pg_dump`` makes the copy; a log in
Kafka is Kafka's to keep.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from tillmesh import __version__
from tillmesh.adapters.host import backup_folder as folder
from tillmesh.adapters.host.anchor import key_mark
from tillmesh.adapters.host.backup_folder import About
from tillmesh.adapters.host.backup_note import BackupNote, one_at_a_time, read_note, write_note
from tillmesh.adapters.host.keys import read_key, secret, write_file
from tillmesh.adapters.sqlite.copying import copy_database, size_of
from tillmesh.adapters.sqlite.hub import log, models, office
from tillmesh.hub.bootstrap import DATABASE_KEY, require_office
from tillmesh.hub.keys import AUTHORITY, COPY
from tillmesh.hub.models import FOLDER as MODELS
from tillmesh.hub.notifying import FOLDER as WEBHOOKS
from tillmesh.hub.settings import PostgresTables, Settings
from tillmesh.kernel.errors import Conflict, Damaged, StorageFailed, TillmeshError

OFFICE: Final = "office"
DUMP: Final = "postgres.dump"
KEEP: Final = 14
PROGRAM_S: Final = 3_600.0  # that pg_dump and pg_restore may take
WHY_CHARS_MAX: Final = 300
_KEY: Final = f"keys/{DATABASE_KEY}"
_SMALL: Final = ("keys/*", AUTHORITY, COPY, f"{WEBHOOKS}/*.json")
_LIBPQ: Final = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE",
                 "password": "PGPASSWORD", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}  # fmt: skip


def make(data_dir: Path, to: Path, settings: Settings, *, keep: int = KEEP) -> dict[str, Any]:
    """Make a back-up of head office, running or not, and note in its data directory how that went."""
    require_office(data_dir, settings)
    now_ms = time.time_ns() // 1_000_000
    note = msgspec.structs.replace(read_note(data_dir), tried_ms=now_ms)
    try:
        with one_at_a_time(data_dir):
            found = _make(data_dir, to, settings, keep, now_ms)
    except (TillmeshError, OSError) as cause:
        _note(data_dir, msgspec.structs.replace(note, why=str(cause)[:WHY_CHARS_MAX]))
        if isinstance(cause, OSError):
            raise StorageFailed(
                f"{cause.filename or to} can't be used ({cause.strerror})", hint="Look at it."
            ) from cause
        raise
    _note(data_dir, msgspec.structs.replace(note, made_ms=now_ms, why=""))
    return found


def _note(data_dir: Path, note: BackupNote) -> None:
    try:
        write_note(data_dir, note)
    except OSError as cause:
        raise StorageFailed(f"{data_dir} can't be written ({cause.strerror})", hint="Look at its disk.") from cause


def _make(data_dir: Path, to: Path, settings: Settings, keep: int, now_ms: int) -> dict[str, Any]:
    key = secret(data_dir, DATABASE_KEY, create=False)
    # The log first: of what was let in after it, stores send the events again.
    names = [name for name in (log.FILE, models.FILE, office.FILE) if (data_dir / name).exists()]
    bundles = [path for path in (data_dir / MODELS).rglob("*") if path.is_file()]
    needed = sum(size_of(data_dir / name) for name in names) + sum(path.stat().st_size for path in bundles)
    with folder.writing_to(to, data_dir):
        half = folder.begin(to, OFFICE, OFFICE, now_ms, needed)
        try:
            size = sum(copy_database(data_dir / name, half / name, key) for name in names)
            for path in bundles:
                target = half / path.relative_to(data_dir)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            if isinstance(settings.master, PostgresTables):
                _dump(settings.master, half / DUMP)
            about = About(folder.FORMAT, OFFICE, OFFICE, "", now_ms, __version__, key_mark(key), {})
            whole = folder.finish(half, about, folder.gather(data_dir, _SMALL, (_KEY,)), key)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        return {"backup": str(whole), "bytes": size, "dropped": folder.drop_old(to, OFFICE, OFFICE, keep)}


def restore(backup: Path, data_dir: Path, settings: Settings, *, key_file: Path) -> dict[str, Any]:
    """Make a back-up a head office again, in a data directory that is empty or not there."""
    about, key = folder.read_about(backup), read_key(key_file)
    if about.kind != OFFICE:
        raise Conflict(f"{backup} is of a till", hint="Use tillmesh backup restore.")
    if about.key_mark != key_mark(key):
        raise Damaged("this is the wrong key: the back-up was locked with another one", hint="Take the key of then.")
    folder.check_files(backup, about)
    try:
        with folder.half_restored(backup, data_dir) as half:
            folder.put_back(folder.unseal(backup, about, key), half)
            write_file(half / _KEY, key)
            for name in about.files.keys() - {folder.SMALL, DUMP}:
                (half / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(backup / name, half / name)
                (half / name).chmod(0o600)
            if DUMP in about.files:
                _put_back(settings, backup / DUMP)
    except OSError as cause:
        raise StorageFailed(
            f"{cause.filename or data_dir} can't be used ({cause.strerror})", hint="Look at it."
        ) from cause
    return {"restored": backup.name, "into": str(data_dir), "next": f"tillmesh hub --data-dir {data_dir}"}


def _dump(master: PostgresTables, target: Path) -> None:
    from tillmesh.adapters.postgres.office import SCHEMA_ENDS

    _program("pg_dump", master, "--format=custom", f"--schema={master.schema}{SCHEMA_ENDS}", f"--file={target}")
    target.chmod(0o600)


def _put_back(settings: Settings, dump: Path) -> None:
    if not isinstance(settings.master, PostgresTables):
        raise Conflict("the back-up holds tables of PostgreSQL", hint="Name its hub.toml with --config.")
    _program("pg_restore", settings.master, "--exit-on-error", "--single-transaction", "--no-owner", str(dump))


def _program(name: str, master: PostgresTables, *words: str) -> None:
    """Run one of PostgreSQL's programs; how to get in stands in its environment, which other users can't read."""
    from psycopg.conninfo import conninfo_to_dict

    said = {key: str(value) for key, value in conninfo_to_dict(master.dsn).items()}
    environment = {_LIBPQ[key]: value for key, value in said.items() if key in _LIBPQ}
    try:
        done = subprocess.run(  # noqa: S603 - a program of the system, with our own words
            [name, f"--dbname={said.get('dbname', 'postgres')}", *words],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=PROGRAM_S,
        )
    except FileNotFoundError as cause:
        raise StorageFailed(f"{name} is not installed", hint="Install postgresql-client.") from cause
    except subprocess.TimeoutExpired as cause:
        raise StorageFailed(f"{name} took longer than {PROGRAM_S:.0f} s", hint="Run it by hand.") from cause
    if done.returncode:
        raise StorageFailed(f"{name}: {' '.join(done.stderr.split())[:200]}", hint="See docs/operations/backups.md.")
