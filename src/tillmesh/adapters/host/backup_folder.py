"""A back-up as a folder: databases as they are encrypted, small files sealed, and what it should hold in plain words.

The key of the databases is never in it: whoever finds a back-up reads nothing. ``about.json`` holds names of machines,
hashes and times, so that a rotten copy is found without the key, too. What it says is sealed beside the small files as
well: whoever can write to the disk of back-ups can't put one together out of several, leave a file out or add one.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import file_digest, sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tillmesh.adapters.host.keys import sync_directory, write_file
from tillmesh.kernel.errors import Conflict, Damaged, NotFound, StorageFailed

ABOUT: Final = "about.json"
SMALL: Final = "small-files.sealed"
FORMAT: Final = 2
NONCE_BYTES: Final = 12
SPARE_BYTES: Final = 16 << 20  # more room than the copy needs, for what is written meanwhile
ABOUT_BYTES_MAX: Final = 4 << 20  # some ten thousand names of files
_HALF: Final = ".half"
_RESTORING: Final = ".restoring"
_LIST: Final = "about"  # among the small files, where no file of a data directory is called so
_MOMENT: Final = "%Y%m%dT%H%M%SZ"
_LAST_MS: Final = 253_402_300_799_999  # the last moment that a date can say
_CONTEXT: Final = b"tillmesh back-up v1"


class About(msgspec.Struct, frozen=True):
    """What a back-up is of, and what is in it."""

    format: int
    kind: str  # till | office
    whose: str  # the terminal, or "office"
    store: str
    made_ms: Annotated[int, msgspec.Meta(ge=0, le=_LAST_MS)]
    program: str
    key_mark: str  # tells the key that opens it from another one, without giving it away
    files: dict[str, str]  # SHA-256 by name


def begin(folder: Path, kind: str, whose: str, at_ms: int, needed_bytes: int) -> Path:
    """Make the folder of a new back-up, which has its name only once it is whole; raises if there is no room for it.

    Its name says when, and comes after those of all that are there: the clock may have gone back since.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is not there", hint="Mount the disk that back-ups go to, or make the folder.")
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise StorageFailed(
            f"{free >> 20} MiB are free in {folder}, {(needed_bytes + SPARE_BYTES) >> 20} MiB are needed",
            hint="Free some space there, or keep fewer back-ups (--keep).",
        )
    for left in folder.glob(f"{kind}-{whose}-*{_HALF}"):  # of one that was cut off
        _remove(left)
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    for newest in kept(folder, kind, whose)[-1:]:
        moment = max(moment, _after(newest))
    half = folder / f"{kind}-{whose}-{moment.strftime(_MOMENT)}{_HALF}"
    half.mkdir(mode=0o700)
    return half


def _after(backup: Path) -> datetime:
    try:
        return datetime.strptime(backup.name[-16:], _MOMENT).replace(tzinfo=UTC) + timedelta(seconds=1)
    except (ValueError, OverflowError) as cause:
        raise Damaged(f"{backup} has a name that says no time", hint="Look at it, and take it away.") from cause


def finish(half: Path, about: About, small: Mapping[str, bytes], key: bytes) -> Path:
    """Hash what is in it, seal that with the small files, and give it its name; durable when this returns."""
    files = {path.relative_to(half).as_posix(): hash_of(path) for path in sorted(half.rglob("*")) if path.is_file()}
    about = msgspec.structs.replace(about, files=files)
    write_file(half / SMALL, _seal({**small, _LIST: msgspec.json.encode(about)}, key))
    about = msgspec.structs.replace(about, files={**files, SMALL: hash_of(half / SMALL)})
    write_file(half / ABOUT, msgspec.json.format(msgspec.json.encode(about)))
    for path in [*half.rglob("*"), half]:
        if path.is_dir():
            sync_directory(path)
        else:
            _sync(path)
    whole = half.with_name(half.name.removesuffix(_HALF))
    if whole.exists():
        shutil.rmtree(half)
        raise StorageFailed(f"{whole} was made within the same second", hint="Try again.")
    half.rename(whole)
    sync_directory(whole.parent)
    return whole


def kept(folder: Path, kind: str, whose: str) -> list[Path]:
    """List the whole back-ups of one machine, the oldest first."""
    name = re.compile(rf"{re.escape(kind)}-{re.escape(whose)}-\d{{8}}T\d{{6}}Z")
    return sorted(path for path in folder.glob("*") if name.fullmatch(path.name) and _is_folder(path))


def drop_old(folder: Path, kind: str, whose: str, keep: int) -> list[str]:
    """Delete all but the newest ones, and name what was deleted."""
    old = kept(folder, kind, whose)[:-keep]
    for path in old:
        shutil.rmtree(path)
    return [path.name for path in old]


@contextmanager
def writing_to(folder: Path, data_dir: Path) -> Iterator[None]:
    """Say of what fails meanwhile that it is the disk of back-ups, and not that of the machine which goes on."""
    try:
        yield
    except OSError as cause:
        if Path(str(cause.filename or folder)).is_relative_to(data_dir):
            raise
        why = cause.strerror or str(cause)
    except StorageFailed as cause:
        if cause.__cause__ is None:
            raise  # said here, of that disk
        why = "it is full" if cause.kind == "disk-full" else "it does not take what is written"
    else:
        return
    raise StorageFailed(
        f"no back-up could be written to {folder}: {why}",
        hint="Look whether that disk is there, has room and can be written.",
    )


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def read_about(backup: Path) -> About:
    """Read what a back-up says of itself; raises if it is none, or of another program."""
    if not (backup / ABOUT).is_file():
        raise NotFound(f"{backup} holds no back-up", hint="Name a folder that tillmesh backup make has made.")
    try:
        with (backup / ABOUT).open("rb") as file:
            about = msgspec.json.decode(file.read(ABOUT_BYTES_MAX), type=About)
    except (OSError, msgspec.MsgspecError) as cause:
        raise Damaged(f"{backup / ABOUT} can't be read ({cause})", hint="Take an older back-up.") from cause
    if about.format != FORMAT:
        other = "a newer" if about.format > FORMAT else "an older"
        raise Damaged(f"{backup} was made by {other} program ({about.program})", hint="Install that one.")
    return about


def check_files(backup: Path, about: About) -> None:
    """Read every byte, and raise naming the first file that is not what was written."""
    here = backup.resolve()
    for name, wanted in about.files.items():
        path = backup / name
        # No link and no way out of the folder: whoever brings the disk must not choose what else is read or written.
        if name.startswith("/") or (here / name).resolve().as_posix() != f"{here}/{name}" or not path.is_file():
            raise Damaged(f"{path} is no file of this back-up", hint="Take an older back-up.")
        try:
            found = hash_of(path)
        except OSError as cause:
            raise Damaged(f"{path} can't be read ({cause.strerror})", hint="Take an older back-up.") from cause
        if found != wanted:
            raise Damaged(f"{path} is not what was written there", hint="Take an older back-up.")


def hash_of(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, sha256).hexdigest()


def gather(data_dir: Path, patterns: Sequence[str], but: Sequence[str] = ()) -> dict[str, bytes]:
    """Read the small files of a data directory that fit one of the patterns."""
    found = sorted({path for pattern in patterns for path in data_dir.glob(pattern) if path.is_file()})
    names = [(path.relative_to(data_dir).as_posix(), path) for path in found if path.suffix != ".new"]
    return {name: path.read_bytes() for name, path in names if name not in but}


def _seal(files: Mapping[str, bytes], key: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, msgspec.msgpack.encode(dict(files)), _CONTEXT)


def unseal(backup: Path, about: About, key: bytes) -> dict[str, bytes]:
    """Open the small files of a back-up; raises if this is not its key, or if it is not as it was made."""
    try:
        sealed = (backup / SMALL).read_bytes()
        plain = _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _CONTEXT)
    except OSError as cause:
        raise Damaged(f"{backup / SMALL} can't be read ({cause.strerror})", hint="Take an older back-up.") from cause
    except (InvalidTag, ValueError) as cause:
        raise Damaged(
            f"{backup} does not open with this key", hint="Take the key file that was in use when it was made."
        ) from cause
    files = msgspec.msgpack.decode(plain, type=dict[str, bytes])
    listed = {name: wanted for name, wanted in about.files.items() if name != SMALL}
    if files.pop(_LIST, b"") != msgspec.json.encode(msgspec.structs.replace(about, files=listed)):
        raise Damaged(
            f"{backup} is not as it was made: {ABOUT} was changed, or files of several were put together",
            hint="Take another back-up.",
        )
    return files


@contextmanager
def half_restored(backup: Path, data_dir: Path) -> Iterator[Path]:
    """Give a folder to restore into, which becomes the data directory at the end; nothing stays of one that fails.

    It lies beside the data directory. Where nothing may be made there (the user of the till in /var/lib, a disk of its
    own) it lies in it, and its files come out one after the other, the databases last. Done by root, all of it belongs
    to whom the empty directory belongs.
    """
    inside = data_dir.is_dir() and (data_dir.is_mount() or not os.access(data_dir.parent, os.W_OK))
    half = data_dir / _RESTORING if inside else data_dir.with_name(data_dir.name + _RESTORING)
    if inside and half.exists():
        _clear(data_dir, half)
    if data_dir.exists() and any(data_dir.iterdir()):
        raise Conflict(f"{data_dir} is not empty", hint="Name another directory; nothing is written over.")
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(half.parent).free, _size(backup) + SPARE_BYTES
    if free < needed:
        raise StorageFailed(
            f"{free >> 20} MiB are free, {needed >> 20} MiB are needed", hint="Free some space, or take another disk."
        )
    if half.exists():
        shutil.rmtree(half)
    half.mkdir(mode=0o700)
    try:
        yield half
        if os.geteuid() == 0 and data_dir.exists():
            _give(half, data_dir.stat())
        if inside:
            for path in sorted(half.iterdir(), key=lambda path: (path.suffix == ".db", path.name)):
                path.rename(data_dir / path.name)
            half.rmdir()
        else:
            half.rename(data_dir)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    sync_directory(data_dir)
    sync_directory(data_dir.parent)


def _clear(data_dir: Path, half: Path) -> None:
    """Clear away a restoring that was cut off: what lies beside it has come out of it, or is somebody's and stays."""
    held, beside = {path.name for path in half.iterdir()}, [path for path in data_dir.iterdir() if path != half]
    if not held:
        half.rmdir()
    elif held.isdisjoint(path.name for path in beside):
        for path in (*beside, half):
            _remove(path)


def _remove(path: Path) -> None:
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink()


def _give(place: Path, owner: os.stat_result) -> None:
    for path in [place, *place.rglob("*")]:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _size(backup: Path) -> int:
    return sum(path.stat().st_size for path in backup.rglob("*") if path.is_file())


def put_back(files: Mapping[str, bytes], place: Path) -> None:
    """Write small files to where they belong, readable by their owner alone."""
    for name, data in files.items():
        parts = PurePosixPath(name).parts
        assert ".." not in parts, f"{name} leads out of the data directory"
        assert not name.startswith("/"), f"{name} leads out of the data directory"
        write_file(place / name, data)


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_CONTEXT).derive(key))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
