"""Tills that only know where others may be end up with one link to each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.contracts.memory_network import Ether, MemoryNetwork
from tests.services.lan.lan_store import LanStore, actor_named
from tillmesh.adapters.lan.dialler import DIALS_MAX, STRANGER_DIALS_MAX, Dialler
from tillmesh.adapters.lan.hints import Hint, StaticPeers
from tillmesh.adapters.lan.links import Links
from tillmesh.adapters.lan.transport import Link, LinkRefused
from tillmesh.kernel.ids import terminal_of

HOST = "127.0.0.1"


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 30))


class FixedHints:
    """A discovery that a test speaks through."""

    def __init__(self, *hints: Hint) -> None:
        self.now = hints
        self.proofs: list[tuple[Hint, str]] = []

    def hints(self) -> tuple[Hint, ...]:
        return self.now

    def proved(self, hint: Hint, terminal: str) -> None:
        self.proofs.append((hint, terminal))

    async def start(self) -> None: ...

    async def close(self) -> None: ...


@pytest.mark.slow
def test_four_tills_that_hear_of_each_other_end_up_with_every_link_once() -> None:
    async def scene() -> None:
        store, letters = LanStore(), "abcd"
        ends: dict[str, tuple[Links, int]] = {}
        for letter in letters:
            credentials = store.till(letter)
            links = Links(credentials, store.gate(), lambda _: None)
            ends[letter] = links, await links.listen(HOST, 0)
        hints = [Hint(terminal_of(actor_named(each)), HOST, port) for each, (_, port) in ends.items()]
        diallers = [
            Dialler(FixedHints(*hints), links, actor=actor_named(letter), on_link=lambda _: None)
            for letter, (links, _) in ends.items()
        ]
        for dialler in diallers:
            dialler.start()
        everyone = {actor_named(letter) for letter in letters}
        while any(  # noqa: ASYNC110 - nothing tells of it
            links.linked() != everyone - {actor_named(each)} for each, (links, _) in ends.items()
        ):
            await asyncio.sleep(0.01)
        for dialler in diallers:
            await dialler.close()
        for links, _ in ends.values():
            await links.close()

    run(scene)


def test_a_lie_about_an_address_does_not_keep_a_till_from_its_link() -> None:
    async def scene() -> None:
        ether, taken = Ether(), asyncio.Queue[Link]()
        one = MemoryNetwork(ether, actor_named("a"), lambda _: None)
        two = MemoryNetwork(ether, actor_named("b"), lambda _: None)
        port, name = await two.listen(HOST, 0), terminal_of(actor_named("b"))
        hints = FixedHints(Hint(name, "192.0.2.66", 666), Hint(name, HOST, port))
        dialler = Dialler(hints, one, actor=actor_named("a"), on_link=taken.put_nowait)
        dialler.start()
        assert (await taken.get()).peer == actor_named("b")
        assert hints.proofs == [(Hint(name, HOST, port), name)]
        await dialler.close()
        await one.close()

    run(scene)


def test_an_address_without_a_name_is_dialled_and_learns_its_name() -> None:
    async def scene() -> None:
        ether, taken = Ether(), asyncio.Queue[Link]()
        one = MemoryNetwork(ether, actor_named("b"), lambda _: None)
        two = MemoryNetwork(ether, actor_named("a"), lambda _: None)
        port = await two.listen(HOST, 0)
        peers = StaticPeers([f"{HOST}:{port}"])
        dialler = Dialler(peers, one, actor=actor_named("b"), on_link=taken.put_nowait)
        dialler.start()
        await taken.get()
        assert peers.hints() == (Hint(terminal_of(actor_named("a")), HOST, port),)
        await dialler.close()
        await one.close()

    run(scene)


class NobodyHome(MemoryNetwork):
    """A network where nobody answers, that counts who was called."""

    calls = 0

    async def dial(self, host: str, port: int, *, expect: str = "") -> Link:
        self.calls += 1
        raise LinkRefused("unreachable", "nobody home")


@pytest.mark.slow
class BlackHoles(MemoryNetwork):
    """At some addresses nobody ever answers, and nobody says so."""

    waiting = 0

    async def dial(self, host: str, port: int, *, expect: str = "") -> Link:
        if host != HOST:
            self.waiting += 1
            await asyncio.Event().wait()
        return await super().dial(host, port, expect=expect)


def test_strangers_at_addresses_where_nobody_answers_keep_no_till_of_the_list_waiting() -> None:
    async def scene() -> None:
        ether, taken = Ether(), asyncio.Queue[Link]()
        one = BlackHoles(ether, actor_named("a"), lambda _: None)
        two = MemoryNetwork(ether, actor_named("b"), lambda _: None)
        port, name = await two.listen(HOST, 0), terminal_of(actor_named("b"))
        lies = [Hint(f"zz{number:02}", f"192.0.2.{number}", 1) for number in range(2 * DIALS_MAX)]
        hints = FixedHints(*lies)
        known = {name}.__contains__
        dialler = Dialler(hints, one, actor=actor_named("a"), on_link=taken.put_nowait, known=known)
        dialler.start()
        while not one.waiting:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)
        assert one.waiting == STRANGER_DIALS_MAX
        hints.now = (*lies, Hint(name, HOST, port))
        dialler.wake()
        assert (await taken.get()).peer == actor_named("b")
        await dialler.close()
        await one.close()

    run(scene)


def test_a_till_that_does_not_answer_is_called_less_and_less() -> None:
    async def scene() -> None:
        network = NobodyHome(Ether(), actor_named("a"), lambda _: None)
        hints = FixedHints(Hint(terminal_of(actor_named("b")), HOST, 1))
        dialler = Dialler(hints, network, actor=actor_named("a"), on_link=lambda _: None)
        dialler.start()
        for _ in range(100):
            dialler.wake()
            await asyncio.sleep(0.01)
        assert 1 <= network.calls <= 3
        await dialler.close()

    run(scene)


@pytest.mark.slow
def test_a_link_that_broke_is_dialled_again() -> None:
    async def scene() -> None:
        ether, taken = Ether(), asyncio.Queue[Link]()
        one = MemoryNetwork(ether, actor_named("a"), lambda _: None)
        two = MemoryNetwork(ether, actor_named("b"), lambda _: None)
        port = await two.listen(HOST, 0)
        hints = FixedHints(Hint(terminal_of(actor_named("b")), HOST, port))
        dialler = Dialler(hints, one, actor=actor_named("a"), on_link=taken.put_nowait)
        dialler.start()
        await (await taken.get()).close()
        assert (await taken.get()).peer == actor_named("b")
        await dialler.close()
        await one.close()

    run(scene)
