"""A till and head office's shelf of pictures, without a network between them: brought, given back, behind the sales."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from tests.pictures import jpeg, webp
from tests.services.mesh.memory_links import open_post
from tests.services.mesh.test_mesh import run, until
from tests.services.mesh.test_pictures import Counter
from tillmesh.adapters.sqlite.hub.pictures import SqlitePictures
from tillmesh.adapters.wan.client import Reply
from tillmesh.fleet.pictures import take
from tillmesh.kernel.errors import TillmeshError
from tillmesh.shop.pictures import Picture
from tillmesh.sync.office_pictures import Held, Which
from tillmesh.terminal.picture_office import PictureOffice

pytestmark = [pytest.mark.service, pytest.mark.slow]
NOW = 1_800_000_000_000


class Talks:
    """Who leads, and whether sales are under way."""

    def __init__(self) -> None:
        self.leads, self.busy = True, False


class Shelf:
    """Head office's shelf as a store's leader reaches it; ``asked`` is what was asked for, in order."""

    def __init__(self, place: Path, bytes_max: int = 1 << 20) -> None:
        self.held = SqlitePictures(place / "pictures.db", bytes(range(32)))
        self.asked: list[str] = []
        self.is_old = False
        self.lie = b""
        self._bytes_max = bytes_max

    def which_pictures(self, question: bytes) -> Reply:
        self.asked.append("which")
        if self.is_old:
            return Reply(404, b"{}")
        asked = msgspec.json.decode(question, type=Which).sha256s
        return Reply(200, msgspec.json.encode(Held(sorted(self.held.held("corner", asked, NOW)))))

    def bring_picture(self, sha256: str, data: bytes, media: str) -> Reply:
        self.asked.append(f"bring {sha256}")
        assert media
        try:
            take(self.held, "corner", sha256, data, NOW, self._bytes_max)
        except TillmeshError as refused:
            return Reply(refused.status, b"{}")
        return Reply(204, b"")

    def picture(self, sha256: str) -> Reply:
        self.asked.append(f"get {sha256}")
        found = self.held.load("corner", sha256)
        return Reply(404, b"{}") if found is None else Reply(200, self.lie or found[1])

    def has(self, picture: Picture) -> bool:
        return self.held.load("corner", picture.sha256) is not None


@contextmanager
def shelf_in(place: Path, bytes_max: int = 1 << 20) -> Iterator[Shelf]:
    shelf = Shelf(place, bytes_max)
    try:
        yield shelf
    finally:
        shelf.held.close()


class Leader:
    """A till that uploads, with its pictures."""

    def __init__(self, place: Path, shelf: Shelf) -> None:
        self.counter = Counter(open_post(place))
        self.talks = Talks()
        self.office = PictureOffice(self.counter.post.driver, self.counter.shelf, self.talks, shelf)

    def start(self) -> None:
        self.office.start()

    async def stop(self) -> None:
        await self.office.stop()
        await self.counter.stop()


def test_a_picture_is_brought_once_and_a_new_till_gets_it_back_and_tells_the_page(tmp_path: Path) -> None:
    async def scene() -> None:
        with shelf_in(tmp_path) as shelf:
            first = Leader(tmp_path / "first", shelf)
            tea = await first.counter.add("tea", jpeg())
            first.start()
            jam = await first.counter.add("jam", webp())

            async def brought() -> bool:
                return first.office.brought == 2

            await until(brought)
            assert shelf.has(tea)
            assert shelf.has(jam)
            await first.counter.name("another tea", tea.reference)  # the same picture
            await first.stop()
            assert [one for one in shelf.asked if one.startswith("bring")].count(f"bring {tea.sha256}") == 1
            second = Leader(tmp_path / "second", shelf)
            for sku, picture in (("tea", tea), ("jam", jam)):
                await second.counter.name(sku, picture.reference)
            assert await second.counter.shows(tea) is None
            second.start()
            await until(lambda: second.counter.holds(tea))
            await until(lambda: second.counter.holds(jam))
            assert second.counter.told == [tea.sha256], "a page had asked for that one"
            assert await second.counter.shows(tea) is not None
            await second.stop()

    run(scene)


def test_while_sales_are_under_way_and_while_another_till_leads_no_picture_is_spoken_of(tmp_path: Path) -> None:
    async def scene() -> None:
        with shelf_in(tmp_path) as shelf:
            till = Leader(tmp_path / "till", shelf)
            till.talks.busy = True
            tea = await till.counter.add("tea", jpeg())
            till.start()
            for _ in range(20):  # it had every opportunity
                await till.counter.name("tea", tea.reference)
            assert shelf.asked == []
            till.talks.leads = False
            till.talks.busy = False
            for _ in range(20):
                await till.counter.name("tea", tea.reference)
            assert shelf.asked == []
            await till.stop()

    run(scene)


def test_with_a_head_office_of_an_older_program_the_till_goes_on_without(tmp_path: Path) -> None:
    async def scene() -> None:
        with shelf_in(tmp_path) as shelf:
            shelf.is_old = True
            till = Leader(tmp_path / "till", shelf)
            tea = await till.counter.add("tea", jpeg())
            till.start()

            async def asked() -> bool:
                return bool(shelf.asked)

            await until(asked)
            for n in range(20):
                await till.counter.name(f"tea-{n}", tea.reference)
            assert shelf.asked == ["which"], "it is not asked again for minutes"
            assert await till.counter.shows(tea) is not None
            await till.stop()

    run(scene)


def test_what_head_office_gives_instead_of_a_picture_is_not_kept(tmp_path: Path) -> None:
    async def scene() -> None:
        with shelf_in(tmp_path) as shelf:
            first = Leader(tmp_path / "first", shelf)
            tea = await first.counter.add("tea", jpeg())
            first.start()

            async def brought() -> bool:
                return first.office.brought == 1

            await until(brought)
            await first.stop()
            shelf.lie = jpeg() + b"<script>"
            second = Leader(tmp_path / "second", shelf)
            await second.counter.name("tea", tea.reference)
            second.start()

            async def lied_to() -> bool:
                return f"get {tea.sha256}" in shelf.asked

            await until(lied_to)
            await second.counter.name("more tea", tea.reference)
            await second.stop()
            assert second.office.fetched == 0
            assert shelf.asked.count(f"get {tea.sha256}") == 1

    run(scene)


def test_a_head_office_that_is_full_is_left_alone_and_pictures_come_back_from_it_all_the_same(tmp_path: Path) -> None:
    async def scene() -> None:
        with shelf_in(tmp_path) as roomy:
            first = Leader(tmp_path / "first", roomy)
            tea = await first.counter.add("tea", jpeg())
            first.start()

            async def brought() -> bool:
                return first.office.brought == 1

            await until(brought)
            await first.stop()
        with shelf_in(tmp_path, bytes_max=tea.size) as full:
            second = Leader(tmp_path / "second", full)
            jam = await second.counter.add("jam", webp())
            await second.counter.name("tea", tea.reference)
            second.start()
            await until(lambda: second.counter.holds(tea))

            async def refused() -> bool:
                return f"bring {jam.sha256}" in full.asked

            await until(refused)
            await second.stop()
            assert not full.has(jam)
            assert second.office.brought == 0

    run(scene)
