"""The head that every kind of frame has: what it is, its protocol, how it is packed, and how much comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct as Layout
from typing import Final, Generic, TypeVar

import msgspec

from tillmesh.sync.packing import FrameDamaged, pack, unpack

HEAD: Final = Layout(">HBBI")  # magic, protocol, packing, unpacked size in bytes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wrapping(Generic[T]):
    """One kind of frame: msgpack behind a head, packed with zstd when it pays. Both sizes are bounded, in bytes."""

    magic: int
    protocol: int
    noun: str  # in errors, "a batch"
    frame_bytes_max: int
    unpacked_bytes_max: int
    decoder: Callable[[], msgspec.msgpack.Decoder[T]]
    advice: str  # to whom the other side's frames are strange

    def write(self, value: T) -> bytes:
        """Encode; raises :class:`FrameDamaged` over ``unpacked_bytes_max``, which batching keeps away from."""
        body = msgspec.msgpack.encode(value)
        if len(body) > self.unpacked_bytes_max:
            raise FrameDamaged(
                f"{self.noun} of {len(body)} bytes; the limit is {self.unpacked_bytes_max}", hint="Send less at a time."
            )
        packing, packed = pack(body)
        return HEAD.pack(self.magic, self.protocol, packing, len(body)) + packed

    def read(self, frame: bytes) -> T:
        """Open and decode; raises :class:`FrameDamaged`, never anything else, and never unpacks beyond the limit."""
        return self.decode(self.open(frame))

    def open(self, frame: bytes) -> bytes:
        """Check the head, and give the body unpacked."""
        if not HEAD.size <= len(frame) <= self.frame_bytes_max:
            raise FrameDamaged(
                f"{self.noun} of {len(frame)} bytes; {HEAD.size} to {self.frame_bytes_max} are allowed",
                hint=self.advice,
            )
        magic, protocol, packing, size = HEAD.unpack_from(frame)
        if magic != self.magic or protocol != self.protocol or size > self.unpacked_bytes_max:
            raise FrameDamaged(f"{self.noun} of protocol {protocol} that unpacks to {size} bytes", hint=self.advice)
        return unpack(packing, frame[HEAD.size :], size)

    def decode(self, body: bytes) -> T:
        """Decode an unpacked body."""
        try:
            return self.decoder().decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
            raise FrameDamaged(f"bytes that are not {self.noun}: {cause}") from cause
