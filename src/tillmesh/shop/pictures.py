"""Pictures of products: how a product names one, and which bytes a till takes for one.

A picture is a small JPEG or WebP file and nothing besides. No till ever decodes one: what is looked at is its frame,
from the first byte to the last. It is put together anew from the parts that a browser needs to show it, so what a
camera wrote into it about places and times stays behind, and what else was hidden before, between or after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import PICTURE_BYTES_MAX, PICTURE_PARTS_MAX, PICTURE_SIDE_MAX

MEDIA: Final = {"jpeg": "image/jpeg", "webp": "image/webp"}
_REFERENCE: Final = re.compile(r"([0-9a-f]{64})\.(jpeg|webp)\.([1-9][0-9]{0,5})")
DAMAGED: Final = "the picture is damaged"
MORE: Final = "the file holds more than a picture"
KIND: Final = "browsers do not show pictures of this kind"
_SHOW: Final = "Choose it on the product's page: that makes it small enough."

# JPEG (ITU-T T.81): markers by their second byte.
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES: Final = frozenset((0xC0, 0xC1, 0xC2))  # baseline, extended, progressive; browsers show no other
_TABLES: Final = frozenset((0xC4, 0xDB, 0xDD))  # Huffman, quantisation, restart interval
_DROPPED: Final = frozenset((*range(0xE0, 0xF0), 0xFE))  # application data and comments
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_LENGTH: Final = Struct(">H")

# WebP (RFC 9649).
_RIFF: Final = Struct("<4sI4s")
_CHUNK: Final = Struct("<4sI")
_LEFT_OUT: Final = frozenset((b"ICCP", b"EXIF", b"XMP "))
_ALPHA: Final = 0x10


class Picture(NamedTuple):
    """Which picture: SHA-256 of its bytes in hex, ``jpeg`` or ``webp``, and how many bytes."""

    sha256: str
    media: str
    size: int

    @property
    def reference(self) -> str:
        """What stands in the product's register, as one field: whoever writes last has named a whole picture."""
        return f"{self.sha256}.{self.media}.{self.size}"


def read_reference(text: str) -> Picture | None:
    """Read what a product names; None for what names no picture that a till would take."""
    match = _REFERENCE.fullmatch(text)
    if match is None or int(match[3]) > PICTURE_BYTES_MAX:
        return None
    return Picture(match[1], match[2], int(match[3]))


def picture_of(data: bytes) -> Picture:
    """Name bytes that are a picture as :func:`cleaned` gives it; raises :class:`Invalid` for any others."""
    media, clean = _clean(data)
    if clean != data:
        raise _broken(MORE)
    return Picture(sha256(data).hexdigest(), media, len(data))


def cleaned(data: bytes) -> bytes:
    """Give a picture without anything that is not needed to show it, or raise :class:`Invalid`."""
    _, clean = _clean(data)
    if len(clean) > PICTURE_BYTES_MAX:
        raise Invalid(f"a picture of {len(clean)} bytes; at most {PICTURE_BYTES_MAX} are kept", hint=_SHOW)
    return clean


def _clean(data: bytes) -> tuple[str, bytes]:
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg", _clean_jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", _clean_webp(data)
    raise Invalid("this is neither a JPEG nor a WebP picture", hint=_SHOW)


def _broken(what: str) -> Invalid:
    return Invalid(what, hint=_SHOW)


def _check_sides(width: int, height: int) -> None:
    if not (1 <= width <= PICTURE_SIDE_MAX and 1 <= height <= PICTURE_SIDE_MAX):
        raise Invalid(f"a picture of {width} x {height} pixels; at most {PICTURE_SIDE_MAX} a side are kept", hint=_SHOW)


# JPEG ---------------------------------------------------------------------------------------------------------------


def _clean_jpeg(data: bytes) -> bytes:
    kept, frames, scans = [_JFIF], 0, 0
    for marker, segment in _segments(data):
        if marker in _DROPPED:
            continue
        if marker in _FRAMES:
            _check_frame(segment)
            frames += 1
        elif marker == _SOS:
            scans += 1
        elif marker not in _TABLES:
            raise _broken(KIND)
        if frames > 1 or (scans and not frames):
            raise _broken(MORE)
        kept.append(segment)
    if not scans:
        raise _broken(DAMAGED)
    return b"".join((b"\xff\xd8", *kept, b"\xff\xd9"))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk over the segments to the end, which must be the end of the file; a scan comes with what it codes."""
    at = 2
    for _ in range(PICTURE_PARTS_MAX):
        marker, at = _marker(data, at)
        if marker == _EOI:
            if at != len(data):
                raise _broken(MORE)
            return
        if at + 2 > len(data):
            raise _broken(DAMAGED)
        (length,) = _LENGTH.unpack_from(data, at)
        end = at + length
        if length < 2 or end > len(data):
            raise _broken(DAMAGED)
        if marker == _SOS:
            end = _end_of_scan(data, end)
        yield marker, bytes((0xFF, marker)) + data[at:end]
        at = end
    raise _broken(MORE)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """Give the marker at a place and where what follows begins; it may have any number of 0xFF before it."""
    if data[at : at + 1] != b"\xff":
        raise _broken(MORE)
    while data[at : at + 1] == b"\xff":
        at += 1
    if at >= len(data):
        raise _broken(DAMAGED)
    return data[at], at + 1


def _end_of_scan(data: bytes, at: int) -> int:
    """Find the marker that ends coded data: there, 0xFF stands before 0 or a restart marker only."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1] if at + 1 < len(data) else 0xFF
        if following != 0 and not 0xD0 <= following <= 0xD7:
            return at
        at += 2
    raise _broken(DAMAGED)


def _check_frame(segment: bytes) -> None:
    """Look at marker, length, bits of a sample, height, width and number of colours."""
    if len(segment) < 10:
        raise _broken(DAMAGED)
    bits, height, width, colours = unpack_from(">BHHB", segment, 4)
    if bits != 8 or colours not in {1, 3} or len(segment) != 10 + 3 * colours:
        raise _broken(KIND)
    _check_sides(width, height)


# WebP ---------------------------------------------------------------------------------------------------------------


def _clean_webp(data: bytes) -> bytes:
    alpha, frame, size = b"", b"", (0, 0)
    for name, payload in _chunks(data):
        if name == b"VP8X" or name in _LEFT_OUT:
            continue
        if name == b"ALPH" and not alpha and not frame and payload:
            alpha = _chunk(name, payload)
        elif name in {b"VP8 ", b"VP8L"} and not frame:
            size = _lossy(payload) if name == b"VP8 " else _lossless(payload)
            frame = _chunk(name, payload)
            alpha = alpha if name == b"VP8 " else b""
        else:
            raise _broken(KIND)
    _check_sides(*size)
    if alpha:
        width, height = ((side - 1).to_bytes(3, "little") for side in size)
        frame = _chunk(b"VP8X", bytes((_ALPHA, 0, 0, 0)) + width + height) + alpha + frame
    return _RIFF.pack(b"RIFF", 4 + len(frame), b"WEBP") + frame


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Walk over the chunks; the size in the header must be that of the file."""
    _, size, _ = _RIFF.unpack_from(data)
    if size != len(data) - 8:
        raise _broken(MORE)
    at = _RIFF.size
    for _ in range(PICTURE_PARTS_MAX):
        if at == len(data):
            return
        if at + _CHUNK.size > len(data):
            raise _broken(DAMAGED)
        name, length = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        end = at + length + length % 2
        if end > len(data):
            raise _broken(DAMAGED)
        yield name, data[at : at + length]
        at = end
    raise _broken(MORE)


def _chunk(name: bytes, payload: bytes) -> bytes:
    return _CHUNK.pack(name, len(payload)) + payload + bytes(len(payload) % 2)


def _lossy(payload: bytes) -> tuple[int, int]:
    """Give the sides of a VP8 key frame (RFC 6386, section 9.1)."""
    if len(payload) < 10 or payload[0] & 1 or payload[3:6] != b"\x9d\x01\x2a":
        raise _broken(DAMAGED)
    width, height = unpack_from("<HH", payload, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless(payload: bytes) -> tuple[int, int]:
    """Give the sides of a VP8L frame: after the signature, 14 bits each, less one; the version is 0."""
    if len(payload) < 5 or payload[0] != 0x2F:
        raise _broken(DAMAGED)
    (bits,) = unpack_from("<I", payload, 1)
    if bits >> 29:
        raise _broken(KIND)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
