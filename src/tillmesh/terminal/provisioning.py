"""What makes a till a member of a store: the store's authority, the own certificate, the list of members.

``store/`` in the data directory holds what is public; ``keys/`` the key of the own links and, on the tills that issue
certificates, the authority's. A till without ``store/`` works alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.host.keys import secret, signing_key, write_file
from tillmesh.adapters.lan.certificates import (
    Authority,
    Credentials,
    Gate,
    issuing_time_s,
    make_request,
    read_authority,
    serial_of,
)
from tillmesh.adapters.lan.roster import Member, Membership
from tillmesh.kernel.errors import Conflict, Damaged
from tillmesh.kernel.limits import STORE_LISTS_MAX
from tillmesh.sync.signatures import KeyNotary
from tillmesh.sync.store_messages import Lists, read_store, write_store

FOLDER: Final = "store"
_AUTHORITY, _LISTS, _CERTIFICATE = "authority.der", "lists", "certificate.der"
_FOUNDER: Final = "founder"  # the actor that founded the store, on the till where it did: the first voter


@dataclass(frozen=True, slots=True)
class Belonging:
    """A till's place in its store."""

    credentials: Credentials
    gate: Gate

    def notary(self) -> KeyNotary:
        """Give who says which events their own actors signed: it knows every actor of the lists, revoked ones too."""
        return KeyNotary(self.credentials.store, self._key_of)

    def _key_of(self, actor: str) -> bytes | None:
        member = self.gate.membership.members.get(actor)
        return None if member is None else member.sign_public


def belonging(data_dir: Path, store: str, actor: str) -> Belonging | None:
    """Load a till's place in its store, or give None if it works alone."""
    folder = data_dir / FOLDER
    if not (folder / _CERTIFICATE).exists():
        return None
    authority = (folder / _AUTHORITY).read_bytes()
    membership = membership_in(data_dir, store)
    credentials = Credentials(store, actor, _link_key(data_dir), (folder / _CERTIFICATE).read_bytes(), authority)
    return Belonging(credentials, Gate(authority, membership))


def is_founder(data_dir: Path, actor: str) -> bool:
    """Say whether this actor founded its store, and so is the first who may decide."""
    file = data_dir / FOLDER / _FOUNDER
    return file.exists() and file.read_bytes() == actor.encode()


def membership_in(data_dir: Path, store: str) -> Membership:
    """Load the lists of tills of a store."""
    authority = read_authority((data_dir / FOLDER / _AUTHORITY).read_bytes())
    path = data_dir / FOLDER / _LISTS
    held = read_store(path.read_bytes())
    if not isinstance(held, Lists) or not held.lists:
        raise Damaged(f"{path} holds no list of tills", hint="Join the store again with an empty data directory.")
    return Membership(authority, store, *held.lists)


def write_lists(data_dir: Path, lists: Sequence[bytes]) -> None:
    """Keep the lists of tills: all of them, since an older one may hold a revocation that the newest lacks."""
    write_file(data_dir / FOLDER / _LISTS, write_store(Lists(list(lists[:STORE_LISTS_MAX]))))


def found(data_dir: Path, store: str, actor: str, now_s: int) -> Authority:
    """Make the authority of a store on its first till, and this till its first member."""
    folder = data_dir / FOLDER
    if (folder / _AUTHORITY).exists():
        raise Conflict(f"{data_dir} belongs to a store already", hint="Use an empty data directory.")
    authority = Authority.create(store, secret(data_dir, "authority.key"), now_s)
    write_file(folder / _AUTHORITY, authority.certificate)
    write_lists(data_dir, (authority.first_roster(now_s, {}),))
    write_file(folder / _FOUNDER, actor.encode())
    enrol(data_dir, data_dir, store, actor, now_s)
    return authority


def enrol(issuer_dir: Path, data_dir: Path, store: str, actor: str, now_s: int) -> None:
    """Make the till in ``data_dir`` a member, with both directories at hand: on one machine, by whoever owns both.

    Tills on different machines pair with a code instead.
    """
    there = issuer_dir / FOLDER
    authority = Authority(store, secret(issuer_dir, "authority.key", create=False), (there / _AUTHORITY).read_bytes())
    membership = membership_in(issuer_dir, store)
    as_of_s = issuing_time_s(membership, wall_s=now_s, running_s=0)
    certificate = authority.issue(make_request(_link_key(data_dir), store, actor), actor, as_of_s)
    member = Member("active", signing_key(data_dir, actor).public_key().public_bytes_raw(), serial_of(certificate))
    signed = authority.sign(membership.revised(as_of_s, {actor: member}))
    membership.merge(signed)
    for place in {issuer_dir, data_dir}:
        write_file(place / FOLDER / _AUTHORITY, authority.certificate)
        write_lists(place, membership.lists)
    write_file(data_dir / FOLDER / _CERTIFICATE, certificate)


def _link_key(data_dir: Path) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret(data_dir, "link.key"))
