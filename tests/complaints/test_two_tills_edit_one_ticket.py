"""Complaint 9: two devices edited one ticket, and lines were doubled or lost, or a payment was.

A parked cart is taken up on two tills that can't hear each other. Whatever each of them adds is there once when they
parked it again; if both let the customer pay, both payments stand and every till's manager is told.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor, Post
from tests.unit.till.shop_till import CASHIER, MANAGER, add, cash, op, price_of
from tillmesh.kernel.errors import Conflict, NotAllowed, NotFound
from tillmesh.shop.events import SaleClosed
from tillmesh.shop.money_conflict import MoneyConflict
from tillmesh.till import commands as c
from tillmesh.till.audit_text import describe
from tillmesh.till.carts import Edited
from tillmesh.till.money_conflicts import open_conflicts, shown

TILLS = ("a0till0a", "b1till1b", "c2till2c")
OFFICE, LEFT, RIGHT = TILLS
MUG, MILK = price_of("mug"), price_of("milk")

pytestmark = pytest.mark.slow


def taken_up_twice(floor: Floor) -> None:
    """Park a cart of one mug, cut the store into two, and take the cart up in both parts."""
    floor.found(OFFICE)
    floor[OFFICE].ops(add("mug"), cart_id="ticket")
    park_id = str(floor[OFFICE].do(c.ParkCart(cart_id="ticket")).reply)
    floor.settle()
    floor.isolate(RIGHT)
    for name in (LEFT, RIGHT):
        floor[name].do(c.ResumeCart(park_id=park_id))


def heal(floor: Floor) -> None:
    floor.connect_all()
    floor.settle()


def pay(post: Post, amount_minor: int) -> str:
    return str(post.do(c.PayCart(cart_id="ticket", payments=cash(amount_minor))).reply)


def found_on(floor: Floor) -> list[list[MoneyConflict]]:
    return [open_conflicts(post.books) for post in floor.posts.values()]


@pytest.mark.parametrize("seed", range(10))
def test_lines_added_on_two_tills_apart_are_each_there_once(seed: int) -> None:
    with Floor(TILLS, seed) as floor:
        taken_up_twice(floor)
        floor[LEFT].ops(add("milk", "milk"), cart_id="ticket")
        floor[RIGHT].clock_ms += 60_000
        floor[RIGHT].ops(
            op("set_quantity", "two", line_id="mug", quantity="2"), add("apples", "apples"), cart_id="ticket"
        )
        parked = [str(floor[name].do(c.ParkCart(cart_id="ticket")).reply) for name in (LEFT, RIGHT)]
        heal(floor)
        edited = floor[OFFICE].do(c.ResumeCart(park_id=floor.random.choice(parked))).reply
        assert isinstance(edited, Edited)
        held = {line.line_id: line.quantity_milli for line in edited.cart.lines}
        assert held == {"mug": 2_000, "milk": 1_000, "apples": 1_000}
        assert len(edited.cart.lines) == 3
        floor.settle()
        for post in floor.posts.values():
            assert post.books.parked_versions("ticket") == []


@pytest.mark.parametrize("seed", range(10))
def test_a_ticket_paid_on_two_tills_apart_keeps_both_payments_and_is_flagged_everywhere(seed: int) -> None:
    with Floor(TILLS, seed) as floor:
        taken_up_twice(floor)
        floor[RIGHT].ops(add("milk", "milk"), cart_id="ticket")
        sales = {pay(floor[LEFT], MUG): MUG, pay(floor[RIGHT], MUG + MILK): MUG + MILK}
        assert found_on(floor) == [[], [], []], "nobody can know yet"
        heal(floor)
        assert len(floor.hashes()) == 1
        for post in floor.posts.values():
            assert {sale: post.read(sale, SaleClosed).total_minor for sale in sales} == sales
            assert post.books.stock_milli("mug") == -2_000
        first, *others = found_on(floor)
        assert others == [first, first]
        (found,) = first
        assert found.kind == "paid_twice"
        assert set(found.events) == sales.keys()
        view = shown(floor[OFFICE].books, found)
        assert {row["total_minor"] for row in view["events"]} == set(sales.values())
        assert {row["terminal"]["terminal_id"] for row in view["events"]} == {LEFT, RIGHT}


def test_a_manager_settles_a_double_payment_once_for_all_tills_and_it_is_audited() -> None:
    with Floor(TILLS, seed=1) as floor:
        taken_up_twice(floor)
        pay(floor[LEFT], MUG)
        pay(floor[RIGHT], MUG)
        heal(floor)
        (found,) = open_conflicts(floor[OFFICE].books)
        settle = c.SettleMoneyConflict(conflict_id=found.conflict_id, reason="gave 12.50 back")
        with pytest.raises(NotAllowed):
            floor[OFFICE].do(settle, CASHIER)
        event = str(floor[OFFICE].do(settle, MANAGER).reply)
        floor.settle()
        assert found_on(floor) == [[], [], []]
        for post in floor.posts.values():
            noted = post.books.event(event)
            assert noted is not None
            assert describe(post.books, noted)["reason"] == "gave 12.50 back"
        with pytest.raises(NotFound):
            floor[OFFICE].do(settle, MANAGER)


def test_a_till_that_hears_of_the_other_payment_in_time_takes_no_money() -> None:
    with Floor(TILLS, seed=2) as floor:
        taken_up_twice(floor)
        pay(floor[LEFT], MUG)
        heal(floor)
        with pytest.raises(Conflict, match="paid already, with receipt"):
            pay(floor[RIGHT], MUG)
        floor[RIGHT].restart()
        with pytest.raises(Conflict, match="paid already, with receipt"):
            pay(floor[RIGHT], MUG)
        assert found_on(floor) == [[], [], []]


def test_a_version_that_lies_parked_after_the_ticket_was_paid_is_not_taken_up_again() -> None:
    with Floor(TILLS, seed=3) as floor:
        taken_up_twice(floor)
        pay(floor[LEFT], MUG)
        parked = str(floor[RIGHT].do(c.ParkCart(cart_id="ticket")).reply)
        heal(floor)
        for post in floor.posts.values():
            with pytest.raises(Conflict, match="paid already, with receipt"):
                post.do(c.ResumeCart(park_id=parked))
