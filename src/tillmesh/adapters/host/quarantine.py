"""Where a damaged database is put away: nothing is deleted, a technician may still get something out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tillmesh.adapters.host.keys import sync_directory, write_file
from tillmesh.kernel.errors import StorageFailed

FOLDER: Final = "quarantine"
KEPT_MAX: Final = 8  # A disk that damages a database more often is not worth another one.
_REASON: Final = "why.txt"


def put_away(data_dir: Path, stem: str, day: str, why: str) -> str:
    """Move a database and what belongs to it into ``quarantine/DAY`` and give that name.

    The database itself goes last: a crash in between leaves one that lost its newest commits, or none, and never a new
    one beside an old write-ahead log.
    """
    folder = _room(data_dir, day)
    write_file(folder / _REASON, f"{why}\n".encode())
    files = sorted(data_dir.glob(f"{stem}*"), key=lambda path: (path.name == stem, path.name))
    for path in files:
        path.rename(folder / path.name)
        sync_directory(data_dir)
    sync_directory(folder)
    return f"{FOLDER}/{folder.name}"


def kept(data_dir: Path) -> list[Path]:
    """List what was put away, oldest first."""
    place = data_dir / FOLDER
    return sorted((path for path in place.iterdir() if path.is_dir()), key=_age) if place.exists() else []


def _age(path: Path) -> tuple[str, int]:
    day, _, number = path.name.partition("_")
    return day, int(number) if number.isdigit() else 1


def _room(data_dir: Path, day: str) -> Path:
    """Make the folder for one more database, or say that there were too many."""
    there = {path.name for path in kept(data_dir)}
    if len(there) >= KEPT_MAX:
        raise StorageFailed(
            f"{data_dir / FOLDER} holds {len(there)} damaged databases; the limit is {KEPT_MAX}",
            hint="Change the disk. If it is a good one, take the folder away, and this till restores itself again.",
        )
    names = (day if number == 1 else f"{day}_{number}" for number in range(1, KEPT_MAX + 2))
    folder = data_dir / FOLDER / next(name for name in names if name not in there)
    folder.mkdir(mode=0o700, parents=True)
    for path in (folder, folder.parent, data_dir):
        sync_directory(path)
    return folder
