"""Several tills of one store: what each shows of the others."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.services.mesh.memory_links import Post, connect
from tests.services.mesh.test_mesh import MANAGER, found, run, sell, store_of, until
from tillmesh.kernel.ids import terminal_of
from tillmesh.terminal.belonging import Among
from tillmesh.terminal.standing import Standings
from tillmesh.terminal.web.api import Services
from tillmesh.terminal.web.live import Live
from tillmesh.terminal.web.pins import Pins
from tillmesh.terminal.web.sessions import Sessions
from tillmesh.till.commands import OpenShift

pytestmark = pytest.mark.service


class Screen:
    """A till's page, as far as it shows the store."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.services = Services(
            post.driver, Sessions(), Pins(post.opened.pepper, post.opened.origin.store), Live()
        )  # fmt: skip
        among = Among(post.driver, post.mesh)
        self.services.extra |= {"sync": among.sync, "raft": among.raft, "uploading": among.uploading}
        self.standings = Standings(self.services, post.mesh)
        self.standings.start()

    @property
    def terminal(self) -> str:
        return terminal_of(self.post.actor)

    async def till(self, other: Screen) -> dict[str, Any]:
        shown = (await self.standings.store())["tills"]
        return next(till for till in shown if till["terminal_id"] == other.terminal)

    async def link(self, one: Screen, other: Screen) -> bool | None:
        pair = {one.terminal, other.terminal}
        shown = (await self.standings.store())["links"]
        return next((line["up"] for line in shown if {line["one"], line["other"]} == pair), None)

    async def close(self) -> None:
        await self.standings.stop()
        self.services.pins.close()
        await self.post.stop()


async def screens(folder: Path) -> list[Screen]:
    """Three tills, of which the first knows the other two, and they do not know each other."""
    posts = await store_of(folder, 3)
    shown = [Screen(post) for post in posts]
    connect(posts[0], posts[1])
    connect(posts[0], posts[2])
    await found(posts[0])
    return shown


def test_a_till_shows_which_of_the_others_hear_each_other(tmp_path: Path) -> None:
    async def scene() -> None:
        first, second, third = await screens(tmp_path)

        async def apart() -> bool:
            return await first.link(second, third) is False and await first.link(first, third) is True

        await until(apart)
        connect(second.post, third.post)

        async def together() -> bool:
            return await first.link(second, third) is True

        await until(together)
        for screen in (first, second, third):
            await screen.close()

    run(scene)


def test_a_till_that_hears_nobody_counts_the_sales_that_only_it_has(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        first, second = (Screen(post) for post in posts)
        link, _ = connect(*posts)
        await found(first.post)

        async def in_step() -> bool:
            seen = await first.till(second)
            return seen["lacks"] == 0 and seen["terminal_state"] is not None

        await until(in_step)
        await link.close()
        await second.post.driver.do(MANAGER, OpenShift(float_minor=0))
        for number in range(3):
            await sell(second.post, f"c{number}")

        async def alone() -> bool:
            seen, mine = await second.till(first), await second.till(second)
            return mine["waiting"] == 3 and not seen["reachable"] and seen["lacks"] == 4

        await until(alone)
        assert (await first.till(second))["terminal_state"] is None, "what it said last is old"
        connect(*posts)

        async def quiet() -> bool:
            waiting = [(await screen.till(second))["waiting"] for screen in (first, second)]
            return waiting == [0, 0]

        await until(quiet)
        for screen in (first, second):
            await screen.close()

    run(scene)


def test_an_open_page_is_told_when_a_till_goes_out_of_reach(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 2)
        first, second = (Screen(post) for post in posts)
        link, _ = connect(*posts)
        page = first.services.live.stream(None)
        await heard(page, reachable=True)
        await link.close()
        await heard(page, reachable=False)
        await page.aclose()
        for screen in (first, second):
            await screen.close()

    run(scene)


async def heard(page: AsyncGenerator[bytes, None], *, reachable: bool) -> None:
    """Wait for the news that the other till is in reach, or out of it."""
    async for frame in page:
        name, _, data = frame.decode().partition("\ndata: ")
        if name == "event: sync" and [peer["reachable"] for peer in json.loads(data)["peers"]] == [reachable]:
            return
