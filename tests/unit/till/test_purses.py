"""Points, gift cards and accounts: paid with, loaded, given back; two tills apart lose at most the limit."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from tests.unit.till.shop_till import GOODS, MANAGER, ORIGIN, SUPERVISOR, Shop, add, cash, line, op
from tillmesh.adapters.sqlite.purses import below_zero
from tillmesh.adapters.sqlite.reporting import state_parts
from tillmesh.adapters.sqlite.store import Origin
from tillmesh.kernel.errors import Conflict, Invalid, NotFound
from tillmesh.shop import events as e
from tillmesh.shop import report
from tillmesh.shop.purses import ACCOUNT, GIFT_CARD, POINTS, card_account
from tillmesh.till import commands as c
from tillmesh.till.desk import Company

CODE = "GIFT-1234-ABCD-9876"
CARD = card_account(ORIGIN.store, CODE)
ALL_WAYS = ["cash", "card", "gift_card", "account", "points"]


@pytest.fixture
def money(shop: Shop) -> Shop:
    """A shop in which every way to pay is open, 1 point is earned per 1.00 and pays 0.05, and Ana is a customer."""
    shop.set_store(pay_methods=ALL_WAYS, loyalty_earn_minor=100, loyalty_point_minor=5, offline_redeem_max_minor=500)
    fields: dict[str, e.Value] = {"name": "Ana", "credit_limit_minor": 3_000}
    shop.do(c.ChangeRecords(entity="customer", changes=(e.Change(key="ana", fields=fields),)), MANAGER)
    return shop


def sell(shop: Shop, cart_id: str, *payments: e.Payment, customer: str = "", pieces: int = 1) -> str:
    lines = (line("mug", pieces),)
    return str(shop.do(c.CloseSale(cart_id=cart_id, lines=lines, payments=payments, customer_id=customer)).reply)


def load(shop: Shop, amount: int, cart_id: str, pin: str = "") -> str:
    shop.ops(op("gift_card", "g", line_id="g", text=CODE, amount_minor=amount, reason=pin), cart_id=cart_id)
    return str(shop.do(c.PayCart(cart_id=cart_id, payments=cash(amount))).reply)


def pay(method: str, amount: int, reference: str = "") -> e.Payment:
    return e.Payment(method=method, amount_minor=amount, reference=reference)


def held(shop: Shop) -> tuple[int, int, int]:
    return shop.books.purse(POINTS, "ana"), shop.books.purse(GIFT_CARD, CARD), shop.books.purse(ACCOUNT, "ana")


def refund(shop: Shop, sale: str, pieces: int, key: str) -> e.SaleRefunded:
    wanted = (c.WantedRefund(line=0, quantity_milli=pieces * 1000),)
    asked = c.RefundSale(sale_id=sale, lines=wanted, reason="chipped", refund_key=key)
    return shop.read(shop.do(asked, MANAGER).reply, e.SaleRefunded)


def test_a_gift_card_is_sold_topped_up_and_spent_and_the_log_never_holds_its_code(money: Shop) -> None:
    sale = money.read(load(money, 2_000, "a"), e.SaleClosed)
    assert (sale.total_minor, sale.tax_minor, sale.lines[0].loads) == (2_000, 0, f"gift_card:{CARD}")
    load(money, 500, "b")
    assert held(money)[1] == 2_500
    paid = money.read(sell(money, "c", pay("gift_card", 1_250, CODE)), e.SaleClosed)
    assert (paid.payments[0].reference, paid.payments[0].last_four) == (CARD, "9876")
    assert held(money)[1] == 1_250
    assert not any(b"GIFT1234" in event.body or CODE.encode() in event.body for event in money.log())
    with pytest.raises(Conflict, match=r"at most 12\.50"):
        sell(money, "d", pay("gift_card", 2_500, CODE), pieces=2)


def test_a_card_that_nobody_sold_is_blocked_or_has_another_pin_pays_nothing(money: Shop) -> None:
    with pytest.raises(NotFound, match="no gift card"):
        sell(money, "a", pay("gift_card", 1_250, "GIFT-0000-0000"))
    load(money, 2_000, "b", pin="4711")
    with pytest.raises(Invalid, match="PIN"):
        sell(money, "c", pay("gift_card", 1_250, CODE))
    assert sell(money, "d", pay("gift_card", 1_250, f"{CODE}/4711"))
    block = c.ChangeRecords(entity="gift_card", changes=(e.Change(key=CARD, fields={"active": False}),))
    money.do(block, MANAGER)
    with pytest.raises(Conflict, match="blocked"):
        sell(money, "e", pay("gift_card", 1_250, f"{CODE}/4711"))


def test_points_are_earned_on_what_is_paid_otherwise_and_pay_in_whole_points(money: Shop) -> None:
    sell(money, "a", *cash(5_000), customer="ana", pieces=4)
    assert held(money)[0] == 50
    sell(money, "b", pay("points", 250), *cash(1_000), customer="ana")
    assert held(money)[0] == 50 - 50 + 10
    with pytest.raises(Invalid, match="steps of 5"):
        sell(money, "c", pay("points", 3), *cash(1_247), customer="ana")
    with pytest.raises(Invalid, match="needs a customer"):
        sell(money, "d", pay("points", 50), *cash(1_200))


def test_what_is_bought_on_account_is_owed_up_to_a_limit_and_paid_off(money: Shop) -> None:
    sell(money, "a", pay("account", 2_500), customer="ana", pieces=2)
    assert held(money)[2] == 2_500
    with pytest.raises(Conflict, match=r"at most 5\.00"):
        sell(money, "b", pay("account", 1_250), customer="ana")
    customer = op("customer", "x", customer_id="ana")
    too_much = money.ops(customer, op("pay_off", "p", line_id="p", amount_minor=2_501), cart_id="c")
    assert [type(error) for _, error in too_much.rejected] == [Conflict]
    money.ops(op("pay_off", "q", line_id="p", amount_minor=2_000), cart_id="c")
    money.do(c.PayCart(cart_id="c", payments=cash(2_000)))
    assert held(money)[2] == 500
    assert held(money)[0] == 25, "paying a debt off earns no points a second time"


def test_a_debt_that_lies_in_two_carts_is_paid_once(money: Shop) -> None:
    sell(money, "a", pay("account", 1_250), customer="ana")
    for cart in ("one", "two"):
        customer, payoff = op("customer", "x", customer_id="ana"), op("pay_off", "p", line_id="p", amount_minor=1_250)
        assert not money.ops(customer, payoff, cart_id=cart).rejected
    money.do(c.PayCart(cart_id="one", payments=cash(1_250)))
    with pytest.raises(Conflict, match="more than the customer owes"):
        money.do(c.PayCart(cart_id="two", payments=cash(1_250)))
    assert held(money)[2] == 0


def test_a_refund_gives_each_purse_its_own_back_and_takes_earned_points(money: Shop) -> None:
    load(money, 1_000, "a")
    money.do(c.AdjustPurse(purse=POINTS, account="ana", amount=100, reason="courtesy"), MANAGER)
    before = held(money)
    payments = (pay("gift_card", 1_000, CODE), pay("points", 500), pay("account", 1_000), *cash(2_500))
    sale = sell(money, "b", *payments, customer="ana", pieces=4)
    assert held(money) == (before[0] - 100 + 45, 0, 1_000)
    for piece in range(4):
        refund(money, sale, 1, f"r{piece}")
    assert held(money) == before


def test_a_void_undoes_every_move_but_not_of_a_card_that_was_used(money: Shop) -> None:
    sale = sell(money, "a", pay("account", 1_250), customer="ana")
    money.do(c.VoidSale(sale_id=sale, reason="wrong"), SUPERVISOR)
    assert held(money) == (0, 0, 0)
    loaded = load(money, 2_000, "b")
    sell(money, "c", pay("gift_card", 1_250, CODE))
    with pytest.raises(Conflict, match="used already"):
        money.do(c.VoidSale(sale_id=loaded, reason="wrong"), SUPERVISOR)
    with pytest.raises(Conflict, match="not returned"):
        refund(money, loaded, 1, "r")


def test_a_gift_card_gets_no_discount_no_promotion_and_moves_no_stock(money: Shop) -> None:
    fields: dict[str, e.Value] = {"name": "Half", "kind": "cart_percent", "rate_ppm": 500_000}
    money.do(c.ChangeRecords(entity="promotion", changes=(e.Change(key="half", fields=fields),)), MANAGER)
    card = op("gift_card", "g", line_id="g", text=CODE, amount_minor=1_000)
    money.ops(card, add("1"), op("discount_cart", "d", percent="10", reason="x"))
    refused = money.ops(op("discount_line", "e", line_id="g", percent="5", reason="x"))
    assert [type(error) for _, error in refused.rejected] == [Conflict]
    sale = money.read(money.do(c.PayCart(cart_id="cart-1", payments=cash(1_562))).reply, e.SaleClosed)
    assert [one.total_minor for one in sale.lines] == [1_000, 562]
    assert money.books.stock_milli("gift-card") == 0
    assert held(money)[1] == 1_000


def test_a_report_says_how_much_of_its_total_is_for_gift_cards(money: Shop) -> None:
    day = report.Day()
    for sale in (load(money, 2_000, "a"), sell(money, "b", pay("cash", 1_250))):
        report.add(day, money.read(sale, e.SaleClosed), datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
    shown = report.shown(day, {})
    assert (shown["total_minor"], shown["vouchers_minor"]) == (3_250, 2_000)


# Two tills that do not hear each other (complaint 13).


def other_till(first: Shop) -> Shop:
    """A second till of the store that holds everything the first one does."""
    other = Shop(Origin(store=ORIGIN.store, terminal="b2b2b2b2", actor="b2b2b2b2.11111111"))
    hear(other, first)
    return other.open()


def hear(one: Shop, other: Shop) -> None:
    with one.writer.transaction():
        one.writer.ledger.append_foreign(other.log())
    one.books.forget()


@pytest.mark.parametrize(("purse", "method", "reference"), [
    (GIFT_CARD, "gift_card", CODE), (POINTS, "points", ""),
])  # fmt: skip
def test_two_tills_apart_lose_at_most_the_limit_once_whatever_is_replayed(
    money: Shop, purse: str, method: str, reference: str
) -> None:
    load(money, 500, "load")
    money.do(c.AdjustPurse(purse=POINTS, account="ana", amount=100, reason="courtesy"), MANAGER)
    other = other_till(money)
    account, whole = (CARD, 500) if purse == GIFT_CARD else ("ana", 100)
    for till, peer in ((money, other), (other, money)):
        till.till.company = Company(others=(peer.till.identity.terminal,), heard=())
        rest = cash(750)
        assert sell(till, f"{till.till.identity.terminal}-a", pay(method, 500, reference), *rest, customer="ana")
        with pytest.raises(Conflict, match="while not all tills are heard"):
            sell(till, f"{till.till.identity.terminal}-b", pay(method, 5, reference), *cash(1_245), customer="ana")
    for _ in range(3):
        hear(money, other)
        hear(other, money)
    earned = 14 if purse == POINTS else 0  # 7 points for each 7.50
    assert money.books.purse(purse, account) == other.books.purse(purse, account) == whole - 2 * whole + earned
    assert state_parts(money.writer.db) == state_parts(other.writer.db)
    lost = -sum(amount for kind, _, amount in below_zero(money.writer.db) if kind == GIFT_CARD)
    assert lost == (500 if purse == GIFT_CARD else 0) <= 500
    fix = c.AdjustPurse(purse=purse, account=account, amount=whole, reason="written off")
    money.do(fix, MANAGER)
    assert not [one for one in below_zero(money.writer.db) if one[0] == GIFT_CARD]


def test_tills_in_touch_may_spend_all_of_it_and_a_till_apart_only_its_part(money: Shop) -> None:
    load(money, 5_000, "load")
    money.till.company = Company(others=("b", "c"), heard=("b", "c"))
    assert sell(money, "a", pay("gift_card", 2_500, CODE), pieces=2)
    money.till.company = Company(others=("b", "c"), heard=("b",))
    # 2,500 of this till's own spending is not known to be held anywhere else: nothing more until it is.
    with pytest.raises(Conflict, match=r"at most 0\.00"):
        sell(money, "b", pay("gift_card", 1_250, CODE))


def test_each_of_three_tills_apart_takes_no_more_than_its_share_of_the_limit(money: Shop) -> None:
    load(money, 5_000, "load")
    money.till.company = Company(others=("b", "c"), heard=())
    with pytest.raises(Conflict, match=r"at most 2\.50"):
        sell(money, "a", pay("gift_card", 251, CODE), *cash(999))
    assert sell(money, "a", pay("gift_card", 250, CODE), *cash(1_000))


def test_a_till_that_hears_all_others_and_lacks_what_one_of_them_wrote_takes_only_its_part(money: Shop) -> None:
    load(money, 5_000, "load")
    money.till.company = Company(others=("b",), heard=("b",), behind=True)
    with pytest.raises(Conflict, match="while not all tills are heard"):
        sell(money, "a", pay("gift_card", 2_500, CODE), pieces=2)
    money.till.company = Company(others=("b",), heard=("b",))
    assert sell(money, "a", pay("gift_card", 2_500, CODE), pieces=2)


def test_a_manager_s_right_and_a_reason_correct_a_purse(money: Shop) -> None:
    wrong: list[dict[str, Any]] = [{"purse": "shoes"}, {"amount": 0}, {"account": "nobody"}, {"reason": ""}]
    good = c.AdjustPurse(purse=POINTS, account="ana", amount=5, reason="birthday")
    for change in wrong:
        with pytest.raises((Invalid, NotFound)):
            money.do(structs.replace(good, **change), MANAGER)
    money.do(good, MANAGER)
    assert held(money)[0] == 5
    assert "mug" in GOODS
