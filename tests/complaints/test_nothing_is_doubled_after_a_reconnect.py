"""Complaint 3: after a reconnect sales, stock moves and payments were there twice.

Every acknowledgement is lost ten times while two tills replay the same sales to a third, and the cashier asks again
for an answer that never came. One sale, one stock move, one payment.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor, Post
from tests.unit.till.shop_till import line
from tillmesh.adapters.sqlite.database import one
from tillmesh.adapters.sqlite.reporting import day
from tillmesh.kernel.times import local, zone
from tillmesh.shop.events import SaleClosed

LOST = 10
SELLER, RELAY, LISTENER = "a0till0a", "b1till1b", "c2till2c"

pytestmark = pytest.mark.slow


def taken_in_cash(post: Post) -> tuple[int, int]:
    """What the report of the day counts on a till: payments in cash, and their sum."""
    today = local(post.clock_ms, zone(post.books.store().time_zone)).date()
    (cash,) = day(post.writer.db, post.books, today)["tenders"]
    return cash["count"], cash["taken_minor"]


@pytest.mark.parametrize("seed", range(5))
def test_two_senders_replaying_with_every_acknowledgement_lost_ten_times_double_nothing(seed: int) -> None:
    with Floor([SELLER, RELAY, LISTENER], seed) as floor:
        floor.found(SELLER)
        floor.isolate(LISTENER)
        sales = 10
        for number in range(sales):
            floor[SELLER].sell(line("mug"), line("milk", 2), cart_id=f"cart-{number}")
        floor.settle_between(SELLER, RELAY)
        assert floor[RELAY].held(floor[SELLER].actor) == floor[SELLER].till.head.seq
        for sender in (SELLER, RELAY):  # both hold the sales, and both will send all of them
            floor.acks_to_lose[LISTENER, sender] = LOST
            floor.connect(LISTENER, sender)
        pushed = floor.pushes_to(LISTENER)
        while floor.acks_to_lose[LISTENER, SELLER] + floor.acks_to_lose[LISTENER, RELAY]:
            floor.pass_long(1)
        floor.pass_long(200)
        assert floor.pushes_to(LISTENER) - pushed >= 2 * LOST, "both senders were to replay again and again"
        assert floor[SELLER].exchange.replicated_to(*_last(floor[SELLER])) == (RELAY, LISTENER)
        post = floor[LISTENER]
        assert one(post.writer.db, "SELECT count(*) FROM receipt") == sales
        assert post.books.stock_columns("mug") == {floor[SELLER].actor: (0, sales * 1000)}
        assert post.books.stock_columns("milk") == {floor[SELLER].actor: (0, sales * 2000)}
        assert taken_in_cash(post) == (sales, sales * (1_250 + 2 * 199))
        assert len(floor.hashes()) == 1


def _last(post: Post) -> tuple[str, int]:
    return post.actor, post.till.head.seq


def test_an_answer_that_is_lost_ten_times_is_one_sale_whichever_times_the_cashier_asks() -> None:
    with Floor([SELLER, RELAY], seed=1) as floor:
        floor.found(SELLER)
        post = floor[SELLER]
        first = post.sell(line("mug"), cart_id="impatient")
        for number in range(LOST):
            if number % 3 == 2:
                floor.restart(SELLER)
            assert post.sell(line("mug"), cart_id="impatient") == first
        floor.settle()
        for till in floor.posts.values():
            assert one(till.writer.db, "SELECT count(*) FROM receipt") == 1
            assert till.books.stock_milli("mug") == -1_000
            assert till.read(first, SaleClosed).total_minor == 1_250
