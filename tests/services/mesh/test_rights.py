"""Tickets on tills with real databases: rights spread by themselves, are asked for, and no split sells one too many."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.services.mesh.memory_links import Post, connect
from tests.services.mesh.test_mesh import MANAGER, _agree, run, store_of, until
from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, NotFound
from tillmesh.kernel.limits import RIGHTS_SERVED_MAX
from tillmesh.shop.events import KINDS, Change, Payment, RightsMoved, Value
from tillmesh.sync.channels import Channel
from tillmesh.sync.rights_messages import AskRights, write_rights
from tillmesh.terminal.rights_desk import RightsDesk
from tillmesh.terminal.rights_granting import Granting
from tillmesh.till.agreement import Agreed, RightsGranted
from tillmesh.till.commands import ChangeRecords, CloseSale, OpenShift, ReceiveStock, WantedLine
from tillmesh.till.desk import Company
from tillmesh.till.escrow import NoRights

pytestmark = [pytest.mark.service, pytest.mark.slow]
FOREVER_MS = 50_000
_UNKNOWN = "INSERT INTO escrow (sku, actor, kind, other, n) SELECT 'a', min(id), 0, min(id), 1 FROM actor"


class StoreLog:
    """The store's agreement, without the tills that hold it."""

    def __init__(self) -> None:
        self.agreed = Agreed()
        self.desks: list[RightsDesk] = []

    def granted(self, sku: str) -> RightsGranted | None:
        return self.agreed.grants.get(sku)

    def grants_of(self, actor: str) -> list[RightsGranted]:
        return [each for each in self.agreed.grants.values() if each.actor == actor]

    async def grant(self, wanted: RightsGranted) -> bool:
        self.agreed = self.agreed.after(wanted)
        for desk in self.desks:
            desk.settled()
        return self.granted(wanted.sku) == wanted


class Counter:
    """One till of the store with its desk for rights; the first one leads."""

    def __init__(self, post: Post, posts: list[Post], log: StoreLog) -> None:
        assert post.mesh is not None
        self.post, self._mesh = post, post.mesh
        self._posts = posts
        post.driver.company = self._company
        self.desk = RightsDesk(post.driver, post.mesh, patience_ms=FOREVER_MS)
        self.log = log
        self.desk.granting = Granting(post.driver, log)
        log.desks.append(self.desk)
        post.mesh.listen(self._heard)

    def _company(self) -> Company:
        others = tuple(one.driver.identity.terminal for one in self._posts if one is not self.post)
        members = tuple(one.actor for one in self._posts)
        return Company(
            others=others, heard=tuple(self._mesh.linked()), members=members, leads=self.post is self._posts[0]
        )

    def _heard(self, events: Sequence[Envelope]) -> None:
        self.desk.heard([decode(event.body, KINDS[event.type]) for event in events])

    async def own(self) -> int:
        return await self.post.driver.look(lambda books: books.rights("ticket").rights(self.post.actor)) // 1_000

    async def sell(self, cart_id: str) -> int:
        wanted = (WantedLine(sku="ticket", quantity_milli=1_000),)
        cash = (Payment(method="cash", amount_minor=50),)
        try:
            await self.post.driver.do(MANAGER, CloseSale(cart_id=cart_id, lines=wanted, payments=cash))
        except NoRights:
            return 0
        return 1


async def opened(folder: Path, count: int) -> list[Counter]:
    """Tills that all hear each other, each with a shift and a desk for rights."""
    posts = await store_of(folder, count)
    log = StoreLog()
    counters = [Counter(post, posts, log) for post in posts]
    together(posts)
    for post in posts:
        await post.driver.do(MANAGER, OpenShift(float_minor=0))
    fields: dict[str, Value] = {"name": "Ticket", "price_minor": 50, "tax_code": "zero", "hard_limited": True}
    await posts[0].driver.do(MANAGER, ChangeRecords(entity="product", changes=(Change(key="ticket", fields=fields),)))
    await until(lambda: _agree(posts))
    return counters


def together(posts: list[Post]) -> None:
    for place, post in enumerate(posts):
        for other in posts[place + 1 :]:
            connect(post, other)


async def received_and_handed_on(counters: list[Counter]) -> None:
    """Let the second till receive eight tickets, and the first, which gets its share of them, hand it all on."""
    here, there = counters
    await there.post.driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=8_000))
    await until(lambda: _shared(counters))
    await until(here.desk.hand_all_on)
    await until(lambda: _holds(there, "ticket", 8_000))


async def closed(counters: list[Counter]) -> None:
    for counter in counters:
        await counter.desk.stop()
        await counter.post.stop()


async def part(counters: list[Counter]) -> None:
    for counter in counters:
        assert counter.post.mesh is not None
        counter.post.mesh.part(frozenset(counter.post.mesh.linked()))
    await until(lambda: _nobody_heard(counters))


async def _nobody_heard(counters: list[Counter]) -> bool:
    return not any(one.post.mesh.linked() for one in counters if one.post.mesh is not None)


async def _adds_up(counters: list[Counter], left: int) -> bool:
    held = [await one.own() for one in counters]
    assert min(held) >= 0
    return sum(held) == left


async def _shared(counters: list[Counter]) -> bool:
    return all([await one.own() > 0 for one in counters])


def test_tickets_received_at_one_till_are_sold_at_three_apart_and_not_one_more(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 3)
        posts = [one.post for one in counters]
        await posts[1].driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=12_000))
        await until(lambda: _shared(counters))
        await part(counters)
        tries = [one.sell(f"{one.post.actor}-{n}") for one in counters for n in range(13)]
        sold = sum(await asyncio.gather(*tries))
        assert sold <= 12
        together(posts)
        await until(lambda: _adds_up(counters, 12 - sold))  # what was on its way when the line was cut has come
        await until(lambda: _agree(posts))
        await closed(counters)

    run(scene)


def test_a_till_without_rights_asks_the_one_that_has_the_last_and_then_there_are_none(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        here, there = counters
        await there.post.driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=1_000))
        await until(lambda: _agree([here.post, there.post]))
        assert await here.sell("a") == 0
        assert await here.desk.ask("ticket", 2_000, "ruth") == 1_000
        assert await here.sell("a") == 1
        assert await there.sell("b") == 0
        with pytest.raises(NotFound, match="no till in reach holds any"):
            await here.desk.ask("ticket", 1_000, "ruth")
        await closed(counters)

    run(scene)


def test_a_till_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        here, there = counters
        await there.post.driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=1_000))
        await until(lambda: _agree([here.post, there.post]))
        assert there.post.mesh is not None
        there.post.mesh.on(Channel.RIGHTS, lambda *_: None)
        impatient = RightsDesk(here.post.driver, here.post.mesh, patience_ms=20)
        with pytest.raises(Conflict, match="does not answer"):
            await impatient.ask("ticket", 1_000, "ruth")
        await impatient.stop()
        await closed(counters)

    run(scene)


def test_a_till_that_asks_without_end_is_answered_no_more_often_than_sales_can_bear(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        here, there = counters
        await there.post.driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=500_000))
        await until(lambda: _holds(here, "ticket", 250_000))  # what it asks for by itself counts like the liar's
        await until(lambda: _agree([here.post, there.post]))
        for number in range(1, 10 * RIGHTS_SERVED_MAX):
            there.desk.received(here.post.actor, write_rights(AskRights(number, "ticket", 1_000, "liar")))
        await until(lambda: _given_to_liars(there, RIGHTS_SERVED_MAX))
        await there.post.driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=1_000))  # behind all of them
        assert not await _given_to_liars(there, RIGHTS_SERVED_MAX + 1)
        await closed(counters)

    run(scene)


def test_rights_for_a_product_that_nobody_knows_keep_no_other_from_being_shared_or_handed_on(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        here, there = counters
        await there.post.driver.on_writer(lambda db: db.execute(_UNKNOWN))
        there.desk.heard([RightsMoved(sku="a", to=here.post.actor, quantity_milli=1)])
        there.desk.look_at_all()
        await here.post.driver.do(MANAGER, ReceiveStock(sku="ticket", quantity_milli=8_000))
        await until(lambda: _shared(counters))
        await until(there.desk.hand_all_on)
        await until(lambda: _holds(here, "ticket", 8_000))
        await closed(counters)

    run(scene)


def test_a_till_that_leaves_the_store_gives_everything_away_first(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        await received_and_handed_on(counters)
        assert await counters[0].own() == 0
        await closed(counters)

    run(scene)


def test_goods_that_were_there_before_the_mark_are_given_out_by_the_till_that_leads(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        leader, other = counters
        mug: dict[str, Value] = {"name": "Mug", "price_minor": 50, "tax_code": "zero"}
        change = ChangeRecords(entity="product", changes=(Change(key="mug", fields=mug),))
        await other.post.driver.do(MANAGER, change)
        await other.post.driver.do(MANAGER, ReceiveStock(sku="mug", quantity_milli=8_000))
        marked = Change(key="mug", fields={"hard_limited": True})
        await other.post.driver.do(MANAGER, ChangeRecords(entity="product", changes=(marked,)))
        await until(lambda: _holds(other, "mug", 2_000))
        await until(lambda: _agree([leader.post, other.post]))
        total = await leader.post.driver.look(lambda books: books.rights("mug").value)
        assert total == 8_000
        await closed(counters)

    run(scene)


def test_the_till_that_leads_waits_for_a_grant_that_the_one_before_it_has_not_told_of(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        leader, before = counters
        mug: dict[str, Value] = {"name": "Mug", "price_minor": 50, "tax_code": "zero"}
        change = ChangeRecords(entity="product", changes=(Change(key="mug", fields=mug),))
        await leader.post.driver.do(MANAGER, change)
        await leader.post.driver.do(MANAGER, ReceiveStock(sku="mug", quantity_milli=8_000))
        await until(lambda: _agree([leader.post, before.post]))
        # It was agreed on while the other one led, which has not carried it out: its disk is slow.
        wanted = RightsGranted(op_id="first", sku="mug", actor=before.post.actor, quantity_milli=8_000, after=0)
        leader.log.agreed = leader.log.agreed.after(wanted)
        marked = Change(key="mug", fields={"hard_limited": True})
        await leader.post.driver.do(MANAGER, ChangeRecords(entity="product", changes=(marked,)))
        await until(lambda: _agree([leader.post, before.post]))
        with pytest.raises(Conflict, match="another till is giving rights"):
            await leader.desk.issue(MANAGER, "mug", "now")
        assert not await _holds(leader, "mug", 1)
        before.desk.settled()
        await until(lambda: _holds(leader, "mug", 1))  # handed on by the one that gave them out
        assert await leader.post.driver.look(lambda books: books.rights("mug").value) == 8_000
        await closed(counters)

    run(scene)


def test_a_till_that_stays_after_all_asks_for_rights_again(tmp_path: Path) -> None:
    async def scene() -> None:
        counters = await opened(tmp_path, 2)
        await received_and_handed_on(counters)
        counters[0].desk.stay()
        await until(lambda: _shared(counters))
        await closed(counters)

    run(scene)


async def _given_to_liars(counter: Counter, least: int) -> bool:
    sql = "SELECT actor, seq, hlc, type, version, body, hash FROM event WHERE type = 'rights_moved'"
    found = await counter.post.driver.look(lambda books: list(books.events(sql)))
    return sum(decode(event.body, RightsMoved).by == "liar" for event in found) >= least


async def _holds(counter: Counter, sku: str, least_milli: int) -> bool:
    held = await counter.post.driver.look(lambda books: books.rights(sku).rights(counter.post.actor))
    return held >= least_milli
