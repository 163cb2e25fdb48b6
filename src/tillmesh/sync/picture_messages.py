"""What tills say to each other about pictures of products: one that somebody lacks, and who has which.

One body of :class:`~tillmesh.sync.channels.Channel.PICTURES` is one message. Numbers are on the wire: never reuse one,
add fields only at the end and with a default. A picture is named by its hash, so it does not matter who hands it out.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import PICTURE_BYTES_MAX, PICTURE_MESSAGE_BYTES_MAX, PICTURES_NAMED_MAX
from tillmesh.sync.conversation import Conversation

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]  # SHA-256 of the picture
Digests = Annotated[list[Digest], Meta(max_length=PICTURES_NAMED_MAX)]


class Ask(Struct, frozen=True, array_like=True, tag=1):
    """This picture, please; one at a time."""

    sha256: Digest


class Here(Struct, frozen=True, array_like=True, tag=2):
    """The picture that was asked for; without any bytes it is not here."""

    sha256: Digest
    data: Annotated[bytes, Meta(max_length=PICTURE_BYTES_MAX)]


class Which(Struct, frozen=True, array_like=True, tag=3):
    """Which of these does the receiver have?"""

    sha256s: Digests


class Have(Struct, frozen=True, array_like=True, tag=4):
    """These, of those that were asked about."""

    sha256s: Digests


class Got(Struct, frozen=True, array_like=True, tag=5):
    """The sender has this one now: whoever asked for it too early may ask again."""

    sha256: Digest


PictureMessage: TypeAlias = Ask | Here | Which | Have | Got
_NEWEST: Final = 5


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(PictureMessage)


def write_message(message: PictureMessage) -> bytes:
    """Encode a message."""
    return msgspec.msgpack.encode(message)


_CONVERSATION: Final = Conversation("pictures", PICTURE_MESSAGE_BYTES_MAX, _NEWEST, _decoder)


def read_message(body: bytes) -> PictureMessage | None:
    """Decode a message; None for one of a newer program. Raises :class:`FrameDamaged` and nothing else."""
    message: PictureMessage | None = _CONVERSATION.read(body)
    return message
