"""A till of a real store is replaced; the store agrees that it is gone, and a till that was away comes back to that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.services.mesh.real_store import RealTill, found_store, start_till
from tests.services.mesh.test_mesh import MANAGER, run, until
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.folding import RETIRED
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.kernel.ids import terminal_of
from tillmesh.shop.events import Change, Value
from tillmesh.shop.settings import STORE
from tillmesh.terminal.council_driver import CouncilDriver
from tillmesh.terminal.folding import Folding
from tillmesh.terminal.verifying import verify
from tillmesh.till.commands import ChangeRecords, ReceiveStock
from tillmesh.till.council_steps import NoQuorum

pytestmark = pytest.mark.service


class Seat:
    """A till of the store, its seat in the agreement, and what it does about tills that are gone."""

    def __init__(self, till: RealTill, council: CouncilDriver) -> None:
        self.till, self.council = till, council
        roster = till.keeper.place.gate.membership
        self.folding = Folding(
            till.driver, till.mesh, council, lambda: (till.neighbours.known(), roster.roster.version)
        )

    async def stop(self) -> None:
        await self.council.stop()
        await self.till.stop()

    def linked(self) -> set[str]:
        return self.till.linked()

    async def stock(self) -> dict[str, tuple[int, int]]:
        return dict(await self.till.driver.look(lambda books: books.stock_columns("apple")))


async def sit(place: Path, others: list[Seat], *, founder: bool = False) -> Seat:
    till = await start_till(place, [each.till.port for each in others])
    council = await CouncilDriver.over(till.driver, till.mesh, till.neighbours.known, founder=founder)
    council.start()
    return Seat(till, council)


def so(holds: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return holds()

    return answer


async def known_of(seat: Seat) -> dict[str, dict[str, int]]:
    return await seat.till.driver.read(lambda db, _: replica.acks(db))


async def receive(seat: Seat, pieces: int) -> None:
    await seat.till.driver.do(MANAGER, ReceiveStock(sku="apple", quantity_milli=1_000 * pieces))


def hold_the_same(*seats: Seat) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        found = [await seat.till.driver.read(state_hash) for seat in seats]
        return all(one == found[0] for one in found)

    return answer


def vote(*seats: Seat) -> Callable[[], Awaitable[bool]]:
    """Say whether exactly these vote on what is agreed, and one of them leads with a majority behind it."""
    wanted = sorted(seat.till.terminal for seat in seats)

    def held() -> bool:
        alike = all(seat.council.view()["voters"] == wanted for seat in seats)
        return alike and any(seat.council.council.leads for seat in seats)

    return so(held)


def agreed(gone: dict[str, int], *seats: Seat) -> Callable[[], Awaitable[bool]]:
    """Let whoever leads propose; say whether all of them know of these then."""

    def held() -> bool:
        for seat in seats:
            seat.folding.propose()
        return all(dict(seat.council.council.agreed.folded) == gone for seat in seats)

    return so(held)


def decided(seat: Seat) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        change = Change(key=STORE, fields={"receipt_footer": "Thank you"})
        try:
            await seat.council.decide_settings((change,), MANAGER)
        except NoQuorum:
            return False
        return True

    return answer


def told(*seats: Seat) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return any([await seat.folding.tell() for seat in seats])

    return answer


async def replaced(places: list[Path]) -> tuple[Seat, Seat, Seat, dict[str, int]]:
    """Let a till of three sell, go and be replaced; give the three there are then, and where its log ends."""
    first = await sit(places[0], [], founder=True)
    second = await sit(places[1], [first])
    old = await sit(places[2], [first, second])
    fields: dict[str, Value] = {"name": "Apple", "price_minor": 50, "unit": "piece", "tax_code": "standard"}
    change = ChangeRecords(entity="product", changes=(Change(key="apple", fields=fields),))
    await first.till.driver.do(MANAGER, change)
    await until(hold_the_same(first, second, old))
    await receive(old, 7)
    await receive(second, 2)
    await until(hold_the_same(first, second, old))
    await until(vote(first, second, old))
    gone = old.till.actor
    last = (await old.till.driver.read(state_hash))["version_vector"][gone]
    await old.stop()
    first.till.keeper.revoke(old.till.terminal)
    new = await sit(places[3], [first, second])
    await until(vote(first, second, new))
    return first, second, new, {gone: last}


@pytest.mark.slow
def test_a_replaced_till_is_folded_by_all_tills_and_one_that_was_away_comes_back_to_that(tmp_path: Path) -> None:
    places = found_store(tmp_path, 4)

    async def scene() -> None:
        first, second, new, gone = await replaced(places)
        await second.stop()
        await until(so(lambda: second.till.terminal not in first.linked() | new.linked()))
        for seat in (first, new):
            seat.folding.propose()
        await until(decided(new))  # anything that was proposed before is agreed on by then
        for seat in (first, new):
            assert not seat.council.council.agreed.folded, "a till that belongs to the store is not heard"
        second = await sit(places[1], [first, new])
        await until(hold_the_same(first, second, new))
        await until(agreed(gone, first, new))
        await second.stop()  # before it is told
        await receive(first, 1)
        await until(told(first, new))
        await until(hold_the_same(first, new))
        assert first.folding.counts() == {"member": 3, "gone": 1, "folded": 1}
        assert not await told(first, new)(), "once is enough"
        assert await first.folding.tidy() == 1
        assert not {terminal_of(actor) for actor in gone} & (await known_of(first)).keys(), "nobody asks what it held"
        assert await new.stock() == await first.stock(), "read so before it is carried over"

        second = await sit(places[1], [])
        assert (await second.stock()).keys() & gone.keys(), "it has not heard of it"
        await receive(second, 5)
        await second.stop()
        second = await sit(places[1], [first, new])
        await until(hold_the_same(first, second, new))
        assert await second.stock() == {
            first.till.actor: (1_000, 0), second.till.actor: (7_000, 0), RETIRED: (7_000, 0)
        }  # fmt: skip
        await asyncio.gather(*(seat.stop() for seat in (first, second, new)))

    run(scene)
    found = [verify(place) for place in (places[0], places[1], places[3])]
    assert [one["problems"] for one in found] == [[], [], []]
    assert len({one["state_hash"] for one in found}) == 1, "carried over on one of them only"
