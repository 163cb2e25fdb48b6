"""F05, F11, D10 in a store: what a disk did to sales that no other till had yet is undone, or named by number."""

import random
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds, driving, read_audit, read_books
from tests.faults.running import Program
from tests.faults.small_store import agree, back, build_store, running
from tests.faults.test_power_cuts import Day, sell
from tests.services.sqlite.disk_shop import raw
from tillmesh.adapters.sqlite.store import FILE
from tillmesh.sim.disk import Disk
from tillmesh.terminal.verifying import verify

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(240)]
PAGE = 4096
CARTS = 60


def rot(shop: Path, draw: random.Random) -> None:
    """Flip one bit in a page of the second half of the log, which does not hold its end."""
    with closing(raw(shop)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        found: Any = db.execute(
            "SELECT pageno FROM dbstat WHERE name = 'event' AND pagetype = 'leaf' ORDER BY path"
        ).fetchall()
    at = (draw.choice(found[len(found) // 2 : -1])[0] - 1) * PAGE + draw.randrange(PAGE)
    with (shop / FILE).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << draw.randrange(8)]))


def named(shop: Path) -> set[str]:
    """Give the events that the audit log says are gone, by id."""
    found: set[str] = set()
    for detail in read_audit(shop, "restored") + read_audit(shop, "new_incarnation"):
        for first, last, actor in re.findall(r"events (\d+) to (\d+) of (\w+\.\w+)", detail):
            found |= {f"{actor}-{seq}" for seq in range(int(first), int(last) + 1)}
    return found


def lost(shop: Path, history: History) -> set[str]:
    """Give the sales that were acknowledged and are not in the books."""
    books = {sold.sale_id for sold in read_books(shop)[0]}
    return {told.sale_id for told in history.ok().values()} - books


def read_by(till: Program) -> None:
    """Read a till's whole log, as any report of a year does."""
    till.get("/sales?since=2020-01-01T00:00:00Z", till.sign_in())


def test_a_bit_that_flips_costs_only_sales_behind_it_that_no_other_till_had(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 2), History()
    first, second = tills
    with driving(second.shop) as driver:
        for number in range(CARTS):
            assert sell(driver, history, f"alone-{number}", number).answer == "ok"
    rot(second.shop, random.Random(5))
    with running(tills):
        read_by(second)
        back(second)
        agree(tills)
        assert (first.stop(), second.stop()) == (0, 0)
    gone = lost(second.shop, history)
    assert 0 < len(gone) < CARTS
    assert gone <= named(second.shop), "what is gone is named by number"
    assert gone == lost(first.shop, history)
    for till in tills:
        assert verify(till.shop)["ok"], verify(till.shop)


def test_a_disk_that_lied_loses_nothing_that_another_till_had_and_names_the_rest(tmp_path: Path) -> None:
    tills, kept, history = build_store(tmp_path, 2), History(), History()
    first, second = tills
    with driving(second.shop) as driver:
        sell(driver, kept, "replicated", 1)
    with running(tills):
        agree(tills)
        assert (first.stop(), second.stop()) == (0, 0)
    disk = Disk(cut_at=80, lies=True)
    Day(second.shop, history, disk, random.Random(5), "lie", keep_anchor=True, share=0.5).run()
    assert history.ok()
    with running(tills):
        back(second)
        agree(tills)
        assert (first.stop(), second.stop()) == (0, 0)
    assert_all_holds(second.shop, kept)
    assert lost(second.shop, history) <= named(second.shop)
    assert lost(second.shop, history), "this disk lost something"
    assert "Traceback" not in second.said()
