"""Secrets of one terminal: where the database key comes from, and the files that hold the rest.

Order for the database key: a systemd credential, an explicit file, then ``keys/`` in the data directory with mode
0600 as the stated fallback (docs/adr). Never the environment itself, which child processes and crash reports see.

Where a credential holds the database key, the other secrets are sealed under it when they are next read: a stolen disk
then shows no key at all. Without a credential they are opened with the key beside them, and lie open as it does.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tillmesh.kernel.errors import Damaged

KEY_BYTES: Final = 32
CREDENTIAL: Final = "tillmesh-database-key"
DATABASE: Final = "database.key"
SEALED: Final = (
    b"sealed1:"  # then 12 bytes of nonce, and the secret with its tag; one that is not sealed is 32 bytes long
)
_NONCE_BYTES: Final = 12


def database_key(data_dir: Path, key_file: Path | None = None) -> bytes:
    """Give the 32-byte database key, making one in the data directory when nothing else provides it."""
    given = _credential()
    if given is not None:
        return given
    if key_file is not None:
        return _read(key_file)
    return secret(data_dir, DATABASE, create=not (data_dir / "till.db").exists())


def secret(data_dir: Path, name: str, *, create: bool = True) -> bytes:
    """Give a 32-byte secret of the data directory, making it once."""
    path = data_dir / "keys" / name
    if not path.exists():
        if not create:
            raise Damaged(f"{path} is missing", hint="Put the key file back; without it the data stays locked.")
        given = _credential()
        value = secrets.token_bytes(KEY_BYTES)
        write_file(path, value if given is None or name == DATABASE else _sealed(path, value, given))
    return _read(path) if name == DATABASE else _opened(path)


def signing_key(data_dir: Path, actor: str, *, create: bool = True) -> Ed25519PrivateKey:
    """Give the actor's own signing key, making it with the actor."""
    return Ed25519PrivateKey.from_private_bytes(secret(data_dir, f"{actor}.sign", create=create))


def _credential() -> bytes | None:
    """Give the database key that systemd holds for this program, if it does."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder or "") / CREDENTIAL
    return _read(path) if folder and path.exists() else None


def _opened(path: Path) -> bytes:
    """Give a secret, and keep it from now on as the database key is kept: sealed, or open."""
    given = _credential()
    data = _bytes_of(path)
    if data.startswith(SEALED):
        beside = path.with_name(DATABASE)
        if given is None and not beside.exists():
            raise Damaged(
                f"{path} is sealed, and the key of the database is not here",
                hint="Give this program the credential tillmesh-database-key, as the unit of the till does.",
            )
        value = _unseal(path, data, given if given is not None else _read(beside))
        if given is None:
            write_file(path, value)
        return value
    value = _read(path)
    if given is not None:
        write_file(path, _sealed(path, value, given))
    return value


def _sealed(path: Path, value: bytes, key: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return SEALED + nonce + _cipher(key).encrypt(nonce, value, path.name.encode())


def _unseal(path: Path, data: bytes, key: bytes) -> bytes:
    start = len(SEALED)
    nonce, hidden = data[start : start + _NONCE_BYTES], data[start + _NONCE_BYTES :]
    try:
        return _cipher(key).decrypt(nonce, hidden, path.name.encode())
    except (InvalidTag, ValueError) as cause:
        raise Damaged(f"{path} does not open with this key of the database", hint="Put the right key back.") from cause


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"tillmesh keys of a till v1").derive(key))


def read_key(path: Path) -> bytes:
    """Read a database key that is in a file of its own, as it is kept apart from a back-up."""
    return _read(path)


def unsealed(name: str, data: bytes, key: bytes) -> bytes:
    """Give a secret out of a back-up, as it lies open beside its database key; any other file as it is."""
    return _unseal(Path(name), data, key) if data.startswith(SEALED) else data


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise Damaged(f"{path} can't be read ({cause.strerror})", hint="Put the key file back.") from cause


def _read(path: Path) -> bytes:
    data = _bytes_of(path)
    if len(data) != KEY_BYTES:
        raise Damaged(f"{path} holds {len(data)} bytes, not {KEY_BYTES}", hint="Put the right key file back.")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write a small file so that nobody else ever reads it and a crash leaves all of it or none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_suffix(".new")
    # No link is followed: root writes here as well, into folders of a user that may be less trusted.
    handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)  # all of it: of os.write a disk that is nearly full takes a part, and says nothing
            file.flush()
            os.fsync(handle)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    half.rename(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename or a new file in the directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
