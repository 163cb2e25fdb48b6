"""F05, F11, F29, F30 in a store: what a disk did to sales that no other till had yet is undone, or named by number."""

import random
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import assert_all_holds, driving, read_audit, read_books
from tests.faults.running import Program, until
from tests.faults.small_store import actor_of, agree, back, build_store, replicated, running, sync, trade
from tests.faults.test_power_cuts import Day, sell
from tests.services.sqlite.disk_shop import raw
from tillmesh.adapters.sqlite.store import FILE, read_origin
from tillmesh.kernel.ids import terminal_of
from tillmesh.sim.disk import Disk
from tillmesh.terminal import provisioning
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


def test_a_store_that_lost_power_goes_on_without_the_till_that_never_comes_back(tmp_path: Path) -> None:
    """F29 and F30: what was shown as replicated is there, the last sales of the dead till too; two tills decide."""
    tills, safe, alone = build_store(tmp_path, 3), History(), History()
    first, second, third = tills
    with running(tills):
        for till in tills:
            trade(till, safe, till.shop.name)
            replicated(till)
        dead = actor_of(third)
        first.kill()
        second.kill()
        trade(third, alone, "nobody heard of it")
        assert sync(third)["unreplicated"] == 3, "the till says so, and the receipts are on paper"
        third.kill()
        with running([first, second], among=2):
            revoke(first.shop, terminal_of(dead))
            left = sorted(terminal_of(actor_of(till)) for till in (first, second))
            until(lambda: {tuple(decides(till)) for till in (first, second)} == {tuple(left)}, "two tills decide")
            trade(second, safe, "without the dead one")
            agree([first, second])
            assert (first.stop(), second.stop()) == (0, 0)
    for till in (first, second):
        assert_all_holds(till.shop, safe)
        assert lost(till.shop, alone) == {told.sale_id for told in alone.ok().values()}


def revoke(shop: Path, terminal: str) -> None:
    """Remove a terminal for good, at a till that issues."""
    with closing(raw(shop)) as db:
        origin = read_origin(db)
    assert origin is not None
    membership = provisioning.membership_in(shop, origin.store)
    authority = provisioning.authority_in(shop, origin.store)
    provisioning.leave_list(shop, provisioning.revoke(authority, membership, terminal, membership.as_of_s))


def decides(till: Program) -> list[str]:
    """Name the voters of a store that has a leader with a majority."""
    view = till.get("/raft").body
    return sorted(view["voters"]) if view["has_quorum"] and view["leader_id"] and not view["learners"] else []
