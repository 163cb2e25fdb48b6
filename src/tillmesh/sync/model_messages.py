"""What tills say to each other about models: which orders they know, the orders, a piece of a bundle, and reports.

One body of :class:`~tillmesh.sync.channels.Channel.MODELS` is one message. Numbers are on the wire: never reuse one,
add fields only at the end and with a default. Orders are signed by head office, so it does not matter who passes one
on, and what a bundle must be stands in its order: whoever hands out something else wastes time and nothing more.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import (
    BUNDLE_BYTES_MAX,
    MODEL_MESSAGE_BYTES_MAX,
    MODEL_ORDERS_MAX,
    MODEL_PIECE_BYTES_MAX,
    MODEL_REPORTS_KEPT_MAX,
)
from tillmesh.sync.conversation import Conversation
from tillmesh.sync.model_orders import Count, Model, Report, Serial, SignedOrder, Time, Version

Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]  # SHA-256 of a bundle as one file
Offset = Annotated[int, Meta(ge=0, le=BUNDLE_BYTES_MAX)]


class Known(Struct, frozen=True, array_like=True, tag=1):
    """The newest order of each model that the sender knows, by serial, and the bundles that it can hand out whole."""

    serials: Annotated[dict[Model, Serial], Meta(max_length=MODEL_ORDERS_MAX)]
    bundles: Annotated[list[Digest], Meta(max_length=MODEL_ORDERS_MAX)]


class Orders(Struct, frozen=True, array_like=True, tag=2):
    """Orders that the receiver lacks, as head office signed them."""

    orders: Annotated[list[SignedOrder], Meta(max_length=MODEL_ORDERS_MAX)]


class Ask(Struct, frozen=True, array_like=True, tag=3):
    """So many bytes of a bundle from here on, please; one question at a time."""

    bundle: Digest
    offset: Offset
    size: Annotated[int, Meta(ge=1, le=MODEL_PIECE_BYTES_MAX)]


class Piece(Struct, frozen=True, array_like=True, tag=4):
    """A piece of a bundle; without any bytes it is not here, yet."""

    bundle: Digest
    offset: Offset
    data: Annotated[bytes, Meta(max_length=MODEL_PIECE_BYTES_MAX)]


class Told(Struct, frozen=True, array_like=True, tag=5):
    """To the leader: how models did at the sender, for head office."""

    reports: Annotated[list[Report], Meta(max_length=MODEL_REPORTS_KEPT_MAX)]


class ReportKey(Struct, frozen=True, array_like=True):
    """Which report of a till it is."""

    name: Model
    version: Version
    window_end: Time
    asked: Count


class Passed(Struct, frozen=True, array_like=True, tag=6):
    """From the leader: head office has these reports of the receiver's."""

    reports: Annotated[list[ReportKey], Meta(max_length=MODEL_REPORTS_KEPT_MAX)]


ModelMessage: TypeAlias = Known | Orders | Ask | Piece | Told | Passed
_NEWEST: Final = 6


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(ModelMessage)


def key_of(report: Report) -> ReportKey:
    """Say which report it is, beside whose."""
    return ReportKey(report.name, report.version, report.window_end, report.asked)


def write_message(message: ModelMessage) -> bytes:
    """Encode a message."""
    return msgspec.msgpack.encode(message)


_CONVERSATION: Final = Conversation("models", MODEL_MESSAGE_BYTES_MAX, _NEWEST, _decoder)


def read_message(body: bytes) -> ModelMessage | None:
    """Decode a message; None for one of a newer program. Raises :class:`FrameDamaged` and nothing else."""
    message: ModelMessage | None = _CONVERSATION.read(body)
    return message
