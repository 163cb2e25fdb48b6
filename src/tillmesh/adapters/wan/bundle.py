"""What a store proves itself with to head office, as one small file that is carried to its tills."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta, Struct

from tillmesh.adapters.wan.certificates import CERTIFICATE_BYTES_MAX, Identity
from tillmesh.kernel.errors import Invalid

FILE: Final = "hub.bundle"  # in the data directory of a till
BUNDLE_BYTES_MAX: Final = 16_384
Document = Annotated[bytes, Meta(max_length=CERTIFICATE_BYTES_MAX)]


class Bundle(Struct, frozen=True):
    """Key, certificate, API key, and head office's authority. Whoever holds it may upload for the store."""

    store: Annotated[str, Meta(max_length=64)]
    secret: Annotated[bytes, Meta(min_length=32, max_length=32)]
    certificate: Document
    authority: Document
    api_key: Annotated[str, Meta(max_length=100)]
    office: Annotated[str, Meta(max_length=64)]  # the actor that head office writes under
    office_public: Annotated[bytes, Meta(min_length=32, max_length=32)]  # what its events are signed with

    @property
    def identity(self) -> Identity:
        """What TLS needs of it."""
        return Identity(Ed25519PrivateKey.from_private_bytes(self.secret), self.certificate, self.authority)


def write_bundle(bundle: Bundle) -> bytes:
    """Encode a bundle."""
    return msgspec.msgpack.encode(bundle)


def read_bundle(data: bytes) -> Bundle:
    """Decode a bundle, or raise :class:`Invalid`."""
    if len(data) > BUNDLE_BYTES_MAX:
        raise Invalid(f"a file of {len(data)} bytes is no bundle of head office", hint="Ask head office for it anew.")
    try:
        return msgspec.msgpack.decode(data, type=Bundle)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise Invalid(f"no bundle of head office: {cause}", hint="Ask head office for it anew.") from cause
