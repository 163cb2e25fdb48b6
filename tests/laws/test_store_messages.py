"""What tills say about their store reads back as it was written, and anything else is refused in words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.limits import STORE_LIST_BYTES_MAX, STORE_LISTS_MAX, STORE_MESSAGE_BYTES_MAX
from tillmesh.sync.frames import FrameDamaged
from tillmesh.sync.store_messages import (
    _NEWEST,
    Clock,
    Declined,
    Lists,
    Reborn,
    Renew,
    Renewed,
    Retire,
    StoreMessage,
    read_store,
    write_store,
)

MESSAGES: list[StoreMessage] = [
    Lists([b"newest", b"beside"], issuer=True),
    Renew(b"request"),
    Renewed(b"certificate", b"list"),
    Reborn("t111.boot2", b"request", bytes(32), bytes(64)),
    Declined("revoked", "this till was removed"),
    Retire("t111.boot1"),
    Clock(1_795_305_600_000),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_was_written_reads_back_the_same(message: StoreMessage) -> None:
    assert read_store(write_store(message)) == message


def test_every_message_has_its_own_number_up_to_the_newest() -> None:
    assert [msgspec.msgpack.decode(write_store(message))[0] for message in MESSAGES] == list(range(1, _NEWEST + 1))


def test_a_message_of_a_newer_program_is_ignored() -> None:
    assert read_store(msgspec.msgpack.encode([_NEWEST + 1, "whatever it says"])) is None


@pytest.mark.parametrize(
    "body",
    [
        msgspec.msgpack.encode([1, [b""] * (STORE_LISTS_MAX + 1)]),
        msgspec.msgpack.encode([1, [bytes(STORE_LIST_BYTES_MAX + 1)]]),
        msgspec.msgpack.encode([4, "t111.boot2", b"request", bytes(31), bytes(64)]),
        msgspec.msgpack.encode([5, "x" * 41, "why"]),
        bytes(STORE_MESSAGE_BYTES_MAX + 1),
    ],
    ids=["too many lists", "a list that is too large", "half a key", "no id", "too much in all"],
)
def test_what_is_over_a_limit_is_refused(body: bytes) -> None:
    with pytest.raises(FrameDamaged):
        read_store(body)


@given(st.binary(max_size=200))
def test_bytes_of_a_stranger_are_a_message_or_refused(body: bytes) -> None:
    try:
        message = read_store(body)
    except FrameDamaged:
        return
    assert message is None or read_store(write_store(message)) == message
