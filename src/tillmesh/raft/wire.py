"""Messages and entries as bytes, on the wire and on disk: msgpack arrays, every size bounded on the way in."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from tillmesh.kernel.errors import Damaged, TooLarge
from tillmesh.kernel.limits import RAFT_MESSAGE_BYTES_MAX
from tillmesh.raft.messages import ConfChange, ConfState, Entry, EntryType, Message, MessageType, Snapshot

T = TypeVar("T")

_encoder: Final = msgspec.msgpack.Encoder()
_messages: Final = msgspec.msgpack.Decoder(Message)
_entries: Final = msgspec.msgpack.Decoder(Entry)
_changes: Final = msgspec.msgpack.Decoder(ConfChange)
_states: Final = msgspec.msgpack.Decoder(ConfState)
_snapshots: Final = msgspec.msgpack.Decoder(Snapshot)


def encode(value: Message | Entry | ConfChange | ConfState | Snapshot) -> bytes:
    """Encode a value of the protocol; raises :class:`TooLarge` over RAFT_MESSAGE_BYTES_MAX."""
    body = _encoder.encode(value)
    if len(body) > RAFT_MESSAGE_BYTES_MAX:
        raise _too_large(len(body), "Send fewer entries at once.")
    return body


def decode_message(body: bytes) -> Message:
    """Read a message from a peer; raises :class:`TooLarge` or :class:`Damaged`, never anything else."""
    message = _decode(_messages, body, "message")
    if not _is_well_formed(message):
        raise Damaged(f"a Raft message of type {message.type} with the wrong parts", hint="Refuse its sender.")
    return message


def _is_well_formed(m: Message) -> bool:
    """Say whether entries follow on what the message says comes before them, and a snapshot is where it belongs."""
    if (m.type is MessageType.SNAPSHOT) != (m.snapshot is not None):
        return False
    if m.entries and m.type is not MessageType.APPEND:
        return False
    term = m.log_term
    for index, entry in enumerate(m.entries, m.index + 1):
        if entry.index != index or not term <= entry.term <= m.term:
            return False
        term = entry.term
    return True


def decode_entry(body: bytes) -> Entry:
    """Read a stored entry."""
    return _decode(_entries, body, "entry")


def decode_conf_state(body: bytes) -> ConfState:
    """Read a stored configuration."""
    return _decode(_states, body, "configuration")


def decode_snapshot(body: bytes) -> Snapshot:
    """Read a stored snapshot."""
    return _decode(_snapshots, body, "snapshot")


def conf_change(entry: Entry) -> ConfChange | None:
    """Give the change of membership that an entry decides, or None when it decides something else."""
    if entry.type is not EntryType.CONF_CHANGE:
        return None
    return _decode(_changes, entry.data, "membership change")


def _decode(decoder: msgspec.msgpack.Decoder[T], body: bytes, what: str) -> T:
    if len(body) > RAFT_MESSAGE_BYTES_MAX:
        raise _too_large(len(body), "Refuse its sender.")
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as cause:
        raise Damaged(f"bytes do not decode as a Raft {what}: {cause}", hint="Refuse their sender.") from cause


def _too_large(size: int, hint: str) -> TooLarge:
    return TooLarge(f"a Raft value of {size} bytes; the limit is {RAFT_MESSAGE_BYTES_MAX}", hint=hint)
