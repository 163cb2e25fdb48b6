"""Several tills of one store on real databases, with links in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec
import pytest

from tests.services.mesh.memory_links import Post, connect, open_post
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.replica import SEQ_MAX
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import StorageFailed
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import MERGE_PART_EVENTS_MAX
from tillmesh.shop.events import Change, Payment, Value
from tillmesh.sync.channels import Channel
from tillmesh.sync.messages import Span
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.outgoing import Outgoing
from tillmesh.till.commands import ChangeRecords, CloseSale, Note, OpenShift, ReceiveStock, WantedLine, Who

MANAGER = Who(user_id="ruth", role="manager")
Answer = TypeVar("Answer")
pytestmark = pytest.mark.service


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to come true; the scene's time limit ends a wait in vain."""
    while not await holds():  # noqa: ASYNC110 - what is waited for is the answer of a query
        await asyncio.sleep(0.005)


async def hashes(posts: list[Post]) -> set[str]:
    return {str((await post.driver.read(state_hash))["hash"]) for post in posts}


async def found(post: Post) -> None:
    """Make a shop: one product, ten of it, an open shift."""
    fields: dict[str, Value] = {
        "name": "Apple",
        "price_minor": 50,
        "unit": "piece",
        "tax_code": "standard",
        "barcodes": ["96385074"],
    }
    await post.driver.do(MANAGER, ChangeRecords(entity="product", changes=(Change(key="apple", fields=fields),)))
    await post.driver.do(MANAGER, ReceiveStock(sku="apple", quantity_milli=10_000))


async def sell(post: Post, cart_id: str, pieces: int = 1) -> None:
    line = WantedLine(quantity_milli=1000 * pieces, sku="apple")
    paid = Payment(method="cash", amount_minor=50 * pieces)
    await post.driver.do(MANAGER, CloseSale(cart_id=cart_id, lines=(line,), payments=(paid,)))


async def store_of(folder: Path, count: int) -> list[Post]:
    first = open_post(folder / "till-0")
    posts = [first, *(open_post(folder / f"till-{n}", first.opened.origin.store) for n in range(1, count))]
    for post in posts:
        await post.start()
    return posts


def test_a_product_and_a_sale_of_one_till_are_on_all_the_others(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        connect(posts[0], posts[1])
        connect(posts[1], posts[2])
        await found(posts[0])
        await until(lambda: _knows(posts[2], "apple"))
        await posts[2].driver.do(MANAGER, OpenShift(float_minor=0))
        await sell(posts[2], "c1", 4)
        await until(lambda: _stock_is(posts, 6_000))
        assert len(await hashes(posts)) == 1
        for post in posts:
            await post.stop()

    run(scene)


def test_two_parts_of_a_store_sell_the_same_apple_and_agree_afterwards(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        link, _ = connect(*posts)
        await found(posts[0])
        await until(lambda: _knows(posts[1], "apple"))
        await link.close()
        for place, post in enumerate(posts):
            await post.driver.do(MANAGER, OpenShift(float_minor=0))
            await sell(post, f"cart-{place}", 6)
        assert len(await hashes(posts)) == 2
        connect(*posts)
        await until(lambda: _stock_is(posts, -2_000))
        await until(lambda: _agree(posts))
        for post in posts:
            await post.stop()

    run(scene)


def test_a_sale_is_called_replicated_only_when_it_is_on_another_disk(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        await found(posts[0])
        mesh = posts[0].mesh
        assert mesh is not None
        head = posts[0].opened.till.head
        assert mesh.exchange.replicated_to(head.actor, head.seq) == ()
        connect(*posts)

        async def told() -> bool:
            return bool(mesh.exchange.replicated_to(head.actor, head.seq))

        await until(told)
        held = await posts[1].driver.look(lambda books: dict(books.vector()).get(head.actor))
        assert held == head.seq
        for post in posts:
            await post.stop()

    run(scene)


def test_a_till_that_starts_again_alone_knows_what_the_others_hold(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        connect(*posts)
        await found(posts[0])
        head = posts[0].opened.till.head
        exchange = posts[0].mesh.exchange if posts[0].mesh is not None else None
        assert exchange is not None

        async def told() -> bool:
            return exchange.held_elsewhere() == head.seq

        await until(told)
        for post in posts:
            await post.stop()
        again = open_post(tmp_path / "till-0")
        mesh = await again.start()
        assert mesh.exchange.held_elsewhere() == head.seq
        assert mesh.exchange.replicated_to(head.actor, head.seq) == (terminal_of(posts[1].actor),)
        await again.stop()

    run(scene)


async def _knows(post: Post, sku: str) -> bool:
    return await post.driver.look(lambda books: books.product(sku)) is not None


async def _stock_is(posts: list[Post], milli: int) -> bool:
    return all([await post.driver.look(lambda books: books.stock_milli("apple")) == milli for post in posts])


async def _agree(posts: list[Post]) -> bool:
    return len(await hashes(posts)) == 1


def test_a_sale_does_not_wait_until_all_that_another_till_sold_is_stored(tmp_path: Path) -> None:
    async def scene() -> None:
        busy, selling = posts = await store_of(tmp_path, 2)
        connect(*posts)
        await found(busy)
        await until(lambda: _agree(posts))
        await selling.driver.do(MANAGER, OpenShift(float_minor=0))
        held = busy.opened.till.head.seq
        for _ in range(3 * MERGE_PART_EVENTS_MAX):
            busy.driver.do_now(MANAGER, Note(action="test", subject="", detail=""))
        span = Span(busy.actor, held, SEQ_MAX)
        batch = chained(await busy.driver.look(lambda books: replica.load(books, [span])))
        merging = asyncio.ensure_future(selling.driver.merge(batch))
        await asyncio.sleep(0)  # it waits for the writer's thread now; the cashier comes after it
        await sell(selling, "c1")
        assert not merging.done()
        assert (await merging)[busy.actor].seq == batch[-1].seq
        await until(lambda: _agree(posts))
        for post in posts:
            await post.stop()

    run(scene)


def chained(events: list[Envelope]) -> list[Envelope]:
    """Fill in the previous hashes of what follows the first event of a stretch."""
    return [msgspec.structs.replace(event, prev_hash=before.hash) for before, event in itertools.pairwise(events)]


class Unreadable(Driver):
    """A till whose disk does not read for a while."""

    refusing = False

    async def read(self, query: Callable[[apsw.Connection, Books], Answer]) -> Answer:
        if self.refusing:
            raise StorageFailed("the disk does not answer")
        return await super().read(query)


def test_a_disk_that_did_not_read_once_holds_nothing_back_for_good(tmp_path: Path) -> None:
    async def scene() -> None:
        first = open_post(tmp_path / "till-0")
        weak = first.driver = Unreadable(first.opened)
        posts = [first, open_post(tmp_path / "till-1", first.opened.origin.store)]
        for post in posts:
            await post.start()
        connect(*posts)
        await found(posts[0])
        await until(lambda: _agree(posts))
        weak.refusing = True
        await posts[0].driver.do(MANAGER, OpenShift(float_minor=0))
        await asyncio.sleep(0)  # the failing read
        weak.refusing = False
        await sell(posts[0], "c1")
        await until(lambda: _agree(posts))
        for post in posts:
            await post.stop()

    run(scene)


def test_a_heartbeat_leaves_before_the_sales_that_were_queued_earlier() -> None:
    async def scene() -> None:
        outgoing = Outgoing()
        assert outgoing.put(Channel.SYNC, b"sales")
        assert outgoing.put(Channel.STORE, b"list")
        assert outgoing.put(Channel.RAFT, b"heartbeat")
        assert [(await outgoing.get())[1:] for _ in range(3)] == [b"heartbeat", b"list", b"sales"]
        while outgoing.put(Channel.SYNC, b"more"):
            pass
        assert outgoing.put(Channel.RAFT, b"heartbeat"), "a full queue of sales holds no heartbeat up"

    run(scene)


def test_tills_talk_of_other_things_over_the_link_that_carries_sales(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        one, other = posts[0].mesh, posts[1].mesh
        assert one is not None
        assert other is not None
        heard: list[tuple[str, bytes]] = []
        seen: list[str] = []
        other.on(Channel.STORE, lambda actor, body: heard.append((actor, body)))
        other.watch(seen.append)
        assert not one.tell(terminal_of(posts[1].actor), Channel.STORE, b"nobody is linked")
        link, _ = connect(*posts)
        await until(lambda: _is(lambda: len(one.linked()) == 1))
        assert one.tell(terminal_of(posts[1].actor), Channel.STORE, b"hello")
        await until(lambda: _is(lambda: heard == [(posts[0].actor, b"hello")]))
        await link.close()
        await until(lambda: _is(lambda: seen == [posts[0].actor] * 2))
        assert other.linked() == {}
        for post in posts:
            await post.stop()

    run(scene)


async def _is(holds: Callable[[], bool]) -> bool:
    return holds()
