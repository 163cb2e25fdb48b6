"""Complaint 13: points or a wallet were not deducted, or twice.

There is no wallet yet: points come with the loyalty programme. What it will stand on is here: what is known of a
customer merges field by field, and a replay of sales and changes adds nothing to anybody.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor
from tests.unit.till.shop_till import MANAGER, cash, line, price_of
from tillmesh.adapters.sqlite import replica
from tillmesh.adapters.sqlite.database import rows
from tillmesh.adapters.sqlite.store import log
from tillmesh.crdt import GCounter
from tillmesh.shop.events import Change, Value
from tillmesh.till import commands as c

ONE, TWO = "a0till0a", "b1till1b"

pytestmark = pytest.mark.slow


def change(floor: Floor, at: str, **fields: Value) -> None:
    command = c.ChangeRecords(entity="customer", changes=(Change(key="ida", fields=fields),))
    floor[at].do(command, MANAGER)


@pytest.mark.parametrize("seed", range(10))
def test_a_customer_changed_on_two_tills_apart_keeps_both_changes(seed: int) -> None:
    with Floor([ONE, TWO], seed) as floor:
        floor.found(ONE)
        change(floor, ONE, name="Ida", phone="1", email="old@example.org")
        floor.settle()
        floor.isolate(TWO)
        change(floor, ONE, email="new@example.org")
        floor[TWO].clock_ms += 60_000
        change(floor, TWO, phone="2", name="Ida B.")
        change(floor, ONE, name="Ida A.")
        floor.connect_all()
        floor.settle()
        found = [post.books.fields("customer", "ida") for post in floor.posts.values()]
        assert found[0] == found[1]
        assert found[0] == {"name": "Ida B.", "phone": "2", "email": "new@example.org"}


def test_replaying_everything_ten_times_adds_no_purchase_to_a_customer() -> None:
    with Floor([ONE, TWO], seed=3) as floor:
        floor.found(ONE)
        change(floor, ONE, name="Ida")
        floor.settle()
        floor.isolate(TWO)
        for name in (ONE, TWO):
            bought = c.CloseSale(
                cart_id=f"of-{name}", lines=(line("mug"),), payments=cash(price_of("mug")), customer_id="ida"
            )
            floor[name].do(bought)
        floor.connect_all()
        floor.settle()
        before = floor.hashes()
        for post in floor.posts.values():
            for _ in range(10):
                replica.merge(post.writer, post.till, list(log(post.writer.db)), floor.now_ms)
            spent = "SELECT count(*), sum(total_minor) FROM receipt WHERE customer_id = 'ida'"
            assert rows(post.writer.db, spent) == [(2, 2 * price_of("mug"))]
        assert floor.hashes() == before


def test_points_earned_on_two_tills_and_told_twice_are_counted_once() -> None:
    """The counter that will carry them: each till adds to its own column, and merging takes the larger."""
    one = GCounter().increment(f"{ONE}.aaaa", 10)
    two = GCounter().increment(f"{TWO}.bbbb", 5)
    merged = one.merge(two)
    for _ in range(10):
        merged = merged.merge(two).merge(one)
    assert merged.value == 15
