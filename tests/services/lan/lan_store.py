"""A store with its authority and its tills, for tests of the network."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tillmesh.adapters.lan.certificates import (
    RELEASED_S,
    Authority,
    Credentials,
    Gate,
    make_request,
    read_authority,
    serial_of,
    ssl_context,
)
from tillmesh.adapters.lan.roster import Member, Membership

NOON_S = RELEASED_S + 43_200
STORE = "c0rnersh0p00"


def actor_named(letter: str) -> str:
    """Give the actor of the till that a test calls by one letter."""
    return f"tz{letter * 6}.{letter}000000{letter}"  # each with a series of receipts of its own


@dataclass
class LanStore:
    """One store; ``till`` pairs a till by decree."""

    name: str = STORE
    seed: bytes = b"\1" * 32
    authority: Authority = field(init=False)
    roster: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.authority = Authority.create(self.name, self.seed, NOON_S)
        self.roster = self.authority.first_roster(NOON_S, {})

    def till(self, letter: str, *, as_of_s: int = NOON_S) -> Credentials:
        """Issue a certificate and write the till into the list."""
        actor, key = actor_named(letter), Ed25519PrivateKey.generate()
        certificate = self.authority.issue(make_request(key, self.name, actor), actor, as_of_s)
        self._revise({actor: Member("active", bytes(32), serial_of(certificate))})
        return Credentials(self.name, actor, key, certificate, self.authority.certificate)

    def revoke(self, actor: str) -> bytes:
        """Give the list without this till."""
        self._revise({actor: Member("revoked", bytes(32), b"")})
        return self.roster

    def gate(self) -> Gate:
        """Give a gate that knows the newest list."""
        return Gate(self.authority.certificate, self.membership())

    def membership(self) -> Membership:
        """Give what a till that knows the newest list holds."""
        return Membership(read_authority(self.authority.certificate), self.name, self.roster)

    def _revise(self, changes: dict[str, Member]) -> None:
        self.roster = self.authority.sign(self.membership().revised(NOON_S, changes))


def shake_hands(server: Credentials, client: Credentials) -> tuple[bytes | None, bytes | None]:
    """Run a TLS handshake in memory; gives the certificate that each side saw, or raises what a side said."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        ssl_context("client", client).wrap_bio(to_client, to_server),
        ssl_context("server", server).wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = True
    while waiting:
        waiting = False
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting = True
    assert ends[0].version() == ends[1].version() == "TLSv1.3"
    return ends[1].getpeercert(binary_form=True), ends[0].getpeercert(binary_form=True)
