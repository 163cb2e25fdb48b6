"""F08: the disk is full while old sales are put away and columns are joined; the till's reserve is for its sales."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import (
    CASHIER,
    MANAGER,
    assert_all_holds,
    driving,
    found_shop,
    receipt_of,
    sale,
    total_minor,
)
from tests.faults.small_disk import small_disk
from tillmesh.adapters.sqlite import folding
from tillmesh.adapters.sqlite.database import DiskFull, write
from tillmesh.terminal.archiving import Archiving
from tillmesh.terminal.driver import Driver, now_ms
from tillmesh.till.commands import FoldActors
from tillmesh.till.retention import DAY_MS

SALES = 120
pytestmark = pytest.mark.slow


async def put_away(driver: Driver) -> int:
    archiving = Archiving(driver)
    archiving.after_days = lambda: 1  # also a few
    return await archiving.put_away(at_ms=now_ms() + 400 * DAY_MS)


async def join_columns(driver: Driver) -> int:
    me = driver.opened.origin.actor
    skus = await driver.read(lambda db, _: folding.waiting(db, "", 100, but={me}))

    def work(db: apsw.Connection) -> int:
        with write(db):
            return folding.carry(db, skus, but={me})

    return await driver.on_writer(work, spare=False)


def sell(driver: Driver, history: History, first: int, count: int) -> None:
    for number in range(first, first + count):
        sold = str(driver.do_now(CASHIER, sale(f"cart-{number}", number)).reply)
        history.note(Attempt(f"cart-{number}", "ok", sold, receipt_of(driver, sold), total_minor(number)))


def test_a_full_disk_puts_upkeep_off_and_leaves_the_reserve_to_sales_until_there_is_room_again(tmp_path: Path) -> None:
    history = History()
    with small_disk(tmp_path / "disk", "48m") as disk:
        shop = disk.place / "till"
        found_shop(shop)
        with driving(shop) as driver:
            sell(driver, history, 0, SALES)
            former, last = driver.opened.origin.actor, driver.opened.till.head.seq
        (shop / "anchor").unlink()  # it goes on as somebody else, whose column is another one
        with driving(shop) as driver:
            driver.do_now(MANAGER, FoldActors(finals=((former, last),), epoch=1))
            works: tuple[Callable[[Driver], Coroutine[Any, Any, int]], ...] = (put_away, join_columns)
            for work in works:
                disk.fill()
                with pytest.raises(DiskFull):
                    asyncio.run(work(driver))
                assert driver.opened.reserve.held, "it is for sales"
                assert driver.storage_error == "", "nobody has to act on that"
                disk.clear()
            disk.fill()
            sell(driver, history, SALES, 5)
            disk.clear()
            asyncio.run(driver.look_after())
            assert driver.opened.reserve.held
            assert asyncio.run(put_away(driver)) >= SALES
            assert asyncio.run(join_columns(driver)) > 0
            assert asyncio.run(join_columns(driver)) == 0
        assert_all_holds(shop, history)
