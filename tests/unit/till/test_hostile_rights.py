"""A till of the store that lies about rights, and cards charged for the last ticket: nobody is kept from a sale."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs

from tests.unit.till.shop_till import MANAGER, ORIGIN, Shop, add
from tests.unit.till.test_card_payments import ask, by_card, hear, pay
from tests.unit.till.test_escrow import mark, own, receive, till_of, together
from tillmesh.kernel.codec import Record, encode
from tillmesh.kernel.envelope import Head, seal
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.limits import RIGHTS_PARTNERS_MAX
from tillmesh.shop import events as e
from tillmesh.shop.card_payment import Said
from tillmesh.shop.events import RightsMoved, RightsReleased
from tillmesh.till import commands as c
from tillmesh.till.escrow import NoRights

LIAR = "t9aaaaaa.11111119"


def says(shop: Shop, bodies: Sequence[Record]) -> None:
    """Let a till hear what another one made up."""
    head, events = Head(LIAR), []
    for number, body in enumerate(bodies, 1):
        kind = e.NAMES[type(body)]
        event = seal(ORIGIN.store, head, hlc=number << 20, kind=kind, version=e.VERSION, body=encode(body))
        events.append(event)
        head = Head(LIAR, event.seq, event.hash)
    with shop.writer.transaction():
        shop.writer.ledger.append_foreign(events)
    shop.books.forget()


def sell(shop: Shop, cart_id: str) -> None:
    wanted = (c.WantedLine(sku="mug", quantity_milli=1_000),)
    shop.do(c.CloseSale(cart_id=cart_id, lines=wanted, payments=(e.Payment(method="cash", amount_minor=1_250),)))


def test_rights_handed_to_more_tills_than_any_store_has_stop_no_sale(shop: Shop) -> None:
    many = range(9_000)
    moved = [RightsMoved(sku="mug", to=f"t{n}.x", quantity_milli=1) for n in many]
    freed = [RightsReleased(sku="mug", holder=f"t{n}.x", quantity_milli=1, seen=0, by="", reason="") for n in many]
    says(shop, [*moved, *freed])
    sell(shop, "a")
    counted = shop.books.rights("mug")
    assert len(counted.moved[LIAR]) == len(counted.released[LIAR]) == RIGHTS_PARTNERS_MAX
    shop.writer.ledger.rebuild()
    assert shop.books.rights("mug") == counted


def test_rights_of_names_that_no_till_can_have_are_nobody_s(shop: Shop) -> None:
    says(shop, [RightsMoved(sku="mug", to=name, quantity_milli=1) for name in ("", "x" * 100_000)])
    assert shop.books.rights("mug").holders() == {}
    sell(shop, "a")


@pytest.fixture
def last(shop: Shop) -> Shop:
    """A till with one ticket left, in the cart of somebody who pays by card."""
    terminal = e.Change(key=shop.till.identity.terminal, fields={"card_terminal": "simulated"})
    shop.do(c.ChangeRecords(entity="setting", changes=(terminal,)), MANAGER)
    mark(shop)
    receive(shop, 1)
    shop.ops(add("1", sku="mug"), cart_id="cart")
    return shop


def test_the_last_ticket_of_a_cart_whose_card_is_charged_goes_to_nobody_else(last: Shop) -> None:
    ask(last)
    other = "t2aaaaaa.11111112"
    hand_on = c.HandRights(sku="mug", to=other, quantity_milli=1_000, by="cara")
    assert last.do(hand_on, MANAGER).reply is None
    with pytest.raises(NoRights, match="0 left"):
        sell(last, "another")
    hear(last, Said.APPROVED)
    assert last.do(hand_on, MANAGER).reply is None
    pay(last, by_card())
    assert own(last) == 0


def test_nobody_is_charged_by_card_for_a_ticket_that_this_till_may_not_sell(last: Shop) -> None:
    sell(last, "another")
    with pytest.raises(NoRights, match="0 left"):
        ask(last)
    assert last.books.card_payments_open() == []


def test_rights_are_not_given_out_while_another_till_holds_events_that_are_not_here(shop: Shop) -> None:
    receive(shop, 4)
    mark(shop)
    other = till_of(shop, 2)
    together(shop, other)
    shop.till.company = structs.replace(shop.till.company, behind=True)
    with pytest.raises(Conflict, match="not here yet"):
        shop.do(c.IssueRights(sku="mug"), MANAGER)
    together(shop, other)
    with pytest.raises(Conflict, match="the store has not agreed"):
        shop.do(c.IssueRights(sku="mug"), MANAGER)
    shop.do(c.IssueRights(sku="mug", grant="g1", granted_milli=4_000), MANAGER)
    assert own(shop) == 4
    other.writer.close()
