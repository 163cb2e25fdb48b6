"""The daily walk through everything stored: it finds each page that rots, and a log that does not hold together."""

import asyncio
import random
import re
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.services.sqlite.disk_shop import settle_log, shop_at, tamper
from tillmesh.adapters.sqlite.database import DatabaseDamaged
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.driver import BROKEN, DAMAGED, Driver, Trouble
from tillmesh.terminal.patrol import Patrol

SALES = 30
PAGE = 4096
FLIPS = 15


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    place = tmp_path / "till"
    with shop_at(place) as shop:
        shop.furnish().open()
        for number in range(SALES):
            shop.sell(cart_id=f"paid-{number}")
    settle_log(place)
    return place


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), 60))


async def walked(driver: Driver) -> list[Trouble]:
    """Walk once, without rests, and give what was found."""
    found: list[Trouble] = []
    driver.on_trouble = found.append
    patrol = Patrol(driver, first_s=0, every_s=3_600, rest=0)
    patrol.start()
    while not (found or patrol.walks):  # noqa: ASYNC110 - it works on a thread of its own
        await asyncio.sleep(0.001)
    await patrol.stop()
    return found


def test_a_walk_finds_nothing_in_a_good_database_while_the_till_sells(shop: Path) -> None:
    async def scene() -> None:
        driver = Driver(open_terminal(shop))
        assert await walked(driver) == []
        assert driver.opened.notices == ()
        driver.close()

    run(scene)


def pages(shop: Path) -> list[int]:
    """List the pages that belong to a tree; what a free page holds is nobody's loss."""
    with shop_at(shop) as opened:
        found = opened.writer.db.execute("SELECT pageno FROM dbstat ORDER BY pageno").fetchall()
    settle_log(shop)
    return [int(str(number)) for (number,) in found]


@pytest.mark.slow
def test_a_walk_finds_every_page_that_rots(tmp_path: Path, shop: Path) -> None:
    trees, draw = pages(shop), random.Random(7)
    assert len(trees) > FLIPS
    silent = []

    async def scene(place: Path) -> bool:
        try:
            driver = Driver(open_terminal(place))
        except DatabaseDamaged:
            return True
        found = await walked(driver)
        alarm = [detail for action, detail in driver.opened.notices if action == "damaged_data"]
        driver.close()
        return [trouble.kind for trouble in found] == [DAMAGED] and len(alarm) == 1

    for page in draw.sample(trees, FLIPS):
        place = tmp_path / f"rotten-{page}"
        shutil.copytree(shop, place)
        rotten = bytearray((place / FILE).read_bytes())
        rotten[(page - 1) * PAGE + draw.randrange(PAGE)] ^= 1 << draw.randrange(8)
        (place / FILE).write_bytes(rotten)
        if not asyncio.run(asyncio.wait_for(scene(place), 60)):
            silent.append(page)
    assert silent == []


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE event SET body = zeroblob(40) WHERE seq = 20",
        "DELETE FROM event WHERE seq = 20",
    ],
)
def test_a_walk_finds_a_log_that_somebody_edited(shop: Path, harm: str) -> None:
    tamper(shop, harm)

    async def scene() -> None:
        driver = Driver(open_terminal(shop))
        [trouble] = await walked(driver)
        assert trouble.kind == BROKEN
        assert re.search(r"-2[01] is not|events 20 to", trouble.detail)
        driver.close()

    run(scene)
