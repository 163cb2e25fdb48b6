"""Head office's own authority: one certificate for its door, one for each store that may knock.

A store's certificate names the store and nothing else: ``pos://hub/STORE``. Server or client stands in each as purpose,
so no store can pose as head office.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tillmesh.kernel.errors import NotAllowed

STORE_DAYS: Final = 398
GATEWAY_DAYS: Final = 90  # each call of `tillmesh hub gateway-config` gives it a new one
AUTHORITY_DAYS: Final = 36_500
CERTIFICATES_KEPT_MAX: Final = 4_096  # parsed and checked, so that a leader's next call costs nothing
BACKDATED: Final = dt.timedelta(hours=1)  # a till's clock may be behind
CERTIFICATE_BYTES_MAX: Final = 4_096
OFFICE_NAME: Final = "pos://hub/-"  # head office's own name; no store is called so
GATEWAY: Final = "-gateway"  # in the place of a store's id: who may say which store knocked at its door
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME (x509_vfy.h), which Python's ssl has no name for.
NO_CHECK_TIME: Final = 0x200000
_STORE: Final = re.compile(r"pos://hub/([0-9a-z]{1,64})")


class CertificateRefused(NotAllowed):
    """A certificate does not prove that a store is at the other end."""

    kind = "certificate-refused"
    title = "Head office does not know this store"


@dataclass(frozen=True, slots=True)
class Identity:
    """What one end proves itself with; certificates are DER."""

    key: Ed25519PrivateKey
    certificate: bytes
    authority: bytes


class _Named(NamedTuple):
    """What a certificate says that was found to be of this head office's authority."""

    name: str
    serial: bytes
    first_s: int
    last_s: int


class HubAuthority:
    """Issues the certificates of one head office."""

    def __init__(self, secret: bytes, certificate: bytes) -> None:
        self.certificate = certificate
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._issuer = x509.load_der_x509_certificate(certificate)
        self._named = lru_cache(CERTIFICATES_KEPT_MAX)(self._read)

    @classmethod
    def create(cls, secret: bytes, now_s: int) -> HubAuthority:
        """Make the authority of a new head office from 32 secret bytes."""
        key = Ed25519PrivateKey.from_private_bytes(secret)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tillmesh head office")])
        start = _date(now_s) - BACKDATED
        builder = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(secret, _der(builder.sign(key, None)))

    def issue(self, key: Ed25519PrivateKey, store: str, now_s: int) -> Identity:
        """Give a store its certificate; an empty ``store`` is head office's own door, GATEWAY what stands before it."""
        name = f"pos://hub/{store}" if store else OFFICE_NAME
        assert store in {"", GATEWAY} or _STORE.fullmatch(name), f"{store!r} is not the id of a store"
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if store else ExtendedKeyUsageOID.SERVER_AUTH
        start = _date(now_s) - BACKDATED
        days = {"": AUTHORITY_DAYS, GATEWAY: GATEWAY_DAYS}.get(store, STORE_DAYS)
        builder = (
            x509.CertificateBuilder(self._issuer.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        return Identity(key, _der(builder.sign(self._key, None)), self.certificate)

    def store_of(self, certificate: bytes | None, now_s: int) -> tuple[str, bytes]:
        """Give store and serial number of a client's certificate, or raise :class:`CertificateRefused`."""
        named = self._checked(certificate)
        found = _STORE.fullmatch(named.name)
        if found is None:
            raise CertificateRefused("a certificate that names no store", hint="Use the store's certificate.")
        if not named.first_s <= now_s <= named.last_s:
            raise CertificateRefused(f"the certificate of {found[1]} has expired", hint="Issue it a new one.")
        return found[1], named.serial

    def gateway(self, certificate: bytes | None, now_s: int) -> bytes | None:
        """Give the serial number of a gateway's certificate in force; None for anybody else's."""
        try:
            named = self._checked(certificate)
        except CertificateRefused:
            return None
        in_force = named.name == f"pos://hub/{GATEWAY}" and named.first_s <= now_s <= named.last_s
        return named.serial if in_force else None

    def _checked(self, certificate: bytes | None) -> _Named:
        if certificate is None or len(certificate) > CERTIFICATE_BYTES_MAX:
            raise CertificateRefused("no certificate, or one that is too large", hint="Use the store's certificate.")
        return self._named(certificate)

    def _read(self, certificate: bytes) -> _Named:
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            parsed.verify_directly_issued_by(self._issuer)
            names = list(parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, x509.ExtensionNotFound) as cause:
            raise CertificateRefused(
                "a certificate that this head office did not issue", hint="Use the store's certificate."
            ) from cause
        first, last = parsed.not_valid_before_utc.timestamp(), parsed.not_valid_after_utc.timestamp()
        name = str(names[0].value) if len(names) == 1 else ""
        return _Named(name, parsed.serial_number.to_bytes(20, "big"), int(first), int(last))


def serial_of(certificate: bytes) -> bytes:
    """Give the serial number."""
    return x509.load_der_x509_certificate(certificate).serial_number.to_bytes(20, "big")


def ssl_context(side: Literal["server", "client"], me: Identity) -> ssl.SSLContext:
    """Give a context for TLS 1.3 with certificates on both sides, from head office's authority only."""
    server = side == "server"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # Who it is stands in the certificate: only head office has one for a server.
    context.verify_mode = ssl.CERT_REQUIRED
    # A dead clock would cut a store off; head office looks at the dates itself, and can say which store's have passed.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | NO_CHECK_TIME
    if server:
        context.num_tickets = 0
    context.load_verify_locations(cadata=me.authority)
    pem = (pem_of(me.certificate) + key_pem(me.key)).encode()
    # The ssl module reads keys from files only. This one has no name and never reaches a disk (memfd_create(2)).
    handle = os.memfd_create("credentials", os.MFD_CLOEXEC)
    try:
        os.write(handle, pem)
        context.load_cert_chain(Path(f"/proc/self/fd/{handle}"))
    finally:
        os.close(handle)
    return context


def pem_of(certificate: bytes) -> str:
    """Write a certificate (DER) as text."""
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM).decode()


def der_of(text: str) -> bytes | None:
    """Read a certificate that was written as text; None if it is none."""
    try:
        return _der(x509.load_pem_x509_certificate(text.encode()))
    except ValueError:
        return None


def key_pem(key: Ed25519PrivateKey) -> str:
    """Write a private key as text."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _date(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
