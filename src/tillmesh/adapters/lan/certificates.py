"""The store's own certificate authority, and who a certificate says is at the other end of a link.

TLS checks the chain to the one authority of the store. We check the rest after the handshake: exactly one name
``pos://store/actor``, not revoked, and not expired as of a time that the authority has vouched for. The wall clock has
no say: a till whose battery died sits in 1970 or a year ahead, and must go on syncing.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import ssl
from dataclasses import dataclass
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tillmesh.adapters.lan.roster import Member, Membership, Roster, sign_roster
from tillmesh.kernel.errors import TillmeshError

RELEASED_S: Final = 1_795_305_600  # 2026-11-22: no certificate is needed before the program existed. Moved by releases.
LEAF_DAYS: Final = 30
RENEW_DAYS_BEFORE: Final = 20  # A till renews once a third of the time is gone: it may be away for nearly three weeks.
AUTHORITY_DAYS: Final = 36_500
# So far ahead of what it knew at its start, and of the time it has been running, an issuer may move the store's time:
# a clock gone mad can't expire everybody at once.
AHEAD_S_MAX: Final = 5 * 86_400
CERTIFICATE_BYTES_MAX: Final = 4_096
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h), which Python's ssl has no name for.
NO_CHECK_TIME: Final = 0x200000

_NAME: Final = re.compile(r"pos://([0-9a-z]{1,64})/([0-9a-z]{4,16}\.[0-9a-z]{4,16})")
assert RENEW_DAYS_BEFORE < LEAF_DAYS
assert AHEAD_S_MAX < RENEW_DAYS_BEFORE * 86_400


class CertificateRefused(TillmeshError):
    """A certificate or a request for one does not prove what it must."""

    kind = "certificate-refused"
    title = "This till could not prove who it is"

    def __init__(self, reason: Reason, detail: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.reason = reason


Reason = Literal["malformed", "store", "issuer", "revoked", "expired", "crowded"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one till proves itself with."""

    store: str
    actor: str
    key: Ed25519PrivateKey
    certificate: bytes  # DER
    authority: bytes  # DER, of the store's authority


class Authority:
    """The store's issuer. Its key lives on at least two tills."""

    def __init__(self, store: str, secret: bytes, certificate: bytes) -> None:
        self.store = store
        self.certificate = certificate
        self._secret = secret
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._issuer = x509.load_der_x509_certificate(certificate)
        if self._issuer.public_key() != self._key.public_key():
            raise CertificateRefused("issuer", "the issuer's key and its certificate do not belong together")

    @classmethod
    def create(cls, store: str, secret: bytes, now_s: int) -> Authority:
        """Make the authority of a new store from 32 secret bytes."""
        key = Ed25519PrivateKey.from_private_bytes(secret)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"store {store}")])
        start = _date(max(now_s, RELEASED_S))
        public = key.public_key()
        builder = (
            x509.CertificateBuilder(name, name, public, x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )
        return cls(store, secret, _der(builder.sign(key, None)))

    @property
    def secret(self) -> bytes:
        """The 32 secret bytes, to be carried to a second till under the key of a pairing."""
        return self._secret

    def issue(self, request: bytes, actor: str, as_of_s: int) -> bytes:
        """Give ``actor`` a certificate (DER) for the key of its request (DER), whatever else the request says."""
        public = read_request(request)
        name = f"pos://{self.store}/{actor}"
        if _NAME.fullmatch(name) is None:
            raise CertificateRefused("malformed", f"{actor[:60]!r} is not the name of a till")
        start = _date(as_of_s)
        builder = (
            x509.CertificateBuilder(self._issuer.subject, x509.Name([]), public, x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=LEAF_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            # Critical, because it is the only name there is (RFC 5280, section 4.2.1.6).
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        return _der(builder.sign(self._key, None))

    def first_roster(self, now_s: int, members: dict[str, Member]) -> bytes:
        """Sign the first list of a new store."""
        return self.sign(Roster(self.store, 1, max(now_s, RELEASED_S), members))

    def sign(self, roster: Roster) -> bytes:
        """Sign a list."""
        return sign_roster(self._key, roster)


def issuing_time_s(membership: Membership, *, wall_s: int, running_s: int) -> int:
    """Give the time to issue as of: the wall clock's, as far as it can be believed.

    Never before what the authority has vouched for, and never more than AHEAD_S_MAX and the time that this program has
    been running (by the monotonic clock) after what it had vouched for when the program was started.
    """
    floor_s = max(membership.as_of_s, RELEASED_S)
    ceiling_s = max(floor_s, max(membership.begun_s, RELEASED_S) + AHEAD_S_MAX + running_s)
    return min(max(wall_s, floor_s), ceiling_s)


def make_request(key: Ed25519PrivateKey, store: str, actor: str) -> bytes:
    """Give the request (DER) for a certificate; signing it proves that the key is held."""
    name = x509.UniformResourceIdentifier(f"pos://{store}/{actor}")
    builder = x509.CertificateSigningRequestBuilder(x509.Name([])).add_extension(
        x509.SubjectAlternativeName([name]), critical=True
    )
    return builder.sign(key, None).public_bytes(serialization.Encoding.DER)


def read_request(request: bytes) -> Ed25519PublicKey:
    """Give the public key of a request whose sender proved to hold the private one."""
    if len(request) > CERTIFICATE_BYTES_MAX:
        raise CertificateRefused(
            "malformed", f"a request of {len(request)} bytes; the limit is {CERTIFICATE_BYTES_MAX}"
        )
    try:
        parsed = x509.load_der_x509_csr(request)
        public = parsed.public_key()
        if not isinstance(public, Ed25519PublicKey) or not parsed.is_signature_valid:
            raise CertificateRefused("malformed", "a request that is not signed with its own Ed25519 key")
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as cause:
        raise CertificateRefused("malformed", "bytes that are no request for a certificate") from cause
    return public


def read_authority(certificate: bytes) -> Ed25519PublicKey:
    """Give the public key of a store's authority (DER)."""
    try:
        public = x509.load_der_x509_certificate(certificate[:CERTIFICATE_BYTES_MAX]).public_key()
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as cause:
        raise CertificateRefused("malformed", "bytes that are no certificate of an authority") from cause
    if not isinstance(public, Ed25519PublicKey):
        raise CertificateRefused("malformed", "an authority whose key is not Ed25519")
    return public


def named(certificate: bytes) -> tuple[str, str]:
    """Give store and actor that a till's certificate (DER) names, whoever signed it and whenever."""
    try:
        return _named(x509.load_der_x509_certificate(certificate[:CERTIFICATE_BYTES_MAX]))
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as cause:
        raise CertificateRefused("malformed", "bytes that are no certificate of a till") from cause


class Gate:
    """Decides whom a certificate admits: of this store, signed by its authority, not revoked, not expired."""

    def __init__(self, authority: bytes, membership: Membership) -> None:
        self._public = read_authority(authority)
        self.membership = membership

    @property
    def floor_s(self) -> int:
        """The earliest time it can be: max(release of the program, newest time that the authority vouched for)."""
        return max(RELEASED_S, self.membership.as_of_s)

    def admit(self, certificate: bytes | None) -> str:
        """Give the actor that a certificate (DER) names, or raise :class:`CertificateRefused`.

        Someone who is on no list that we know is admitted: the authority signed the certificate, and whoever was ever
        revoked stays on the lists. Such a till was paired a moment ago, elsewhere.
        """
        if certificate is None or len(certificate) > CERTIFICATE_BYTES_MAX:
            raise CertificateRefused("malformed", "no certificate, or one that is too large")
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            self._public.verify(parsed.signature, parsed.tbs_certificate_bytes)
            store, actor = _named(parsed)
        except InvalidSignature as cause:
            raise CertificateRefused("issuer", "a certificate of another authority") from cause
        except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as cause:
            raise CertificateRefused("malformed", "bytes that are no certificate of a till") from cause
        if store != self.membership.roster.store:
            raise CertificateRefused("store", f"a till of the store {store}", hint="Pair it with this store.")
        if self.membership.state(actor) == "revoked":
            raise CertificateRefused("revoked", f"{actor} was removed from this store")
        if parsed.not_valid_after_utc.timestamp() < self.floor_s:
            raise CertificateRefused("expired", f"the certificate of {actor} has expired", hint="Pair it once more.")
        return actor


def needs_renewal(certificate: bytes, as_of_s: int) -> bool:
    """Say whether it is time to ask the issuer for the next certificate."""
    ends_s = x509.load_der_x509_certificate(certificate).not_valid_after_utc.timestamp()
    return ends_s - as_of_s < RENEW_DAYS_BEFORE * 86_400


def public_of(certificate: bytes) -> object:
    """Give the public key that a certificate is for."""
    return x509.load_der_x509_certificate(certificate).public_key()


def serial_of(certificate: bytes) -> bytes:
    """Give the serial number as it stands in the roster."""
    number = x509.load_der_x509_certificate(certificate).serial_number
    return number.to_bytes(20, "big")


def ssl_context(side: Literal["server", "client"], credentials: Credentials) -> ssl.SSLContext:
    """Give a context for TLS 1.3 with certificates on both sides, from this store's authority only."""
    server = side == "server"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # Addresses are hints. Who it is stands in the certificate; the Gate reads it.
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT | NO_CHECK_TIME
    assert context.verify_flags & NO_CHECK_TIME  # Else a dead clock would cut this till off.
    if server:
        context.num_tickets = 0  # Nobody resumes an earlier handshake past the Gate.
    context.load_verify_locations(cadata=credentials.authority)
    load_credentials(context, credentials)
    return context


def load_credentials(context: ssl.SSLContext, credentials: Credentials) -> None:
    """Let handshakes from now on use this certificate; those who are connected stay so."""
    certificate = x509.load_der_x509_certificate(credentials.certificate)
    pem = certificate.public_bytes(serialization.Encoding.PEM) + credentials.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The ssl module reads keys from files only. This one has no name and never reaches a disk (memfd_create(2)).
    handle = os.memfd_create("credentials", os.MFD_CLOEXEC)
    try:
        os.write(handle, pem)
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)


def _named(certificate: x509.Certificate) -> tuple[str, str]:
    """Give store and actor of the one name in a till's certificate."""
    try:
        names = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound as cause:
        raise ValueError("a till's certificate has a name") from cause
    found = _NAME.fullmatch(str(names[0].value)) if len(names) == 1 else None
    if found is None or basic.ca or not isinstance(names[0], x509.UniformResourceIdentifier):
        raise ValueError("a till's certificate has one name, pos://store/actor")
    return found[1], found[2]


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _date(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
