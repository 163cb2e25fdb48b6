"""A pairing over a real connection, and what happens to those who only want to disturb."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.services.lan.lan_store import NOON_S, STORE, LanStore, actor_named
from tillmesh.adapters.lan.enrolment import Enrolled, ask_for, enrol, settle
from tillmesh.adapters.lan.links import Links
from tillmesh.adapters.lan.pairing import Asked, Host, Joiner, Reply
from tillmesh.adapters.lan.pairing_messages import Grant, PairingFailed
from tillmesh.adapters.lan.pairing_wire import VISITORS_MAX, PairingPost, join, monotonic_ms
from tillmesh.adapters.lan.transport import Link

ADDRESS, CODE = "127.0.0.1", "204816"


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 20))


class FirstTill:
    """An enrolled till that shows a code and takes in who knows it."""

    def __init__(self) -> None:
        self.store = LanStore()
        self.credentials = self.store.till("a")
        self.host = Host(store=STORE, actor=self.credentials.actor, code=CODE, now_ms=monotonic_ms())
        self.post = PairingPost(self.host, self.decide, patience_s=2)

    async def decide(self, asked: Asked) -> Grant:
        certificate, self.store.roster = enrol(
            self.store.authority, self.store.membership(), asked, wall_s=NOON_S, running_s=0
        )
        return Grant(self.credentials.authority, certificate, self.store.roster, b"\5" * 32)


@asynccontextmanager
async def showing(first: FirstTill) -> AsyncIterator[int]:
    port = await first.post.listen(ADDRESS, 0)
    try:
        yield port
    finally:
        await first.post.close()


async def come(port: int, code: str = CODE, letter: str = "b", addresses: Sequence[str] = (ADDRESS,)) -> Enrolled:
    """Be a new terminal."""
    key, sign_key, actor = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate(), actor_named(letter)
    joiner = Joiner(actor=actor, code=code, now_ms=monotonic_ms())
    grant = await join(
        addresses[0],
        port,
        joiner,
        lambda store, transcript: ask_for(key, sign_key, store=store, actor=actor, transcript=transcript),
        others=addresses[1:],
        patience_s=2,
    )
    return settle(grant, key, sign_key, store=joiner.host[0], actor=actor)


def test_a_till_that_is_in_several_networks_is_paired_with_over_the_one_that_both_are_in() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            with pytest.raises(PairingFailed, match=r"nobody pairs at 127\.0\.0\.2.*; nobody pairs at 127\.0\.0\.3"):
                await come(port, addresses=("127.0.0.2", "127.0.0.3"))
            await come(port, addresses=("127.0.0.2", ADDRESS))
        assert first.host.state == "done"

    run(scene)


def test_a_terminal_that_paired_links_to_the_till_that_took_it_in() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            enrolled = await come(port)
        assert first.host.state == "done"
        taken = asyncio.Queue[Link]()
        old = Links(first.credentials, first.store.gate(), taken.put_nowait)
        new = Links(enrolled.credentials, first.store.gate(), taken.put_nowait)
        link = await new.dial(ADDRESS, await old.listen(ADDRESS, 0), expect=first.credentials.actor)
        await link.send(b"good morning")
        assert await (await taken.get()).receive() == b"good morning"
        await new.close()
        await old.close()

    run(scene)


def test_a_wrong_code_is_said_to_both_sides_and_the_next_try_may_be_right() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            with pytest.raises(PairingFailed, match="not the code") as failed:
                await come(port, "204817")
            assert failed.value.tries_left == first.host.tries_left == 2
            assert (await come(port)).pepper == b"\5" * 32

    run(scene)


def test_a_name_that_the_store_has_is_refused_without_reasons() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            with pytest.raises(PairingFailed, match="refused"):
                await come(port, letter="a")
        assert first.host.state == "spent"

    run(scene)


def test_nobody_who_pairs_is_said_in_words() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            pass
        with pytest.raises(PairingFailed, match="nobody pairs"):
            await come(port)

    run(scene)


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", b"\0\0\0\3abc", b"\0\0\0\0", b"\0\0"])
def test_noise_ends_its_own_connection_only(noise: bytes) -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            reader, writer = await asyncio.open_connection(ADDRESS, port)
            writer.write(noise)
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
            assert (await come(port)).credentials.actor == actor_named("b")

    run(scene)


def test_a_crowd_does_not_keep_the_post_from_working_when_it_has_left() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            crowd = [await asyncio.open_connection(ADDRESS, port) for _ in range(12)]
            for _, writer in crowd:
                writer.close()
            for reader, _ in crowd:
                await reader.read()
            while first.post._visitors:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.001)
            await come(port)

    run(scene)


async def _sit(port: int, count: int, address: str) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    return [await asyncio.open_connection(ADDRESS, port, local_addr=(address, 0)) for _ in range(count)]


async def _leave(crowd: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
    for _, writer in crowd:
        writer.close()
    await asyncio.gather(*(reader.read() for reader, _ in crowd), return_exceptions=True)


@pytest.mark.parametrize("address", ["127.0.0.2", ADDRESS])
@pytest.mark.parametrize("count", [4, VISITORS_MAX])
def test_visitors_who_sit_there_and_say_nothing_keep_nobody_out(address: str, count: int) -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            first.post._patience_s = 600  # nobody is hung up on for being late: they give way
            idle = await _sit(port, count, address)
            assert (await come(port)).credentials.actor == actor_named("b")
            assert len(first.post._visitors) <= VISITORS_MAX
            await _leave(idle)

    run(scene)


def test_who_is_being_paired_is_not_pushed_out_by_a_crowd_that_comes_after() -> None:
    async def scene() -> None:
        first = FirstTill()
        async with showing(first) as port:
            first.post._patience_s = 600
            joiner = Joiner(actor=actor_named("b"), code=CODE, now_ms=monotonic_ms())
            reader, writer = await asyncio.open_connection(ADDRESS, port)
            writer.write(_framed(joiner.start()))
            offer = joiner.receive(await _message(reader), monotonic_ms())
            crowd = [each for last in range(2, 6) for each in await _sit(port, 8, f"127.0.0.{last}")]
            assert isinstance(offer, Reply)
            writer.write(_framed(offer.data))
            assert joiner.receive(await _message(reader), monotonic_ms()) is None
            assert joiner.state == "proved"
            await _leave([*crowd, (reader, writer)])

    run(scene)


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


async def _message(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
