"""What a store and head office find out about pictures: each side gets what the other one has, and nothing twice."""

from __future__ import annotations

import msgspec
import pytest

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import OFFICE_PICTURES_ASKED_MAX, OFFICE_PICTURES_QUESTION_BYTES_MAX
from tillmesh.shop.pictures import Picture
from tillmesh.sync.office_pictures import Held, Which, read_held, write_which
from tillmesh.till.picture_shelf import Named, compare


def picture(number: int) -> Picture:
    return Picture(f"{number:064x}", "jpeg", 100 + number)


def test_a_store_brings_what_head_office_lacks_and_gets_what_is_lost_at_the_till() -> None:
    named = [Named(picture(n), here) for n, here in enumerate((True, True, False, False))]
    exchange = compare(named, {picture(1).sha256, picture(2).sha256})
    assert exchange.send == [picture(0)]
    assert exchange.fetch == [picture(2)]


def test_a_question_about_as_many_pictures_as_are_asked_for_at_once_is_read_and_one_more_is_refused() -> None:
    named = [picture(n).sha256 for n in range(OFFICE_PICTURES_ASKED_MAX)]
    said = write_which(named)
    assert len(said) <= OFFICE_PICTURES_QUESTION_BYTES_MAX
    assert msgspec.json.decode(said, type=Which).sha256s == named
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(write_which([*named, named[0]]), type=Which)


def test_an_answer_names_hashes_or_is_refused() -> None:
    assert read_held(msgspec.json.encode(Held([picture(7).sha256]))) == {picture(7).sha256}
    for lie in (b"", b"[]", b'{"sha256s":["../etc"]}', b"\xff", b"[" * 100_000):
        with pytest.raises(Invalid):
            read_held(lie)
