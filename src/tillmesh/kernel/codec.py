"""Event bodies as bytes: msgpack arrays of frozen structs, bounded on the way in.

Fields of a stored struct are appended with defaults, never renamed or reordered: old bytes decode for ever.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast, dataclass_transform

import msgspec

from tillmesh.kernel.errors import Damaged, Invalid, TooLarge
from tillmesh.kernel.limits import EVENT_BODY_BYTES_MAX

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


@dataclass_transform(frozen_default=True, kw_only_default=True)
class RecordMeta(msgspec.StructMeta):
    """Tells type checkers what every record inherits: frozen, with keywords only."""


class Record(msgspec.Struct, metaclass=RecordMeta, frozen=True, array_like=True, kw_only=True):
    """A value that is stored: immutable, compact, and readable by every later version."""


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


def encode(value: object) -> bytes:
    """Encode a record.

    Raises :class:`TooLarge` over EVENT_BODY_BYTES_MAX, :class:`Invalid` for a number over 64 bits.
    """
    try:
        body = _encoder.encode(value)
    except OverflowError as cause:
        raise Invalid("a number has more than 64 bits", hint="Check the amounts and quantities.") from cause
    if len(body) > EVENT_BODY_BYTES_MAX:
        raise TooLarge(f"an event of {len(body)} bytes; the limit is {EVENT_BODY_BYTES_MAX}", hint="Split it.")
    return body


def decode(body: bytes, kind: type[T]) -> T:
    """Decode bytes as ``kind``; raises :class:`TooLarge` or :class:`Damaged`, never anything else."""
    if len(body) > EVENT_BODY_BYTES_MAX:
        raise TooLarge(f"an event of {len(body)} bytes; the limit is {EVENT_BODY_BYTES_MAX}", hint="Refuse its sender.")
    try:
        value: T = _decoder(cast("Hashable", kind)).decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise Damaged(f"bytes do not decode as {kind.__name__}: {cause}", hint="Run tillmesh verify.") from cause
    return value
