"""What a store's leader and head office say to each other: a batch up, an answer down.

The batch is msgpack behind a header, packed with zstd; the answer is JSON, as all else of the hub's HTTP API. The
events travel as runs, exactly as between two tills. Fields are added at the end and with a default.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from tillmesh.kernel.limits import (
    MODEL_ORDERS_MAX,
    MODELS_MAX,
    NAME_CHARS_MAX,
    STORE_LISTS_MAX,
    SYNC_ACTORS_MAX,
    SYNC_EVENTS_PER_BATCH_MAX,
    UPLOAD_ANSWER_BYTES_MAX,
    UPLOAD_BYTES_MAX,
    UPLOAD_UNPACKED_BYTES_MAX,
)
from tillmesh.sync.messages import Actor, Mark, Run, Seq, Vector
from tillmesh.sync.model_orders import ORDERS_DIGEST_BYTES, SignedOrder
from tillmesh.sync.packing import FrameDamaged
from tillmesh.sync.store_messages import SignedList
from tillmesh.sync.wrapping import Wrapping

UPLOAD_PROTOCOL: Final = 1
MAGIC: Final = 0x7475  # "tu"
MEDIA: Final = "application/vnd.tillmesh.batch"

T = TypeVar("T")
Store = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9a-z]+$")]
Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
Till = Annotated[str, Meta(min_length=4, max_length=16, pattern=r"^[0-9a-z]+$")]


class Batch(Struct, frozen=True, array_like=True):
    """Events that head office lacks, from whoever leads the store.

    ``heads`` is all that the sender holds: it shows what the store has of head office's own events, and forks.
    """

    store: Store
    term: Seq  # 0: a till that works alone
    sender: Actor
    heads: Annotated[dict[Actor, Mark], Meta(max_length=SYNC_ACTORS_MAX)]
    runs: Annotated[list[Run], Meta(max_length=SYNC_EVENTS_PER_BATCH_MAX)]
    # Signed lists of the store's tills, with the keys that their events are signed with; empty if they are as before.
    lists: Annotated[list[SignedList], Meta(max_length=STORE_LISTS_MAX)] = []
    # Per till of the store how many of head office's events it holds durably, as far as the sender knows.
    tills: Annotated[dict[Till, Seq], Meta(max_length=SYNC_ACTORS_MAX)] = {}
    # Digest of head office's orders for models as the sender has them; empty if it has none and asks for all.
    orders: Annotated[bytes, Meta(max_length=ORDERS_DIGEST_BYTES)] = b""


class Answer(Struct, frozen=True):
    """What head office holds of the store now, and what it has for it.

    ``wanted`` names the gaps: of these actors something was missing before what was sent; go on after these numbers.
    """

    acked: Vector
    updates: Annotated[list[Run], Meta(max_length=SYNC_EVENTS_PER_BATCH_MAX)] = []
    model_versions: Annotated[dict[str, Name], Meta(max_length=MODELS_MAX)] = {}
    wanted: Vector = {}
    # All of head office's orders for models; None if they are those that the sender has, by the digest it gave.
    model_orders: Annotated[list[SignedOrder], Meta(max_length=MODEL_ORDERS_MAX)] | None = None


class State(Struct, frozen=True):
    """What head office holds of a store, and the newest term it heard of."""

    acked: Vector
    term: Seq


@cache
def _batches() -> msgspec.msgpack.Decoder[Batch]:
    return msgspec.msgpack.Decoder(Batch)


@cache
def _answers() -> msgspec.json.Decoder[Answer]:
    return msgspec.json.Decoder(Answer)


@cache
def _states() -> msgspec.json.Decoder[State]:
    return msgspec.json.Decoder(State)


_BATCHES: Final[Wrapping[Batch]] = Wrapping(
    MAGIC,
    UPLOAD_PROTOCOL,
    "a batch",
    UPLOAD_BYTES_MAX,
    UPLOAD_UNPACKED_BYTES_MAX,
    _batches,
    "Update the till or head office.",
)


def write_batch(batch: Batch) -> bytes:
    """Encode a batch; raises :class:`FrameDamaged` over UPLOAD_UNPACKED_BYTES_MAX, which batching keeps away from."""
    return _BATCHES.write(batch)


def read_batch(frame: bytes) -> Batch:
    """Decode a batch; raises :class:`FrameDamaged`, never anything else, and never unpacks beyond the limit."""
    return _BATCHES.read(frame)


def write_answer(answer: Answer | State) -> bytes:
    """Encode what head office says."""
    return msgspec.json.encode(answer)


def read_answer(body: bytes) -> Answer:
    """Decode an answer; raises :class:`FrameDamaged` and nothing else."""
    return _read(_answers(), body)


def read_state(body: bytes) -> State:
    """Decode a state; raises :class:`FrameDamaged` and nothing else."""
    return _read(_states(), body)


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    if len(body) > UPLOAD_ANSWER_BYTES_MAX:
        raise FrameDamaged(f"an answer of {len(body)} bytes; the limit is {UPLOAD_ANSWER_BYTES_MAX}")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise FrameDamaged(f"bytes that are no answer of head office: {cause}") from cause
