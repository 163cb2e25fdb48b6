"""The shop's network: what sessions may count on, from the real one on loopback and from the one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest

from tests.contracts.memory_network import Ether, MemoryNetwork
from tests.services.lan.lan_store import LanStore, actor_named
from tillmesh.adapters.lan.certificates import Gate
from tillmesh.adapters.lan.links import Links
from tillmesh.adapters.lan.transport import LINK_FRAMES_WAITING_MAX, Link, LinkGone, LinkRefused, Network
from tillmesh.kernel.errors import TooLarge
from tillmesh.kernel.limits import FRAME_BYTES_MAX

HOST = "127.0.0.1"


class Listening(Network, Protocol):
    """A network that also listens."""

    async def listen(self, host: str, port: int) -> int:
        """Accept links."""
        ...


class Till:
    """A till in the network, with the links that others dialled."""

    def __init__(self, letter: str) -> None:
        self.actor = actor_named(letter)
        self.taken: asyncio.Queue[Link] = asyncio.Queue()
        self.network: Listening
        self.gate: Gate | None = None
        self.port = 0


class Shop:
    """Tills on one network, real or in memory."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.ether = Ether()
        self.store = LanStore()
        self.tills: list[Till] = []

    async def till(self, letter: str) -> Till:
        till = Till(letter)
        if self.kind == "memory":
            till.network = MemoryNetwork(self.ether, till.actor, till.taken.put_nowait)
        else:
            credentials = self.store.till(letter)
            till.gate = self.store.gate()
            till.network = Links(credentials, till.gate, till.taken.put_nowait)
        till.port = await till.network.listen(HOST, 0)
        self.tills.append(till)
        return till

    def revoke(self, till: Till) -> None:
        self.ether.revoked.add(till.actor)
        signed = self.store.revoke(till.actor)
        for each in self.tills:
            if each.gate is not None:
                each.gate.membership.merge(signed)

    async def close(self) -> None:
        for till in self.tills:
            await till.network.close()


Play = Callable[[Callable[[Shop], Awaitable[None]]], None]


@pytest.fixture(params=["memory", "tls"])
def play(request: pytest.FixtureRequest) -> Play:
    def run(scene: Callable[[Shop], Awaitable[None]]) -> None:
        async def whole() -> None:
            shop = Shop(request.param)
            try:
                async with asyncio.timeout(20):
                    await scene(shop)
            finally:
                await shop.close()

        asyncio.run(whole())

    return run


async def linked(one: Till, other: Till) -> tuple[Link, Link]:
    """Let the first dial the second; gives both ends."""
    near = await one.network.dial(HOST, other.port, expect=other.actor)
    return near, await other.taken.get()


def test_two_tills_know_each_other_by_name(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one, other = await shop.till("a"), await shop.till("b")
        near, far = await linked(one, other)
        assert (near.peer, far.peer) == (other.actor, one.actor)
        assert set(one.network.linked()) == {other.actor}
        assert set(other.network.linked()) == {one.actor}

    play(scene)


def test_frames_arrive_whole_and_in_order_both_ways(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        near, far = await linked(await shop.till("a"), await shop.till("b"))
        frames = [bytes([n]) * size for n, size in enumerate((0, 1, 125, 126, 65_535, 65_536, FRAME_BYTES_MAX))]

        async def sends(link: Link) -> None:
            for frame in frames:
                await link.send(frame)

        async def receives(link: Link) -> None:
            assert [await link.receive() for _ in frames] == frames

        await asyncio.gather(sends(near), receives(far), sends(far), receives(near))

    play(scene)


def test_a_frame_over_the_limit_is_not_sent_and_the_link_goes_on(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        near, far = await linked(await shop.till("a"), await shop.till("b"))
        with pytest.raises(TooLarge):
            await near.send(bytes(FRAME_BYTES_MAX + 1))
        await near.send(b"small")
        assert await far.receive() == b"small"

    play(scene)


@pytest.mark.slow
def test_a_sender_waits_for_a_peer_that_takes_nothing(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        near, far = await linked(await shop.till("a"), await shop.till("b"))
        frame, sent = bytes(FRAME_BYTES_MAX), 0

        async def sends() -> None:
            nonlocal sent
            while True:
                await near.send(frame)
                sent += 1

        sending = asyncio.create_task(sends())
        before = -1
        while before != sent:  # until nothing moves any more
            before = sent
            await asyncio.wait([sending], timeout=0.3)
        assert sent <= LINK_FRAMES_WAITING_MAX + 5  # what both systems' buffers hold comes on top
        assert not sending.done()
        for _ in range(sent + 1):
            assert await far.receive() == frame
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    play(scene)


def test_a_closed_link_says_so_to_both_ends_at_once(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one, other = await shop.till("a"), await shop.till("b")
        near, far = await linked(one, other)
        waiting = asyncio.create_task(far.receive())
        await near.close()
        with pytest.raises(LinkGone):
            await waiting
        for link in (near, far):
            with pytest.raises(LinkGone):
                await link.receive()
            with pytest.raises(LinkGone):
                await link.send(b"late")
        await near.close()
        await far.close()
        await until(lambda: not one.network.linked() and not other.network.linked())

    play(scene)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to come true; the scene's time limit ends a wait in vain."""
    while not true():  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.001)


def test_nobody_there_is_said_in_words(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one, other = await shop.till("a"), await shop.till("b")
        await other.network.close()
        with pytest.raises(LinkRefused) as refused:
            await one.network.dial(HOST, other.port)
        assert refused.value.reason == "unreachable"

    play(scene)


def test_a_till_does_not_link_to_itself(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one = await shop.till("a")
        with pytest.raises(LinkRefused) as refused:
            await one.network.dial(HOST, one.port)
        assert refused.value.reason in {"self", "refused"}
        assert one.network.linked() == frozenset()

    play(scene)


def test_somebody_else_than_expected_gets_no_link(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one, other = await shop.till("a"), await shop.till("b")
        with pytest.raises(LinkRefused) as refused:
            await one.network.dial(HOST, other.port, expect=actor_named("c"))
        assert refused.value.reason == "unexpected"
        assert one.network.linked() == frozenset()

    play(scene)


def test_a_link_dialled_anew_takes_the_place_of_the_old_one(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one, other = await shop.till("b"), await shop.till("a")
        old = await linked(one, other)
        new = await linked(one, other)
        for link in old:
            with pytest.raises(LinkGone):
                await link.receive()
        await new[0].send(b"here")
        assert await new[1].receive() == b"here"
        assert set(one.network.linked()) == {other.actor}
        assert set(other.network.linked()) == {one.actor}

    play(scene)


@pytest.mark.parametrize("first", ["smaller", "greater"])
def test_of_two_links_both_tills_keep_the_one_that_the_smaller_dialled(play: Play, first: str) -> None:
    async def scene(shop: Shop) -> None:
        small, great = await shop.till("a"), await shop.till("b")
        if first == "greater":
            await linked(great, small)
        near, far = await linked(small, great)
        with pytest.raises(LinkRefused) as refused:
            await great.network.dial(HOST, small.port)
        assert refused.value.reason == "duplicate"
        await near.send(b"still here")
        assert await far.receive() == b"still here"

    play(scene)


def test_a_revoked_till_loses_its_open_link_and_gets_no_other(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        one, stolen = await shop.till("a"), await shop.till("b")
        near, far = await linked(one, stolen)
        assert one.network.reconsider() == frozenset()
        shop.revoke(stolen)
        assert one.network.reconsider() == {stolen.actor}
        assert one.network.linked() == frozenset()
        for link in (near, far):
            with pytest.raises(LinkGone):
                await link.receive()
        with pytest.raises(LinkRefused):
            await stolen.network.dial(HOST, one.port)
        with pytest.raises(LinkRefused):
            await one.network.dial(HOST, stolen.port)

    play(scene)
