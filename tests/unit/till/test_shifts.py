"""A drawer's working time: what should be in it, and a Z report that adds up for ever."""

import pytest

from tests.unit.till.shop_till import ORIGIN, SUPERVISOR, Shop, line
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed
from tillmesh.shop import events as e
from tillmesh.till import commands as c
from tillmesh.till.shifts import shift_totals


def close(shop: Shop, counted_minor: int = 0) -> e.ShiftClosed:
    return shop.read(shop.do(c.CloseShift(counted_minor=counted_minor)).reply, e.ShiftClosed)


def test_one_shift_is_open_at_a_time(shop: Shop) -> None:
    with pytest.raises(Conflict, match="open already"):
        shop.open()


def test_a_float_below_zero_is_refused(closed_shop: Shop) -> None:
    with pytest.raises(Invalid):
        closed_shop.open(-1)


def test_the_drawer_should_hold_float_and_cash_and_what_was_moved(shop: Shop) -> None:
    sold = shop.sell(line("mug", 2), paid=3_000, cart_id="a")
    shop.sell(method="card", cart_id="b")
    shop.do(c.MoveCash(amount_minor=-5_000, reason="to the bank"), SUPERVISOR)
    shop.do(
        c.RefundSale(sale_id=sold, lines=(c.WantedRefund(line=0, quantity_milli=1000),), reason="broken"), SUPERVISOR
    )
    closed = close(shop, counted_minor=6_200)
    assert closed.totals.expected_cash_minor == 10_000 + 2_500 - 5_000 - 1_250
    assert closed.counted_minor - closed.totals.expected_cash_minor == -50
    assert {one.method: (one.taken_minor, one.returned_minor) for one in closed.totals.tenders} == {
        "cash": (2_500, 1_250),
        "card": (1_250, 0),
    }


def test_the_x_report_is_the_z_report_of_this_moment(shop: Shop) -> None:
    shop.sell()
    shift = shop.books.current_shift()
    assert shift is not None
    assert shift_totals(shop.books, shift) == close(shop).totals


def test_z_reports_are_numbered_and_the_perpetual_total_runs_over_all_of_them(shop: Shop) -> None:
    shop.sell(cart_id="a")
    first = close(shop)
    shop.open()
    sale = shop.sell(line("mug", 2), cart_id="b")
    shop.do(c.VoidSale(sale_id=sale, reason="mistake"), SUPERVISOR)
    shop.sell(line("milk"), cart_id="c")
    second = close(shop)
    shop.open()
    third = close(shop)
    assert [closed.z_number for closed in (first, second, third)] == [1, 2, 3]
    assert [closed.perpetual_minor for closed in (first, second, third)] == [1_250, 1_449, 1_449]


def test_a_sale_after_the_z_report_needs_a_new_shift(shop: Shop) -> None:
    close(shop)
    with pytest.raises(Conflict, match="no shift is open"):
        shop.sell()


def test_cash_leaves_the_drawer_only_with_approval_and_only_if_it_is_there(shop: Shop) -> None:
    with pytest.raises(NotAllowed):
        shop.do(c.MoveCash(amount_minor=-100, reason="ice cream"))
    with pytest.raises(Conflict, match="more than the 10000"):
        shop.do(c.MoveCash(amount_minor=-10_001, reason="to the bank"), SUPERVISOR)
    moved = shop.read(
        shop.do(c.MoveCash(amount_minor=-100, reason="stamps"), approved=["cash_move"]).reply, e.CashMoved
    )
    assert moved.approved_by == SUPERVISOR.user_id


def test_a_restored_till_closes_the_shift_that_its_former_self_opened(shop: Shop) -> None:
    shop.sell(cart_id="before")
    restored = Shop(Origin(store=ORIGIN.store, terminal=ORIGIN.terminal, actor="k3m7qx2p.9z8y7x6w"), shop.writer.db)
    restored.clock_ms = shop.clock_ms
    restored.sell(cart_id="after")
    closed = close(restored)
    assert closed.totals.sales == 2
    assert closed.totals.sales_minor == 2_500
    assert closed.totals.expected_cash_minor == 12_500
    assert restored.books.current_shift() is None


def test_a_shift_leaves_out_what_another_till_sold(shop: Shop) -> None:
    other = Shop(Origin(store=ORIGIN.store, terminal="zzzzzzzz", actor="zzzzzzzz.aaaaaaaa"), shop.writer.db)
    other.clock_ms = shop.clock_ms
    other.open(0).sell(cart_id="elsewhere")
    assert close(shop).totals.sales == 0
    assert close(other).totals.sales == 1


def test_a_shift_opened_by_a_clock_that_was_ahead_counts_what_a_later_incarnation_sold() -> None:
    """The till's disk was lost, its clock is right again, and the drawer is the same."""
    before = Shop()
    before.clock_ms += 86_400_000
    before.furnish().open()
    before.sell(cart_id="before")
    after = Shop(Origin(store=ORIGIN.store, terminal=ORIGIN.terminal, actor=f"{ORIGIN.terminal}.11111111"))
    after.writer.ledger.append_foreign(before.log())
    after.sell(cart_id="after")
    shift = after.books.current_shift()
    assert shift is not None
    assert shift_totals(after.books, shift).expected_cash_minor == 10_000 + 2 * 1_250
