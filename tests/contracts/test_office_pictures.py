"""One suite for every shelf of pictures at head office: a file of one machine, or PostgreSQL for services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pictures import jpeg, webp
from tests.servers import ON_SERVERS
from tillmesh.adapters.postgres.pictures import PostgresPictures
from tillmesh.adapters.sqlite.hub.pictures import SqlitePictures
from tillmesh.fleet.pictures import Kept, PictureShelf, ShelfFull, giving_way, take
from tillmesh.hub.settings import PostgresTables
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import OFFICE_PICTURE_UNASKED_MS
from tillmesh.shop.pictures import cleaned, picture_of

KEY = bytes(range(32))
NOW, DAY = 1_800_000_000_000, 86_400_000
Open = Callable[[], PictureShelf]
PHOTOS = [cleaned(data) for data in (jpeg(), webp(), jpeg(colour=(1, 200, 3)), jpeg(colour=(9, 9, 200)))]
TEA, JAM, MUG, CUP = map(picture_of, PHOTOS)


@pytest.fixture(params=["sqlite", pytest.param("servers", marks=ON_SERVERS)])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same shelf, as often as a test wants."""
    made: list[PictureShelf] = []
    room = request.getfixturevalue("servers").room() if request.param == "servers" else None

    def open_one() -> PictureShelf:
        if room is None:
            made.append(SqlitePictures(tmp_path / "pictures.db", KEY))
        else:
            assert isinstance(room.master, PostgresTables)
            made.append(PostgresPictures(room.master.dsn, room.master.schema))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


def bring(shelf: PictureShelf, store: str, number: int, now_ms: int = NOW, bytes_max: int = 1 << 20) -> None:
    take(shelf, store, picture_of(PHOTOS[number]).sha256, PHOTOS[number], now_ms, bytes_max)


def test_a_picture_that_one_service_took_every_other_one_gives_back_to_its_store_and_to_no_other(again: Open) -> None:
    here, there = again(), again()
    bring(here, "corner", 0)
    bring(here, "corner", 0)
    bring(here, "corner", 1)
    assert there.load("corner", TEA.sha256) == ("jpeg", PHOTOS[0])
    assert there.load("corner", JAM.sha256) == ("webp", PHOTOS[1])
    assert there.held("corner", [TEA.sha256, JAM.sha256, MUG.sha256], NOW) == {TEA.sha256, JAM.sha256}
    assert there.total("corner") == TEA.size + JAM.size
    assert there.load("market", TEA.sha256) is None
    assert there.held("market", [TEA.sha256], NOW) == set()
    assert there.total("market") == 0
    bring(there, "market", 0)
    here.drop("corner", [TEA.sha256])
    assert here.load("corner", TEA.sha256) is None
    assert here.load("market", TEA.sha256) == ("jpeg", PHOTOS[0])


LIES = [
    (b"", "neither"),
    (b"<svg onload='x'/>", "neither"),
    (PHOTOS[0] + b"<script>", "more than a picture"),
    (jpeg(comment=b"taken at home"), "more than a picture"),
    (PHOTOS[0][:-9], "damaged"),
    (jpeg(400, 20), "pixels"),
    (PHOTOS[1], "under its own hash"),
]


def test_what_a_till_would_not_take_head_office_does_not_take_either(again: Open) -> None:
    shelf = again()
    for lie, said in LIES:
        with pytest.raises(Invalid) as refused:
            take(shelf, "corner", TEA.sha256, lie, NOW)
        assert said in f"{refused.value.detail} {refused.value.hint}"
    assert shelf.total("corner") == 0


def test_a_full_shelf_lets_go_what_its_store_has_not_named_for_a_week_and_refuses_then(again: Open) -> None:
    shelf, later = again(), NOW + OFFICE_PICTURE_UNASKED_MS + DAY
    room = TEA.size + JAM.size + MUG.size
    for number in (0, 1, 2):
        bring(shelf, "corner", number, bytes_max=room)
    bring(shelf, "market", 2)
    with pytest.raises(ShelfFull, match="are kept for corner"):
        bring(shelf, "corner", 3, bytes_max=room)
    assert shelf.held("corner", [JAM.sha256], later - 1) == {JAM.sha256}
    assert {one.sha256 for one in shelf.oldest("corner", later)} == {TEA.sha256, JAM.sha256, MUG.sha256}
    bring(shelf, "corner", 3, later, bytes_max=room)
    assert shelf.load("corner", JAM.sha256) is not None, "it was named yesterday"
    assert shelf.load("corner", CUP.sha256) is not None
    assert shelf.total("corner") <= room
    assert shelf.load("market", MUG.sha256) is not None, "another store's room is its own"
    bring(shelf, "corner", 1, later, bytes_max=10)  # what is there is taken, however full it is


def test_no_more_gives_way_than_is_needed() -> None:
    shelf = [Kept("a", 10, 1), Kept("b", 20, 2), Kept("c", 30, 3)]
    assert giving_way(shelf, 0) == []
    assert giving_way(shelf, 10) == ["a"]
    assert giving_way(shelf, 11) == ["a", "b"]
    assert giving_way(shelf, 61) is None
