"""What tills tell each other about themselves, for people who look at the store.

Nothing that matters is decided by it: a leader waits with folding actors until all programs know what that is.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import ACTOR_CHARS_MAX, STANDING_BYTES_MAX, STANDING_LINKS_MAX
from tillmesh.sync.conversation import NO_NUMBERS, Conversation

VERSION: Final = 2
FOLDS: Final = 2  # from this version on a program knows that actors are folded
Terminal = Annotated[str, Meta(min_length=1, max_length=ACTOR_CHARS_MAX)]


class Standing(Struct, frozen=True, array_like=True):
    """How the sender is, all of it: what it said before counts no more. Fields are added at the end, with a default."""

    version: Annotated[int, Meta(ge=1)]
    stage: Annotated[str, Meta(max_length=40)]
    links: Annotated[list[Terminal], Meta(max_length=STANDING_LINKS_MAX)]  # whom it reaches
    waiting: Annotated[int, Meta(ge=0)]  # its sales that no other till holds


@cache
def _decoder() -> msgspec.msgpack.Decoder[Standing]:
    return msgspec.msgpack.Decoder(Standing)


def write_standing(said: Standing) -> bytes:
    """Encode."""
    return msgspec.msgpack.encode(said)


_CONVERSATION: Final = Conversation("itself", STANDING_BYTES_MAX, NO_NUMBERS, _decoder)


def read_standing(body: bytes) -> Standing:
    """Decode; raises :class:`FrameDamaged` and nothing else."""
    message: Standing = _CONVERSATION.read(body)
    return message
