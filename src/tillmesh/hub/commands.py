"""``tillmesh hub ...``: run head office, enrol stores, add people, rebuild."""

from __future__ import annotations

import argparse
import contextlib
import getpass
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tillmesh.adapters.envoy.configuration import CONFIGURATION
from tillmesh.adapters.host.keys import write_file
from tillmesh.fleet.people import OfficeRole
from tillmesh.fleet.syncing import feed, rebuild
from tillmesh.hub import backup
from tillmesh.hub.bootstrap import BESIDE, EMBEDDED, enrol_store, open_hub, taken
from tillmesh.hub.gateway import Gateway
from tillmesh.hub.program import Options, serve, serve_stores
from tillmesh.hub.recovery import permit
from tillmesh.hub.running import now_ms
from tillmesh.hub.settings import Settings, read_settings
from tillmesh.hub.terms import forget_term
from tillmesh.hub.web.people import make_person
from tillmesh.kernel.errors import Invalid


def main(argv: Sequence[str]) -> int:
    """Run a command; give the exit status."""
    if list(argv[:1]) == ["stack"]:
        from tillmesh.hub.stack.program import main as stack

        return stack(argv[1:])
    options = parser().parse_args(argv)
    match options.command:
        case "enrol":
            _enrol(options, read_settings(options.config))
        case "recovery":
            _recovery(options, read_settings(options.config))
        case "forget-term":
            _forget_term(options, read_settings(options.config))
        case "person":
            _person(options, read_settings(options.config))
        case "backup":
            _backup(options, read_settings(options.config))
        case "restore":
            _restore(options, read_settings(options.config))
        case "sync":
            serve_stores(_options(options))
        case "gateway-config":
            _gateway(options)
        case "rebuild":
            sys.stdout.write(
                json.dumps(rebuild_master(options.data_dir, read_settings(options.config)), indent=2) + "\n"
            )
        case _:
            serve(_options(options))
    return 0


def parser() -> argparse.ArgumentParser:
    """Give what the command line may say."""
    found = argparse.ArgumentParser(
        prog="tillmesh hub",
        description="Head office: runs, unless a command is given. See also: tillmesh hub stack --help",
    )
    found.add_argument(
        "command",
        nargs="?",
        choices=[
            "enrol",
            "recovery",
            "forget-term",
            "person",
            "rebuild",
            "gateway-config",
            "sync",
            "backup",
            "restore",
        ],
    )
    found.add_argument("--data-dir", type=Path, required=True)
    found.add_argument("--config", type=Path, metavar="hub.toml", help="settings; the command line goes before them")
    found.add_argument("--bind", help="the address of both doors (default 127.0.0.1)")
    found.add_argument("--port", type=int, help="the door for people (default 8080)")
    found.add_argument("--stores-port", type=int, help="the door for stores, over TLS (default PORT + 100)")
    found.add_argument("--store", default="", help="enrol, recovery, forget-term: the id of the store")
    found.add_argument("--authority", type=Path, help="enrol: the store's authority, store/authority.der of any till")
    found.add_argument("--out", type=Path, help="enrol, recovery: where the bundle for the store's tills goes")
    found.add_argument("--to", type=Path, metavar="FOLDER", help="backup: where back-ups are, on another disk")
    found.add_argument(
        "--keep", type=int, default=backup.KEEP, metavar="N", help="backup: delete older ones but N (14)"
    )
    found.add_argument("--from", type=Path, dest="backup", metavar="BACKUP", help="restore: the back-up")
    found.add_argument("--key-file", type=Path, help="restore: keys/database.key of then; it is not in the back-up")
    found.add_argument("--watch", action="store_true", help="gateway-config: go on, and keep the files up to date")
    found.add_argument("--name", default="", help="person: who")
    found.add_argument("--first", action="store_true", help="person: only if nobody can sign in yet")
    found.add_argument("--role", default=OfficeRole.VIEWER.value, choices=[str(role) for role in OfficeRole])
    return found


def _options(given: argparse.Namespace) -> Options:
    settings = read_settings(given.config)
    doors = settings.doors
    return Options(
        data_dir=given.data_dir,
        bind=doors.bind if given.bind is None else given.bind,
        port=doors.people_port if given.port is None else given.port,
        stores_port=doors.stores_port if given.stores_port is None else given.stores_port,
        limits=settings.limits,
        settings=settings,
    )


def _gateway(given: argparse.Namespace) -> None:
    gateway = Gateway(given.data_dir, read_settings(given.config))
    folder = gateway.write_all(now_ms())
    said = {"folder": str(folder), "start": f"envoy -c {folder / CONFIGURATION}"}
    sys.stdout.write(json.dumps(said, indent=2) + "\n")
    if given.watch:
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            gateway.watch()


def _enrol(given: argparse.Namespace, settings: Settings) -> None:
    authority = b"" if given.authority is None else given.authority.read_bytes()
    opened = open_hub(given.data_dir, settings)
    try:
        write_file(given.out or Path(f"{given.store}.bundle"), enrol_store(opened, given.store, now_ms(), authority))
    finally:
        opened.close()


def _recovery(given: argparse.Namespace, settings: Settings) -> None:
    opened = open_hub(given.data_dir, settings)
    try:
        write_file(given.out or Path(f"{given.store}.recovery"), permit(opened, given.store, now_ms()))
    finally:
        opened.close()


def _backup(given: argparse.Namespace, settings: Settings) -> None:
    if given.to is None:
        raise Invalid("no place for the back-up is named", hint="Name a folder on another disk with --to.")
    _show(backup.make(given.data_dir, given.to, settings, keep=max(1, given.keep)))


def _restore(given: argparse.Namespace, settings: Settings) -> None:
    if given.backup is None or given.key_file is None:
        raise Invalid("no back-up is named, or not its key", hint="Name them with --from and --key-file.")
    _show(backup.restore(given.backup, given.data_dir, settings, key_file=given.key_file))


def _show(found: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


def _forget_term(given: argparse.Namespace, settings: Settings) -> None:
    opened = open_hub(given.data_dir, settings)
    try:
        begun = forget_term(opened, given.store, now_ms())
    finally:
        opened.close()
    sys.stdout.write(json.dumps({"store": given.store, "generation": begun}) + "\n")


def _person(given: argparse.Namespace, settings: Settings) -> None:
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    add_person(given.data_dir, given.name, given.role, password, settings, first=given.first)


def add_person(
    data_dir: Path, name: str, role: str, password: str, settings: Settings = EMBEDDED, *, first: bool = False
) -> None:
    """Add somebody to head office, or change role and password; head office must not be running in that folder.

    ``first`` does nothing once anybody can sign in.
    """
    opened = open_hub(data_dir, settings)
    try:
        if first and opened.office.has_people():
            return
        opened.office.put_person(make_person(name, role, password))
        opened.office.audit(now_ms(), "system", "person_changed", name, role)
    finally:
        opened.close()


def rebuild_master(data_dir: Path, settings: Settings = EMBEDDED) -> dict[str, object]:
    """Make master database and analytics anew from the event log, and say whether they are the same as before."""
    opened = open_hub(data_dir, settings)
    reports = opened.analytics
    assert reports is not None, "head office has analytics"
    try:
        with taken(data_dir, BESIDE), opened.master.alone():
            feed(opened.log, reports)
            before = opened.master.digest(), reports.digest()
            entries, master = rebuild(opened.log, opened.master)
            reports.begin_anew()
            feed(opened.log, reports)
            analytics = reports.digest()
    finally:
        opened.close()
    return {"entries": entries, "hash": master, "analytics_hash": analytics, "same": before == (master, analytics)}
