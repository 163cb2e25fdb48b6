"""Messages as bytes on a link: a header, then msgpack, packed with zstd when it pays. Both sizes are bounded."""

from __future__ import annotations

from functools import cache
from struct import Struct as Layout
from typing import Final

import msgspec

from tillmesh.kernel.limits import FRAME_BYTES_MAX, FRAME_UNPACKED_BYTES_MAX
from tillmesh.sync.messages import PROTOCOL, Message
from tillmesh.sync.packing import FrameDamaged, pack, unpack

__all__ = ["MAGIC", "FrameDamaged", "read_frame", "write_frame"]
MAGIC: Final = 0x746D  # "tm"
_HEAD: Final = Layout(">HBBI")  # magic, protocol, packing, unpacked size


@cache
def _decoder() -> msgspec.msgpack.Decoder[Message]:
    return msgspec.msgpack.Decoder(Message)


def write_frame(message: Message) -> bytes:
    """Encode a message; raises :class:`FrameDamaged` over FRAME_UNPACKED_BYTES_MAX, which batching keeps away from."""
    body = msgspec.msgpack.encode(message)
    size = len(body)
    if size > FRAME_UNPACKED_BYTES_MAX:
        raise FrameDamaged(f"a message of {size} bytes; the limit is {FRAME_UNPACKED_BYTES_MAX}", hint="Batch less.")
    packing, packed = pack(body)
    return _HEAD.pack(MAGIC, PROTOCOL, packing, size) + packed


def read_frame(frame: bytes) -> Message:
    """Decode a message; raises :class:`FrameDamaged`, never anything else, and never unpacks beyond the limit."""
    if not _HEAD.size <= len(frame) <= FRAME_BYTES_MAX:
        raise FrameDamaged(f"a frame of {len(frame)} bytes; {_HEAD.size} to {FRAME_BYTES_MAX} are allowed")
    magic, protocol, packing, size = _HEAD.unpack_from(frame)
    if magic != MAGIC or protocol != PROTOCOL or size > FRAME_UNPACKED_BYTES_MAX:
        raise FrameDamaged(f"a frame of protocol {protocol} that unpacks to {size} bytes", hint="Update both tills.")
    body = unpack(packing, frame[_HEAD.size :], size)
    try:
        return _decoder().decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise FrameDamaged(f"a frame that is no message: {cause}") from cause
