"""Whatever anybody sends: a decoder says no in our own words, or understands it. It never fails in another way."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.decoders import DECODERS
from tests.tracked_files import ROOT
from tillmesh.kernel.errors import TillmeshError

FOUND = ROOT / "tests" / "data" / "fuzz"  # what fuzzing found once: a folder for each decoder


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.data())
def test_no_bytes_break_a_decoder(name: str, data: st.DataObject) -> None:
    decoder = DECODERS[name]
    body = bytearray(data.draw(st.sampled_from(decoder.seeds) | st.binary(max_size=300)))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6)):
        if at < len(body):
            body[at] = byte
    cut = data.draw(st.integers(0, 400))
    tail = data.draw(st.binary(max_size=30))
    with suppress(TillmeshError):
        decoder.read(bytes(body[:cut]) + tail)


@pytest.mark.parametrize("name", DECODERS)
def test_seeds_are_taken_or_refused_in_our_words(name: str) -> None:
    for seed in DECODERS[name].seeds:
        with suppress(TillmeshError):
            DECODERS[name].read(seed)


def test_what_fuzzing_found_once_stays_mended() -> None:
    for path in sorted(FOUND.glob("*/*")):
        with suppress(TillmeshError):
            DECODERS[path.parent.name].read(path.read_bytes())
