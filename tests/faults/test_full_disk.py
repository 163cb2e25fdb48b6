"""F07, F08, F09: no room left during a sale, a checkpoint and the close of a shift; a disk that is read-only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.alert_replay import Asked, Replay
from tests.faults.checker import Attempt, History
from tests.faults.corner_shop import (
    CASHIER,
    FLOAT_MINOR,
    MANAGER,
    assert_all_holds,
    driving,
    found_shop,
    receipt_of,
    sale,
    total_minor,
)
from tests.faults.running import Answer, Program, until
from tests.faults.small_disk import SmallDisk, small_disk
from tillmesh.adapters.sqlite.database import DiskFull
from tillmesh.shop.events import ShiftClosed
from tillmesh.terminal.driver import Driver
from tillmesh.till.commands import CloseShift

pytestmark = pytest.mark.slow

FINISHED_SALES = 30  # a queue of customers and then some


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "40m") as disk:
        yield disk


@pytest.mark.service
def test_disk_that_fills_up_lets_the_till_finish_and_resumes_without_a_restart(disk: SmallDisk, tmp_path: Path) -> None:
    shop, history = disk.place / "till", History()
    found_shop(shop, pins=True)
    with Program(shop) as program:
        token = program.sign_in()
        replay, asked = Replay(), Asked("till", program.port)
        replay.take(asked)
        disk.fill()
        for number in range(FINISHED_SALES):
            answer = program.sell(token, history, f"reserve-{number}", number)
            assert answer is not None
            assert answer.status == 201, answer
        assert not program.get("/health").body["ok"], "the manager must see that the reserve is in use"
        disk.fill()  # and now that is gone as well
        refused = sell_until_refused(program, token, history)
        assert refused.body["kind"] == "disk-full"
        assert "another till" in refused.body["hint"]
        replay.take(asked)
        assert program.get("/products?q=bread", token).status == 200, "looking things up still works"
        disk.clear()
        number = int(history.attempts[-1].cart_id.rpartition("-")[2])
        again = program.sell(token, history, f"more-{number}", number)
        assert again is not None
        assert again.status == 201
        until(lambda: program.get("/health").body["ok"], "the reserve is taken back")
        replay.take(asked)
        assert program.stop() == 0
        assert "Traceback" not in program.said()
    replay.judge(tmp_path / "alerts", [(), {"DiskFull", "NotWriting"}, ()])
    assert_all_holds(shop, history)


def sell_until_refused(program: Program, token: str, history: History) -> Answer:
    for number in range(2000):
        answer = program.sell(token, history, f"more-{number}", number)
        assert answer is not None
        if answer.status != 201:
            return answer
    raise AssertionError("the disk never fills")


def test_full_disk_in_checkpoints_and_at_the_close_of_the_shift_balances_to_the_cent(disk: SmallDisk) -> None:
    shop, history = disk.place / "till", History()
    found_shop(shop)
    with driving(shop) as driver:
        driver.opened.writer.db.execute("PRAGMA wal_autocheckpoint=20").fetchall()
        disk.fill(leave_bytes=200_000)
        for number in range(FINISHED_SALES):
            sell(driver, history, number)
        disk.fill()
        for number in range(FINISHED_SALES, 2 * FINISHED_SALES):
            sell(driver, history, number)
        taken = sum(told.total_minor for told in history.ok().values())
        assert len(history.ok()) == 2 * FINISHED_SALES
        [closed] = driver.do_now(MANAGER, CloseShift(counted_minor=FLOAT_MINOR + taken)).bodies
        assert isinstance(closed, ShiftClosed)
        assert closed.totals.expected_cash_minor == FLOAT_MINOR + taken
        assert closed.totals.sales_minor == closed.perpetual_minor == taken
        assert not driver.opened.reserve.held
    assert_all_holds(shop, history)


def test_till_starts_on_a_full_disk_while_it_has_its_reserve(disk: SmallDisk) -> None:
    shop, history = disk.place / "till", History()
    found_shop(shop)
    disk.fill()
    with driving(shop) as driver:
        for number in range(FINISHED_SALES):
            sell(driver, history, number)
    assert len(history.ok()) == FINISHED_SALES
    disk.fill()  # now the reserve is gone as well
    with pytest.raises(DiskFull, match="full"), driving(shop):
        pass
    disk.clear()
    with driving(shop) as driver:
        sell(driver, history, FINISHED_SALES)
    assert_all_holds(shop, history)


def sell(driver: Driver, history: History, number: int) -> None:
    cart_id = f"cart-{number}"
    try:
        sale_id = str(driver.do_now(CASHIER, sale(cart_id, number)).reply)
    except DiskFull:
        history.note(Attempt(cart_id, "fail"))
        return
    history.note(Attempt(cart_id, "ok", sale_id, receipt_of(driver, sale_id), total_minor(number)))


@pytest.mark.service
def test_read_only_disk_makes_a_page_that_says_use_another_till(disk: SmallDisk) -> None:
    shop = disk.place / "till"
    found_shop(shop, pins=True)
    disk.read_only()
    program = Program(shop, log_folder=disk.place.parent)
    with program:
        health = program.get("/health")
        assert health.status == 503
        assert "use another till" in health.body["hint"].lower()
        assert "Traceback" not in program.said()
        disk.writable()
        history = History()
        until(lambda: program.get("/health").status == 200, "the till opens by itself")
        answer = program.sell(program.sign_in(), history, "after", 1)
        assert answer is not None
        assert answer.status == 201
        assert program.stop() == 0
    assert_all_holds(shop, history)
