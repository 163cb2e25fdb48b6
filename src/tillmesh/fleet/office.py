"""Who may do what at head office, as a Protocol: people, stores' keys and certificates, what was done and planned.

Secrets stand here only as hashes, or sealed by who notes them. Any number of services may share one of these: what one
of them has put is what the next question of any other finds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol, TypeAlias


class Person(NamedTuple):
    """Somebody at head office; the password stands here as argon2id made it."""

    name: str
    role: str
    password: str


class Issued(NamedTuple):
    """A certificate that was issued to a store; the key that came with it shares its fate."""

    serial: bytes
    store: str
    issued_ms: int
    revoked_ms: int | None


class InForce(NamedTuple):
    """When certificates were issued, in milliseconds; None: there is none."""

    stores_ms: int | None  # of the store whose newest one is the oldest: that one ends first
    gateway_ms: int | None
    first_ms: int | None  # the first one of all, revoked or not


class Whom(NamedTuple):
    """For whom a plan was made."""

    words: str = ""  # as somebody chose the stores
    groups: tuple[str, ...] = ()  # it goes to whatever stores are in them
    stores: tuple[str, ...] = ()  # that were chosen by their own name


class Plan(NamedTuple):
    """One price or promotion. ``places`` says per store what its register there is called."""

    id: int
    kind: str  # price | promotion
    key: str
    shown: dict[str, Any]
    places: dict[str, str]
    by: str
    at_ms: int
    ended_ms: int | None
    whom: Whom


Audited: TypeAlias = tuple[int, int, str, str, str, str]  # number, time, who, action, subject, detail


# What moves with head office from one kind of database to another: tables and their columns, the same in every kind.
KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "meta": ("name", "value"),
    "person": ("name", "role", "password", "active"),
    "api_key": ("hash", "store", "certificate", "created_ms", "revoked_ms"),
    "certificate": ("serial", "store", "issued_ms", "revoked_ms"),
    "generation": ("store", "number"),
    "audit": ("id", "at_ms", "by", "action", "subject", "detail"),
    "trust": ("store", "authority", "lists"),
    "store_group": ("name",),
    "grouped": ("name", "store"),
    "plan": ("id", "kind", "key", "shown", "places", "chosen", "by", "at_ms", "ended_ms", "follows", "named"),
    "contact": ("store", "heard_ms", "held"),
}


class Sessions(Protocol):
    """Who is signed in, by the hash of a token."""

    def put_session(self, token: bytes, name: str, at_ms: int, until_ms: int) -> None:
        """Note that somebody signed in; forgets sessions that are over."""

    def session(self, token: bytes, at_ms: int) -> tuple[str, str] | None:
        """Give name and role of who has a token that is not over, or None."""
        ...

    def end_session(self, token: bytes) -> None:
        """Forget a token."""

    def end_sessions(self, name: str, but: bytes = b"") -> None:
        """Forget every token of somebody, except one."""


class Plans(Protocol):
    """What head office has planned for its stores."""

    def plans(self, kind: str, limit: int) -> list[Plan]:
        """List what was planned, the newest first."""
        ...

    def plan(self, kind: str, key: str) -> Plan | None:
        """Find the newest plan with a key."""
        ...

    def plan_by_id(self, kind: str, number: int) -> Plan | None:
        """Find a plan by its number."""
        ...

    def put_plan(
        self, kind: str, key: str, shown: Mapping[str, Any], places: Mapping[str, str], whom: Whom, *, by: str,
        at_ms: int, number: int | None = None,
    ) -> None:  # fmt: skip
        """Note a plan, or with its number one that was changed."""

    def following(self) -> list[Plan]:
        """List the plans that were made for groups and not taken back, the oldest first."""
        ...

    def move_plan(self, number: int, places: Mapping[str, str]) -> None:
        """Note where a plan is by now."""

    def end_plan(self, number: int, at_ms: int) -> None:
        """Note that a plan was taken back."""


class Credentials(Protocol):
    """Which keys and certificates of stores are in force."""

    def put_certificate(self, serial: bytes, store: str, at_ms: int) -> None:
        """Note a certificate that was issued."""

    def put_key(self, key: str, store: str, certificate: bytes, at_ms: int) -> None:
        """Note an API key by its hash, bound to a store and to the serial number of a certificate."""

    def key_owner(self, key: str) -> tuple[str, bytes] | None:
        """Give store and certificate of a key that is not revoked, or None."""
        ...

    def certificate_store(self, serial: bytes) -> str | None:
        """Give the store of a certificate that was issued here and not revoked, or None."""
        ...

    def in_force(self) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """List the hash of every API key with its certificate, and every certificate, that are not revoked."""
        ...

    def in_force_mark(self) -> tuple[int, ...]:
        """Give a mark that changes with what is in force, and costs less than reading all of it."""
        ...

    def issued(self) -> list[Issued]:
        """List every certificate, the newest first."""
        ...

    def in_force_since(self, gateway: str) -> InForce:
        """Say when the certificates in force were issued; ``gateway`` stands there in the place of a store."""
        ...

    def revoke_one(self, store: str, serial: bytes, at_ms: int) -> bool:
        """Revoke one certificate of a store and the keys that are bound to it; says whether it was in force.

        If it was, a generation of the store's credentials begins with it.
        """
        ...

    def revoke(self, store: str, at_ms: int) -> int:
        """Revoke every key and certificate of a store, as :meth:`revoke_one`; says how many there were."""
        ...

    def generation(self, store: str) -> int:
        """Say in which generation a store's credentials are: 0 until the first is revoked."""
        ...

    def begin_generation(self, store: str, above: int = 0) -> int:
        """Begin another one, above all that were and above a number; gives it."""
        ...


class Office(Sessions, Plans, Credentials, Protocol):
    """One connection; one thread at a time."""

    def meta(self, name: str) -> bytes | None:
        """Give a value that was noted, or None."""
        ...

    def note(self, name: str, value: bytes) -> None:
        """Note a value."""

    def note_once(self, name: str, value: bytes) -> bytes:
        """Note a value unless there is one; gives the one that is there: several services may start at once."""
        ...

    def alone(self, what: str) -> AbstractContextManager[None]:
        """Keep every other service out of the same thing meanwhile."""
        ...

    def person(self, name: str) -> Person | None:
        """Find somebody who is active."""
        ...

    def put_person(self, person: Person) -> None:
        """Add somebody, or change role and password."""

    def people(self) -> list[tuple[str, str]]:
        """List name and role of everybody who may sign in."""
        ...

    def change_role(self, name: str, role: str) -> bool:
        """Change what somebody may do; says whether there was such a person."""
        ...

    def remove_person(self, name: str) -> bool:
        """Let somebody sign in no more; says whether there was such a person."""
        ...

    def has_people(self) -> bool:
        """Say whether anybody can sign in."""
        ...

    def put_contacts(self, told: Sequence[tuple[str, int, bytes]]) -> None:
        """Note when leaders of stores were here and what they held, unless something later is known."""

    def contacts(self, after_ms: int) -> list[tuple[str, int, bytes]]:
        """List the contacts since a time."""
        ...

    def trust(self, store: str) -> tuple[bytes, bytes] | None:
        """Give the authority of a store and the lists of its tills, or None if it named none."""
        ...

    def put_trust(self, store: str, authority: bytes, lists: bytes) -> None:
        """Note whose signatures count for a store."""

    def keep_lists(self, store: str, authority: bytes, lists: bytes) -> None:
        """Note the lists of a store's tills, if this is its authority still: it may have come back under another."""

    def groups(self) -> dict[str, list[str]]:
        """List the groups of stores, by name, with the stores in each."""
        ...

    def put_group(self, name: str, stores: Collection[str]) -> None:
        """Make a group of these stores, or change which stores are in it."""

    def remove_group(self, name: str) -> bool:
        """Forget a group, not its stores; says whether there was one."""
        ...

    def audit(self, at_ms: int, by: str, action: str, subject: str, detail: str = "") -> None:
        """Note what was done."""

    def audited(self, limit: int, before: int = 0, words: str = "") -> list[Audited]:
        """List what was done before an entry (0: up to now) and holds the words, the newest first, with its number."""
        ...

    def close(self) -> None:
        """Let go of it."""


def hashed(key: str) -> bytes:
    """Hash an API key. It has 256 random bits, so a fast hash is as good as a slow one."""
    return sha256(b"tillmesh api key v1\0" + key.encode()).digest()
