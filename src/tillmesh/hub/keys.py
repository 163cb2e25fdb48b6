"""Head office's own keys: who issues certificates, who signs changes, and under which name.

Beside an embedded database they are files of the data directory. Where several services share PostgreSQL they stand in
it, sealed with a secret that ``hub.toml`` names, and a sealed copy lies in each data directory: with it a service
starts while PostgreSQL is away.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tillmesh.adapters.host.keys import secret, write_file
from tillmesh.adapters.sqlite.hub.office import FILE, SqliteOffice
from tillmesh.adapters.wan.certificates import HubAuthority
from tillmesh.fleet.office import Office
from tillmesh.fleet.people import mint_office
from tillmesh.fleet.ports import Away
from tillmesh.hub.settings import PostgresTables, Settings
from tillmesh.kernel.errors import Conflict, Invalid

AUTHORITY_KEY: Final = "authority.key"
AUTHORITY: Final = "authority.der"
SIGN_KEY: Final = "office.sign"
ACTOR: Final = "actor"
COPY: Final = "office.sealed"
CARRIED: Final = "office.db.carried"
MODELS: Final = "models"
SECRET_CHARS_MIN: Final = 32
NONCE_BYTES: Final = 12


class Keys(NamedTuple):
    """What makes this head office this one."""

    authority: HubAuthority
    pen: Ed25519PrivateKey
    actor: str


class Seal:
    """Seals and opens; each value under its name, so that none can stand in another's place."""

    def __init__(self, secret_bytes: bytes) -> None:
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tillmesh head office keys v1")
        self._cipher = AESGCM(derive.derive(secret_bytes))

    def close(self, name: str, value: bytes) -> bytes:
        """Seal a value."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes:
        """Open a value, or raise :class:`Invalid`: it was sealed with another secret."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as cause:
            raise Invalid(
                f"head office's {name} in the database was sealed with another secret",
                hint="Give every machine the same secret in [master] of hub.toml, or the same keys/database.key.",
            ) from cause


def own_keys(settings: Settings, data_dir: Path, key: bytes, office: Office) -> Keys:
    """Give head office's keys, making those of a new one."""
    if not isinstance(settings.master, PostgresTables):
        return _of_files(data_dir, office)
    seal = Seal(secret_of(settings.master) or key)
    copy = data_dir / COPY
    try:
        kept = _shared(data_dir, office, seal)
    except Away:
        if not copy.exists():
            raise
        return _keys(
            *msgspec.msgpack.decode(seal.open(COPY, copy.read_bytes()), type=tuple[bytes, bytes, bytes, bytes])
        )
    packed = msgspec.msgpack.encode(kept)
    if not copy.exists() or seal.open(COPY, copy.read_bytes()) != packed:
        write_file(copy, seal.close(COPY, packed))
    return _keys(*kept)


def shared_key(settings: Settings, what: str) -> bytes:
    """Give the key of a file that services with folders of their own share, from the secret that ``hub.toml`` names."""
    found = secret_of(settings.master) if isinstance(settings.master, PostgresTables) else b""
    if not found:
        raise Invalid(
            f"{what} are shared, and no secret is", hint="Name secret or secret_file in [master] of hub.toml."
        )
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"tillmesh {what} v1".encode()).derive(found)


def secret_of(master: PostgresTables) -> bytes:
    """Give the secret that ``hub.toml`` names; empty if it names none."""
    found = master.secret
    if master.secret_file:
        try:
            found = Path(master.secret_file).read_text("utf-8").strip()
        except OSError as cause:
            raise Invalid(f"{master.secret_file} can't be read ({cause.strerror})", hint="See hub.toml.") from cause
    if found and len(found) < SECRET_CHARS_MIN:
        raise Invalid(
            f"the secret in [master] has {len(found)} characters; at least {SECRET_CHARS_MIN} are needed",
            hint="Make one with: openssl rand -base64 32",
        )
    return found.encode()


def carry_over(data_dir: Path, key: bytes, settings: Settings, office: Office) -> bool:
    """Take what a head office had in its own file into PostgreSQL, once; says whether there was something."""
    file = data_dir / FILE
    if not isinstance(settings.master, PostgresTables) or not file.exists():
        return False
    from tillmesh.adapters.postgres.office import PostgresOffice

    assert isinstance(office, PostgresOffice), "its settings name PostgreSQL"
    with office.alone("carry over"):
        if not file.exists():
            return False  # another service was quicker
        held, own = office.meta(AUTHORITY), data_dir / AUTHORITY
        if held is not None and own.exists() and held != own.read_bytes():
            raise Conflict(
                f"{file} is of another head office than the one in PostgreSQL",
                hint="Move it away, or name another schema in hub.toml.",
            )
        old = SqliteOffice(file, key)
        try:
            office.carry(old.kept())
        finally:
            old.close()
        file.rename(data_dir / CARRIED)
    return True


def _shared(data_dir: Path, office: Office, seal: Seal) -> tuple[bytes, bytes, bytes, bytes]:
    """Give the keys in the shared database; of several services that start at once the first one makes them."""

    def once(name: str) -> bytes:
        held = office.meta(name)
        if held is None:
            held = office.note_once(name, seal.close(name, _file(data_dir, name) or secrets.token_bytes(32)))
        return seal.open(name, held)

    root = once(AUTHORITY_KEY)
    certificate = office.meta(AUTHORITY)
    if certificate is None:
        certificate = office.note_once(AUTHORITY, _certificate(data_dir, root))
    return root, certificate, once(SIGN_KEY), actor_of(office).encode()


def _certificate(data_dir: Path, root: bytes) -> bytes:
    file = data_dir / AUTHORITY
    if file.exists() and _file(data_dir, AUTHORITY_KEY) == root:
        return file.read_bytes()
    return HubAuthority.create(root, int(time.time())).certificate


def _file(data_dir: Path, name: str) -> bytes | None:
    """Give a key that an earlier head office here had as a file."""
    return secret(data_dir, name, create=False) if (data_dir / "keys" / name).exists() else None


def _of_files(data_dir: Path, office: Office) -> Keys:
    file = data_dir / AUTHORITY
    root = secret(data_dir, AUTHORITY_KEY, create=not file.exists())
    if not file.exists():
        write_file(file, HubAuthority.create(root, int(time.time())).certificate)
    return _keys(root, file.read_bytes(), secret(data_dir, SIGN_KEY), actor_of(office).encode())


def _keys(root: bytes, certificate: bytes, pen: bytes, actor: bytes) -> Keys:
    return Keys(HubAuthority(root, certificate), Ed25519PrivateKey.from_private_bytes(pen), actor.decode())


def actor_of(office: Office) -> str:
    """Give the name that head office writes under, making it once; another service may have had to change it."""
    held = office.meta(ACTOR)
    return (held or office.note_once(ACTOR, mint_office(secrets.token_bytes(16)).encode())).decode()


def another_actor(office: Office) -> str:
    """Write under a new name from now on: somebody holds events under the old one that are not here."""
    minted = mint_office(secrets.token_bytes(16))
    office.note(ACTOR, minted.encode())
    return minted
