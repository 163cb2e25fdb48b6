"""``tillmesh doctor``: what may keep a till from working, in words, each with what to do next."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import pwd
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from tillmesh.adapters.devices.serial_line import line_of
from tillmesh.adapters.host.anchor import Anchor
from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.lan.certificates import issuing_time_s
from tillmesh.adapters.lan.discovery import lan_addresses
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, newest, one, storage_errors
from tillmesh.adapters.sqlite.store import FILE, read_origin
from tillmesh.adapters.wan.bundle import FILE as BUNDLE
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.head_office import bundle_in
from tillmesh.terminal.provisioning import certificate_in, membership_in, store_of
from tillmesh.terminal.upkeep import UpkeepWatch
from tillmesh.terminal.verifying import NOBODY, verify
from tillmesh.till.upkeep import wanting

FREE_BYTES_LEAST: Final = 256 << 20
STRANGERS_NAMED_MAX: Final = 5
_NEXT: Final = (
    "Start the till if it has others to get its data from: it does so by itself. If it works alone, put a back-up "
    "back, or run: tillmesh doctor --rebuild"
)


_NOT_AS_IT_WAS: Final = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    text: str


def examine(data_dir: Path | None, *, key_file: Path | None = None) -> list[Finding]:
    """Look at the machine, and at a data directory if one is named; raises nothing that the world can cause."""
    found = [
        Finding(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]} (3.11 or newer is needed)"),
        _sqlite(),
        _one_apsw(),
    ]
    if data_dir is not None:
        for part in _parts(data_dir, key_file):
            try:
                found += part()
            except OSError as cause:
                found.append(_unreadable(data_dir, cause))
            except apsw.Error as cause:
                found.append(
                    Finding(ok=False, text=f"the database is not as this program makes them ({cause}). {_NEXT}")
                )
    return found


def _sqlite() -> Finding:
    version = getattr(apsw, "mc_version", "")
    return Finding(bool(version), f"SQLite {apsw.sqlite_lib_version()} with encryption: {version or 'missing'}")


def _one_apsw() -> Finding:
    names = {dist.metadata["Name"].lower() for dist in importlib.metadata.distributions() if dist.metadata["Name"]}
    both = "apsw" in names and "apsw-sqlite3mc" in names
    return Finding(not both, "only one apsw is installed" if not both else "apsw and apsw-sqlite3mc are both installed")


def _unreadable(data_dir: Path, cause: OSError) -> Finding:
    path = Path(str(cause.filename or data_dir))
    if cause.errno in _NOT_AS_IT_WAS:
        hint = "Put it back from a back-up; what lies in store/ comes anew when the till joins its store again."
        return Finding(ok=False, text=f"{path} can't be read ({cause.strerror}). {hint}")
    whose = "the user of the till"
    for each in (data_dir, *data_dir.parents):
        with suppress(OSError):  # the nearest folder that can be looked at
            whose = _owner(each)
            break
    hint = f"Run this as {whose}, as whom the till runs: sudo -u {whose} tillmesh doctor"
    return Finding(ok=False, text=f"{path} can't be read ({cause.strerror}). {hint}")


def _owner(path: Path) -> str:
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _parts(data_dir: Path, key_file: Path | None) -> list[Callable[[], Iterable[Finding]]]:
    """List what is to be looked at, one apart from the other: what is wrong with one hides nothing of the rest."""
    try:
        is_there = (data_dir / FILE).exists()
    except OSError as cause:
        told = [_unreadable(data_dir, cause)]
        return [lambda: told]
    if not is_there:
        return [lambda: _no_till(data_dir)]
    return [
        lambda: list(_of_machine(data_dir)),
        lambda: list(_of_files(data_dir)),
        lambda: list(_of_upkeep(data_dir)),
        lambda: list(_of_database(data_dir, key_file)),
    ]


def _no_till(data_dir: Path) -> list[Finding]:
    hint = "Name the data directory of a till, or start the till: it says what became of its database."
    return [Finding(ok=False, text=f"{data_dir} holds no till. {hint}")]


def _of_machine(data_dir: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(data_dir).free
    enough = free >= FREE_BYTES_LEAST
    hint = "" if enough else ". Free some space: logs, other programs, old back-ups"
    yield Finding(enough, f"{free >> 20} MiB are free on the disk of the data directory{hint}")
    if not os.access(data_dir, os.W_OK):
        hint = "Mount it for writing, or run this as the user of the till."
        yield Finding(ok=False, text=f"{data_dir} can't be written. {hint}")
    if _is_running(data_dir):
        yield Finding(ok=True, text=f"a program has {data_dir} open: the till runs, and a second one would be refused")
    if certificate_in(data_dir) is not None and all(each.startswith("127.") for each in lan_addresses()):
        hint = "Look at its cable. It sells on alone meanwhile."
        yield Finding(ok=False, text=f"this machine has no address in a network, so no other till hears it. {hint}")


def _is_running(data_dir: Path) -> bool:
    if not (data_dir / "anchor").exists():
        return False
    with closing(Anchor.beside(data_dir)) as anchor:
        return not anchor.lock()


def _of_files(data_dir: Path) -> Iterator[Finding]:
    for key in sorted((data_dir / "keys").glob("*")):
        mode = stat.S_IMODE(key.stat().st_mode)
        if mode & 0o077:
            yield Finding(ok=False, text=f"{key} can be read by others (mode {mode:o}); chmod 600 it")
    whose = data_dir.stat().st_uid
    places = (data_dir.glob("*"), data_dir.glob("keys/*"), data_dir.glob("store/*"))
    strange = [path for paths in places for path in sorted(paths) if path.stat().st_uid != whose]
    for path in strange[:STRANGERS_NAMED_MAX]:
        hint = f"Give it back, with the till stopped: chown -R {_owner(data_dir)} {data_dir}"
        yield Finding(
            ok=False, text=f"{path} belongs to {_owner(path)}, the data directory to {_owner(data_dir)}. {hint}"
        )
    if (data_dir / BUNDLE).exists() and bundle_in(data_dir) is None:
        hint = "Get it from head office anew: tillmesh store office."
        yield Finding(ok=False, text=f"{data_dir / BUNDLE} can't be used, so nothing is uploaded from here. {hint}")


def _of_upkeep(data_dir: Path) -> Iterator[Finding]:
    """Look at what needs a person some day: clock, certificates, back-ups."""
    watch = UpkeepWatch(data_dir)
    try:
        if certificate_in(data_dir) is not None:
            membership = membership_in(data_dir, store_of(data_dir))
            watch.vouched_s = lambda: issuing_time_s(membership, wall_s=int(time.time()), running_s=0)
        found = wanting(watch.look(0))
    except TillmeshError as cause:
        yield Finding(ok=False, text=f"{cause.detail}. {cause.hint}".rstrip())
        return
    yield from (Finding(ok=False, text=one.text) for one in found)


def _of_database(data_dir: Path, key_file: Path | None) -> Iterator[Finding]:
    try:
        key = database_key(data_dir, key_file)
        with closing(connect(data_dir / FILE, key, read_only=True)) as db, storage_errors():
            version = int(one(db, "PRAGMA user_version"))
            if version > newest():
                hint = "Install the newer program again."
                text = f"the database is of version {version}, this program knows {newest()}. {hint}"
                yield Finding(ok=False, text=text)
                return
            if version == 0 or read_origin(db) is None:
                yield Finding(ok=False, text=f"the database in {data_dir} is empty. {_NEXT}")
                return
            if version < newest():
                text = f"the database is of version {version}: the next start brings it up to {newest()}"
                yield Finding(ok=True, text=text)
                return
    except TillmeshError as cause:
        yield Finding(ok=False, text=f"{cause.detail}. {cause.hint}".rstrip())
        return
    yield from _verified(data_dir, key_file)


def _verified(data_dir: Path, key_file: Path | None) -> Iterator[Finding]:
    report = verify(data_dir, key_file=key_file)
    said = f"{report['events']} events, {report['sales']} sales verified"
    yield Finding(bool(report["ok"]), said if report["ok"] else f"{said}, and not all is well. {_NEXT}")
    for problem in report["problems"] + report["gaps"]:
        yield Finding(ok=False, text=problem)
    yield from _devices(data_dir, key_file)


def _devices(data_dir: Path, key_file: Path | None) -> list[Finding]:
    """Look whether the serial devices of the settings are there and may be opened; nothing is sent to them."""
    try:
        with (
            closing(connect(data_dir / FILE, database_key(data_dir, key_file), read_only=True)) as db,
            storage_errors(),
        ):
            terminal = Books(db, (read_origin(db) or NOBODY).terminal).terminal()
    except (TillmeshError, apsw.Error):
        return []  # what is wrong with the database was said above
    named = (
        ("scale", terminal.scale_kind, terminal.scale_target),
        ("pole display", terminal.pole_kind, terminal.pole_target),
    )
    return [_device(name, target) for name, kind, target in named if kind != "none"]


def _device(name: str, target: str) -> Finding:
    try:
        line = line_of(target, "9600 8N1")
    except TillmeshError as error:
        return Finding(ok=False, text=f"the {name}: {error.detail}; {error.hint}")
    path = Path(line.url)
    if "://" in line.url:
        return Finding(ok=True, text=f"the {name} is behind a serial server, {line.url.partition('://')[2]}")
    if not path.exists():
        return Finding(ok=False, text=f"the {name}: {path} is not there; plug it in, or name another in the settings")
    if not os.access(path, os.R_OK | os.W_OK):
        return Finding(ok=False, text=f"the {name}: {path} can't be opened by this user; add it to the group dialout")
    return Finding(ok=True, text=f"the {name}: {path} is there and can be opened")
