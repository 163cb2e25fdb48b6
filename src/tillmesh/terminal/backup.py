"""``tillmesh backup``: a copy of a till that is sure to be whole, what it takes to be one again, and the trial of both.

The copy is made beside the running till. Put back it goes on as another incarnation of its terminal
(docs/adr/0013): its receipts begin with four new characters, so none is given out twice.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from tillmesh import __version__
from tillmesh.adapters.host import backup_folder as folder
from tillmesh.adapters.host.anchor import key_mark
from tillmesh.adapters.host.backup_folder import About
from tillmesh.adapters.host.backup_note import one_at_a_time, read_note, write_note
from tillmesh.adapters.host.keys import database_key, read_key, unsealed, write_file
from tillmesh.adapters.sqlite import replica, subject_keys
from tillmesh.adapters.sqlite.copying import copy_database, size_of
from tillmesh.adapters.sqlite.database import connect, rows, storage_errors, write
from tillmesh.adapters.sqlite.store import FILE, read_origin
from tillmesh.adapters.wan.bundle import FILE as BUNDLE
from tillmesh.kernel.envelope import Head
from tillmesh.kernel.errors import Conflict, Damaged, NotFound, TillmeshError
from tillmesh.kernel.ids import series
from tillmesh.terminal.bootstrap import file_errors, open_terminal
from tillmesh.terminal.verifying import verify

TILL: Final = "till"
KEEP: Final = 14
KEY: Final = "keys/database.key"
SMALL_FILES: Final = ("keys/*", "store/*", "store/inbox/*", BUNDLE)
WHY_CHARS_MAX: Final = 300


def make(data_dir: Path, to: Path, *, key_file: Path | None = None, keep: int = KEEP) -> dict[str, Any]:
    """Make a back-up of a till, running or not, and note in its data directory how that went."""
    _require_till(data_dir)
    now_ms = time.time_ns() // 1_000_000
    note = msgspec.structs.replace(read_note(data_dir), tried_ms=now_ms)
    try:
        with file_errors(), one_at_a_time(data_dir):
            found = _make(data_dir, to, key_file, keep, now_ms)
    except TillmeshError as cause:
        _note(data_dir, msgspec.structs.replace(note, why=cause.detail[:WHY_CHARS_MAX]))
        raise
    _note(data_dir, msgspec.structs.replace(note, made_ms=now_ms, why=""))
    return found


def _note(data_dir: Path, note: Any) -> None:
    with file_errors():
        write_note(data_dir, note)


def _make(data_dir: Path, to: Path, key_file: Path | None, keep: int, now_ms: int) -> dict[str, Any]:
    key = database_key(data_dir, key_file)
    databases = [data_dir / name for name in (FILE, subject_keys.FILE) if (data_dir / name).exists()]
    with closing(connect(data_dir / FILE, key, read_only=True)) as db, storage_errors():
        origin = read_origin(db)
    if origin is None:
        raise NotFound(f"{data_dir} holds no till yet", hint="Start it once.")
    with folder.writing_to(to, data_dir):
        half = folder.begin(to, TILL, origin.terminal, now_ms, sum(size_of(path) for path in databases))
        try:
            # The log first: what it was sealed with, and who signed it, is in what is copied after it.
            size = sum(copy_database(path, half / path.name, key) for path in databases)
            about = About(folder.FORMAT, TILL, origin.terminal, origin.store, now_ms, __version__, key_mark(key), {})
            whole = folder.finish(half, about, folder.gather(data_dir, SMALL_FILES, (KEY,)), key)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        found = {"backup": str(whole), "bytes": size, "dropped": folder.drop_old(to, TILL, origin.terminal, keep)}
    if to.stat().st_dev == data_dir.stat().st_dev:
        found["warning"] = "it lies on the disk of the till itself, and is lost with it: copy it elsewhere"
    return found


def check(backup: Path, *, key_file: Path | None = None) -> dict[str, Any]:
    """Read all of a back-up; with its key, look through everything that was ever sold in it as ``verify`` does."""
    about = folder.read_about(backup)
    folder.check_files(backup, about)
    shown: dict[str, Any] = {"backup": str(backup), "store": about.store, "terminal": about.whose,
                             "made": _moment(about.made_ms), "bytes_whole": True}  # fmt: skip
    if key_file is None:
        return {**shown, "ok": True, "note": "without its key only the bytes were compared: name it with --key-file"}
    key = _key_of(about, key_file)
    with tempfile.TemporaryDirectory(prefix="tillmesh-") as place:
        _put_small_back(backup, about, Path(place), key)
        (Path(place) / FILE).symlink_to((backup / FILE).absolute())
        (Path(place) / "anchor").touch()
        report = verify(Path(place), key_file=key_file)
    return {**shown, **_picked(report)}


def restore(backup: Path, data_dir: Path, *, key_file: Path) -> dict[str, Any]:
    """Make a back-up a till again, in a data directory that is empty or not there: all of it or nothing.

    The machine that it is of must never run again beside it; the other tills would see two that say to be one.
    """
    about = folder.read_about(backup)
    if about.kind != TILL:
        raise Conflict(f"{backup} is of head office", hint="Use tillmesh hub restore.")
    key = _key_of(about, key_file)
    folder.check_files(backup, about)
    with file_errors(), folder.half_restored(backup, data_dir) as half:
        write_file(half / KEY, key)
        found = _put_back(backup, about, half, key)
    return {"restored": backup.name, "into": str(data_dir), **found}


def _put_back(backup: Path, about: About, place: Path, key: bytes, *, key_file: Path | None = None) -> dict[str, Any]:
    _put_small_back(backup, about, place, key)
    for name in (subject_keys.FILE, FILE):
        if name in about.files:
            shutil.copyfile(backup / name, place / name)
            (place / name).chmod(0o600)
    return _begin_anew(place, about, key_file)


def _put_small_back(backup: Path, about: About, place: Path, key: bytes) -> None:
    small = folder.unseal(backup, about, key)
    folder.put_back({name: unsealed(name, data, key) for name, data in small.items()}, place)


def _begin_anew(place: Path, about: About, key_file: Path | None) -> dict[str, Any]:
    """Let the copy become another incarnation, and forget papers that were waiting: they were printed since."""
    opened = open_terminal(place, key_file=key_file, doubt=f"restored from the back-up of {_moment(about.made_ms)}")
    try:
        with write(opened.writer.db) as db:
            db.execute("UPDATE print_job SET state = 'done', error = '' WHERE state IN ('waiting', 'printing')")
        events = sum(head.seq for head in _heads(place, opened.key).values())
        return {
            "store": opened.origin.store,
            "terminal": opened.origin.terminal,
            "actor": opened.origin.actor,
            "receipts_begin_with": series(opened.origin.actor),
            "events": events,
            "holds_what_was_there_at": _moment(about.made_ms),
        }
    finally:
        opened.close()


def drill(data_dir: Path, to: Path, *, key_file: Path | None = None) -> dict[str, Any]:
    """Put the newest back-up back in a place of its own and look through it; the till is not touched.

    What comes out has to fit the till that it is of: each chain in it is a beginning of the till's own, and no receipt
    that it would give out can be one of the shop's.
    """
    _require_till(data_dir)
    key = database_key(data_dir, key_file)
    begun, now_ms = time.monotonic(), time.time_ns() // 1_000_000
    note = msgspec.structs.replace(read_note(data_dir), drilled_ms=now_ms)
    try:
        with file_errors(), one_at_a_time(data_dir):
            found = _drill(data_dir, to, key, key_file or data_dir / KEY)
    except TillmeshError as cause:
        _note(data_dir, msgspec.structs.replace(note, drill_why=cause.detail[:WHY_CHARS_MAX]))
        raise
    why = "" if found["ok"] else "; ".join(found["problems"])[:WHY_CHARS_MAX]
    _note(data_dir, msgspec.structs.replace(note, drill_why=why))
    return {**found, "seconds": round(time.monotonic() - begun, 1)}


def _drill(data_dir: Path, to: Path, key: bytes, key_file: Path) -> dict[str, Any]:
    with closing(connect(data_dir / FILE, key, read_only=True)) as db, storage_errors():
        origin = read_origin(db)
    terminal = origin.terminal if origin is not None else ""
    newest = folder.kept(to, TILL, terminal)[-1:]
    if not newest:
        raise NotFound(f"{to} holds no back-up of till {terminal}", hint="Make one: tillmesh backup make.")
    about = folder.read_about(newest[0])
    if about.key_mark != key_mark(key):
        raise Damaged("the newest back-up was locked with another key", hint="Make another one: tillmesh backup make.")
    folder.check_files(newest[0], about)
    with _trial(terminal) as place:
        # The key stays where it is: a trial that is cut off leaves nothing that opens it.
        found = _put_back(newest[0], about, place, key, key_file=key_file)
        report = verify(place, key_file=key_file)
        problems = [*report["problems"], *report["gaps"], *_unlike(data_dir, place, key, found["actor"])]
        live, copy = _heads(data_dir, key), _heads(place, key)
    behind = sum(head.seq - (copy[actor].seq if actor in copy else 0) for actor, head in live.items())
    return {
        "ok": not problems, "backup": newest[0].name, "events": report["events"], "sales": report["sales"],
        "events_since": behind, "receipts_would_begin_with": found["receipts_begin_with"], "problems": problems,
    }  # fmt: skip


@contextmanager
def _trial(terminal: str) -> Iterator[Path]:
    """Give a place for a drill, and clear away that of one that was cut off."""
    prefix = f"tillmesh-drill-{terminal}-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if not left.is_symlink() and left.stat().st_uid == os.geteuid():
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=prefix) as place:
        yield Path(place)


def _unlike(data_dir: Path, place: Path, key: bytes, reborn: str) -> list[str]:
    """Name in what a restored copy does not fit the till that it is of."""
    live, copy = _heads(data_dir, key), _heads(place, key)
    found = []
    with closing(connect(data_dir / FILE, key, read_only=True)) as db, storage_errors():
        sql = "SELECT e.hash FROM event e JOIN actor a ON a.id = e.actor WHERE a.name = ? AND e.seq = ?"
        for actor, head in copy.items():
            if actor != reborn and rows(db, sql, (actor, head.seq)) != [(head.hash,)]:
                found.append(f"event {head.seq} of {actor} is not the till's own")
    if series(reborn) in {series(actor) for actor in live}:
        found.append(f"receipts of the copy would begin with {series(reborn)}, as those of the shop do")
    return found


def _heads(data_dir: Path, key: bytes) -> dict[str, Head]:
    with closing(connect(data_dir / FILE, key, read_only=True)) as db, storage_errors():
        return dict(replica.heads(db))


def _key_of(about: About, key_file: Path) -> bytes:
    key = read_key(key_file)
    if about.key_mark != key_mark(key):
        raise Damaged(
            "this is the wrong key: the back-up was locked with another one", hint="Take the key that was in use then."
        )
    return key


def _picked(report: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in ("ok", "events", "sales", "gaps", "problems")}


def _require_till(data_dir: Path) -> None:
    if not (data_dir / FILE).exists():
        raise NotFound(f"{data_dir} holds no till", hint="Name the data directory of a terminal.")


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
