"""D10, F11: a till whose database is wiped or damaged gets it back from the others by itself, under a new name."""

from pathlib import Path

import pytest

from tests.faults.checker import History
from tests.faults.corner_shop import PINS, assert_all_holds
from tests.faults.running import Program, until
from tests.faults.small_store import (
    actor_of,
    agree,
    back,
    build_store,
    notice,
    reborn,
    replicated,
    running,
    trade,
)
from tillmesh.terminal.verifying import verify

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.timeout(240)]


def wipe(shop: Path) -> None:
    for path in shop.glob("till.db*"):
        path.unlink()


def damage(shop: Path) -> None:
    """Flip one bit in each page: whatever is read first is wrong."""
    with (shop / "till.db").open("r+b") as file:
        for at in range(100, (shop / "till.db").stat().st_size, 4096):
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 16]))


def test_till_whose_database_broke_while_it_was_off_comes_back_with_everything(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 2), History()
    second = tills[1]
    with running(tills):
        numbers = trade(second, history, "before")
        replicated(second)
        former = actor_of(second)
        second.kill()
        damage(second.shop)
        second.start()
        back(second)
        assert actor_of(second) != former
        assert actor_of(second).split(".")[0] == former.split(".")[0]
        assert "everything came back from" in notice(second, "restored")
        agree(tills)
        again = trade(second, history, "before")
        assert again == numbers, "the same cart is still the same sale"
        assert not set(trade(second, history, "after")) & set(numbers)
        agree(tills)
        assert second.stop() == 0
    assert_all_holds(second.shop, history)
    assert len(list((second.shop / "quarantine").glob("*/till.db"))) == 1


def test_till_whose_database_breaks_while_it_sells_comes_back_with_everything(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 2), History()
    second = tills[1]
    with running(tills):
        trade(second, history, "before")
        replicated(second)
        former = actor_of(second)
        damage(second.shop)
        poke(second)
        back(second)
        assert actor_of(second) != former
        trade(second, history, "after")
        agree(tills)
        assert second.stop() == 0
    assert verify(second.shop)["ok"], verify(second.shop)
    assert_all_holds(second.shop, history)


def poke(till: Program) -> None:
    """Ask for this and that until the till has read what is damaged."""
    signed_in = till.call("POST", "/session", {"pin": PINS["maya"]})
    if signed_in.status != 201:
        return  # that alone has read it
    ask = str(signed_in.body["token"])
    for path in ("/sales?since=2020-01-01T00:00:00Z", "/products?q=tea", "/state-hash", "/customers?q=a"):
        try:
            till.get(path, ask)
        except OSError:
            return


def put_back(shop: Path, copy: dict[str, bytes]) -> None:
    """Restore a whole old copy in place: the anchor file keeps its inode, so nothing on this disk can tell."""
    for path in shop.glob("till.db*"):
        path.unlink()
    for name, content in copy.items():
        (shop / name).write_bytes(content)


def copy_of(shop: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (*shop.glob("till.db*"), shop / "anchor")}


def test_till_that_lost_its_newest_sales_unnoticed_hears_of_them_from_the_others(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 2), History()
    first, second = tills
    with running(tills):
        trade(second, history, "before")
        replicated(second)
        second.stop()
        copy = copy_of(second.shop)
        second.start()
        numbers = trade(second, history, "lost here")
        former = actor_of(second)
        replicated(second)
        second.kill()
        put_back(second.shop, copy)
        second.start()
        reborn(second, former)
        assert "another till has them" in notice(second, "new_incarnation")
        assert trade(second, history, "lost here") == numbers, "they are the same sales again"
        trade(second, history, "after")
        agree(tills)
        assert (first.stop(), second.stop()) == (0, 0)
    for till in tills:
        assert_all_holds(till.shop, history)


def test_till_that_sold_on_from_an_old_copy_gives_way_to_what_the_others_hold(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 2), History()
    first, second = tills
    with running(tills):
        trade(second, history, "before")
        replicated(second)
        second.stop()
        copy = copy_of(second.shop)
        second.start()
        trade(second, history, "kept by the other")
        replicated(second)
        former = actor_of(second)
        second.kill()
        assert first.stop() == 0
        put_back(second.shop, copy)
        second.start()
        numbers = trade(second, History(), "sold apart", 2)
        first.start()
        reborn(second, former)
        told = notice(second, "restored")
        assert f"receipts {numbers[0]} to {numbers[-1]} were sold before this was noticed" in told
        trade(second, history, "after")
        agree(tills)
        assert (first.stop(), second.stop()) == (0, 0)
    for till in tills:
        assert_all_holds(till.shop, history)


def test_sales_reported_as_gone_come_back_with_the_till_that_was_off(tmp_path: Path) -> None:
    tills, history = build_store(tmp_path, 3), History()
    first, second, third = tills
    with running(tills):
        agree(tills)
        assert first.stop() == 0
        numbers = trade(second, history, "only the third heard of it")
        replicated(second)
        second.stop()
        assert third.stop() == 0
        wipe(second.shop)
        first.start()
        second.start()
        back(second)
        assert f"receipts {numbers[0]} to {numbers[-1]}" in notice(second, "restored")
        third.start()
        until(lambda: "enter nothing again" in str(second.get("/health").body), "the alarm is taken down")
        agree(tills)
        assert all(till.stop() == 0 for till in tills)
    assert_all_holds(second.shop, history)
