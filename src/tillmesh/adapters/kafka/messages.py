"""An entry of the event log as one message: events as runs, as they travel everywhere, packed with zstd.

What stands in every event's place (its actor, its number, both hashes) is not stored but made again and checked against
the hash that the run ends in: a message that was altered does not replay.
"""

from __future__ import annotations

from struct import Struct as Layout
from typing import Final

import msgspec

from tillmesh.fleet.ports import Entry
from tillmesh.kernel.envelope import Envelope, Head, seal
from tillmesh.kernel.errors import Damaged
from tillmesh.sync.messages import Actor, Hash, Item, Seq
from tillmesh.sync.packing import FrameDamaged, pack, unpack
from tillmesh.sync.signatures import SignedHead

MAGIC: Final = 0x7465  # "te"
VERSION: Final = 1
MESSAGE_BYTES_MAX: Final = 8 << 20  # more than any upload
_HEAD: Final = Layout(">HBBI")  # magic, version, packing, unpacked size


class _Stretch(msgspec.Struct, frozen=True, array_like=True):
    actor: Actor
    before: Seq  # the last event before it
    before_hash: Hash
    items: list[Item]
    hash: Hash


class _Signed(msgspec.Struct, frozen=True, array_like=True):
    actor: str
    seq: int
    hash: bytes
    signature: bytes


class _Message(msgspec.Struct, frozen=True, array_like=True):
    store: str
    term: int
    sender: str
    at_ms: int
    stretches: list[_Stretch]
    signed: list[_Signed]
    generation: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Message)


def write_message(entry: Entry) -> bytes:
    """Encode an entry."""
    signed = [_Signed(one.head.actor, one.head.seq, one.head.hash, one.signature) for one in entry.signed]
    body = _encoder.encode(
        _Message(entry.store, entry.term, entry.sender, entry.at_ms, _stretches(entry.events), signed, entry.generation)
    )
    packing, packed = pack(body)
    return _HEAD.pack(MAGIC, VERSION, packing, len(body)) + packed


def read_message(data: bytes) -> Entry:
    """Decode an entry and check its chains; raises :class:`Damaged`, never anything else."""
    if len(data) < _HEAD.size:
        raise Damaged(f"{len(data)} bytes in the event log are no entry", hint="Is this our topic?")
    magic, version, packing, size = _HEAD.unpack_from(data)
    try:
        if magic != MAGIC or version != VERSION or size > MESSAGE_BYTES_MAX:
            raise FrameDamaged(f"a message of version {version} that unpacks to {size} bytes")
        message = _decoder.decode(unpack(packing, data[_HEAD.size :], size))
    except (FrameDamaged, msgspec.DecodeError, ValueError, RecursionError) as cause:
        raise Damaged(f"{len(data)} bytes in the event log are no entry: {cause}", hint="Is this our topic?") from cause
    events = tuple(event for stretch in message.stretches for event in _events(message.store, stretch))
    signed = tuple(SignedHead(Head(one.actor, one.seq, one.hash), one.signature) for one in message.signed)
    said = (message.store, message.term, message.sender, message.at_ms)
    return Entry(*said, events, signed, message.generation)


def _stretches(events: tuple[Envelope, ...]) -> list[_Stretch]:
    found: list[_Stretch] = []
    first: Envelope | None = None
    items: list[Item] = []
    last: Envelope | None = None
    for event in events:
        if last is None or (event.actor, event.prev_hash) != (last.actor, last.hash):
            if first is not None and last is not None:
                found.append(_Stretch(first.actor, first.seq - 1, first.prev_hash, items, last.hash))
            first, items = event, []
        items.append(Item(event.hlc, event.type, event.version, event.body))
        last = event
    if first is not None and last is not None:
        found.append(_Stretch(first.actor, first.seq - 1, first.prev_hash, items, last.hash))
    return found


def _events(store: str, stretch: _Stretch) -> list[Envelope]:
    head, events = Head(stretch.actor, stretch.before, stretch.before_hash), []
    for item in stretch.items:
        event = seal(store, head, hlc=item.hlc, kind=item.type, version=item.version, body=item.body)
        events.append(event)
        head = Head(event.actor, event.seq, event.hash)
    if head.hash != stretch.hash:
        raise Damaged(
            f"events of {stretch.actor} up to {head.seq} in the event log were altered", hint="Restore the log."
        )
    return events
