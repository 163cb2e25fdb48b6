"""The database as it was before an upgrade changed its tables: an older program can go on from it."""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from pathlib import Path
from typing import Final

from tillmesh.kernel.limits import UPGRADE_COPY_DAYS

FOLDER: Final = "before-upgrade"
_NAME: Final = re.compile(r"version-(\d+)\.db")
log = logging.getLogger(__name__)


def keep_copy(database: Path, version: int) -> None:
    """Copy a database whose write-ahead log is empty, in the place of any older copy; without room there is none.

    The copy has its name only once it is whole and on the disk.
    """
    folder = database.parent / FOLDER
    size = database.stat().st_size
    folder.mkdir(mode=0o700, exist_ok=True)
    _forget(folder, [path for path in folder.iterdir() if path.is_file()])
    if shutil.disk_usage(folder).free < 2 * size:
        log.warning("no room for a copy of the database before the upgrade: going back needs another till's data")
        return
    half, whole = folder / "new", folder / f"version-{version}.db"
    with database.open("rb") as source, half.open("xb") as target:
        os.fchmod(target.fileno(), 0o600)
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    half.rename(whole)
    log.info("the database is kept in %s for %d days", whole, UPGRADE_COPY_DAYS)


def kept_copy(data_dir: Path) -> tuple[Path, int] | None:
    """Give the copy made before the last upgrade and its version, or None."""
    folder = data_dir / FOLDER
    found = [(path, match) for path in folder.glob("*") if (match := _NAME.fullmatch(path.name))]
    return max(((path, int(match[1])) for path, match in found), key=lambda pair: pair[1], default=None)


def forget_copy(data_dir: Path, days: int = 0) -> None:
    """Delete the copy if it is older than so many days: it takes as much room as the database."""
    found = kept_copy(data_dir)
    if found is not None and time.time() - found[0].stat().st_mtime >= days * 86_400:
        _forget(found[0].parent, [found[0]])


def _forget(folder: Path, copies: list[Path]) -> None:
    for path in copies:
        path.unlink()
        log.info("%s in %s is not kept any longer", path.name, folder)
