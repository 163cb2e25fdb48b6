"""Tills of one store agree over links in memory, with their terms and logs on real databases."""

from __future__ import annotations

import asyncio
import functools
import threading
from pathlib import Path

import pytest

from tests.services.mesh.memory_links import Post, connect, open_post
from tests.services.mesh.test_mesh import MANAGER, run, store_of, until
from tillmesh.adapters.sqlite.listings import audited_since
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import terminal_of
from tillmesh.shop.events import Change
from tillmesh.shop.settings import STORE
from tillmesh.terminal.council_driver import HOUSEKEEPING_TICKS, CouncilDriver
from tillmesh.terminal.council_recovery import recover_store
from tillmesh.terminal.driver import READERS
from tillmesh.till.agreement import Belonging
from tillmesh.till.commands import ChangeRecords
from tillmesh.till.council_steps import NoQuorum

pytestmark = pytest.mark.service


def footer(text: str) -> tuple[Change, ...]:
    return (Change(key=STORE, fields={"receipt_footer": text}),)


async def seats(posts: list[Post]) -> list[CouncilDriver]:
    known = Belonging(frozenset(post.actor for post in posts))
    found = []
    for place, post in enumerate(posts):
        assert post.mesh is not None
        found.append(await CouncilDriver.over(post.driver, post.mesh, lambda: known, founder=place == 0))
        found[-1].start()
    return found


async def footer_of(post: Post) -> str:
    return await post.driver.look(lambda books: books.store().receipt_footer)


async def full(councils: list[CouncilDriver], voters: int) -> bool:
    return all(len(council.view()["voters"]) == voters and council.view()["leader_id"] for council in councils)


def test_settings_decided_on_a_follower_hold_on_every_till_when_it_is_answered(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        councils = await seats(posts)
        for one in range(3):
            for other in range(one):
                connect(posts[one], posts[other])
        await until(lambda: full(councils, 3))
        await councils[2].decide_settings(footer("Thank you"), MANAGER)
        assert await footer_of(posts[2]) == "Thank you"
        await until(lambda: _all_say(posts, "Thank you"))
        assert {council.view()["leader_id"] for council in councils} == {terminal_of(posts[0].actor)}
        await _stop(councils, posts)

    run(scene)


def test_a_store_whose_leader_is_gone_decides_without_it_and_tells_it_later(tmp_path: Path) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        councils = await seats(posts)
        connect(posts[1], posts[2])
        links = [connect(posts[0], posts[1])[0], connect(posts[0], posts[2])[0]]
        await until(lambda: full(councils, 3))
        for link in links:
            await link.close()
        await councils[2].decide_settings(footer("new"), MANAGER)
        assert await footer_of(posts[0]) == ""
        with pytest.raises(NoQuorum):
            await councils[0].decide_settings(footer("alone"), MANAGER)
        connect(posts[0], posts[1])
        await until(lambda: _is(posts[0], "new"))
        await _stop(councils, posts)

    run(scene)


def test_a_till_alone_in_its_store_decides_at_once_and_again_after_a_restart(tmp_path: Path) -> None:
    async def scene() -> None:
        for word in ("first", "second"):
            posts = await store_of(tmp_path, 1)
            councils = await seats(posts)
            await councils[0].decide_settings(footer(word), MANAGER)
            assert await footer_of(posts[0]) == word
            assert councils[0].view()["has_quorum"]
            await _stop(councils, posts)

    run(scene)


@pytest.mark.parametrize("authority", [1_000_000, 2**63 - 1])
def test_settings_under_an_authority_that_a_till_made_up_do_not_hold_for_ever(tmp_path: Path, authority: int) -> None:
    async def scene() -> None:
        posts = await store_of(tmp_path, 3)
        councils = await seats(posts)
        for one in range(3):
            for other in range(one):
                connect(posts[one], posts[other])
        await until(lambda: full(councils, 3))
        await councils[1].decide_settings(footer("decided"), MANAGER)
        await until(lambda: _all_say(posts, "decided"))
        forged = ChangeRecords(entity="setting", changes=footer("made up"), authority=authority)
        await posts[2].driver.do(MANAGER, forged)
        await until(lambda: _all_say(posts, "made up"))
        for text in ("decided again", "and again"):
            await councils[1].decide_settings(footer(text), MANAGER)
            await until(functools.partial(_all_say, posts, text))
        (leader,) = [post for post, council in zip(posts, councils, strict=True) if council.council.leads]
        alarms = await leader.driver.look(lambda books: audited_since(books, "authority_made_up", 0))
        assert len(alarms) == 1
        await _stop(councils, posts)

    run(scene)


@pytest.mark.slow
def test_heartbeats_go_on_while_every_reader_waits_for_the_disk(tmp_path: Path) -> None:
    async def scene() -> None:
        (post,) = posts = await store_of(tmp_path, 1)
        (council,) = councils = await seats(posts)
        disk_answers = threading.Event()
        stuck = [asyncio.ensure_future(post.driver.read(lambda *_: disk_answers.wait())) for _ in range(READERS)]
        begun = council.council.ticks

        async def ticked() -> bool:
            return council.council.ticks > begun + HOUSEKEEPING_TICKS + 1

        await until(ticked)
        assert not any(each.done() for each in stuck)
        disk_answers.set()
        await asyncio.gather(*stuck)
        await _stop(councils, posts)

    run(scene)


async def _is(post: Post, text: str) -> bool:
    return await footer_of(post) == text


async def _all_say(posts: list[Post], text: str) -> bool:
    return all([await _is(post, text) for post in posts])


async def _stop(councils: list[CouncilDriver], posts: list[Post]) -> None:
    await asyncio.gather(*(council.stop() for council in councils))
    for post in posts:
        await post.stop()


def test_after_most_tills_are_lost_an_operator_lets_the_last_one_decide_and_others_come_back_to_it(
    tmp_path: Path,
) -> None:
    known = Belonging()

    async def formed() -> None:
        nonlocal known
        posts = await store_of(tmp_path, 3)
        known = Belonging(frozenset(post.actor for post in posts))
        councils = await seats(posts)
        for one in range(3):
            for other in range(one):
                connect(posts[one], posts[other])
        await until(lambda: full(councils, 3))
        await councils[0].decide_settings(footer("before"), MANAGER)
        await until(lambda: _all_say(posts, "before"))
        await _stop(councils, posts)

    async def alone_and_then_two() -> None:
        posts = [open_post(tmp_path / "till-1"), open_post(tmp_path / "till-2")]
        councils = []
        for post in posts:
            mesh = await post.start()
            councils.append(await CouncilDriver.over(post.driver, mesh, lambda: known, founder=False))
            councils[-1].start()
        await councils[1].decide_settings(footer("after"), MANAGER)
        connect(*posts)
        await until(lambda: _all_say(posts, "after"))
        await until(lambda: _led(councils[0], terminal_of(posts[1].actor)))
        await _stop(councils, posts)

    run(formed)
    with pytest.raises(Conflict, match="belongs to no store"):
        recover_store(tmp_path / "till-2")
    (tmp_path / "till-2" / "store").mkdir()
    told = recover_store(tmp_path / "till-2")
    assert len(told["members_before"]) == 2
    run(alone_and_then_two)


async def _led(council: CouncilDriver, leader: str) -> bool:
    return bool(council.view()["leader_id"] == leader)
