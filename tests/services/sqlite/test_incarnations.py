"""Original or copy: a till that may not be the newest original goes on under a new name, and says what is gone."""

import shutil
from pathlib import Path

import pytest

from tests.services.sqlite.disk_shop import DiskShop, shop_at, snapshot, tamper, trade
from tests.unit.till.shop_till import MANAGER, START_MS, Shop
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.raft_storage import SqliteRaftStorage, promise
from tillmesh.adapters.sqlite.store import FILE, Origin
from tillmesh.kernel.errors import StorageFailed
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import terminal_of
from tillmesh.raft import Entry, HardState
from tillmesh.shop import events as e
from tillmesh.terminal.bootstrap import open_terminal
from tillmesh.terminal.verifying import verify
from tillmesh.till import commands as c


def notices(shop: DiskShop) -> list[str]:
    """What the audit log says about new incarnations."""
    found = [shop.read(event.id, e.Audited) for event in shop.log() if event.type == "audited"]
    return [note.detail for note in found if note.action == "new_incarnation"]


def put_back(copy: Path, data_dir: Path) -> None:
    """Restore the database alone, as a backup program does."""
    for path in data_dir.glob(f"{FILE}*"):
        path.unlink()
    shutil.copy(copy / FILE, data_dir / FILE)


def test_a_restart_keeps_name_and_numbers(tmp_path: Path) -> None:
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        actor = shop.opened.origin.actor
        shop.sell(cart_id="after")
    with shop_at(tmp_path) as shop:
        shop.sell(cart_id="later")
        assert shop.opened.origin.actor == actor
        assert shop.opened.notices == ()
        assert shop.numbers() == [f"{shop.till.identity.series}-{number:06d}" for number in range(1, 5)]
        assert notices(shop) == []
    assert verify(tmp_path)["ok"]


def test_a_till_knows_whether_it_was_stopped_in_good_order(tmp_path: Path) -> None:
    trade(tmp_path)
    killed = tmp_path.with_name("killed")
    with shop_at(tmp_path) as shop:
        assert not shop.opened.crashed
        shutil.copytree(tmp_path, killed)
    with shop_at(killed) as shop:
        assert shop.opened.crashed
    for _ in range(2):
        with shop_at(killed) as shop:
            assert not shop.opened.crashed


def test_the_same_cart_is_the_same_sale_after_a_restart(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        sale_id = shop.furnish().open().sell(cart_id="resent")
    with shop_at(tmp_path) as shop:
        again = shop.do(c.CloseSale(cart_id="resent", lines=(), payments=()))
        assert (again.reply, again.events) == (sale_id, ())


def test_an_open_cart_survives_a_restart(tmp_path: Path) -> None:
    with shop_at(tmp_path) as shop:
        cart = shop.furnish().ops(c.CartOperation(op_id="1", op="add", line_id="1", sku="mug")).cart
    with shop_at(tmp_path) as shop:
        assert shop.books.cart("cart-1") == (cart, 1)


def test_time_never_goes_back_even_if_the_clock_does(tmp_path: Path) -> None:
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        last = shop.till.clock.last
        shop.clock_ms = START_MS - 3_600_000
        shop.sell(cart_id="an hour ago")
        assert shop.log()[-1].hlc > last


@pytest.mark.parametrize(("restarts", "why"), [(0, "were committed and are gone"), (1, "an old copy was put back")])
def test_an_old_copy_that_was_put_back_goes_on_under_a_new_name(tmp_path: Path, restarts: int, why: str) -> None:
    data_dir = tmp_path / "till"
    trade(data_dir)
    copy = snapshot(data_dir, tmp_path / "copy")
    with shop_at(data_dir) as shop:
        former = shop.opened.origin.actor
        lost = shop.sell(cart_id="lost")
        lost_number = shop.read(lost, e.SaleClosed).receipt_number
    for _ in range(restarts):
        open_terminal(data_dir).close()
    put_back(copy, data_dir)
    with shop_at(data_dir) as shop:
        assert shop.opened.origin.actor != former
        assert terminal_of(shop.opened.origin.actor) == terminal_of(former)
        assert why in notices(shop)[0]
        assert shop.books.event(lost) is None
        numbers = [shop.read(shop.sell(cart_id=f"new-{i}"), e.SaleClosed).receipt_number for i in range(3)]
        assert lost_number not in numbers
        assert len(set(shop.numbers())) == len(shop.numbers()) == 5
    assert verify(data_dir)["ok"]


def test_a_copied_directory_is_another_incarnation_and_never_repeats_a_number(tmp_path: Path) -> None:
    original, copy = tmp_path / "till", tmp_path / "copy"
    trade(original)
    snapshot(original, copy)
    numbers: list[str] = []
    actors = set()
    for data_dir in (original, copy):
        with shop_at(data_dir) as shop:
            actors.add(shop.opened.origin.actor)
            numbers += [shop.read(shop.sell(cart_id=f"{i}"), e.SaleClosed).receipt_number for i in range(3)]
    assert len(actors) == 2
    assert len(set(numbers)) == len(numbers)
    with shop_at(copy) as shop:
        assert ["copied or moved" in note for note in notices(shop)] == [True]
    with shop_at(original) as shop:
        assert notices(shop) == []


def test_a_lost_tail_is_reported_by_number(tmp_path: Path) -> None:
    trade(tmp_path, sales=4)
    with shop_at(tmp_path) as shop:
        head, former, series = shop.till.head, shop.opened.origin.actor, shop.till.identity.series
    cut = f"seq > {head.seq - 2}"
    tamper(
        tmp_path,
        f"DELETE FROM event WHERE {cut}; DELETE FROM receipt WHERE {cut}; DELETE FROM signed_head; "
        f"UPDATE version_vector SET seq = {head.seq - 2}, hash = (SELECT hash FROM event WHERE seq = {head.seq - 2})",
    )
    problems = verify(tmp_path)["problems"]
    assert f"events {head.seq - 1} to {head.seq} of {former} were committed and are gone" in problems
    with shop_at(tmp_path) as shop:
        assert shop.opened.origin.actor != former
        assert f"events {head.seq - 1} to {head.seq} of {former}" in notices(shop)[0]
        assert f"{series}-000002" in notices(shop)[0]
        shop.sell(cart_id="after")
        assert len(set(shop.numbers())) == 3
    with shop_at(tmp_path) as shop:
        assert len(notices(shop)) == 1


def test_a_changed_last_event_is_noticed_at_the_start(tmp_path: Path) -> None:
    trade(tmp_path)
    tamper(tmp_path, "UPDATE version_vector SET hash = zeroblob(32)")
    with shop_at(tmp_path) as shop:
        assert "is not the one that was committed" in notices(shop)[0]


def test_a_lost_anchor_is_a_reason_to_doubt(tmp_path: Path) -> None:
    trade(tmp_path)
    (tmp_path / "anchor").unlink()
    with shop_at(tmp_path) as shop:
        assert len(notices(shop)) == 1
    with shop_at(tmp_path) as shop:
        assert len(notices(shop)) == 1


def test_a_new_incarnation_goes_on_with_shift_stock_and_perpetual_total(tmp_path: Path) -> None:
    data_dir = tmp_path / "till"
    with shop_at(data_dir) as shop:
        shop.furnish().open().sell(cart_id="a")
        shop.do(c.CloseShift(counted_minor=11_250))
        shop.open().sell(cart_id="b")
    moved = tmp_path / "moved"
    snapshot(data_dir, moved)
    with shop_at(moved) as shop:
        shop.sell(cart_id="c")
        closed = shop.read(shop.do(c.CloseShift(counted_minor=12_500)).reply, e.ShiftClosed)
        assert (closed.z_number, closed.totals.sales, closed.perpetual_minor) == (2, 2, 3 * 1_250)
        assert closed.totals.expected_cash_minor == 12_500
        assert shop.books.stock_milli("mug") == -3_000
    assert verify(moved)["ok"]


def test_two_programs_never_run_one_till(tmp_path: Path) -> None:
    with shop_at(tmp_path), pytest.raises(StorageFailed, match="another program"):
        open_terminal(tmp_path)
    with shop_at(tmp_path) as shop:
        assert shop.opened.notices == ()


def test_a_restart_beside_events_from_a_clock_years_ahead_leaves_the_own_clock_alone(tmp_path: Path) -> None:
    trade(tmp_path / "till")
    with shop_at(tmp_path / "till") as shop:
        ahead = Shop(Origin(store=shop.till.identity.store, terminal="ahead000", actor="ahead000.aaaaaaaa"))
        ahead.clock_ms = shop.clock_ms + 10 * 365 * 86_400_000
        ahead.do(c.Note(action="hello"), MANAGER)
        replica.merge(shop.writer, shop.till, ahead.log(), shop.clock_ms)
    with shop_at(tmp_path / "till") as shop:
        stamp = shop.do(c.Note(action="hello"), MANAGER).events[0].hlc
        assert physical_ms(stamp) < ahead.clock_ms - 86_400_000


def test_a_till_whose_vote_was_put_back_goes_on_under_a_new_name(tmp_path: Path) -> None:
    data_dir = tmp_path / "till"
    trade(data_dir)
    with shop_at(data_dir) as shop:
        before = shop.opened.origin.actor
        copy = snapshot(data_dir, tmp_path / "copy")
        storage = SqliteRaftStorage(shop.writer.db)
        storage.set_hard_state(HardState(term=3, vote="somebody"))
        shop.opened.anchor.promise(promise(shop.writer.db, before))
    put_back(copy, data_dir)
    with shop_at(data_dir) as shop:
        assert shop.opened.origin.actor != before
        assert terminal_of(shop.opened.origin.actor) == terminal_of(before)
        [notice] = notices(shop)
        assert "promised to other tills in term 3" in notice


def test_a_till_whose_vote_is_where_it_was_keeps_its_name(tmp_path: Path) -> None:
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        before = shop.opened.origin.actor
        storage = SqliteRaftStorage(shop.writer.db)
        for vote in ("somebody", None):
            storage.set_hard_state(HardState(term=3 if vote else 4, vote=vote))
            shop.opened.anchor.promise(promise(shop.writer.db, before))
        storage.set_hard_state(HardState(term=4, vote="another"))  # and the program was killed before it could note it
    with shop_at(tmp_path) as shop:
        assert shop.opened.origin.actor == before


def test_a_till_whose_agreed_log_was_put_back_goes_on_under_a_new_name(tmp_path: Path) -> None:
    """Its leader counts on entries that are gone, and would wait for them for ever."""
    data_dir = tmp_path / "till"
    trade(data_dir)
    with shop_at(data_dir) as shop:
        before = shop.opened.origin.actor
        storage = SqliteRaftStorage(shop.writer.db)
        storage.set_hard_state(HardState(term=3))
        storage.append([Entry(3, index) for index in (1, 2, 3)])
        copy = snapshot(data_dir, tmp_path / "copy")
        storage.append([Entry(3, 4)])
        shop.opened.anchor.promise(promise(shop.writer.db, before))
    put_back(copy, data_dir)
    with shop_at(data_dir) as shop:
        assert shop.opened.origin.actor != before


def test_a_log_that_a_newer_leader_made_shorter_is_no_loss(tmp_path: Path) -> None:
    trade(tmp_path)
    with shop_at(tmp_path) as shop:
        before = shop.opened.origin.actor
        storage = SqliteRaftStorage(shop.writer.db)
        storage.set_hard_state(HardState(term=3))
        storage.append([Entry(3, index) for index in (1, 2, 3)])
        shop.opened.anchor.promise(promise(shop.writer.db, before))
        storage.set_hard_state(HardState(term=4))
        storage.append([Entry(4, 2)])  # and the program was killed before it could note it
    with shop_at(tmp_path) as shop:
        assert shop.opened.origin.actor == before
