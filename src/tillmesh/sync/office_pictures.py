"""What a store and head office say to each other about pictures of products: which of some are there.

The pictures themselves travel as they are, one a call, under their hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import OFFICE_PICTURES_ASKED_MAX

MEDIA: Final = "application/vnd.tillmesh.picture"
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]  # SHA-256 of a picture
Digests = Annotated[list[Digest], Meta(max_length=OFFICE_PICTURES_ASKED_MAX)]


class Which(Struct, frozen=True):
    """Which of these does head office have of the store? They are what its products name, so they are kept on."""

    sha256s: Digests


class Held(Struct, frozen=True):
    """These, of those that were asked about."""

    sha256s: Digests


def write_which(sha256s: Iterable[str]) -> bytes:
    """Encode a question."""
    return msgspec.json.encode(Which(list(sha256s)))


def read_held(body: bytes) -> set[str]:
    """Decode an answer; raises :class:`Invalid` for anything else."""
    try:
        return set(msgspec.json.decode(body, type=Held).sha256s)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as cause:
        raise Invalid(f"head office's answer about pictures can't be read: {cause}") from cause
