"""What tills ask each other about rights reads back as it was written, and anything else is refused in words."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.limits import RIGHTS_MESSAGE_BYTES_MAX
from tillmesh.sync.frames import FrameDamaged
from tillmesh.sync.rights_messages import AskRights, RightsAnswer, RightsMessage, read_rights, write_rights

MESSAGES: list[RightsMessage] = [AskRights(1, "ticket", 2_000, "cara"), RightsAnswer(1, 1_000, "k3m7qx2p.4f9a2c77-12")]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_was_written_reads_back_the_same(message: RightsMessage) -> None:
    assert read_rights(write_rights(message)) == message


def test_every_message_has_its_own_number() -> None:
    assert [msgspec.msgpack.decode(write_rights(message))[0] for message in MESSAGES] == [1, 2]


def test_a_number_of_a_newer_program_is_nobody_s_business() -> None:
    assert read_rights(msgspec.msgpack.encode([3, 1, "what is not known yet"])) is None


@given(st.binary(max_size=RIGHTS_MESSAGE_BYTES_MAX + 5))
def test_any_bytes_are_a_message_or_damaged(body: bytes) -> None:
    with suppress(FrameDamaged):
        assert isinstance(read_rights(body), AskRights | RightsAnswer | None)


def test_nobody_asks_for_nothing_or_gives_less() -> None:
    for wrong in ([1, 1, "ticket", 0], [1, 1, "", 1], [2, 1, -1]):
        with pytest.raises(FrameDamaged):
            read_rights(msgspec.msgpack.encode(wrong))
