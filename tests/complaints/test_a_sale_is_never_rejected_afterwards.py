"""Complaint 11: a completed sale was rejected by the server later, for lack of stock.

Stock never stops a sale from arriving: what the customer has carried out of the shop is a fact. The stock goes below
zero, on every till alike.
"""

from __future__ import annotations

import pytest

from tests.complaints.shop_floor import Floor
from tests.unit.till.shop_till import MANAGER, line
from tillmesh.adapters.sqlite import listings
from tillmesh.till import commands as c

TILLS = ("a0till0a", "b1till1b", "c2till2c")

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", range(20))
def test_the_last_mug_sold_on_three_tills_apart_is_three_sales_everywhere(seed: int) -> None:
    with Floor(TILLS, seed) as floor:
        floor.found(TILLS[0])
        floor[TILLS[0]].do(c.ReceiveStock(sku="mug", quantity_milli=1_000), MANAGER)
        floor.settle()
        floor.isolate(*TILLS[:1])
        floor.cut(*TILLS[1:])
        sold = {name: floor[name].sell(line("mug"), cart_id=f"last-{name}") for name in TILLS}
        assert {post.books.stock_milli("mug") for post in floor.posts.values()} == {0}
        floor.connect_all()
        floor.settle()
        for post in floor.posts.values():
            assert {event.id for event in listings.sales(post.books, listings.SaleFilter())} == set(sold.values())
            assert post.books.stock_milli("mug") == -2_000
        assert len(floor.hashes()) == 1


def test_a_sale_of_what_was_counted_away_meanwhile_arrives_and_is_booked() -> None:
    """The shelf was counted empty, the product taken off the list, while another till sold it."""
    with Floor(TILLS[:2], seed=1) as floor:
        office, shop = TILLS[:2]
        floor.found(office)
        floor.isolate(shop)
        sale = floor[shop].sell(line("milk", 5), cart_id="gone")
        floor[office].do(c.CountStock(sku="milk", quantity_milli=0), MANAGER)
        floor.connect_all()
        floor.settle()
        for post in floor.posts.values():
            assert [event.id for event in listings.sales(post.books, listings.SaleFilter())] == [sale]
            assert post.books.stock_milli("milk") == -5_000
