"""What the two ends of a pairing do with what they were told: the host issues, the joiner checks all of it."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tillmesh.adapters.lan.certificates import (
    Authority,
    CertificateRefused,
    Credentials,
    Gate,
    issuing_time_s,
    make_request,
    public_of,
    read_authority,
    serial_of,
)
from tillmesh.adapters.lan.pairing import Asked
from tillmesh.adapters.lan.pairing_messages import Grant, PairingFailed, Request
from tillmesh.adapters.lan.roster import ACTORS_PER_TERMINAL_MAX, Member, Membership
from tillmesh.kernel.ids import series, terminal_of
from tillmesh.sync.store_messages import Reborn


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a terminal holds once it is a till of the store."""

    credentials: Credentials
    roster: bytes
    pepper: bytes
    issuer_secret: bytes


def ask_for(
    key: Ed25519PrivateKey, sign_key: Ed25519PrivateKey, *, store: str, actor: str, transcript: bytes
) -> Request:
    """Give the joiner's request; ``key`` is for TLS, ``sign_key`` signs its events."""
    public = sign_key.public_key().public_bytes_raw()
    return Request(make_request(key, store, actor), public, sign_key.sign(_sign_message(transcript)))


def enrol(
    authority: Authority, membership: Membership, asked: Asked, *, wall_s: int, running_s: int
) -> tuple[bytes, bytes]:
    """Give the joiner's certificate (DER) and the signed roster with it, which the caller stores before it grants."""
    as_of_s = issuing_time_s(membership, wall_s=wall_s, running_s=running_s)
    if membership.state(asked.actor) != "unknown":
        # A revoked actor stays revoked, and an active one has lost its key: both come back as a new incarnation.
        raise PairingFailed("stopped", f"{asked.actor} is or was a till of this store; it needs a new incarnation")
    if series(asked.actor) in {series(known) for known in membership.members}:
        # One pair of tills in a million; their receipts would be told apart by nobody.
        what = f"receipts {series(asked.actor)}-... are another till's"
        raise PairingFailed("stopped", f"{what}: this terminal needs a new incarnation")
    request = asked.request
    try:
        signer = Ed25519PublicKey.from_public_bytes(request.sign_public)
        signer.verify(request.sign_proof, _sign_message(asked.transcript))
    except (InvalidSignature, ValueError) as cause:
        raise PairingFailed("malformed", "the terminal did not prove to hold its signing key") from cause
    return _issued(authority, membership, request.certificate_request, asked.actor, request.sign_public, as_of_s)


def renew(
    authority: Authority, membership: Membership, request: bytes, actor: str, *, wall_s: int, running_s: int
) -> tuple[bytes, bytes]:
    """Give a till that is linked (so ``actor`` is proved) its next certificate (DER), and the signed roster with it."""
    as_of_s = issuing_time_s(membership, wall_s=wall_s, running_s=running_s)
    member = membership.members.get(actor)
    if member is None or membership.state(actor) != "active":
        raise CertificateRefused("revoked", f"{actor} is no till of this store", hint="Pair it with a new code.")
    return _issued(authority, membership, request, actor, member.sign_public, as_of_s)


def reborn(
    authority: Authority, membership: Membership, asked: Reborn, old: str, *, wall_s: int, running_s: int
) -> tuple[bytes, bytes]:
    """Give a terminal that is linked as ``old`` the certificate (DER) of the actor it goes on as, and the new list.

    Asked twice, it gives another certificate for the same actor. The old actor stays until the new one retires it.
    """
    if terminal_of(asked.actor) != terminal_of(old) or membership.state(old) != "active":
        raise CertificateRefused("revoked", f"{old} can't go on as {asked.actor}", hint="Pair it with a new code.")
    member = membership.members.get(asked.actor)
    before = sum(terminal_of(known) == terminal_of(old) for known in membership.members)
    if member is None and before >= ACTORS_PER_TERMINAL_MAX:
        raise CertificateRefused(
            "crowded", f"{terminal_of(old)} was {before} actors already", hint="Set it up anew, in an empty directory."
        )
    if member is not None and (member.state != "active" or member.sign_public != asked.sign_public):
        raise CertificateRefused("revoked", f"{asked.actor} is or was a till of this store", hint="Pair it anew.")
    try:
        Ed25519PublicKey.from_public_bytes(asked.sign_public).verify(
            asked.sign_proof, rebirth_message(old, asked.actor, asked.request)
        )
    except (InvalidSignature, ValueError) as cause:
        raise CertificateRefused("malformed", "the terminal did not prove to hold its signing key") from cause
    as_of_s = issuing_time_s(membership, wall_s=wall_s, running_s=running_s)
    return _issued(authority, membership, asked.request, asked.actor, asked.sign_public, as_of_s)


def rebirth_message(old: str, new: str, request: bytes) -> bytes:
    """Give the bytes that a reborn actor signs to prove that its signing key is its own."""
    return b"tillmesh rebirth v1\0" + f"{old}\0{new}\0".encode() + request


def settle(grant: Grant, key: Ed25519PrivateKey, sign_key: Ed25519PrivateKey, *, store: str, actor: str) -> Enrolled:
    """Check every part of a grant against the others before any of it is stored."""
    membership = Membership(read_authority(grant.authority), store, grant.roster)
    if Gate(grant.authority, membership).admit(grant.certificate) != actor:
        raise PairingFailed("malformed", "the certificate names another terminal")
    if public_of(grant.certificate) != key.public_key():
        raise PairingFailed("malformed", "the certificate is for another key")
    member = membership.roster.members.get(actor)
    if member is None or member.sign_public != sign_key.public_key().public_bytes_raw():
        raise PairingFailed("malformed", "the list of tills knows this terminal by another signing key, or not at all")
    if grant.issuer_secret:
        Authority(store, grant.issuer_secret, grant.authority)
    credentials = Credentials(store, actor, key, grant.certificate, grant.authority)
    return Enrolled(credentials, grant.roster, grant.pepper, grant.issuer_secret)


def _issued(
    authority: Authority, membership: Membership, request: bytes, actor: str, sign_public: bytes, as_of_s: int
) -> tuple[bytes, bytes]:
    certificate = authority.issue(request, actor, as_of_s)
    member = Member("active", sign_public, serial_of(certificate))
    return certificate, authority.sign(membership.revised(as_of_s, {actor: member}))


def _sign_message(transcript: bytes) -> bytes:
    return b"tillmesh pairing sign key v1\0" + transcript
