"""The last apple sold on tills that do not hear each other: real databases, links in memory, the pages' news."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.services.mesh.memory_links import Post, connect
from tests.services.mesh.test_mesh import MANAGER, _agree, _knows, _stock_is, run, sell, store_of, until
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.shop.events import KINDS, Change, Payment
from tillmesh.shop.settings import STORE
from tillmesh.terminal.oversells import Oversold
from tillmesh.till import money_conflicts
from tillmesh.till.commands import ChangeRecords, CloseSale, OpenShift, ReceiveStock, ResolveOversell, WantedLine
from tillmesh.till.effects import Outcome
from tillmesh.till.oversell_views import conflicts
from tillmesh.till.oversells import Open, open_oversells

pytestmark = [pytest.mark.service, pytest.mark.slow]


class Watch:
    """What the pages of one till hear about oversells, and the till's own looking after them."""

    def __init__(self, post: Post) -> None:
        self.told: list[int] = []
        self.oversold = Oversold(post.driver, self.told.append)
        self.oversold.policy_after_s = 0
        self._post = post
        post.driver.listen(self._own)
        assert post.mesh is not None
        post.mesh.listen(self._heard)

    def _own(self, outcome: Outcome) -> None:
        if outcome.events:
            self.oversold.look_at_all()

    def _heard(self, events: Sequence[Envelope]) -> None:
        self.oversold.look_at_all()
        self.oversold.heard([decode(event.body, KINDS[event.type]) for event in events])


async def apart(folder: Path, count: int) -> tuple[list[Post], list[Watch]]:
    """One apple, tills that know of it and then hear nobody, each with its shift; then each sells the apple."""
    posts = await store_of(folder, count)
    watches = [Watch(post) for post in posts]
    links = [connect(posts[0], post)[0] for post in posts[1:]]
    change = Change(key="apple", fields={"name": "Apple", "price_minor": 50, "barcodes": ["96385074"]})
    await posts[0].driver.do(MANAGER, ChangeRecords(entity="product", changes=(change,)))
    await posts[0].driver.do(MANAGER, ReceiveStock(sku="apple", quantity_milli=1_000))
    await until(lambda: _know(posts))
    await until(lambda: _stock_is(posts, 1_000))
    for link in links:
        await link.close()
    for place, post in enumerate(posts):
        await post.driver.do(MANAGER, OpenShift(float_minor=0))
        await sell(post, f"cart-{place}")
    return posts, watches


async def _know(posts: list[Post]) -> bool:
    return all([await _knows(post, "apple") for post in posts])


async def heal(posts: list[Post]) -> None:
    for post in posts[1:]:
        connect(posts[0], post)
    await until(lambda: _agree(posts))


async def opened(post: Post) -> list[Open]:
    return await post.driver.look(open_oversells)


async def stop(posts: list[Post], watches: list[Watch]) -> None:
    for watch in watches:
        await watch.oversold.stop()
    for post in posts:
        await post.stop()


async def settled(posts: list[Post], watches: list[Watch], stock_milli: int) -> bool:
    return await _stock_is(posts, stock_milli) and await _agree(posts) and all(not w.oversold.busy for w in watches)


@pytest.mark.parametrize("tills", [2, 3])
def test_the_last_apple_sold_apart_is_one_alert_on_every_till_and_no_money_moves(tmp_path: Path, tills: int) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, tills)
        await heal(posts)
        await until(lambda: settled(posts, watches, (1 - tills) * 1_000))
        found = [await opened(post) for post in posts]
        assert all(one == found[0] for one in found)
        assert [one.missing_milli for one in found[0]] == [(tills - 1) * 1_000]
        assert [watch.told[-1] for watch in watches] == [1] * tills, "one alert, however many sold it"
        for post in posts:
            kinds = {kind for (kind,) in post.opened.writer.db.execute("SELECT DISTINCT type FROM event")}
            assert not kinds & {"sale_voided", "sale_refunded", "stock_adjusted", "oversell_resolved"}
            (taken,) = post.opened.writer.db.execute("SELECT sum(total_minor) FROM receipt WHERE kind = 0").fetchall()
            assert taken == (50 * tills,)
        await stop(posts, watches)

    run(scene)


def test_an_answer_on_one_till_is_the_answer_on_the_others(tmp_path: Path) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, 2)
        await heal(posts)
        (found,) = await opened(posts[1])
        answer = ResolveOversell(conflict_id=found.conflict_id, sku="apple", action="adjust", reason="In the window")
        await posts[1].driver.do(MANAGER, answer)
        await until(lambda: settled(posts, watches, 0))
        for post, watch in zip(posts, watches, strict=True):
            told = await post.driver.look(lambda books: conflicts(books, 0))
            assert told["conflicts"] == []
            assert [(one["action"], one["status"], one["reason"]) for one in told["resolved"]] == [
                ("adjust", "done", "In the window")
            ]
            assert watch.told[-1] == 0
        await stop(posts, watches)

    run(scene)


@pytest.mark.parametrize(
    ("actions", "stock_milli", "statuses"),
    [
        (("adjust", "adjust"), 0, ["done", "second"]),
        (("adjust", "back_order"), 0, ["done", "second"]),
        (("back_order", "adjust"), -1_000, ["second", "waiting"]),
        (("back_order", "back_order"), -1_000, ["second", "waiting"]),
        (("adjust", "void"), 0, ["done", "second"]),
        (("back_order", "void"), 0, ["done", "second"]),
    ],
)
def test_two_managers_answering_apart_double_nothing_and_both_tills_say_who_came_second(
    tmp_path: Path, actions: tuple[str, str], stock_milli: int, statuses: list[str]
) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, 2)
        first, _ = connect(*posts)
        await until(lambda: _agree(posts))
        await first.close()
        for post, action in zip(posts, actions, strict=True):
            (found,) = await opened(post)
            await post.driver.do(MANAGER, ResolveOversell(conflict_id=found.conflict_id, sku="apple", action=action))
        connect(*posts)
        await until(lambda: settled(posts, watches, stock_milli))
        for post in posts:
            told = await post.driver.look(lambda books: conflicts(books, 0))
            assert told["conflicts"] == []
            assert sorted(one["status"] for one in told["resolved"]) == statuses
            assert len(told["back_orders"]) == statuses.count("waiting")
        await stop(posts, watches)

    run(scene)


def test_a_sale_voided_on_both_tills_stays_a_question_for_people(tmp_path: Path) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, 2)
        first, _ = connect(*posts)
        await until(lambda: _agree(posts))
        await first.close()
        for post in posts:
            (found,) = await opened(post)
            await post.driver.do(MANAGER, ResolveOversell(conflict_id=found.conflict_id, sku="apple", action="void"))
        connect(*posts)
        await until(lambda: settled(posts, watches, 1_000))
        for post in posts:
            told = await post.driver.look(lambda books: conflicts(books, 0))
            assert sorted(one["status"] for one in told["resolved"]) == ["done", "second_void"]
            (twice,) = await post.driver.look(money_conflicts.open_conflicts)
            assert (twice.kind, twice.too_much_minor) == ("given_back_twice", 50)
        await stop(posts, watches)

    run(scene)


def test_a_delivery_to_another_till_fills_the_back_order_of_this_one(tmp_path: Path) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, 2)
        link, _ = connect(*posts)
        await until(lambda: _agree(posts))
        await link.close()
        (found,) = await opened(posts[0])
        answer = ResolveOversell(conflict_id=found.conflict_id, sku="apple", action="back_order")
        await posts[0].driver.do(MANAGER, answer)
        await posts[1].driver.do(MANAGER, ReceiveStock(sku="apple", quantity_milli=1_000))
        connect(*posts)
        await until(lambda: settled(posts, watches, 0))
        for post in posts:

            async def filled(post: Post = post) -> bool:
                told = await post.driver.look(lambda books: conflicts(books, 0))
                return [one["status"] for one in told["resolved"]] == ["filled"]

            await until(filled)
        await stop(posts, watches)

    run(scene)


@pytest.mark.parametrize(("policy", "stock_milli"), [("adjust", 0), ("back_order", -1_000)])
def test_a_written_policy_answers_on_the_leader_only_in_its_own_name(
    tmp_path: Path, policy: str, stock_milli: int
) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, 2)
        for watch in watches:
            watch.oversold.leads = lambda: False
        change = Change(key=STORE, fields={"oversell_policy": policy, "oversell_policy_name": "House rule 4"})
        await posts[0].driver.do(MANAGER, ChangeRecords(entity="setting", changes=(change,)))
        await heal(posts)
        await until(lambda: settled(posts, watches, -1_000))
        assert [len(await opened(post)) for post in posts] == [1, 1], "nobody leads: nobody answers"
        watches[1].oversold.leads = lambda: True
        watches[1].oversold.led()

        async def answered() -> bool:
            return all([not await opened(post) for post in posts])

        await until(answered)
        await until(lambda: settled(posts, watches, stock_milli))
        told = await posts[0].driver.look(lambda books: conflicts(books, 0))
        (done,) = told["resolved"]
        assert (done["action"], done["by"]["name"], done["by"]["policy"]) == (policy, "House rule 4", True)
        await stop(posts, watches)

    run(scene)


def test_a_policy_adjusts_no_more_than_it_says_and_never_voids(tmp_path: Path) -> None:
    async def scene() -> None:
        posts, watches = await apart(tmp_path, 1)
        change = Change(key=STORE, fields={"oversell_policy": "adjust", "oversell_adjust_max_milli": 1_000})
        await posts[0].driver.do(MANAGER, ChangeRecords(entity="setting", changes=(change,)))
        line = WantedLine(quantity_milli=2_000, sku="apple")
        paid = (Payment(method="cash", amount_minor=100),)
        await posts[0].driver.do(MANAGER, CloseSale(cart_id="two", lines=(line,), payments=paid))
        await until(lambda: settled(posts, watches, -2_000))
        await asyncio.sleep(0)
        assert [one.missing_milli for one in await opened(posts[0])] == [2_000]
        await stop(posts, watches)

    run(scene)
