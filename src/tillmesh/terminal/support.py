"""``tillmesh doctor --bundle FILE``: what helps somebody far away to understand a till, and nothing about its people.

In it: findings, versions, counts and sizes, settings that are no names, when events of which type were written. Not in
it: names, amounts, products, customers, keys, PINs, texts that somebody typed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import apsw

from tillmesh.adapters.host.keys import database_key
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.database import connect, one, rows, storage_errors
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.adapters.sqlite.store import FILE, read_origin
from tillmesh.kernel.errors import TillmeshError
from tillmesh.terminal.doctor import Finding, examine
from tillmesh.terminal.verifying import verify

# Settings that say how a till works. Whatever is not named here may hold a name, an address or a text.
PLAIN: Final = (
    "currency", "locale", "time_zone", "prices_include_tax", "tax_rounding", "rounding", "cash_step_minor",
    "cash_rounding", "discount_limit_ppm", "refund_limit_minor", "pay_methods", "oversell_policy", "number",
    "printer_kind", "open_drawer", "training",
)  # fmt: skip


def write_bundle(data_dir: Path, target: Path, *, key_file: Path | None = None) -> list[str]:
    """Write a zip file with mode 0600 and list what is in it; raises OSError when it can't be written.

    A till whose database does not open gets a bundle too: with what can be said without it.
    """
    parts: dict[str, object] = {"findings.txt": _lines(examine(data_dir, key_file=key_file))}
    parts["machine.json"] = _machine(data_dir)
    try:
        parts["files.json"] = _files(data_dir)
        parts["verify.json"] = _verified(data_dir, key_file)
        parts |= _of_database(data_dir, key_file)
    except TillmeshError as cause:
        parts["database.txt"] = f"it can't be read: {cause.detail}\n"
    except (apsw.Error, OSError) as cause:  # tables of another program, a file of somebody else
        parts["database.txt"] = f"it can't be read: {type(cause).__name__}\n"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, part in parts.items():
            text = part if isinstance(part, str) else json.dumps(part, indent=1, sort_keys=True)
            bundle.writestr(name, text)
    return sorted(parts)


def _lines(findings: list[Finding]) -> str:
    return "".join(f"{'ok ' if one.ok else 'BAD'} {one.text}\n" for one in findings)


def _machine(data_dir: Path) -> dict[str, Any]:
    there = next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists())
    usage = os.statvfs(there)
    packages = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": os.getloadavg(),
        "sqlite": apsw.sqlite_lib_version(),
        "packages": dict(sorted((name, version) for name, version in packages.items() if name)),
        "disk": {"free": usage.f_bavail * usage.f_frsize, "size": usage.f_blocks * usage.f_frsize},
    }


def _files(data_dir: Path) -> dict[str, int]:
    """List the files of the data directory with their sizes; keys are named, never read."""
    found = (path for path in sorted(data_dir.rglob("*")) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(data_dir)): path.stat().st_size for path in found}


def _verified(data_dir: Path, key_file: Path | None) -> dict[str, Any]:
    report = verify(data_dir, key_file=key_file)
    return {key: value for key, value in report.items() if key != "money"}


def _of_database(data_dir: Path, key_file: Path | None) -> dict[str, object]:
    with closing(connect(data_dir / FILE, database_key(data_dir, key_file), read_only=True)) as db, storage_errors():
        origin = read_origin(db)
        books = Books(db, origin.terminal if origin is not None else "")
        tables = [
            str(name) for (name,) in rows(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        counts = {name: int(one(db, f'SELECT count(*) FROM "{name}"')) for name in tables if "search" not in name}  # noqa: S608
        types = "SELECT type, count(*), min(hlc) >> 16, max(hlc) >> 16, sum(length(body)) FROM event GROUP BY type"
        return {
            "tables.json": counts,
            "events.json": {
                kind: {"count": count, "first_ms": first, "last_ms": last, "bytes": size}
                for kind, count, first, last, size in rows(db, types)
            },
            "state.json": state_hash(db, books),
            "schema.json": {"version": int(one(db, "PRAGMA user_version")), "pages": int(one(db, "PRAGMA page_count"))},
            "settings.json": {key: _plain(fields) for key, fields in books.records("setting")},
        }


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in PLAIN if name in fields}
