"""What makes a till a member of a store: the store's authority, the own certificate, the list of members.

``store/`` in the data directory holds what is public; ``keys/`` the key of the own links and, on the tills that issue
certificates, the authority's. A till without ``store/`` works alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.host.keys import secret, signing_key, write_file
from tillmesh.adapters.lan.certificates import (
    Authority,
    Credentials,
    Gate,
    issuing_time_s,
    make_request,
    named,
    read_authority,
    serial_of,
)
from tillmesh.adapters.lan.roster import Member, Membership
from tillmesh.kernel.errors import Conflict, Damaged, NotFound
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.kernel.limits import STORE_LISTS_MAX
from tillmesh.sync.signatures import KeyNotary
from tillmesh.sync.store_messages import Lists, read_store, write_store
from tillmesh.terminal.head_office import office_key

FOLDER: Final = "store"
_AUTHORITY, _LISTS, _CERTIFICATE = "authority.der", "lists", "certificate.der"
_FOUNDER: Final = "founder"  # the actor that founded the store, on the till where it did: the first voter
_LEAVE: Final = "leave"
_INBOX: Final = "inbox"  # lists that another program on this machine leaves for the running till
ISSUER: Final = "authority.key"
ISSUERS_MIN: Final = 2
LINK: Final = "link.key"


@dataclass(slots=True)
class Belonging:
    """A till's place in its store. ``credentials`` may still be those of an actor that this terminal was before."""

    data_dir: Path
    actor: str
    credentials: Credentials
    gate: Gate
    authority: Authority | None  # on the tills that issue certificates
    office: bytes | None  # the key of head office's events, on the tills that may upload

    def notary(self) -> KeyNotary:
        """Give who says which events their own actors signed: it knows every actor of the lists, revoked ones too."""
        return KeyNotary(self.credentials.store, self._key_of)

    def _key_of(self, actor: str) -> bytes | None:
        members = self.gate.membership.members
        if actor in members:
            return members[actor].sign_public
        return self.office_public() if is_office(actor) else None

    def office_public(self) -> bytes | None:
        """Give the key of head office's events and orders, from its bundle or from the lists of tills."""
        return self.office or key_of_office(self.gate.membership.members)

    def take(self, certificate: bytes) -> None:
        """Go on with another certificate, also after the next start."""
        old = self.credentials
        write_file(self.data_dir / FOLDER / _CERTIFICATE, certificate)
        self.credentials = Credentials(old.store, self.actor, old.key, certificate, old.authority)


def belonging(data_dir: Path, store: str, actor: str) -> Belonging | None:
    """Load a till's place in its store, or give None if it works alone."""
    folder = data_dir / FOLDER
    if not (folder / _CERTIFICATE).exists():
        return None
    certificate = (folder / _CERTIFICATE).read_bytes()
    membership = membership_in(data_dir, store)
    authority = (folder / _AUTHORITY).read_bytes()
    issuer = authority_in(data_dir, store) if (data_dir / "keys" / ISSUER).exists() else None
    credentials = Credentials(store, named(certificate)[1], link_key(data_dir), certificate, authority)
    return Belonging(data_dir, actor, credentials, Gate(authority, membership), issuer, office_key(data_dir))


def certificate_in(data_dir: Path) -> bytes | None:
    """Give a till's own certificate, or None if it works alone."""
    return _read(data_dir / FOLDER / _CERTIFICATE)


def _read(file: Path) -> bytes | None:
    """Read a file that another program may take away at any moment; None: it is not there."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def has_others(data_dir: Path, store: str, actor: str) -> bool:
    """Say whether another terminal belongs to the store, as far as this till's lists know."""
    place = belonging(data_dir, store, actor)
    if place is None:
        return False
    members = place.gate.membership.members
    return any(each.state == "active" and terminal_of(name) != terminal_of(actor) for name, each in members.items())


def key_of_office(members: Mapping[str, Member]) -> bytes | None:
    """Give the key of head office that the lists of tills name: it stays the same whichever actor it writes under."""
    return next((member.sign_public for actor, member in members.items() if is_office(actor)), None)


def is_founder(data_dir: Path, store: str, actor: str) -> bool:
    """Say whether this actor founded its store, and so is the first who may decide.

    A founder that became another incarnation before any other till joined founds it again: nobody else has a vote.
    """
    file = data_dir / FOLDER / _FOUNDER
    if not file.exists():
        return False
    founder = file.read_bytes().decode()
    alone = terminal_of(founder) == terminal_of(actor) and not has_others(data_dir, store, actor)
    return founder == actor or alone


def membership_in(data_dir: Path, store: str) -> Membership:
    """Load the lists of tills of a store."""
    path = data_dir / FOLDER / _LISTS
    if not path.exists():
        raise NotFound(f"{data_dir} belongs to no store", hint="Create one, or join one, with: tillmesh store.")
    held = read_store(path.read_bytes())
    if not isinstance(held, Lists) or not held.lists:
        raise Damaged(f"{path} holds no list of tills", hint="Join the store again with an empty data directory.")
    left = [path.read_bytes() for path in lists_left(data_dir)]
    return Membership(read_authority((data_dir / FOLDER / _AUTHORITY).read_bytes()), store, *held.lists, *left)


def write_lists(data_dir: Path, lists: Sequence[bytes]) -> None:
    """Keep the lists of tills: all of them, since an older one may hold a revocation that the newest lacks."""
    write_file(data_dir / FOLDER / _LISTS, write_store(Lists(list(lists[:STORE_LISTS_MAX]))))


def authority_in(data_dir: Path, store: str) -> Authority:
    """Load the store's authority on a till that issues."""
    if not (data_dir / "keys" / ISSUER).exists():
        raise Conflict(
            f"the till in {data_dir} does not issue", hint="Do it at a till that does: the first, or another."
        )
    key = secret(data_dir, ISSUER, create=False)
    return Authority(store, key, (data_dir / FOLDER / _AUTHORITY).read_bytes())


def found(
    data_dir: Path, store: str, actor: str, now_s: int, former: Mapping[str, Member] = MappingProxyType({})
) -> Authority:
    """Make the authority of a store on its first till, and this till its first member.

    Actors that this terminal was before are listed as revoked: others need their keys to believe what they sold. So are
    the ``former`` tills of a store that is founded again.
    """
    folder = data_dir / FOLDER
    if (folder / _AUTHORITY).exists():
        raise Conflict(f"{data_dir} belongs to a store already", hint="Use an empty data directory.")
    authority = Authority.create(store, secret(data_dir, ISSUER), now_s)
    before = {name: Member("revoked", _sign_public(data_dir, name), b"") for name in own_actors(data_dir) - {actor}}
    before |= {name: Member("revoked", member.sign_public, b"") for name, member in former.items() if name != actor}
    write_file(folder / _AUTHORITY, authority.certificate)
    write_lists(data_dir, (authority.first_roster(now_s, before),))
    write_file(folder / _FOUNDER, actor.encode())
    enrol(data_dir, data_dir, store, actor, now_s)
    return authority


def enrol(issuer_dir: Path, data_dir: Path, store: str, actor: str, now_s: int) -> None:
    """Make the till in ``data_dir`` a member, with both directories at hand: on one machine, by whoever owns both.

    Tills on different machines pair with a code instead. The second till issues, too: the authority's key must not be
    lost with one disk.
    """
    authority = authority_in(issuer_dir, store)
    membership = membership_in(issuer_dir, store)
    as_of_s = issuing_time_s(membership, wall_s=now_s, running_s=0)
    certificate = authority.issue(make_request(link_key(data_dir), store, actor), actor, as_of_s)
    member = Member("active", _sign_public(data_dir, actor), serial_of(certificate))
    membership.merge(authority.sign(membership.revised(as_of_s, {actor: member})))
    for place in {issuer_dir, data_dir}:
        settle_in(place, authority.certificate, membership.lists)
    if len(terminals(membership)) == ISSUERS_MIN and data_dir != issuer_dir:
        write_file(data_dir / "keys" / ISSUER, authority.secret)
    write_file(data_dir / FOLDER / _CERTIFICATE, certificate)


def settle_in(data_dir: Path, authority: bytes, lists: Sequence[bytes], certificate: bytes = b"") -> None:
    """Write down what makes a till a member; the certificate last, since it is what counts."""
    write_file(data_dir / FOLDER / _AUTHORITY, authority)
    write_lists(data_dir, lists)
    if certificate:
        write_file(data_dir / FOLDER / _CERTIFICATE, certificate)


def revoke(authority: Authority, membership: Membership, terminal: str, as_of_s: int) -> bytes:
    """Sign the list without a terminal, under whatever actors it is known; raises NotFound if it is on no list."""
    gone = {
        actor: member
        for actor, member in membership.members.items()
        if terminal_of(actor) == terminal and member.state == "active"
    }
    if not gone:
        known = ", ".join(terminals(membership))
        raise NotFound(f"{terminal[:40]} is no till of this store", hint=f"Its tills are {known}.")
    return retire(authority, membership, gone, as_of_s)


def retire(authority: Authority, membership: Membership, actors: Iterable[str], as_of_s: int) -> bytes:
    """Sign the list that revokes some actors."""
    changes = {}
    for actor in actors:
        member = membership.members[actor]
        changes[actor] = Member("revoked", member.sign_public, member.serial)
    return authority.sign(membership.revised(as_of_s, changes))


def leave(data_dir: Path) -> None:
    """Throw away what proves that this till belongs to the store; its log and its sales stay."""
    keys = data_dir / "keys"
    for path in (keys / ISSUER, keys / LINK, data_dir / FOLDER / _LEAVE, data_dir / FOLDER / _CERTIFICATE):
        path.unlink(missing_ok=True)


def store_of(data_dir: Path) -> str:
    """Name the store that a data directory belongs to, by its certificate; the till may be running."""
    certificate = certificate_in(data_dir)
    if certificate is None:
        raise NotFound(f"{data_dir} belongs to no store", hint="Create one, or join one, with: tillmesh store.")
    return named(certificate)[0]


def terminals(membership: Membership) -> list[str]:
    """List the terminals that belong to the store."""
    return sorted({terminal_of(actor) for actor, member in membership.members.items() if member.state == "active"})


def own_actors(data_dir: Path) -> frozenset[str]:
    """List the actors that this terminal is or was, by the keys that are here."""
    return frozenset(path.stem for path in (data_dir / "keys").glob("*.sign"))


# What another program on this machine has for the running till -----------------------------------------------------


def introduce(data_dir: Path, store: str, actor: str, public: bytes, now_s: int) -> bool:
    """At a till that issues, let all tills know a key: of an author of events that is no till and never links.

    Like an actor that a terminal was before, it is listed as revoked. Says whether this till issues.
    """
    if not (data_dir / "keys" / ISSUER).exists():
        return False
    authority, membership = authority_in(data_dir, store), membership_in(data_dir, store)
    if actor not in membership.members:
        as_of_s = issuing_time_s(membership, wall_s=now_s, running_s=0)
        leave_list(data_dir, authority.sign(membership.revised(as_of_s, {actor: Member("revoked", public, b"")})))
    return True


def store_authority(data_dir: Path) -> bytes:
    """Give the certificate of the store's authority; nothing for a till that works alone."""
    return _read(data_dir / FOLDER / _AUTHORITY) or b""


def drop_strange_issuer(data_dir: Path) -> None:
    """Throw away an issuer's key that is not of the store's authority: the store was founded again meanwhile."""
    key = data_dir / "keys" / ISSUER
    if key.exists():
        held = Ed25519PrivateKey.from_private_bytes(secret(data_dir, ISSUER, create=False)).public_key()
        if held.public_bytes_raw() != read_authority(store_authority(data_dir)).public_bytes_raw():
            key.unlink()


def leave_list(data_dir: Path, signed: bytes) -> None:
    """Leave a list for the till in a data directory, whether it is running or not."""
    write_file(data_dir / FOLDER / _INBOX / f"{len(signed)}-{signed[-8:].hex()}", signed)


def collect_lists(data_dir: Path) -> list[bytes]:
    """Take what was left; the lists are believed no more than those that come over a link."""
    found = []
    for path in lists_left(data_dir):
        found.append(path.read_bytes())
        path.unlink()
    return found


def ask_to_leave(data_dir: Path) -> None:
    """Ask the running till of a data directory to leave its store."""
    write_file(data_dir / FOLDER / _LEAVE, b"")


def ask_no_more_to_leave(data_dir: Path) -> None:
    """Take that back."""
    (data_dir / FOLDER / _LEAVE).unlink(missing_ok=True)


def is_asked_to_leave(data_dir: Path) -> bool:
    """Say whether somebody asked for it."""
    return (data_dir / FOLDER / _LEAVE).exists()


def lists_left(data_dir: Path) -> list[Path]:
    """List what was left here and not taken in yet by the till that runs."""
    return sorted(path for path in (data_dir / FOLDER / _INBOX).glob("*") if path.suffix != ".new")[:STORE_LISTS_MAX]


def link_key(data_dir: Path) -> Ed25519PrivateKey:
    """Give the key of the own links, making it once."""
    return Ed25519PrivateKey.from_private_bytes(secret(data_dir, LINK))


def _sign_public(data_dir: Path, actor: str) -> bytes:
    return signing_key(data_dir, actor).public_key().public_bytes_raw()
