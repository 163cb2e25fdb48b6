"""How tills compare and pass on the keys of customers' personal data: a conversation of its own, never the log.

Each says its sums over the keys it holds, a bucket each; whoever sees another sum sends what it holds in that bucket.
So keys reach every till whatever was lost on the way, and equal tills say little.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import (
    KEY_CHARS_MAX,
    SUBJECT_KEY_BUCKETS,
    SUBJECT_KEY_BYTES,
    SUBJECT_KEY_MESSAGE_BYTES_MAX,
    SUBJECT_KEYS_PER_MESSAGE_MAX,
)
from tillmesh.sync.conversation import Conversation

Sum = Annotated[int, Meta(ge=0, le=2**56 - 1)]


class Sums(Struct, frozen=True, array_like=True, tag=1):
    """What the sender holds: one sum per bucket."""

    buckets: Annotated[list[Sum], Meta(min_length=SUBJECT_KEY_BUCKETS, max_length=SUBJECT_KEY_BUCKETS)]


class Told(Struct, frozen=True, array_like=True):
    """A key of a customer."""

    subject: Annotated[str, Meta(min_length=1, max_length=KEY_CHARS_MAX)]
    key: Annotated[bytes, Meta(min_length=SUBJECT_KEY_BYTES, max_length=SUBJECT_KEY_BYTES)]


class Keys(Struct, frozen=True, array_like=True, tag=2):
    """Keys that the receiver may lack."""

    keys: Annotated[list[Told], Meta(max_length=SUBJECT_KEYS_PER_MESSAGE_MAX)]


KeyMessage: TypeAlias = Sums | Keys
_NEWEST: Final = 2


@cache
def _decoder() -> msgspec.msgpack.Decoder[KeyMessage]:
    return msgspec.msgpack.Decoder(KeyMessage)


def write_keys(message: KeyMessage) -> bytes:
    """Encode."""
    return msgspec.msgpack.encode(message)


_CONVERSATION: Final = Conversation("keys", SUBJECT_KEY_MESSAGE_BYTES_MAX, _NEWEST, _decoder)


def read_keys(body: bytes) -> KeyMessage | None:
    """Decode; None for a message of a newer program. Raises :class:`FrameDamaged` and nothing else."""
    message: KeyMessage | None = _CONVERSATION.read(body)
    return message
