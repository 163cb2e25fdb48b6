"""What tills ask each other before a purse is taken from, or what may be had so many times only is had: one till keeps
each one's short reservations.

One body of :class:`~tillmesh.sync.channels.Channel.PURSES` is one message. Numbers are on the wire: never reuse one,
add fields only at the end and with a default.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, COUPON_CHARS_MAX, KEY_CHARS_MAX, PURSE_MESSAGE_BYTES_MAX
from tillmesh.sync.conversation import Conversation

Key = Annotated[str, Meta(min_length=1, max_length=KEY_CHARS_MAX)]
Number = Annotated[int, Meta(ge=0, le=1 << 53)]


class Ask(Struct, frozen=True, array_like=True, tag=1):
    """To the till that keeps a purse: may this cart take so much of it in the next moments?"""

    number: Number  # of the question, given back with the answer
    purse: Key
    account: Key
    cart_id: Key
    amount: Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX)]


class Answer(Struct, frozen=True, array_like=True, tag=2):
    """From the till that keeps the purse: yes, or how much is free beside what other carts are taking."""

    number: Number
    granted: bool
    free: Annotated[int, Meta(ge=0, le=AMOUNT_MINOR_MAX)]


class AskTurn(Struct, frozen=True, array_like=True, tag=3):
    """To the till that keeps something limited: may this cart have it once in the next moments?"""

    number: Number
    kind: Key  # promotion | new_card
    name: Key  # of the promotion, or the account of the card
    cart_id: Key
    code: Annotated[str, Meta(max_length=COUPON_CHARS_MAX)] = ""
    customer_id: Annotated[str, Meta(max_length=KEY_CHARS_MAX)] = ""


PurseMessage: TypeAlias = Ask | Answer | AskTurn

_NEWEST: Final = 3


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(PurseMessage)


def write_purse(message: PurseMessage) -> bytes:
    """Encode a message."""
    return msgspec.msgpack.encode(message)


_CONVERSATION: Final = Conversation("purses", PURSE_MESSAGE_BYTES_MAX, _NEWEST, _decoder)


def read_purse(body: bytes) -> PurseMessage | None:
    """Decode a message; None for one of a newer program. Raises :class:`FrameDamaged` and nothing else."""
    message: PurseMessage | None = _CONVERSATION.read(body)
    return message
