"""``tillmesh doctor``: what may keep a till from working, in words."""

from __future__ import annotations

import importlib.metadata
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

import apsw

from tillmesh.adapters.sqlite.store import FILE
from tillmesh.terminal.verifying import verify

FREE_BYTES_LEAST = 256 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    text: str


def examine(data_dir: Path | None, *, key_file: Path | None = None) -> list[Finding]:
    """Look at the machine, and at a data directory if one is named."""
    found = [
        Finding(sys.version_info >= (3, 11), f"Python {sys.version.split()[0]} (3.11 or newer is needed)"),
        _sqlite(),
        _one_apsw(),
    ]
    if data_dir is not None:
        found += _data(data_dir, key_file)
    return found


def _sqlite() -> Finding:
    version = getattr(apsw, "mc_version", "")
    return Finding(bool(version), f"SQLite {apsw.sqlite_lib_version()} with encryption: {version or 'missing'}")


def _one_apsw() -> Finding:
    names = {dist.metadata["Name"].lower() for dist in importlib.metadata.distributions() if dist.metadata["Name"]}
    both = "apsw" in names and "apsw-sqlite3mc" in names
    return Finding(not both, "only one apsw is installed" if not both else "apsw and apsw-sqlite3mc are both installed")


def _data(data_dir: Path, key_file: Path | None) -> list[Finding]:
    if not (data_dir / FILE).exists():
        return [Finding(ok=False, text=f"{data_dir} holds no till")]
    free = shutil.disk_usage(data_dir).free
    found = [Finding(free >= FREE_BYTES_LEAST, f"{free >> 20} MiB are free on the disk of the data directory")]
    for key in sorted((data_dir / "keys").glob("*")):
        mode = stat.S_IMODE(key.stat().st_mode)
        if mode & 0o077:
            found.append(Finding(ok=False, text=f"{key} can be read by others (mode {mode:o}); chmod 600 it"))
    report = verify(data_dir, key_file=key_file)
    found.append(Finding(bool(report["ok"]), f"{report['events']} events, {report['sales']} sales verified"))
    found += [Finding(ok=False, text=problem) for problem in report["problems"] + report["gaps"]]
    return found
