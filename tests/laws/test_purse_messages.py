"""What tills ask each other about purses reads back as it was written, and anything else is refused in words."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.limits import COUPON_CHARS_MAX, KEY_CHARS_MAX, PURSE_MESSAGE_BYTES_MAX
from tillmesh.sync.frames import FrameDamaged
from tillmesh.sync.purse_messages import Answer, Ask, AskTurn, PurseMessage, read_purse, write_purse

MESSAGES: list[PurseMessage] = [
    Ask(1, "gift_card", "account", "cart", 500),
    Answer(1, granted=False, free=200),
    AskTurn(2, "promotion", "spring", "cart", "ONCE", "ana"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_was_written_reads_back_the_same(message: PurseMessage) -> None:
    assert read_purse(write_purse(message)) == message


def test_every_message_has_its_own_number() -> None:
    assert [msgspec.msgpack.decode(write_purse(message))[0] for message in MESSAGES] == [1, 2, 3]


def test_a_number_of_a_newer_program_is_nobody_s_business() -> None:
    assert read_purse(msgspec.msgpack.encode([4, 1, "what is not known yet"])) is None


@given(st.binary(max_size=PURSE_MESSAGE_BYTES_MAX + 5))
def test_any_bytes_are_a_message_or_damaged(body: bytes) -> None:
    with suppress(FrameDamaged):
        assert isinstance(read_purse(body), Ask | Answer | AskTurn | None)


def test_an_amount_below_zero_is_refused() -> None:
    with pytest.raises(FrameDamaged):
        read_purse(msgspec.msgpack.encode([1, 1, "points", "ana", "cart", -5]))


def test_the_longest_question_fits_into_a_message() -> None:
    longest = "\U0001f9fe" * KEY_CHARS_MAX
    question = AskTurn(1 << 53, "promotion", longest, "f" * 40, "C" * COUPON_CHARS_MAX, longest)
    assert read_purse(write_purse(question)) == question
