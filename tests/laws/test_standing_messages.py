"""What a till says of itself reads back as it was written, and anything else is refused in words."""

from __future__ import annotations

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.limits import STANDING_BYTES_MAX, STANDING_LINKS_MAX
from tillmesh.sync.frames import FrameDamaged
from tillmesh.sync.standing import VERSION, Standing, read_standing, write_standing

TERMINALS = st.text("abcdefghijk0123456789", min_size=1, max_size=64)
SAID = st.builds(
    Standing, st.just(VERSION), st.text(max_size=40), st.lists(TERMINALS, max_size=STANDING_LINKS_MAX),
    st.integers(0, 2**63 - 1),
)  # fmt: skip


@given(SAID)
def test_what_was_written_reads_back_the_same(said: Standing) -> None:
    assert read_standing(write_standing(said)) == said


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_damaged(body: bytes) -> None:
    with suppress(FrameDamaged):
        assert isinstance(read_standing(body), Standing)


def test_a_newer_program_may_say_more() -> None:
    assert read_standing(msgspec.msgpack.encode([2, "leader", ["t1"], 3, "more"])).waiting == 3


@pytest.mark.parametrize(
    "body",
    [
        msgspec.msgpack.encode([1, "leader", ["t1"] * (STANDING_LINKS_MAX + 1), 0]),
        msgspec.msgpack.encode([1, "leader", [], -1]),
        bytes(STANDING_BYTES_MAX + 1),
    ],
)
def test_what_is_out_of_bounds_is_refused(body: bytes) -> None:
    with pytest.raises(FrameDamaged):
        read_standing(body)
