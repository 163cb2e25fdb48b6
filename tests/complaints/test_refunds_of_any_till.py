"""Complaint 15: a receipt of another till could not be refunded, or was refunded twice.

Any till refunds any receipt it has heard of, and never more than was sold. If two tills that can't hear each other
refund the same goods, both refunds stand, and every till's manager is told once they agree.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor
from tests.unit.till.shop_till import MANAGER, SUPERVISOR, line, price_of
from tillmesh.kernel.errors import Conflict
from tillmesh.till import commands as c
from tillmesh.till import views
from tillmesh.till.money_conflicts import open_conflicts, shown

TILLS = ("a0till0a", "b1till1b", "c2till2c")
MUG = price_of("mug")

pytestmark = pytest.mark.slow


def refund(floor: Floor, name: str, sale: str, pieces: int) -> str:
    wanted = (c.WantedRefund(line=0, quantity_milli=pieces * 1000),)
    return str(floor[name].do(c.RefundSale(sale_id=sale, lines=wanted, reason="broken"), SUPERVISOR).reply)


@pytest.mark.parametrize("seed", range(5))
def test_any_till_refunds_a_receipt_of_any_other_in_parts_and_never_too_much(seed: int) -> None:
    with Floor(TILLS, seed) as floor:
        floor.found(TILLS[0])
        order = floor.random.sample(TILLS, 3)
        sale = floor[order[0]].sell(line("mug", 3), cart_id="mugs")
        floor.settle()
        for name in order:
            refund(floor, name, sale, 1)
            floor.settle()
        for name in order:
            with pytest.raises(Conflict, match="sold 3, already returned 3"):
                refund(floor, name, sale, 1)
        for post in floor.posts.values():
            event = post.books.event(sale)
            assert event is not None
            assert views.sale(post.books, event, {})["state"] == "refunded"
            assert open_conflicts(post.books) == [], "rightly refunded three times"
            assert post.books.stock_milli("mug") == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("void", [False, True], ids=["refunded-twice", "voided-and-refunded"])
def test_too_much_given_back_in_two_partitions_is_flagged_on_every_till(seed: int, void: bool) -> None:
    with Floor(TILLS, seed) as floor:
        floor.found(TILLS[0])
        one, two, other = floor.random.sample(TILLS, 3)
        sale = floor[other].sell(line("mug", 2), cart_id="mugs")
        floor.settle()
        floor.isolate(two)
        answers = {refund(floor, one, sale, 2)}
        if void:
            answers.add(str(floor[two].do(c.VoidSale(sale_id=sale, reason="mistake"), SUPERVISOR).reply))
        else:
            answers.add(refund(floor, two, sale, 1))
        floor.connect_all()
        floor.settle()
        assert len(floor.hashes()) == 1
        for post in floor.posts.values():
            (found,) = open_conflicts(post.books)
            assert (found.kind, found.sale_id) == ("given_back_twice", sale)
            assert set(found.events) == answers
            assert found.too_much_minor == (2 if void else 1) * MUG
            view = shown(post.books, found)
            assert view["sale"]["total_minor"] == 2 * MUG
            assert {row["event_id"] for row in view["events"]} == answers
            with pytest.raises(Conflict):
                refund(floor, post.name, sale, 1)
        (found,) = open_conflicts(floor[one].books)
        floor[one].do(c.SettleMoneyConflict(conflict_id=found.conflict_id, reason="told the customer"), MANAGER)
        floor.settle()
        assert [open_conflicts(post.books) for post in floor.posts.values()] == [[], [], []]


def test_a_cent_too_much_by_rounding_apart_is_told_as_what_it_is() -> None:
    with Floor(TILLS, seed=4) as floor:
        floor.found(TILLS[0])
        sale = floor[TILLS[0]].sell(line("milk", 2, discount_minor=1), cart_id="milk")  # 3.97: no two equal halves
        floor.settle()
        floor.isolate(TILLS[0])
        for name in TILLS[:2]:
            refund(floor, name, sale, 1)  # 1.99 each, half a cent rounded up
        floor.connect_all()
        floor.settle()
        (found,) = open_conflicts(floor[TILLS[2]].books)
        assert (found.kind, found.too_much_minor) == ("given_back_twice", 1)


def test_a_third_refund_that_arrives_late_opens_what_was_settled() -> None:
    with Floor(TILLS, seed=1) as floor:
        floor.found(TILLS[0])
        sale = floor[TILLS[0]].sell(line("mug"), cart_id="mug")
        floor.settle()
        floor.isolate(TILLS[2])
        floor.cut(TILLS[0], TILLS[1])
        for name in TILLS:
            refund(floor, name, sale, 1)
        floor.connect(TILLS[0], TILLS[1])
        floor.settle_between(*TILLS[:2])
        (found,) = open_conflicts(floor[TILLS[0]].books)
        floor[TILLS[0]].do(c.SettleMoneyConflict(conflict_id=found.conflict_id, reason="seen"), MANAGER)
        assert open_conflicts(floor[TILLS[0]].books) == []
        floor.connect_all()
        floor.settle()
        for post in floor.posts.values():
            (again,) = open_conflicts(post.books)
            assert again.too_much_minor == 2 * MUG
