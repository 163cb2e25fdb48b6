"""Complaint 8: a shift was closed on one device, and sales that waited on another were stranded.

Here every till has a drawer and a shift of its own, so a sale can only belong to the shift of the till that took the
money, and closing one shift strands nobody else's sales. Late can only be what this till sold itself, on a disk that
was lost meanwhile: it joins its shift, the Z report is shown as amended, and the drawer reconciles.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor, Post
from tests.unit.till.shop_till import SUPERVISOR, line, price_of
from tillmesh.adapters.sqlite.accounting import counted_before, happenings
from tillmesh.adapters.sqlite.ledger import log
from tillmesh.adapters.sqlite.reporting import day
from tillmesh.fleet.books import StoreBooks
from tillmesh.kernel.times import local, zone
from tillmesh.shop.accounting import COUNTED, Booking, book
from tillmesh.shop.events import SaleClosed, ShiftClosed
from tillmesh.till import commands as c
from tillmesh.till import views

TILLS = ("a0till0a", "b1till1b", "c2till2c")
ONE, TWO, THREE = TILLS
FLOAT = 10_000
MILK, MUG = price_of("milk"), price_of("mug")
STRANDED = 20

pytestmark = pytest.mark.slow


def close(post: Post, counted_minor: int) -> str:
    return str(post.do(c.CloseShift(counted_minor=counted_minor)).reply)


def z_report(post: Post, event_id: str) -> views.View:
    event = post.books.event(event_id)
    assert event is not None
    return views.z_report(post.books, event)


def sold_today(post: Post) -> tuple[int, int]:
    report = day(post.writer.db, post.books, local(post.clock_ms, zone(post.books.store().time_zone)).date())
    return report["sales"], report["total_minor"]


@pytest.mark.parametrize("seed", range(5))
def test_closing_one_till_strands_no_sale_of_another_and_both_drawers_reconcile(seed: int) -> None:
    with Floor(TILLS, seed) as floor:
        floor.found(ONE)
        floor.isolate(TWO)
        for number in range(STRANDED):
            floor[TWO].sell(line("milk"), cart_id=f"stranded-{number}")
        floor[ONE].sell(line("mug"), cart_id="one")
        first = close(floor[ONE], FLOAT + MUG)
        floor.connect_all()
        floor.settle()
        second = close(floor[TWO], FLOAT + STRANDED * MILK)
        floor.settle()
        for post in floor.posts.values():
            reports = [z_report(post, event) for event in (first, second)]
            assert [one["amended"] for one in reports] == [None, None]
            assert [one["sales"] for one in reports] == [1, STRANDED]
            assert [one["variance_minor"] for one in reports] == [0, 0]
            assert sold_today(post) == (STRANDED + 1, MUG + STRANDED * MILK)


@pytest.mark.parametrize("seed", range(5))
def test_20_sales_that_were_only_on_another_till_join_the_closed_shift_and_amend_its_z(seed: int) -> None:
    with Floor(TILLS, seed) as floor:
        z, sales = closed_without_its_sales(floor)
        before = z_report(floor[ONE], z)
        assert (before["sales"], before["variance_minor"], before["amended"]) == (1, STRANDED * MILK, None)
        floor.connect_all()
        floor.settle()
        for post in floor.posts.values():
            report = z_report(post, z)
            assert {key: report[key] for key in before if key != "amended"} == {
                key: value for key, value in before.items() if key != "amended"
            }, "the Z report itself never changes"
            amended = report["amended"]
            assert {late["event_id"] for late in amended["late"]} == sales
            assert sum(late["amount_minor"] for late in amended["late"]) == STRANDED * MILK
            assert (amended["sales"], amended["variance_minor"]) == (STRANDED + 1, 0), "the drawer reconciles"
            shifts = {post.read(sale, SaleClosed).shift_id for sale in sales}
            assert shifts == {post.read(z, ShiftClosed).shift_id}
            assert sold_today(post) == (STRANDED + 1, MUG + STRANDED * MILK)


def closed_without_its_sales(floor: Floor) -> tuple[str, set[str]]:
    """Let a till sell 20 times with one neighbour in reach, lose its disk, and close its shift without those sales."""
    floor.found(ONE)
    floor[ONE].sell(line("mug"), cart_id="early")
    floor.settle()
    floor.isolate(THREE)
    sales = {floor[ONE].sell(line("milk"), cart_id=f"stranded-{number}") for number in range(STRANDED)}
    floor.settle_between(ONE, TWO)
    floor.isolate(TWO)
    floor.replace_disk(ONE, "fresh000", THREE)
    # Everything that was paid lies in the drawer, whatever the new disk knows.
    return close(floor[ONE], FLOAT + MUG + STRANDED * MILK), sales


def test_the_next_z_counts_late_sales_into_the_total_since_the_first_day() -> None:
    with Floor(TILLS, seed=1) as floor:
        z, _ = closed_without_its_sales(floor)
        assert floor[ONE].read(z, ShiftClosed).perpetual_minor == MUG
        floor.connect_all()
        floor.settle()
        floor[ONE].open().sell(line("mug"), cart_id="next")
        following = close(floor[ONE], FLOAT + MUG)
        closed = floor[ONE].read(following, ShiftClosed)
        assert closed.totals.sales == 1
        assert closed.perpetual_minor == 2 * MUG + STRANDED * MILK
        assert z_report(floor[ONE], following)["amended"] is None
        floor[ONE].open().sell(line("mug"), cart_id="last")
        assert floor[ONE].read(close(floor[ONE], 0), ShiftClosed).perpetual_minor == 3 * MUG + STRANDED * MILK


def test_a_refund_that_arrives_late_amends_the_cash_that_should_be_there() -> None:
    with Floor(TILLS, seed=2) as floor:
        floor.found(ONE)
        sale = floor[ONE].sell(line("mug"), cart_id="mug")
        floor.settle()
        floor.isolate(THREE)
        wanted = (c.WantedRefund(line=0, quantity_milli=1_000),)
        floor[ONE].do(c.RefundSale(sale_id=sale, lines=wanted, reason="broken"), SUPERVISOR)
        floor[ONE].do(c.MoveCash(amount_minor=-500, reason="stamps"), SUPERVISOR)
        floor.settle_between(ONE, TWO)
        floor.isolate(TWO)
        floor.replace_disk(ONE, "fresh000", THREE)
        z = close(floor[ONE], FLOAT - 500)
        floor.connect_all()
        floor.settle()
        amended = z_report(floor[TWO], z)["amended"]
        assert (amended["refunds"], amended["moved_minor"], amended["variance_minor"]) == (1, -500, 0)
        assert [late["kind"] for late in amended["late"]] == ["sale_refunded", "cash_moved"]


def test_the_books_count_late_sales_into_their_shift_at_every_till_and_at_head_office() -> None:
    with Floor(TILLS, seed=1) as floor:
        closed_without_its_sales(floor)
        short, _ = booked(floor[ONE])
        assert [one.amount_minor for one in short if one.about == COUNTED] == [STRANDED * MILK]
        floor.connect_all()
        floor.settle()
        for post in floor.posts.values():
            here, at_office = booked(post)
            assert here == at_office, "head office makes the same of the log"
            assert [one for one in here if one.about == COUNTED] == [], "the drawer reconciles"


def booked(post: Post) -> tuple[list[Booking], list[Booking]]:
    """Book today at a till, and from its log as head office does."""
    store = post.books.store()
    where = zone(store.time_zone)
    today = local(post.clock_ms, where).date()
    made, events = StoreBooks(today, today, where, store.currency), list(log(post.writer.db))
    made.take(events)
    if made.amended():
        made.take_again(events)
    before = counted_before(post.writer.db, post.books, today)
    return book(happenings(post.books, today, today), before), made.bookings()
