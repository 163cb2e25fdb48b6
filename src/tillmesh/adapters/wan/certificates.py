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
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tillmesh.kernel.errors import NotAllowed

STORE_DAYS: Final = 398
AUTHORITY_DAYS: Final = 36_500
BACKDATED: Final = dt.timedelta(hours=1)  # a till's clock may be behind
CERTIFICATE_BYTES_MAX: Final = 4_096
OFFICE_NAME: Final = "pos://hub/-"  # head office's own name; no store is called so
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


class HubAuthority:
    """Issues the certificates of one head office."""

    def __init__(self, secret: bytes, certificate: bytes) -> None:
        self.certificate = certificate
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._issuer = x509.load_der_x509_certificate(certificate)

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
        """Give a store its certificate; an empty ``store`` is head office's own door."""
        name = f"pos://hub/{store}" if store else OFFICE_NAME
        assert not store or _STORE.fullmatch(name), f"{store!r} is not the id of a store"
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if store else ExtendedKeyUsageOID.SERVER_AUTH
        start = _date(now_s) - BACKDATED
        days = STORE_DAYS if store else AUTHORITY_DAYS
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
        if certificate is None or len(certificate) > CERTIFICATE_BYTES_MAX:
            raise CertificateRefused("no certificate, or one that is too large", hint="Use the store's certificate.")
        try:
            parsed = x509.load_der_x509_certificate(certificate)
            parsed.verify_directly_issued_by(self._issuer)
            names = list(parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, x509.ExtensionNotFound) as cause:
            raise CertificateRefused(
                "a certificate that this head office did not issue", hint="Use the store's certificate."
            ) from cause
        found = _STORE.fullmatch(str(names[0].value)) if len(names) == 1 else None
        if found is None:
            raise CertificateRefused("a certificate that names no store", hint="Use the store's certificate.")
        if not parsed.not_valid_before_utc <= _date(now_s) <= parsed.not_valid_after_utc:
            raise CertificateRefused(f"the certificate of {found[1]} has expired", hint="Issue it a new one.")
        return found[1], serial_of(certificate)


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
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if server:
        context.num_tickets = 0
    else:
        context.verify_flags |= NO_CHECK_TIME  # Else a dead clock would cut this store off.
    context.load_verify_locations(cadata=me.authority)
    certificate = x509.load_der_x509_certificate(me.certificate)
    pem = certificate.public_bytes(serialization.Encoding.PEM) + me.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The ssl module reads keys from files only. This one has no name and never reaches a disk (memfd_create(2)).
    handle = os.memfd_create("credentials", os.MFD_CLOEXEC)
    try:
        os.write(handle, pem)
        context.load_cert_chain(Path(f"/proc/self/fd/{handle}"))
    finally:
        os.close(handle)
    return context


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _date(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
