"""Complaint 4: tills that were offline gave the same receipt number twice.

Fifteen tills sell 10,000 times each without hearing of each other; a clock is set back, a disk is cloned, two tabs of
a browser sell at once. No number comes twice, and each till's numbers have no gap.
"""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.complaints.shop_floor import Floor
from tests.services.sqlite.disk_shop import shop_at, snapshot, trade
from tests.unit.till.shop_till import line
from tillmesh.adapters.sqlite.database import rows

TILLS = 15
SALES = 10_000
A_YEAR_MS = 365 * 86_400_000

pytestmark = pytest.mark.slow


@pytest.mark.timeout(300)  # ten seconds on a machine with nothing else to do
def test_15_tills_that_sell_10000_times_each_offline_never_give_a_number_twice() -> None:
    names = [f"t{number:02d}x{number:02d}y" for number in range(TILLS)]
    with Floor(names, seed=4) as floor:
        floor.found(names[0])
        for one, other in itertools.combinations(names, 2):
            floor.cut(one, other)
        seen: Counter[str] = Counter()
        for place, name in enumerate(names):
            post = floor[name]
            for number in range(SALES):
                if number == SALES // 2 and place % 3 == 0:
                    post.clock_ms -= A_YEAR_MS  # somebody sets the clock back in the middle of the day
                post.sell(line("milk"), cart_id=f"{name}-{number}")
            numbers = [number for (number,) in rows(post.writer.db, "SELECT number FROM receipt ORDER BY seq")]
            series = {number.rpartition("-")[0] for number in numbers}
            assert len(series) == 1
            assert [int(number.rpartition("-")[2]) for number in numbers] == list(range(1, SALES + 1))
            seen.update(numbers)
        assert len(seen) == TILLS * SALES
        assert set(seen.values()) == {1}


def test_two_tabs_that_sell_at_once_take_two_numbers_and_one_cart_takes_one() -> None:
    with Floor(["a0till0a"], seed=1) as floor:
        floor.found("a0till0a")
        post = floor["a0till0a"]
        ids = [post.sell(cart_id=cart) for cart in ("tab-1", "tab-2", "tab-1", "tab-2")]
        assert ids[:2] == ids[2:]
        numbers = [number for (number,) in rows(post.writer.db, "SELECT number FROM receipt ORDER BY seq")]
        assert [number[-6:] for number in numbers] == ["000001", "000002"]


def test_a_cloned_disk_that_sells_beside_its_original_starts_another_series(tmp_path: Path) -> None:
    trade(tmp_path / "till", sales=3)
    copy = snapshot(tmp_path / "till", tmp_path / "copy")
    numbers: list[str] = []
    for place in (tmp_path / "till", copy):
        with shop_at(place) as shop:
            for number in range(5):
                shop.sell(cart_id=f"{place.name}-{number}")
            numbers += shop.numbers()[3:]
    assert len(set(numbers)) == 10


def test_an_old_backup_put_back_after_more_sales_repeats_no_number(tmp_path: Path) -> None:
    till = tmp_path / "till"
    trade(till, sales=3)
    backup = snapshot(till, tmp_path / "backup")
    with shop_at(till) as shop:
        for number in range(5):
            shop.sell(cart_id=f"after-{number}")
        sold = shop.numbers()
    shutil.rmtree(till)
    shutil.copytree(backup, till)
    with shop_at(till) as shop:
        for number in range(5):
            shop.sell(cart_id=f"again-{number}")
        again = shop.numbers()[3:]
    assert len(set(sold) | set(again)) == len(sold) + 5
