"""Charging by a terminal at a till: one payment at a time, taken into exactly one sale, given back by its token."""

from typing import Any

import pytest

from tests.unit.till.shop_till import CASHIER, MANAGER, SUPERVISOR, Shop, add, cash
from tillmesh.adapters.sqlite import card_payments as journal
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tillmesh.shop import events as e
from tillmesh.shop.card_payment import REFUND, CardAnswer, CardPayment, Said, State
from tillmesh.till import commands as c

MUG = 1_250


@pytest.fixture
def shop() -> Shop:
    shop = Shop().furnish().open()
    terminal = e.Change(key="k3m7qx2p", fields={"card_terminal": "simulated"})
    shop.do(c.ChangeRecords(entity="setting", changes=(terminal,)), MANAGER)
    shop.ops(add("1"), cart_id="cart")
    return shop


def ask(shop: Shop, payment_id: str = "p", amount: int = MUG, cart_id: str = "cart") -> CardPayment:
    reply = shop.do(c.AskCard(payment_id=payment_id, cart_id=cart_id, amount_minor=amount)).reply
    assert isinstance(reply, CardPayment)
    return reply


def hear(shop: Shop, said: Said, payment_id: str = "p", **more: Any) -> CardPayment:
    shop.do(c.CardSent(payment_id=payment_id))
    answer = CardAnswer(said=said, token="T-1 Z", approval_code="A1", last_four="4242", **more)
    reply = shop.do(c.CardHeard(payment_id=payment_id, answer=answer)).reply
    assert isinstance(reply, CardPayment)
    return reply


def pay(shop: Shop, *payments: e.Payment, cart_id: str = "cart") -> str:
    return str(shop.do(c.PayCart(cart_id=cart_id, payments=payments)).reply)


def by_card(amount: int = MUG, payment_id: str = "p") -> e.Payment:
    return e.Payment(method="card", amount_minor=amount, card_payment=payment_id)


def test_what_the_terminal_approved_pays_the_sale_with_its_code_and_digits(shop: Shop) -> None:
    assert ask(shop).state is State.CREATED
    hear(shop, Said.APPROVED)
    sale_id = pay(shop, by_card())
    (paid,) = shop.read(sale_id, e.SaleClosed).payments
    assert (paid.reference, paid.last_four, paid.token, paid.card_payment) == ("A1", "4242", "T-1 Z", "p")
    held = shop.books.card_payment("p")
    assert held is not None
    assert held.used_by == sale_id
    assert pay(shop, by_card()) == sale_id


def test_asking_again_with_the_same_id_is_the_same_payment_and_another_waits_for_its_end(shop: Shop) -> None:
    ask(shop)
    assert ask(shop) == shop.books.card_payment("p")
    with pytest.raises(Conflict, match=r"has not said how 12\.50 EUR ended"):
        ask(shop, "second")
    hear(shop, Said.SILENT)
    with pytest.raises(Conflict, match="has not said"):
        ask(shop, "second")
    with pytest.raises(Conflict, match="belongs to another"):
        ask(shop, "p", amount=5)


def test_no_sale_is_closed_beside_a_payment_whose_end_is_not_known_or_that_was_not_counted_in(shop: Shop) -> None:
    ask(shop)
    hear(shop, Said.SILENT)
    with pytest.raises(Conflict, match="has not said"):
        pay(shop, *cash(MUG))
    shop.do(c.CardHeard(payment_id="p", answer=CardAnswer(said=Said.APPROVED)))
    with pytest.raises(Conflict, match=r"took 12\.50 EUR already"):
        pay(shop, *cash(MUG))
    assert pay(shop, by_card())


def test_one_approval_pays_one_sale_for_its_own_amount_and_cart(shop: Shop) -> None:
    ask(shop, amount=1_000)
    with pytest.raises(Conflict, match="has not said"):
        pay(shop, by_card(1_000), *cash(250))
    hear(shop, Said.APPROVED)
    with pytest.raises(Invalid, match="named twice"):
        pay(shop, by_card(1_000), by_card(1_000))
    with pytest.raises(Invalid, match=r"took 10\.00 EUR"):
        pay(shop, by_card(MUG))
    shop.ops(add("2"), cart_id="other")
    with pytest.raises(Invalid, match="another sale"):
        pay(shop, by_card(1_000), *cash(250), cart_id="other")
    with pytest.raises(Conflict, match=r"only 2\.50 EUR is left"):
        ask(shop, "second", amount=251)
    pay(shop, by_card(1_000), *cash(250))
    with pytest.raises(NotFound):
        ask(shop, "third", amount=1)


def test_a_part_that_the_terminal_approved_leaves_the_rest_to_pay(shop: Shop) -> None:
    ask(shop)
    assert hear(shop, Said.APPROVED, amount_minor=700).amount_minor == 700
    assert pay(shop, by_card(700), *cash(550))


def test_a_refund_goes_back_by_the_token_of_the_payment_and_is_asked_for_once(shop: Shop) -> None:
    ask(shop)
    hear(shop, Said.APPROVED)
    sale_id = pay(shop, by_card())
    wanted = c.RefundSale(
        sale_id=sale_id, lines=(c.WantedRefund(line=0, quantity_milli=1_000),), reason="broken", refund_key="k"
    )
    refund_id = shop.do(wanted, SUPERVISOR).reply
    assert shop.do(wanted, SUPERVISOR).reply == refund_id
    (back,) = shop.books.card_payments_open()
    assert (back.kind, back.cart_id, back.original, back.amount_minor) == (REFUND, refund_id, "T-1 Z", MUG)
    assert len(journal.newest(shop.writer.db)) == 2


def test_what_no_sale_took_is_given_back_once(shop: Shop) -> None:
    ask(shop)
    with pytest.raises(Conflict, match="nothing to give back"):
        shop.do(c.ReverseCard(payment_id="p"))
    hear(shop, Said.APPROVED)
    back = shop.do(c.ReverseCard(payment_id="p")).reply
    assert isinstance(back, CardPayment)
    assert (back.kind, back.original) == (REFUND, "T-1 Z")
    assert shop.do(c.ReverseCard(payment_id="p")).reply == back
    with pytest.raises(Conflict, match="did not approve"):
        pay(shop, by_card())
    assert pay(shop, *cash(MUG))
    assert shop.types().count("audited") == 1


def test_a_supervisor_says_how_a_payment_ended_and_it_is_written_down(shop: Shop) -> None:
    ask(shop)
    hear(shop, Said.SILENT)
    wanted = c.CardSettled(payment_id="p", paid=False)
    with pytest.raises(NotAllowed) as refused:
        shop.do(wanted, CASHIER)
    assert (refused.value.action, refused.value.needs) == ("settle_card", "supervisor")
    shop.do(wanted, CASHIER, approved=["settle_card"])
    assert shop.types()[-1] == "audited"
    shop.do(wanted, SUPERVISOR)
    assert shop.types().count("audited") == 1
    assert pay(shop, *cash(MUG))


def test_a_card_payment_that_is_not_there_pays_nothing(shop: Shop) -> None:
    with pytest.raises(NotFound):
        pay(shop, by_card(payment_id="made up"))
    with pytest.raises(NotFound):
        shop.do(c.AskCard(payment_id="x", cart_id="nothing", amount_minor=1))
