"""Messages as bytes on a link: a header, then msgpack, packed with zstd when it pays. Both sizes are bounded."""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from tillmesh.kernel.limits import FRAME_BYTES_MAX, FRAME_UNPACKED_BYTES_MAX
from tillmesh.sync.messages import NEWEST, PROTOCOL, Message
from tillmesh.sync.packing import FrameDamaged, message_number
from tillmesh.sync.wrapping import Wrapping

__all__ = ["MAGIC", "FrameDamaged", "read_frame", "write_frame"]
MAGIC: Final = 0x746D  # "tm"


@cache
def _decoder() -> msgspec.msgpack.Decoder[Message]:
    return msgspec.msgpack.Decoder(Message)


_MESSAGES: Final[Wrapping[Message]] = Wrapping(
    MAGIC, PROTOCOL, "a message", FRAME_BYTES_MAX, FRAME_UNPACKED_BYTES_MAX, _decoder, "Update both tills."
)


def write_frame(message: Message) -> bytes:
    """Encode a message; raises :class:`FrameDamaged` over FRAME_UNPACKED_BYTES_MAX, which batching keeps away from."""
    return _MESSAGES.write(message)


def read_frame(frame: bytes) -> Message | None:
    """Decode a message; None for one of a newer program, which is to be ignored.

    Raises :class:`FrameDamaged`, never anything else, and never unpacks beyond the limit.
    """
    body = _MESSAGES.open(frame)
    return None if message_number(body) > NEWEST else _MESSAGES.decode(body)
