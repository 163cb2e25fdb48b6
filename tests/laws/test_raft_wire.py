"""Raft's values as bytes: what was meant is what is read, and whatever else arrives is refused in our words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.errors import Damaged, TillmeshError, TooLarge
from tillmesh.kernel.limits import (
    RAFT_ENTRIES_PER_MESSAGE_MAX,
    RAFT_ENTRY_BYTES_MAX,
    RAFT_ID_CHARS_MAX,
    RAFT_MEMBERS_MAX,
    RAFT_MESSAGE_BYTES_MAX,
)
from tillmesh.raft import (
    ConfChange,
    ConfChangeType,
    ConfState,
    Entry,
    EntryType,
    Message,
    MessageType,
    Snapshot,
    conf_change,
    decode_conf_state,
    decode_entry,
    decode_message,
    decode_snapshot,
    encode,
)

numbers = st.integers(0, 2**62)
nodes = st.integers(1, 2**60) | st.text(min_size=1, max_size=RAFT_ID_CHARS_MAX)
members = st.lists(nodes, max_size=5).map(tuple)
conf_states = st.builds(ConfState, members, members)
entries = st.builds(Entry, numbers, numbers, st.binary(max_size=50), st.sampled_from(EntryType))
snapshots = st.builds(Snapshot, numbers, numbers, conf_states, st.binary(max_size=50))
small = st.integers(0, 2**40)


@st.composite
def drawn_messages(draw: st.DrawFn) -> Message:
    """Draw a message as a node could send it: entries in order, a snapshot where it belongs."""
    kind, index = draw(st.sampled_from(MessageType)), draw(small)
    terms = sorted(draw(st.lists(small, min_size=2, max_size=6)))
    following = tuple(Entry(term, index + n, draw(st.binary(max_size=9))) for n, term in enumerate(terms[1:-1], 1))
    return Message(
        kind,
        draw(nodes),
        draw(nodes),
        terms[-1],
        terms[0],
        index,
        following if kind is MessageType.APPEND else (),
        draw(numbers),
        draw(st.booleans()),
        draw(numbers),
        draw(snapshots) if kind is MessageType.SNAPSHOT else None,
        draw(st.booleans()),
        draw(numbers),
    )


messages = drawn_messages()


@given(messages)
def test_a_message_arrives_as_it_was_sent(message: Message) -> None:
    assert decode_message(encode(message)) == message


@given(entries, snapshots, conf_states)
def test_what_is_stored_is_read_back(entry: Entry, snapshot: Snapshot, conf: ConfState) -> None:
    assert decode_entry(encode(entry)) == entry
    assert decode_snapshot(encode(snapshot)) == snapshot
    assert decode_conf_state(encode(conf)) == conf


@given(st.sampled_from(ConfChangeType), nodes)
def test_a_change_of_membership_travels_in_its_entry(kind: ConfChangeType, node: str | int) -> None:
    entry = Entry(1, 1, encode(ConfChange(kind, node)), EntryType.CONF_CHANGE)
    assert conf_change(decode_entry(encode(entry))) == ConfChange(kind, node)


@given(st.binary(max_size=300))
def test_noise_is_refused_in_our_words(noise: bytes) -> None:
    for decode in (decode_message, decode_entry, decode_snapshot, decode_conf_state):
        try:
            decode(noise)
        except TillmeshError:
            continue


@given(messages, st.data())
def test_a_flipped_bit_gives_another_message_or_damage(message: Message, data: st.DataObject) -> None:
    body = bytearray(encode(message))
    at = data.draw(st.integers(0, len(body) * 8 - 1))
    body[at // 8] ^= 1 << at % 8
    try:
        other = decode_message(bytes(body))
    except TillmeshError:
        return
    assert decode_message(encode(other)) == other


def test_a_message_of_a_later_version_is_still_read() -> None:
    fields = msgspec.to_builtins(Message(MessageType.VOTE, 1, 2, 3))
    assert decode_message(msgspec.msgpack.encode([*fields, "later", 7])) == Message(MessageType.VOTE, 1, 2, 3)


def test_a_message_of_an_earlier_version_is_still_read() -> None:
    assert decode_message(msgspec.msgpack.encode(["vote", 1, 2, 3])) == Message(MessageType.VOTE, 1, 2, 3)


def raw(message: Message) -> bytes:
    """Encode without our limit."""
    return msgspec.msgpack.encode(message)


@pytest.mark.parametrize(
    "body",
    [
        raw(Message(MessageType.VOTE, "x" * (RAFT_ID_CHARS_MAX + 1), 2)),
        raw(Message(MessageType.VOTE, 1, 2, -1)),
        raw(Message(MessageType.VOTE, 1, 2, 2**63)),
        raw(Message(MessageType.APPEND, 1, 2, entries=(Entry(1, 1),) * (RAFT_ENTRIES_PER_MESSAGE_MAX + 1))),
        raw(Message(MessageType.APPEND, 1, 2, entries=(Entry(1, 1, bytes(RAFT_ENTRY_BYTES_MAX + 1)),))),
        raw(
            Message(
                MessageType.SNAPSHOT, 1, 2, snapshot=Snapshot(conf_state=ConfState(tuple(range(RAFT_MEMBERS_MAX + 1))))
            )
        ),
        msgspec.msgpack.encode(["coup", 1, 2, 3]),
        b"",
    ],
    ids=["id", "negative", "huge", "entries", "data", "members", "type", "empty"],
)
def test_what_is_out_of_bounds_is_damage(body: bytes) -> None:
    with pytest.raises(Damaged):
        decode_message(body)


@pytest.mark.parametrize(
    "message",
    [
        Message(MessageType.SNAPSHOT, 1, 2, 3),
        Message(MessageType.VOTE, 1, 2, 3, snapshot=Snapshot(1, 1)),
        Message(MessageType.HEARTBEAT, 1, 2, 3, entries=(Entry(1, 1),)),
        Message(MessageType.APPEND, 1, 2, 3, entries=(Entry(1, 2),)),
        Message(MessageType.APPEND, 1, 2, 3, entries=(Entry(1, 1), Entry(1, 3))),
        Message(MessageType.APPEND, 1, 2, 3, entries=(Entry(2, 1), Entry(1, 2))),
        Message(MessageType.APPEND, 1, 2, 3, entries=(Entry(4, 1),)),
        Message(MessageType.APPEND, 1, 2, 3, log_term=2, index=1, entries=(Entry(1, 2),)),
    ],
)
def test_a_message_that_no_node_would_send_is_damage(message: Message) -> None:
    with pytest.raises(Damaged, match="wrong parts"):
        decode_message(encode(message))


def test_bytes_over_the_limit_are_not_even_looked_at() -> None:
    with pytest.raises(TooLarge, match="Raft"):
        decode_message(bytes(RAFT_MESSAGE_BYTES_MAX + 1))
    with pytest.raises(TooLarge):
        encode(Snapshot(data=bytes(RAFT_MESSAGE_BYTES_MAX)))


def test_the_largest_message_a_leader_sends_fits() -> None:
    full = tuple(Entry(2**40, 2**40 + i, bytes(1_024)) for i in range(RAFT_ENTRIES_PER_MESSAGE_MAX))
    message = Message(MessageType.APPEND, "x" * 64, "y" * 64, 2**40, 1, 2**40 - 1, entries=full)
    assert decode_message(encode(message)) == message
