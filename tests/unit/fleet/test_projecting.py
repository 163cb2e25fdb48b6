"""Events as rows of head office: whatever a till sends, no report breaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.hub_world import sale, sealed
from tillmesh.fleet.projecting import NUMBER_MAX, Kind, project
from tillmesh.kernel.codec import Record
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.shop.events import Change, ProductsChanged, StockMove, StockReceived

A = "tilla.aaaaaaaa"


def event(body: Record, at_ms: int = 1) -> Envelope:
    return sealed(Head(A), body, at_ms)


def test_a_sale_becomes_its_receipt_and_its_payments() -> None:
    rows = project([event(sale(7, 250))])
    ((sold,), (paid,)) = rows.sales, rows.payments
    assert (sold.kind, sold.total_minor, sold.number, sold.at_ms) == (Kind.SALE, 250, "7", 7_000)
    assert (paid.method, paid.amount_minor) == ("cash", 250)


def test_a_change_of_products_becomes_what_it_writes() -> None:
    change = ProductsChanged(changes=(Change(key="tea", fields={"price_minor": 250}),), by="ann")
    (written,) = project([event(change)]).writes
    assert (written.entity, written.key, dict(written.written.items())) == ("product", "tea", {"price_minor": 250})


@pytest.mark.parametrize("number", [NUMBER_MAX + 1, -NUMBER_MAX - 1, 2**63, 2**64 - 1])
def test_numbers_beyond_all_measure_are_left_out_of_every_sum(number: int) -> None:
    strange = [event(sale(1, number)), event(StockReceived(moves=(StockMove(sku="a", quantity_milli=number),), by="x"))]
    rows = project([*strange, event(sale(2, 100))])
    assert [sold.total_minor for sold in rows.sales] == [100]
    assert rows.moves == []


@given(st.sampled_from(["sale_closed", "products_changed", "sale_voided", "not_known"]), st.binary(max_size=200))
def test_bytes_that_are_no_event_are_kept_in_the_log_and_change_nothing_else(kind: str, body: bytes) -> None:
    strange = Envelope(A, 1, 1, kind, 1, body, bytes(32), bytes(32))
    rows = project([strange, event(sale(2, 100))])
    assert [sold.total_minor for sold in rows.sales if sold.number == "2"] == [100]
