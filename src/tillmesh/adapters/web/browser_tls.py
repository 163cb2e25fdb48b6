"""Certificates that browsers take: an authority of this till alone, and a certificate for its addresses.

The store's own authority signs with Ed25519, which browsers do not accept in TLS, and its certificates name tills and
no addresses. So a till that serves browsers has one more authority, on P-256, kept in its encrypted database. A person
installs it on a device once, after comparing its fingerprint with the one on the till's screen. It can vouch for
addresses of private networks only (name constraints), should it ever be stolen.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS: Final = 3_650
LEAF_DAYS: Final = 397  # browsers take no longer ones (CA/Browser Forum); it is made anew at every start
BACKDATED: Final = dt.timedelta(days=1)
# RFC 1918 and RFC 4193, link-local, loopback.
PRIVATE: Final = (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10",
    "::1/128",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BrowserAuthority:
    """Key and certificate, both PEM."""

    key: bytes
    certificate: bytes

    @classmethod
    def create(cls, name: str, now_s: int) -> BrowserAuthority:
        """Make the authority of a till."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tillmesh {name}"[:60])])
        start = dt.datetime.fromtimestamp(now_s, dt.UTC) - BACKDATED
        permitted = [x509.IPAddress(ipaddress.ip_network(network)) for network in PRIVATE]
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(x509.NameConstraints(permitted, [x509.DNSName("")]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        return cls(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            certificate.public_bytes(Encoding.PEM),
        )

    @property
    def fingerprint(self) -> str:
        """What a person compares: the first 16 bytes of the certificate's SHA-256, in groups."""
        der = x509.load_pem_x509_certificate(self.certificate).public_bytes(Encoding.DER)
        digits = sha256(der).hexdigest()[:32].upper()
        return " ".join(digits[at : at + 4] for at in range(0, 32, 4))

    def tls(self, addresses: Iterable[str], now_s: int) -> ssl.SSLContext:
        """Make what a server needs to be reached at these addresses."""
        issuer = x509.load_pem_x509_certificate(self.certificate)
        signer = load_pem_private_key(self.key, None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey), "an authority is made with a key on P-256"
        key = ec.generate_private_key(ec.SECP256R1())
        start = dt.datetime.fromtimestamp(now_s, dt.UTC) - BACKDATED
        names = [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        leaf = (
            x509.CertificateBuilder(issuer.subject, x509.Name([]), key.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + dt.timedelta(days=LEAF_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _load(context, private + leaf.public_bytes(Encoding.PEM) + self.certificate)
        return context


def _load(context: ssl.SSLContext, pem: bytes) -> None:
    """Load a key that is in memory; OpenSSL reads files only, so it lies in one that nobody else can open."""
    import os
    import tempfile

    with tempfile.NamedTemporaryFile() as file:  # mode 0600
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
        context.load_cert_chain(file.name)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip
