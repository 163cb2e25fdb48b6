"""Secrets of one terminal: where the database key comes from, and the files that hold the rest.

Order for the database key: a systemd credential, an explicit file, then ``keys/`` in the data directory with mode
0600 as the stated fallback (docs/adr). Never the environment itself, which child processes and crash reports see.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.kernel.errors import Damaged

KEY_BYTES: Final = 32
CREDENTIAL: Final = "tillmesh-database-key"


def database_key(data_dir: Path, key_file: Path | None = None) -> bytes:
    """Give the 32-byte database key, making one in the data directory when nothing else provides it."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / CREDENTIAL).exists():
        return _read(Path(credentials) / CREDENTIAL)
    if key_file is not None:
        return _read(key_file)
    return secret(data_dir, "database.key", create=not (data_dir / "till.db").exists())


def secret(data_dir: Path, name: str, *, create: bool = True) -> bytes:
    """Give a 32-byte secret of the data directory, making it once."""
    path = data_dir / "keys" / name
    if not path.exists():
        if not create:
            raise Damaged(f"{path} is missing", hint="Put the key file back; without it the data stays locked.")
        write_file(path, secrets.token_bytes(KEY_BYTES))
    return _read(path)


def signing_key(data_dir: Path, actor: str, *, create: bool = True) -> Ed25519PrivateKey:
    """Give the actor's own signing key, making it with the actor."""
    return Ed25519PrivateKey.from_private_bytes(secret(data_dir, f"{actor}.sign", create=create))


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise Damaged(f"{path} can't be read ({cause.strerror})", hint="Put the key file back.") from cause
    if len(data) != KEY_BYTES:
        raise Damaged(f"{path} holds {len(data)} bytes, not {KEY_BYTES}", hint="Put the right key file back.")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a small file so that nobody else ever reads it and a crash leaves all of it or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    half.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename or a new file in the directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
