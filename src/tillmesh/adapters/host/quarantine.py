"""Where a damaged database is put away: nothing is deleted, a technician may still get something out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tillmesh.adapters.host.keys import sync_directory, write_file
from tillmesh.kernel.errors import StorageFailed

FOLDER: Final = "quarantine"
KEPT_MAX: Final = 8  # A disk that damages a database more often is not worth another one.
_REASON: Final = "why.txt"
_PENDING: Final = "pending"  # until the fresh database knows of it


def put_away(data_dir: Path, stem: str, day: str, why: str) -> str:
    """Move a database and what belongs to it into ``quarantine/DAY`` and give that name.

    The database itself goes last: a crash in between leaves one that lost its newest commits, or none, and never a new
    one beside an old write-ahead log. Call ``settled`` once nobody has to :func:`resume` this any more.
    """
    folder = _room(data_dir, day)
    write_file(folder / _REASON, f"{why}\n".encode())
    write_file(folder / _PENDING, b"")
    _move(data_dir, stem, folder)
    return _name(folder)


def resume(data_dir: Path, stem: str) -> tuple[str, str] | None:
    """Finish what a crash interrupted, and give its name and why it was done; None if nothing was."""
    folder = _pending(data_dir)
    if folder is None:
        return None
    if not (folder / stem).exists():  # else what stands in the data directory is the fresh one
        _move(data_dir, stem, folder)
    return _name(folder), (folder / _REASON).read_text("utf-8").strip()


def is_pending(data_dir: Path) -> bool:
    """Say whether a crash interrupted a database's way into the quarantine."""
    return _pending(data_dir) is not None


def settled(data_dir: Path) -> None:
    """Note that the fresh database knows where the old one is."""
    if (folder := _pending(data_dir)) is not None:
        (folder / _PENDING).unlink()
        sync_directory(folder)


def _pending(data_dir: Path) -> Path | None:
    return next((folder for folder in kept(data_dir) if (folder / _PENDING).exists()), None)


def _name(folder: Path) -> str:
    return f"{FOLDER}/{folder.name}"


def _move(data_dir: Path, stem: str, folder: Path) -> None:
    files = sorted(data_dir.glob(f"{stem}*"), key=lambda path: (path.name == stem, path.name))
    for path in files:
        path.rename(folder / path.name)
        sync_directory(data_dir)
    sync_directory(folder)


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
