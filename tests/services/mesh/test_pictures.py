"""Pictures of products between tills: fetched from whoever has them, and nothing else is taken for one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.pictures import jpeg, webp
from tests.services.mesh.memory_links import Post, connect
from tests.services.mesh.test_mesh import MANAGER, run, store_of, until
from tillmesh.adapters.sqlite import pictures as store
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import terminal_of
from tillmesh.shop.events import Change, Value
from tillmesh.shop.pictures import Picture, cleaned, picture_of, read_reference
from tillmesh.sync.channels import Channel
from tillmesh.sync.picture_messages import Ask, Have, Here, read_message, write_message
from tillmesh.terminal.pictures import Pictures
from tillmesh.till.commands import ChangeRecords

pytestmark = [pytest.mark.service, pytest.mark.slow]


class Counter:
    """A till with its shelf of pictures; ``told`` is what its pages were told."""

    def __init__(self, post: Post, bytes_max: int | None = None) -> None:
        self.post = post
        self.told: list[str] = []
        self.shelf = Pictures(post.driver, post.mesh, self.told.append)
        if bytes_max is not None:
            self.shelf.bytes_max = bytes_max
        self.shelf.start()

    async def add(self, sku: str, data: bytes) -> Picture:
        """Put a picture to a product, as the API does."""
        picture = await self.shelf.add(data)
        await self.name(sku, picture.reference)
        return picture

    async def name(self, sku: str, image: str) -> None:
        fields: dict[str, Value] = {"name": sku, "price_minor": 100, "image": image}
        await self.post.driver.do(MANAGER, ChangeRecords(entity="product", changes=(Change(key=sku, fields=fields),)))

    async def image(self, sku: str) -> Picture | None:
        product = await self.post.driver.look(lambda books: books.product(sku))
        return None if product is None else read_reference(product.image)

    async def shows(self, picture: Picture) -> bytes | None:
        """Show a picture as a page would; what is not here is asked for by that."""
        found = await self.shelf.load(picture.sha256)
        return None if found is None else found[1]

    async def holds(self, picture: Picture) -> bool:
        return bool(await self.post.driver.read(lambda db, _: store.here(db, [picture.sha256])))

    async def stop(self) -> None:
        await self.shelf.stop()
        await self.post.stop()


def photos(count: int) -> list[bytes]:
    return [jpeg(64, 48, colour=(17 * n % 256, 40, 90)) for n in range(count)]


async def by_name(folder: Path, count: int) -> list[Post]:
    """Open the tills of a store, the one with the smallest name first."""
    return sorted(await store_of(folder, count), key=lambda post: post.driver.identity.terminal)


def lying(post: Post, given: Callable[[str], bytes]) -> list[str]:
    """Let a till hand out whatever it likes; the list grows by what it was asked for, or told."""
    asked: list[str] = []
    assert post.mesh is not None
    mesh = post.mesh

    def heard(actor: str, body: bytes) -> None:
        message = read_message(body)
        if isinstance(message, Ask):
            asked.append(message.sha256.hex())
            answer = Here(message.sha256, given(message.sha256.hex()))
            mesh.tell(terminal_of(actor), Channel.PICTURES, write_message(answer))
        elif isinstance(message, Here):
            asked.append("answered")

    mesh.on(Channel.PICTURES, heard)
    return asked


async def answered(asked: list[str]) -> bool:
    return "answered" in asked


async def stopped(counters: list[Counter]) -> None:
    for counter in counters:
        await counter.stop()


def test_a_picture_of_one_till_is_on_the_others_through_a_partition_and_the_newest_choice_holds(tmp_path: Path) -> None:
    async def scene() -> None:
        first, second, third = counters = [Counter(post) for post in await store_of(tmp_path, 3)]
        tea = await first.add("tea", jpeg())
        assert not await second.holds(tea)
        connect(first.post, second.post)
        connect(second.post, third.post)  # the first and the third never meet
        await until(lambda: third.holds(tea))
        assert await third.shows(tea) == await first.shows(tea)
        assert await third.image("tea") == tea
        newer = await third.add("tea", webp())

        async def everywhere() -> bool:
            return all([await each.image("tea") == newer and await each.holds(newer) for each in counters])

        await until(everywhere)
        await second.name("tea", "")

        async def nowhere() -> bool:
            return all([await each.image("tea") is None for each in counters])

        await until(nowhere)
        await stopped(counters)

    run(scene)


def test_a_page_is_told_when_the_picture_that_it_asked_for_has_come(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        first, second = (Counter(post) for post in posts[:2])
        between = Counter(posts[2], bytes_max=0)  # it passes the log on and keeps no pictures
        tea = await first.add("tea", jpeg())
        connect(first.post, between.post)
        connect(between.post, second.post)

        async def named() -> bool:
            return await second.image("tea") == tea

        await until(named)
        assert await second.shows(tea) is None
        connect(first.post, second.post)

        async def told() -> bool:
            return second.told == [tea.sha256]

        await until(told)
        assert await second.shows(tea) == await first.shows(tea)
        await stopped([first, second, between])

    run(scene)


def test_a_till_that_asked_too_early_asks_again_as_soon_as_the_other_has_got_the_picture(tmp_path: Path) -> None:
    async def scene() -> None:
        first, second = counters = [Counter(post) for post in await store_of(tmp_path, 2)]
        connect(first.post, second.post)
        tea = picture_of(jpeg())
        await first.name("tea", tea.reference)  # it names it before it has it

        async def named() -> bool:
            return await second.image("tea") == tea

        await until(named)
        assert await second.shelf.post.fetch(tea) is None
        await first.add("tea", jpeg())
        await until(lambda: second.holds(tea))
        await stopped(counters)

    run(scene)


def test_a_till_that_hands_out_another_picture_is_refused_and_an_honest_one_is_asked(tmp_path: Path) -> None:
    async def scene() -> None:
        liar, second, third = await by_name(tmp_path, 3)  # the first by name is asked first
        honest, asking = Counter(second), Counter(third)
        asked = lying(liar, lambda _: webp())
        tea = await honest.add("tea", jpeg())
        connect(liar, asking.post)
        connect(honest.post, liar)

        async def was_refused() -> bool:
            return asking.shelf.post.refused == 1

        await until(was_refused)
        assert not await asking.holds(tea)
        assert asked == [tea.sha256]
        connect(honest.post, asking.post)
        await until(lambda: asking.holds(tea))
        assert asking.shelf.post.refused == 1, "who lied is not asked again for now"
        await stopped([honest, asking])
        await liar.stop()

    run(scene)


@pytest.mark.parametrize("lie", [jpeg() + b"<script>", b"<svg/>", jpeg(comment=b"hidden")], ids=["tail", "svg", "more"])
def test_bytes_with_the_right_hash_that_are_no_picture_are_not_kept(tmp_path: Path, lie: bytes) -> None:
    async def scene() -> None:
        liar, post = await store_of(tmp_path, 2)
        asking = Counter(post)
        lying(liar, lambda _: lie)
        named = Picture(sha256(lie).hexdigest(), "jpeg", len(lie))
        fields: dict[str, Value] = {"name": "tea", "price_minor": 100, "image": named.reference}
        await liar.driver.do(MANAGER, ChangeRecords(entity="product", changes=(Change(key="tea", fields=fields),)))
        connect(liar, asking.post)

        async def was_refused() -> bool:
            return asking.shelf.post.refused == 1

        await until(was_refused)
        assert not await asking.holds(named)
        await asking.stop()
        await liar.stop()

    run(scene)


def test_a_till_that_pours_out_pictures_that_nobody_asked_for_fills_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        hostile, post = await store_of(tmp_path, 2)
        quiet = Counter(post)
        asked = lying(hostile, lambda _: b"")
        connect(hostile, quiet.post)
        assert hostile.mesh is not None
        mesh, victim = hostile.mesh, quiet.post.driver.identity.terminal

        async def linked() -> bool:
            return victim in mesh.linked()

        await until(linked)
        for data in photos(80):
            mesh.tell(victim, Channel.PICTURES, write_message(Here(sha256(data).digest(), data)))
        mesh.tell(victim, Channel.PICTURES, write_message(Have([bytes(32)])))
        mesh.tell(victim, Channel.PICTURES, write_message(Ask(bytes(32))))
        await until(lambda: answered(asked))  # what came before the question was read before it
        assert await quiet.post.driver.read(lambda db, _: store.shelf(db)) == []
        mesh.tell(victim, Channel.PICTURES, bytes(1 << 20))

        async def hung_up() -> bool:
            return not mesh.linked()

        await until(hung_up)
        await quiet.stop()
        await hostile.stop()

    run(scene)


def test_a_full_shelf_keeps_its_own_and_lets_go_what_two_smaller_tills_hold(tmp_path: Path) -> None:
    async def scene() -> None:
        smallest, smaller, larger = await by_name(tmp_path, 3)
        pictures = [picture_of(cleaned(data)) for data in photos(4)]
        room = sum(one.size for one in pictures[:3])
        first, middle, second = Counter(smallest), Counter(smaller), Counter(larger, bytes_max=room)
        own = await second.add("own", photos(4)[0])
        for n, data in enumerate(photos(4)[1:]):
            await first.add(f"theirs-{n}", data)
        theirs = pictures[1:]
        connect(smallest, smaller)
        for one in theirs:
            await until(functools.partial(middle.holds, one))
        connect(smallest, larger)
        connect(smaller, larger)

        async def full() -> bool:
            return len(await larger.driver.read(lambda db, _: store.shelf(db))) == 3

        await until(full)
        (lacked,) = [one for one in theirs if not await second.holds(one)]
        assert await second.shows(lacked) is None
        await until(lambda: second.holds(lacked))
        assert await second.holds(own)
        assert sum([await second.holds(one) for one in theirs]) == 2
        assert all([await each.holds(one) for each in (first, middle) for one in theirs])
        await stopped([first, middle, second])

    run(scene)


def test_a_till_that_is_full_of_its_own_pictures_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        (post,) = await store_of(tmp_path, 1)
        one, another = photos(2)
        till = Counter(post, bytes_max=len(cleaned(one)) + 10)
        tea = await till.add("tea", one)
        with pytest.raises(Conflict, match="of pictures, and no more"):
            await till.shelf.add(another)
        await till.shelf.add(one)  # it is here already
        assert await till.holds(tea)
        await till.stop()

    run(scene)
