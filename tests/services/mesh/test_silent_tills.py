"""A till of a real store is away for two months with sales that nobody has heard of, and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.services.mesh.real_store import found_store
from tests.services.mesh.test_folding import Seat, hold_the_same, sit, vote
from tests.services.mesh.test_mesh import MANAGER, run, until
from tillmesh.adapters.sqlite.reporting import state_hash
from tillmesh.shop.events import Change, Payment, Value
from tillmesh.terminal.archiving import Archiving
from tillmesh.terminal.driver import now_ms
from tillmesh.terminal.verifying import verify
from tillmesh.till.commands import ChangeRecords, CloseSale, OpenShift, WantedLine
from tillmesh.till.retention import DAY_MS

pytestmark = [pytest.mark.slow, pytest.mark.service]
AWAY_MS = 60 * DAY_MS


async def vector(seat: Seat) -> dict[str, int]:
    found = await seat.till.driver.read(state_hash)
    return dict(found["version_vector"])


def all_cut(*seats: Seat) -> Callable[[], Awaitable[bool]]:
    """Let whoever leads offer a cut; say whether all of what these hold is agreed on."""

    async def answer() -> bool:
        for seat in seats:
            await seat.council.offer_cut()
        held = await vector(seats[0])
        return all(dict(seat.council.council.agreed.cut) == held for seat in seats)

    return answer


async def put_away(seat: Seat) -> int:
    archiving = Archiving(seat.till.driver)
    archiving.tills = lambda: dict(seat.council.council.agreed.cut)
    archiving.after_days = lambda: 1  # also a few
    return await archiving.put_away(at_ms=now_ms() + AWAY_MS)


async def found_shop(first: Seat, *others: Seat) -> None:
    fields: dict[str, Value] = {"name": "Apple", "price_minor": 50, "unit": "piece", "tax_code": "standard"}
    change = ChangeRecords(entity="product", changes=(Change(key="apple", fields=fields),))
    await first.till.driver.do(MANAGER, change)
    await until(hold_the_same(first, *others))
    for number, seat in enumerate((first, *others)):
        await seat.till.driver.do(MANAGER, OpenShift(float_minor=0))
        await buy(seat, f"before {number}")
    await until(hold_the_same(first, *others))
    await until(vote(first, *others))


async def buy(seat: Seat, cart_id: str) -> None:
    line, paid = WantedLine(quantity_milli=1_000, sku="apple"), Payment(method="cash", amount_minor=50)
    await seat.till.driver.do(MANAGER, CloseSale(cart_id=cart_id, lines=(line,), payments=(paid,)))


def test_a_till_that_was_away_for_two_months_comes_back_to_archives_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    places = found_store(tmp_path, 3)

    async def scene() -> None:
        first = await sit(places[0], [], founder=True)
        second = await sit(places[1], [first])
        third = await sit(places[2], [first, second])
        await found_shop(first, second, third)
        silent = third.till.terminal
        await third.stop()
        third = await sit(places[2], [])
        await buy(third, "unsent")
        unsent = await vector(third)
        await third.stop()
        await buy(first, "meanwhile 1")
        await buy(second, "meanwhile 2")
        await until(hold_the_same(first, second))
        assert not await all_cut(first, second)(), "it is waited for"
        assert (await first.council.silence.look())[silent] < DAY_MS

        for seat in (first, second):
            seat.council.silence.ahead_ms = lambda: -AWAY_MS
        await until(all_cut(first, second))
        assert (await first.council.silence.look())[silent] > AWAY_MS - DAY_MS
        assert first.council.silence.counted() == {first.till.terminal, second.till.terminal}
        assert await put_away(first) == await put_away(second) == 5
        third = await sit(places[2], [first, second])
        await until(hold_the_same(first, second, third))
        assert (await vector(first))[third.till.actor] >= unsent[third.till.actor]
        assert await first.till.driver.look(lambda books: books.stock_milli("apple")) == -6_000
        assert (await first.council.silence.look())[silent] == 0
        await until(all_cut(first, second, third))
        await asyncio.gather(*(seat.stop() for seat in (first, second, third)))

    run(scene)
    found = [verify(place) for place in places]
    assert [one["problems"] + one["gaps"] for one in found] == [[], [], []]
    assert len({one["state_hash"] for one in found}) == 1
