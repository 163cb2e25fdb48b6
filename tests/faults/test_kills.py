"""F01: kill -9 at every write of a sale's commit, at every sync and at every change of a file's length."""

import signal
from pathlib import Path

import pytest

from tests.faults.checker import History, check
from tests.faults.corner_shop import assert_all_holds, driving, found_shop, read_books
from tests.faults.seller import Seller
from tests.faults.strace import needs_strace
from tillmesh.terminal.verifying import verify

PARTS = 2
SALES = 4


def kill_at_each(call: str, folder: Path, *, first: int, step: int, checkpoint_pages: int) -> int:
    """Kill a till at its n-th call, for every n until a day survives; give the number of kills."""
    shop, history = folder / "till", History()
    found_shop(shop)
    with Seller(folder) as seller:
        for kills in range(1000):
            when = first + kills * step
            carts = [(f"{call}-{when}-{number}", when + number) for number in range(SALES)]
            tamper = f"{call}:signal=KILL:when={when}"
            status = seller.sell(shop, carts, history, tamper=tamper, checkpoint_pages=checkpoint_pages)
            # The cashier tries again whatever they heard.
            assert seller.sell(shop, carts, history) == 0
            assert_all_holds(shop, history, quick=status != 0)
            if status == 0:
                return kills
            assert status == -signal.SIGKILL
    raise AssertionError("the day never ends")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("checkpoint_pages", [20, 4000], ids=["checkpoints", "log-only"])
def test_till_killed_at_any_write_keeps_every_acknowledged_sale(
    tmp_path: Path, part: int, checkpoint_pages: int
) -> None:
    needs_strace()
    kills = kill_at_each("pwrite64", tmp_path, first=part + 1, step=PARTS, checkpoint_pages=checkpoint_pages)
    assert kills * PARTS >= 70


@pytest.mark.slow
@pytest.mark.parametrize("call", ["fdatasync", "ftruncate", "unlink", "write"])
def test_till_killed_at_any_sync_or_change_of_a_file_keeps_every_acknowledged_sale(tmp_path: Path, call: str) -> None:
    needs_strace()
    assert kill_at_each(call, tmp_path, first=1, step=1, checkpoint_pages=20) >= 1


def is_done(
    seller: Seller, shop: Path, history: History, tamper: str, *, archives: bool = False, folds: str = ""
) -> bool:
    """Let a till do what it does in quiet hours; say whether it was done before it was killed. All holds either way."""
    status = seller.sell(shop, [], history, tamper=tamper, checkpoint_pages=20, archives=archives, folds=folds)
    assert_all_holds(shop, history, quick=status != 0)
    assert status in {0, -signal.SIGKILL}
    return status == 0


@pytest.mark.slow
@pytest.mark.parametrize(("call", "step"), [("pwrite64", 5), ("fdatasync", 1)])
def test_till_killed_while_old_sales_leave_the_log_and_come_back_has_them_all(
    tmp_path: Path, call: str, step: int
) -> None:
    needs_strace()
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    with Seller(tmp_path) as seller:
        for when in range(1, 1000, step):
            carts = [(f"{call}-{when}-{number}", when + number) for number in range(SALES)]
            assert seller.sell(shop, carts, history) == 0
            if is_done(seller, shop, history, f"{call}:signal=KILL:when={when}", archives=True):
                assert when > 1
                return
    raise AssertionError("it never ends")


@pytest.mark.slow
@pytest.mark.parametrize(("call", "step"), [("pwrite64", 9), ("fdatasync", 5)])
def test_till_killed_while_it_begins_anew_and_joins_the_column_of_who_it_was_counts_everything_once(
    tmp_path: Path, call: str, step: int
) -> None:
    needs_strace()
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    with Seller(tmp_path) as seller:
        for when in range(1, 1000, step):
            assert seller.sell(shop, [(f"{call}-{when}", when)], history) == 0
            with driving(shop) as driver:
                former = driver.opened.origin.actor
            (shop / "anchor").unlink()  # as on a disk that was copied: it goes on as somebody else
            if is_done(seller, shop, history, f"{call}:signal=KILL:when={when}", folds=former):
                assert when > 1
                return
    raise AssertionError("it never ends")


@pytest.mark.slow
def test_checker_finds_a_till_that_answers_before_it_commits(tmp_path: Path) -> None:
    needs_strace()
    shop, history = tmp_path / "till", History()
    found_shop(shop)
    with Seller(tmp_path) as seller:
        tamper = "pwrite64:signal=KILL:when=60"
        carts = [(f"early-{number}", number) for number in range(20)]
        assert seller.sell(shop, carts, history, tamper=tamper, answers_first=True) == -signal.SIGKILL
        seller.sell(shop, [("later", 1)], history)
    assert [line[:2] for line in check(history, read_books(shop)[0])] == ["I1"]


@pytest.mark.slow
@pytest.mark.parametrize("call", ["pwrite64", "write", "fsync", "fdatasync", "rename"])
def test_till_killed_while_it_is_set_up_starts_afterwards(tmp_path: Path, call: str) -> None:
    needs_strace()
    step = 7 if call == "pwrite64" else 1  # the tables alone are a hundred writes
    with Seller(tmp_path) as seller:
        for when in range(1, 1000, step):
            shop = tmp_path / f"till-{when}"
            status = seller.sell(shop, [], History(), tamper=f"{call}:signal=KILL:when={when}")
            assert seller.sell(shop, [], History()) == 0, f"killed at {call} {when}"
            assert verify(shop)["ok"], f"killed at {call} {when}"
            if status == 0:
                break
