"""Finding each other on the network, real mDNS on loopback, in spite of those who lie there."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceInfo, Zeroconf
from zeroconf._listener import AsyncListener
from zeroconf.asyncio import AsyncZeroconf

from tillmesh.adapters.lan.discovery import SERVICE, Mdns, lan_addresses
from tillmesh.adapters.lan.hints import (
    ADDRESSES_PER_TILL_MAX,
    FADES_S,
    STRANGERS_MAX,
    Discovery,
    Hint,
    HintTable,
    Several,
    StaticPeers,
    read_peer,
    store_mark,
)
from tillmesh.kernel.errors import Invalid

HOST = "127.0.0.1"
# There is one loopback: names of this process only, so that two runs of these tests do not hear each other.
STORE = f"shop{os.getpid()}"
ONE, TWO, THREE = (f"t{letter}{os.getpid()}" for letter in "abc")
pytestmark = pytest.mark.xdist_group("mdns")


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 30))


class Ear:
    """A till that listens, and wakes whoever waits for news."""

    def __init__(self, terminal: str, port: int, *, store: str = STORE, known: Callable[[str], bool] | None = None):
        self.news = asyncio.Event()
        self.mdns = Mdns(
            store=store,
            terminal=terminal,
            port=port,
            known=known or (lambda _: True),
            on_hint=self.news.set,
            addresses=lambda: [HOST],
            interfaces=[HOST],
        )

    async def heard(self, *hints: Hint) -> None:
        while not set(hints) <= set(self.mdns.hints()):
            await self.news.wait()
            self.news.clear()


@asynccontextmanager
async def ears(*tills: Ear) -> AsyncIterator[None]:
    for till in tills:
        await till.mdns.start()
    try:
        yield
    finally:
        await asyncio.gather(*(till.mdns.close() for till in tills))


@asynccontextmanager
async def rogue() -> AsyncIterator[AsyncZeroconf]:
    engine = AsyncZeroconf(interfaces=[HOST], ip_version=IPVersion.V4Only)
    await engine.zeroconf.async_wait_for_start()
    try:
        yield engine
    finally:
        await engine.async_close()


def lie(terminal: str, port: int, host: str = "192.0.2.66", server: str = "") -> ServiceInfo:
    return ServiceInfo(
        SERVICE,
        f"{terminal}.{SERVICE}",
        port=port,
        properties={"s": store_mark(STORE), "p": "1"},
        server=server or f"pos-{terminal}.local.",
        parsed_addresses=[host],
    )


@pytest.mark.slow
def test_three_tills_on_one_host_find_each_other_whoever_starts_first() -> None:
    async def scene() -> None:
        one, two, three = Ear(ONE, 7001), Ear(TWO, 7002), Ear(THREE, 7003)
        async with ears(one, two):
            await one.heard(Hint(TWO, HOST, 7002))
            async with ears(three):
                await three.heard(Hint(ONE, HOST, 7001), Hint(TWO, HOST, 7002))
                await one.heard(Hint(THREE, HOST, 7003))
        assert ONE not in {hint.terminal for hint in one.mdns.hints()}

    run(scene)


@pytest.mark.slow
def test_tills_of_another_store_are_not_heard() -> None:
    async def scene() -> None:
        one, two, other = Ear(ONE, 7011), Ear(TWO, 7012), Ear(THREE, 7013, store="0therst0re00")
        async with ears(other, one, two):
            await one.heard(Hint(TWO, HOST, 7012))
            assert THREE not in {hint.terminal for hint in one.mdns.hints()}

    run(scene)


@pytest.mark.slow
def test_a_till_that_says_goodbye_or_is_said_to_is_not_forgotten() -> None:
    async def scene() -> None:
        one, two = Ear(ONE, 7021), Ear(TWO, 7022)
        async with ears(one):
            async with ears(two):
                await one.heard(Hint(TWO, HOST, 7022))
                async with rogue() as engine:
                    forged = lie(TWO, 7022, HOST)
                    await (await engine.async_register_service(forged, cooperating_responders=True))
                    await (await engine.async_unregister_service(forged))
                assert Hint(TWO, HOST, 7022) in one.mdns.hints()
            assert Hint(TWO, HOST, 7022) in one.mdns.hints()

    run(scene)


@pytest.mark.slow
def test_a_stranger_who_takes_a_tills_name_adds_a_hint_and_hides_nobody() -> None:
    async def scene() -> None:
        one, two = Ear(ONE, 7031), Ear(TWO, 7032)
        async with rogue() as engine:
            await (await engine.async_register_service(lie(TWO, 666), cooperating_responders=True))
            async with ears(one, two):
                await one.heard(Hint(TWO, HOST, 7032))
                one.mdns.proved(Hint(TWO, HOST, 7032), TWO)
                for port in range(667, 667 + 2 * ADDRESSES_PER_TILL_MAX):
                    await (await engine.async_update_service(lie(TWO, port)))
                hints = [hint for hint in one.mdns.hints() if hint.terminal == TWO]
                assert hints[0] == Hint(TWO, HOST, 7032)
                assert len(hints) <= ADDRESSES_PER_TILL_MAX + 1

    run(scene)


@pytest.mark.slow
def test_ten_thousand_lies_cost_little_memory_and_hide_nobody() -> None:
    async def scene() -> None:
        one, two = Ear(ONE, 7041, known={TWO}.__contains__), Ear(TWO, 7042, known={ONE}.__contains__)
        async with ears(one, two):
            await one.heard(Hint(TWO, HOST, 7042))
            tracemalloc.start()
            for number in range(10_000):
                one.mdns._table.hear(Hint(f"tz{number:06}", "192.0.2.66", 1 + number), 0.0)
            assert tracemalloc.get_traced_memory()[0] < 1 << 20
            tracemalloc.stop()
            async with rogue() as engine:
                for start in range(0, 10_000, 20):
                    for number in range(start, start + 20):
                        info = lie(f"ty{number:06}", 1 + number, server="pos-rogue.local.")
                        engine.zeroconf.async_send(engine.zeroconf.generate_service_broadcast(info, None))
                    await asyncio.sleep(0)
                await one.heard(Hint(TWO, HOST, 7042))
                held = one.mdns._held
                assert held is not None
                assert len(held[0].zeroconf.cache.names()) <= 10_000
            strangers = {hint.terminal for hint in one.mdns.hints()} - {TWO}
            assert 0 < len(strangers) <= STRANGERS_MAX
            assert Hint(TWO, HOST, 7042) in one.mdns.hints()

    run(scene)


@pytest.mark.slow
def test_a_till_that_announces_itself_is_heard_after_thousands_of_lies_in_its_name() -> None:
    async def scene() -> None:
        one = Ear(ONE, 7051, known={TWO}.__contains__)
        async with ears(one):
            while one.mdns._held is None:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.001)
            engine = one.mdns._held[0].zeroconf
            await engine.async_wait_for_start()
            [listener, *_] = engine.engine.protocols
            for number in range(2_000):
                _say(engine, listener, lie(TWO, 1 + number, f"10.9.{number >> 8}.{number & 255}"))
            assert len([hint for hint in one.mdns.hints() if hint.terminal == TWO]) <= ADDRESSES_PER_TILL_MAX
            _say(engine, listener, lie(TWO, 7052, "10.0.0.2"))
            assert Hint(TWO, "10.0.0.2", 7052) in one.mdns.hints()
            # The same once more, among further lies: what was said before does not make it old.
            for number in range(10):
                _say(engine, listener, lie(TWO, 9_000 + number, "10.9.9.9"))
            _say(engine, listener, lie(TWO, 7052, "10.0.0.2"), at_once=False)
            assert one.mdns.hints()[0] == Hint(TWO, "10.0.0.2", 7052)

    run(scene)


def _say(engine: Zeroconf, listener: AsyncListener, info: ServiceInfo, *, at_once: bool = True) -> None:
    """Hand a packet to the library as the network would; the same bytes twice within a second are one to it."""
    said = engine.generate_service_broadcast(info, None if at_once else 60)
    for packet in said.packets():
        listener.datagram_received(packet, ("192.0.2.66", 5353))


# The table ----------------------------------------------------------------------------------------------------------


def test_strangers_take_no_place_of_a_till_on_the_list() -> None:
    table = HintTable({ONE, TWO}.__contains__)
    assert table.hear(Hint(ONE, "10.0.0.1", 1), 0.0)
    for number in range(1_000):
        table.hear(Hint(f"tz{number:04}", "10.0.0.9", 1), 1.0)
    assert table.hear(Hint(TWO, "10.0.0.2", 1), 2.0)
    terminals = {hint.terminal for hint in table.hints(3.0)}
    assert {ONE, TWO} <= terminals
    assert len(terminals) == 2 + STRANGERS_MAX


def test_the_latest_addresses_of_a_till_are_kept_and_the_proved_one_comes_first() -> None:
    table = HintTable({ONE}.__contains__)
    for number in range(10):
        table.hear(Hint(ONE, f"10.0.0.{number}", 1), float(number))
    assert [hint.host for hint in table.hints(10.0)] == ["10.0.0.9", "10.0.0.8", "10.0.0.7", "10.0.0.6"]
    table.proved(Hint(ONE, "10.0.0.7", 1), ONE)
    for number in range(20, 30):
        table.hear(Hint(ONE, f"10.0.0.{number}", 1), float(number))
    assert table.hints(30.0)[0].host == "10.0.0.7"


def test_what_is_not_heard_again_fades_and_what_was_proved_stays() -> None:
    table = HintTable({ONE, TWO}.__contains__)
    table.hear(Hint(ONE, "10.0.0.1", 1), 0.0)
    table.hear(Hint(TWO, "10.0.0.2", 1), 0.0)
    table.proved(Hint(TWO, "10.0.0.2", 1), TWO)
    assert not table.hear(Hint(ONE, "10.0.0.1", 1), 1.0)
    assert len(table.hints(FADES_S)) == 2
    assert table.hints(FADES_S + 2) == (Hint(TWO, "10.0.0.2", 1),)


@pytest.mark.parametrize("terminal", ["", "a", "UPPER", "x" * 17, "../..", "a.b.c"])
def test_names_that_no_till_has_are_not_heard(terminal: str) -> None:
    table = HintTable(lambda _: True)
    assert not table.hear(Hint(terminal, HOST, 1), 0.0)
    assert not table.hear(Hint(ONE, HOST, 0), 0.0)
    assert table.hints(0.0) == ()


def test_addresses_that_a_person_gave_are_always_there() -> None:
    async def scene() -> None:
        peers: Discovery = StaticPeers(["till-2.local:7443", "[fe80::1]:7444"])
        await peers.start()
        assert peers.hints() == (Hint("", "till-2.local", 7443), Hint("", "fe80::1", 7444))
        peers.proved(Hint("", "till-2.local", 7443), TWO)
        assert peers.hints()[0] == Hint(TWO, "till-2.local", 7443)
        await peers.close()

    run(scene)


def test_given_and_heard_addresses_are_one_list() -> None:
    async def scene() -> None:
        given, more = StaticPeers(["10.0.0.1:1", "10.0.0.2:2"]), StaticPeers(["10.0.0.1:1", "10.0.0.3:3"])
        both: Discovery = Several(given, more)
        await both.start()
        assert [hint.host for hint in both.hints()] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
        both.proved(Hint("", "10.0.0.3", 3), THREE)
        assert more.hints()[1].terminal == THREE
        await both.close()

    run(scene)


@pytest.mark.parametrize("text", ["", "host", "host:", ":7443", "host:0", "host:65536", "host:x"])
def test_an_address_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(Invalid, match="not an address"):
        read_peer(text)


def test_a_host_has_an_address() -> None:
    assert lan_addresses()
