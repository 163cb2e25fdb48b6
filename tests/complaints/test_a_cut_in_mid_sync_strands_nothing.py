"""Complaint 2: a second cut in the middle of a sync left orders behind, and nothing said so.

500 sales wait on a till that was offline. The link is cut 200 times at random points, and either end restarts now and
then. Exactly 500 arrive, and the number that waits is never less than what really is nowhere else.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor, Post
from tests.unit.till.shop_till import line
from tillmesh.adapters.sqlite.database import one

SALES = 500
CUTS = 200
SELLER, OTHER = "a0till0a", "b1till1b"

pytestmark = pytest.mark.slow


def sales_held(post: Post) -> int:
    return int(one(post.writer.db, "SELECT count(*) FROM receipt WHERE kind = 0"))


def stranded(floor: Floor) -> int:
    """Events of the seller that are on no other disk: the truth that the badge must not fall short of."""
    return floor[SELLER].till.head.seq - floor[OTHER].held(floor[SELLER].actor)


def look(floor: Floor) -> None:
    waiting = floor[SELLER].pending()
    assert waiting >= stranded(floor), "the till calls something safe that is nowhere else"


@pytest.mark.parametrize("seed", range(5))
def test_500_sales_cut_200_times_in_mid_sync_arrive_exactly_once_and_are_counted_all_the_time(seed: int) -> None:
    with Floor([SELLER, OTHER], seed, batch_max=3) as floor:
        floor.found(SELLER)
        floor.cut(SELLER, OTHER)
        for number in range(SALES):
            floor[SELLER].sell(line("milk"), cart_id=f"offline-{number}")
        assert floor[SELLER].pending() == SALES
        in_the_middle = 0
        for _ in range(CUTS):
            floor.connect(SELLER, OTHER)
            for _ in range(floor.random.randrange(1, 8)):
                floor.deliver()
                look(floor)
            in_the_middle += 0 < stranded(floor) < SALES
            _end(floor)
            look(floor)
        assert in_the_middle >= CUTS / 4, "many cuts must come while some sales have arrived and others wait"
        assert 0 < sales_held(floor[OTHER]) <= SALES
        floor.connect(SELLER, OTHER)
        floor.settle()
        assert sales_held(floor[OTHER]) == SALES
        assert floor[OTHER].books.stock_milli("milk") == -SALES * 1000
        assert floor[SELLER].pending() == 0
        assert len(floor.hashes()) == 1


def _end(floor: Floor) -> None:
    """End a link: torn, or with one of its ends."""
    match floor.random.randrange(4):
        case 0:
            floor.restart(SELLER)
        case 1:
            floor.restart(OTHER)
        case _:
            floor.cut(SELLER, OTHER)


def test_a_till_that_restarts_offline_still_counts_what_waits() -> None:
    with Floor([SELLER, OTHER], seed=1) as floor:
        floor.found(SELLER)
        floor.cut(SELLER, OTHER)
        for number in range(20):
            floor[SELLER].sell(cart_id=f"offline-{number}")
        floor.restart(SELLER)
        assert floor[SELLER].pending() >= 20
