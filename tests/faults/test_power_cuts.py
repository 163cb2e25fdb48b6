"""F04, F05, F06: sectors torn and reordered by a power cut, a disk that lies about syncing, a sync that fails once."""

import itertools
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.checker import Attempt, History, check
from tests.faults.corner_shop import (
    CASHIER,
    assert_all_holds,
    driving,
    found_shop,
    read_audit,
    read_books,
    receipt_of,
    sale,
    total_minor,
)
from tillmesh.kernel.errors import Damaged, StorageFailed, TillmeshError
from tillmesh.sim.disk import Disk, FaultVfs, PowerCut
from tillmesh.terminal.driver import Driver
from tillmesh.terminal.verifying import verify

SEEDS = int(os.environ.get("TILLMESH_FAULT_SEEDS", "200"))
SEEDS_A_TILL = 50  # the same till goes through them one after the other
LIES = SEEDS // 2
HEAD_AT, HEAD_BYTES = 512, 256  # where the anchor file keeps its head


def sell(driver: Driver, history: History, cart_id: str, number: int) -> Attempt:
    """Sell one cart and note what the cashier is told."""
    try:
        outcome = driver.do_now(CASHIER, sale(cart_id, number))
    except (PowerCut, StorageFailed):
        return history.note(Attempt(cart_id, "unknown"))
    sale_id = str(outcome.reply)
    return history.note(Attempt(cart_id, "ok", sale_id, receipt_of(driver, sale_id), total_minor(number)))


@contextmanager
def quiet_vfs(disk: Disk) -> Iterator[str]:
    """Register the disk; SQLite hands our PowerCut to a hook as well, which would print it."""
    vfs = FaultVfs(disk)
    try:
        yield vfs.encrypted
    finally:
        vfs.unregister()


class Anchor:
    """The anchor file under the same power: it is not synced after each sale, so any newer head may be gone."""

    def __init__(self, shop: Path) -> None:
        self._path = shop / "anchor"
        self._heads = [self._read()]

    def look(self) -> None:
        self._heads.append(self._read())

    def cut(self, draw: random.Random) -> None:
        with self._path.open("r+b") as file:
            file.seek(HEAD_AT)
            file.write(draw.choice(self._heads))

    def _read(self) -> bytes:
        return self._path.read_bytes()[HEAD_AT : HEAD_AT + HEAD_BYTES].ljust(HEAD_BYTES, b"\0")


@dataclass(slots=True)
class Day:
    """A till that opens, sells a few carts and loses power somewhere."""

    shop: Path
    history: History
    disk: Disk
    draw: random.Random
    name: str
    settings: str = ""  # more SQL for the writer's connection
    keep_anchor: bool = False  # its last head reached the disk, as it does every few seconds
    share: float = 0.5  # of the unsynced sectors that are lost
    unheard: list[tuple[str, int]] = field(default_factory=list)  # carts whose cashier got no answer
    lost_sectors: int = 0

    def run(self) -> None:
        anchor = Anchor(self.shop)
        with quiet_vfs(self.disk) as vfs:
            try:
                with driving(self.shop, vfs=vfs) as driver:
                    pages = self.draw.choice([20, 4000])
                    driver.opened.writer.db.execute(f"PRAGMA wal_autocheckpoint={pages}; {self.settings}").fetchall()
                    self._sell(driver, anchor)
                    self.disk.is_off = True
            except (PowerCut, TillmeshError):
                self.disk.is_off = True  # the power went while the till was starting
        if not self.keep_anchor:
            anchor.cut(self.draw)
        self.lost_sectors = self.disk.platter(self.draw, share=self.share)

    def _sell(self, driver: Driver, anchor: Anchor) -> None:
        for number in range(8):
            told = sell(driver, self.history, f"{self.name}-{number}", number)
            anchor.look()
            if told.answer != "ok":
                self.unheard.append((told.cart_id, number))
                return


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, SEEDS_A_TILL))
def test_power_cut_with_torn_and_reordered_sectors_loses_no_acknowledged_sale(tmp_path: Path, first: int) -> None:
    shop, history, lost_sectors = tmp_path / "till", History(), 0
    found_shop(shop)
    for seed in range(first, first + SEEDS_A_TILL):
        draw = random.Random(seed)
        day = Day(shop, history, Disk(cut_at=draw.randrange(1, 150)), draw, f"seed-{seed}")
        day.run()
        lost_sectors += day.lost_sectors
        with driving(shop) as driver:
            assert driver.opened.notices == (), f"seed {seed}: a disk that keeps its word loses nothing"
            for cart_id, number in day.unheard:
                sell(driver, history, cart_id, number)
        assert_all_holds(shop, history, quick=True)
    assert_all_holds(shop, history)
    assert len(history.ok()) > SEEDS_A_TILL
    assert lost_sectors > SEEDS_A_TILL


@pytest.mark.parametrize("die_at", range(4, 9))
def test_sale_read_back_after_a_kill_is_on_the_platter_before_it_is_confirmed(tmp_path: Path, die_at: int) -> None:
    """A killed till's last commit may be read again from the cache without ever having been synced."""
    shop, history, disk = tmp_path / "till", History(), Disk(die_at_sync=die_at)
    found_shop(shop)
    with quiet_vfs(disk) as vfs:
        with suppress(PowerCut), driving(shop, vfs=vfs) as driver:
            for number in range(10):
                if sell(driver, history, f"cart-{number}", number).answer != "ok":
                    break
        disk.is_off = False  # only the program died
        with driving(shop, vfs=vfs) as driver:
            assert sell(driver, history, f"cart-{number}", number).answer == "ok"
            disk.is_off = True  # and now the power goes
    disk.platter(random.Random(die_at), share=1.0)
    with driving(shop) as driver:
        assert driver.opened.notices == ()
    assert_all_holds(shop, history)


def test_sale_answered_as_not_saved_does_not_come_back_from_the_log_after_a_crash(tmp_path: Path) -> None:
    """Its frames were written, only their sync failed: a restart would find a whole commit there."""
    shop, history, disk = tmp_path / "till", History(), Disk()
    found_shop(shop)
    with quiet_vfs(disk) as vfs, driving(shop, vfs=vfs) as driver:
        assert sell(driver, history, "sold", 1).answer == "ok"
        disk.fail_sync_at = disk.syncs + 1
        with pytest.raises(StorageFailed):
            driver.do_now(CASHIER, sale("not saved", 2))
        history.note(Attempt("not saved", "fail"))
        disk.is_off = True  # the program dies before anybody tries again
    with driving(shop):
        pass
    assert_all_holds(shop, history)


def test_checker_finds_the_sales_that_a_till_without_sync_loses(tmp_path: Path) -> None:
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    disk = Disk(cut_at=90)
    Day(shop, history, disk, random.Random(1), "unsynced", settings="PRAGMA synchronous=OFF", share=1.0).run()
    assert len(history.ok()) >= 3
    with driving(shop):
        pass
    assert [line[:2] for line in check(history, read_books(shop)[0])] == ["I1"] * len(history.ok())


def outcome_of_a_lie(shop: Path, history: History, seed: int) -> str:
    """Sell on a disk that only pretends to sync, cut the power, and hold the till to what it may do then."""
    draw = random.Random(seed)
    disk = Disk(cut_at=draw.randrange(40, 150), lies=True)
    share = draw.choice([0.05, 0.5, 1.0])
    Day(shop, history, disk, draw, f"lie-{seed}", keep_anchor=True, share=share).run()
    before = {told.receipt_number for told in history.ok().values()}
    try:
        with driving(shop) as driver:
            notices = driver.opened.notices
            again = sell(driver, history, f"after-{seed}", seed)
            books = {sold.sale_id for sold in read_books(shop)[0]}
            report = verify(shop)
    except Damaged:
        assert_stays_out_of_order(shop)
        return "refused"
    lost = sorted(int(told.sale_id.rpartition("-")[2]) for told in history.ok().values() if told.sale_id not in books)
    assert again.receipt_number not in before, "a receipt number came twice"
    if not lost:
        return "kept"
    assert report["ok"], report["problems"]
    [(action, detail)] = notices
    assert action == "new_incarnation"
    numbers = re.match(r"events (\d+) to (\d+) of \S+ were committed and are gone", detail)
    assert numbers is not None, detail
    assert int(numbers[1]) <= lost[0]
    assert lost[-1] <= int(numbers[2])
    assert read_audit(shop, "new_incarnation") == [detail]
    with driving(shop) as driver:
        assert driver.opened.notices == (), "it was told once"
    return "reported"


def assert_stays_out_of_order(shop: Path) -> None:
    """A damaged database is refused the same way each time, and never mistaken for a fresh one."""
    for _ in range(2):
        try:
            with driving(shop) as driver:
                driver.do_now(CASHIER, sale("refused", 1))
                assert not verify(shop)["ok"]
        except Damaged:
            pass


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, LIES, SEEDS_A_TILL))
def test_lying_disk_is_found_out_and_the_lost_range_is_named(tmp_path: Path, first: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(first, first + SEEDS_A_TILL):
        shop = tmp_path / f"till-{seed}"
        found_shop(shop)
        seen[outcome_of_a_lie(shop, History(), seed)] += 1
    assert seen["reported"], seen


@pytest.mark.slow
def test_sync_that_fails_once_is_never_answered_as_a_sale_and_the_till_goes_on(tmp_path: Path) -> None:
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    for fail_at in itertools.count(1):
        disk = Disk(fail_sync_at=fail_at)
        with quiet_vfs(disk) as vfs, opened_at_last(shop, vfs) as driver:
            driver.opened.writer.db.execute("PRAGMA wal_autocheckpoint=20")
            for number in range(4):
                if sell(driver, history, f"eio-{fail_at}-{number}", number).answer != "ok":
                    assert driver.storage_error, "the alarm must be visible"
                    assert sell(driver, history, f"eio-{fail_at}-{number}", number).answer == "ok"
                assert driver.storage_error == ""
        assert_all_holds(shop, history)
        if disk.syncs < fail_at:
            break
    assert len([told for told in history.attempts if told.answer == "unknown"]) >= 4


@contextmanager
def opened_at_last(shop: Path, vfs: str) -> Iterator[Driver]:
    """Open the till; when the disk fails right then, open it once more."""
    try:
        opened = driving(shop, vfs=vfs)
        driver = opened.__enter__()
    except StorageFailed:
        opened = driving(shop, vfs=vfs)
        driver = opened.__enter__()
    try:
        yield driver
    finally:
        opened.__exit__(None, None, None)
