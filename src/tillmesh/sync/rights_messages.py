"""What tills ask each other for: rights to sell hard-limited goods. What is given stands in the log, not in the answer.

One body of :class:`~tillmesh.sync.channels.Channel.RIGHTS` is one message. Numbers are on the wire: never reuse one,
add fields only at the end and with a default.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import KEY_CHARS_MAX, QUANTITY_MILLI_MAX, RIGHTS_MESSAGE_BYTES_MAX
from tillmesh.sync.conversation import Conversation

Number = Annotated[int, Meta(ge=0, le=1 << 53)]
Text = Annotated[str, Meta(max_length=KEY_CHARS_MAX)]


class AskRights(Struct, frozen=True, array_like=True, tag=1):
    """To a till that holds rights: let me have so many."""

    number: Number  # of the question, given back with the answer
    sku: Annotated[str, Meta(min_length=1, max_length=KEY_CHARS_MAX)]
    quantity_milli: Annotated[int, Meta(ge=1, le=QUANTITY_MILLI_MAX)]
    by: Text = ""  # who waits for them; empty when the till asks by itself


class RightsAnswer(Struct, frozen=True, array_like=True, tag=2):
    """From that till: how many it handed on, and the event in its log that says so."""

    number: Number
    quantity_milli: Annotated[int, Meta(ge=0, le=QUANTITY_MILLI_MAX)]
    event: Text = ""


RightsMessage: TypeAlias = AskRights | RightsAnswer

_NEWEST: Final = 2


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(RightsMessage)


def write_rights(message: RightsMessage) -> bytes:
    """Encode a message."""
    return msgspec.msgpack.encode(message)


_CONVERSATION: Final = Conversation("rights", RIGHTS_MESSAGE_BYTES_MAX, _NEWEST, _decoder)


def read_rights(body: bytes) -> RightsMessage | None:
    """Decode a message; None for one of a newer program. Raises :class:`FrameDamaged` and nothing else."""
    message: RightsMessage | None = _CONVERSATION.read(body)
    return message
