"""Who belongs to the store: a list signed by the store's own authority, passed on by any till, never going back.

A revoked member stays revoked, whatever list says otherwise: of two lists written without knowing each other the one
that lost may have been the one that revoked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.limits import ACTOR_CHARS_MAX

ROSTER_MEMBERS_MAX: Final = 1_024  # Guess: 15 tills, each paired anew now and then for decades.
# A terminal names its next actor itself, and nothing ever leaves the list: without this one of them could fill it.
ACTORS_PER_TERMINAL_MAX: Final = 32
ROSTER_BYTES_MAX: Final = 256 << 10
_CONTEXT: Final = b"tillmesh roster v1\0"

assert 15 * ACTORS_PER_TERMINAL_MAX < ROSTER_MEMBERS_MAX
assert ROSTER_MEMBERS_MAX * (ACTOR_CHARS_MAX + 32 + 20 + 16) + 512 < ROSTER_BYTES_MAX

Actor = Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]
Seconds = Annotated[int, Meta(ge=0, le=2**40)]


class RosterRefused(TillmeshError):
    """A membership list is not signed by this store's authority, or is no list at all."""

    kind = "roster-refused"
    title = "That list of tills can't be trusted"


class Member(Struct, frozen=True, array_like=True):
    """One incarnation of a terminal."""

    state: Literal["active", "revoked"]
    sign_public: Annotated[bytes, Meta(min_length=32, max_length=32)]  # Ed25519: what its events are signed with
    serial: Annotated[bytes, Meta(max_length=20)]  # of its newest certificate


class Roster(Struct, frozen=True, array_like=True):
    """The members of a store as of a time that its authority vouches for."""

    store: Annotated[str, Meta(min_length=1, max_length=64)]
    version: Annotated[int, Meta(ge=1, le=2**62)]
    as_of_s: Seconds
    members: Annotated[dict[Actor, Member], Meta(max_length=ROSTER_MEMBERS_MAX)]


class SignedRoster(Struct, frozen=True, array_like=True):
    """A roster as it travels: the signed bytes themselves, so that nothing is ever encoded twice."""

    body: Annotated[bytes, Meta(max_length=ROSTER_BYTES_MAX)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


def sign_roster(key: Ed25519PrivateKey, roster: Roster) -> bytes:
    """Give the bytes that any till may pass on."""
    body = msgspec.msgpack.encode(roster)
    return msgspec.msgpack.encode(SignedRoster(body, key.sign(_CONTEXT + body)))


def read_roster(public: Ed25519PublicKey, store: str, data: bytes) -> Roster:
    """Check and decode a signed roster; raises :class:`RosterRefused`, and decodes nothing that is not signed."""
    if len(data) > ROSTER_BYTES_MAX + 256:
        raise RosterRefused(f"a list of {len(data)} bytes; the limit is {ROSTER_BYTES_MAX + 256}")
    try:
        signed = msgspec.msgpack.decode(data, type=SignedRoster)
        public.verify(signed.signature, _CONTEXT + signed.body)
        roster = msgspec.msgpack.decode(signed.body, type=Roster)
    except InvalidSignature as cause:
        raise RosterRefused("a list that this store's authority did not sign", hint="Look who sent it.") from cause
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise RosterRefused(f"bytes that are no list of tills: {cause}") from cause
    if roster.store != store:
        raise RosterRefused(f"the list of store {roster.store[:20]}, this is {store}")
    return roster


class Membership:
    """The newest roster that this till has seen, and what older ones know beside it: revocations, and members.

    Two issuers that did not hear each other may have written lists of the same version: one of them lost, and with it
    whom it took in. Invariants: ``roster.version`` and ``as_of_s`` never go back, ``revoked`` never loses an actor, nor
    does ``members``. Whoever makes a Membership of ``lists`` again knows all that this one knows.
    """

    def __init__(self, public: Ed25519PublicKey, store: str, *lists: bytes) -> None:
        self._public = public
        self._store = store
        self._signed = lists[0]
        self._roster = read_roster(public, store, lists[0])
        self._members = dict(self._roster.members)
        self._revoked = _revoked(self._roster.members)
        self._seen_s = self._roster.as_of_s
        self._beside: dict[bytes, Roster] = {}  # lists that know what the newest does not
        for signed in lists[1:]:
            self.merge(signed)
        self.begun_s = self._seen_s

    @property
    def roster(self) -> Roster:
        """The newest list."""
        return self._roster

    @property
    def lists(self) -> tuple[bytes, ...]:
        """What to keep on disk and to pass on: the newest list, and those that know what it does not."""
        return (self._signed, *self._beside)

    @property
    def whole(self) -> bool:
        """Whether the newest list knows everything; if not, an issuer should sign one that does."""
        return not self._beside

    @property
    def revoked(self) -> frozenset[str]:
        """Every actor that any list seen here has revoked."""
        return self._revoked

    @property
    def members(self) -> dict[str, Member]:
        """Every actor of any list seen here, as the newest list that has it says; but revoked if any list says so."""
        return self._members

    @property
    def as_of_s(self) -> int:
        """The latest time, in seconds since 1970, that the authority has vouched for."""
        return self._seen_s

    def merge(self, signed: bytes) -> frozenset[str]:
        """Take in a list from anyone; gives the actors that are revoked only since now.

        The higher version wins. Of two with the same version (two issuers at once) every till keeps the same one.
        """
        theirs = read_roster(self._public, self._store, signed)
        news = _revoked(theirs.members) - self._revoked
        self._revoked |= news
        self._seen_s = max(self._seen_s, theirs.as_of_s)
        newest = (theirs.version, signed) > (self._roster.version, self._signed)
        if newest:
            self._beside[self._signed] = self._roster
            self._roster, self._signed = theirs, signed
        elif signed != self._signed:
            self._beside[signed] = theirs
        self._members = self._members | theirs.members if newest else theirs.members | self._members
        for actor in self._revoked & self._members.keys():
            self._members[actor] = msgspec.structs.replace(self._members[actor], state="revoked")
        self._beside = {each: roster for each, roster in self._beside.items() if self._adds(roster)}
        return news

    def _adds(self, roster: Roster) -> bool:
        """Say whether a list knows an actor, or that it is revoked, and the newest does not."""
        newest = self._roster.members
        return bool(roster.members.keys() - newest.keys() or _revoked(roster.members) - _revoked(newest))

    def state(self, actor: str) -> Literal["active", "revoked", "unknown"]:
        """Say how this till sees an actor."""
        if actor in self._revoked:
            return "revoked"
        return "active" if actor in self._members else "unknown"

    def revised(self, now_s: int, changes: Mapping[str, Member]) -> Roster:
        """Give the next list to sign: with these changes, and with everything known here."""
        members = {**self._members, **changes}
        for actor in self._revoked & members.keys():
            members[actor] = msgspec.structs.replace(members[actor], state="revoked")
        if len(members) > ROSTER_MEMBERS_MAX:
            raise RosterRefused(f"a list of {len(members)} members; the limit is {ROSTER_MEMBERS_MAX}")
        return Roster(self._store, self._roster.version + 1, max(self._seen_s, now_s), members)


def _revoked(members: Mapping[str, Member]) -> frozenset[str]:
    return frozenset(actor for actor, member in members.items() if member.state == "revoked")
