"""A shift adds up: what should be in the drawer, what the Z report says, per tender and per tax."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.shop.builders import card, cart, carts, cash, line, policies, policy, refunded, sold, voided
from tillmesh.shop.cart import Cart, Policy
from tillmesh.shop.events import CashMoved, ShiftOpened, ShiftTotals
from tillmesh.shop.refund import Wanted
from tillmesh.shop.shift import add, finish, net_sales_minor, start, variance_minor

OPENED = ShiftOpened(by="ana", float_minor=10_000)


def total(*bodies: object) -> ShiftTotals:
    sums = start(OPENED, "EUR")
    for body in bodies:
        add(sums, body)
    return finish(sums)


def test_a_shift_without_sales_expects_its_float() -> None:
    assert total().expected_cash_minor == 10_000
    assert variance_minor(total(), 9_990) == -10


def test_change_is_not_taken() -> None:
    totals = total(sold(cart(line(1340)), policy(), cash(2000)))
    assert [(tender.method, tender.taken_minor, tender.count) for tender in totals.tenders] == [("cash", 1340, 1)]
    assert totals.expected_cash_minor == 11_340


def test_change_is_given_once_whoever_put_the_notes_down() -> None:
    totals = total(sold(cart(line(1340)), policy(), cash(1000), cash(1000)))
    assert totals.expected_cash_minor == 11_340


def test_cards_do_not_fill_the_drawer() -> None:
    totals = total(sold(cart(line(1340)), policy(), card(1000), cash(340)))
    assert totals.expected_cash_minor == 10_340
    assert [tender.method for tender in totals.tenders] == ["cash", "card"]


def test_a_void_and_a_refund_take_back_tax_and_money() -> None:
    first, second = sold(cart(line(1200)), policy()), sold(cart(line(600, 2)), policy(), card(1200))
    totals = total(first, second, voided(first), refunded(second, [], policy(), Wanted(line=0, quantity_milli=1000)))
    assert (totals.sales_minor, totals.voids_minor, totals.refunds_minor) == (2400, 1200, 600)
    assert (totals.tax_minor, net_sales_minor(totals)) == (100, 600)
    assert [(tax.code, tax.net_minor, tax.tax_minor) for tax in totals.taxes] == [("std", 500, 100)]
    assert totals.expected_cash_minor == 10_000


def test_cash_that_is_moved_changes_what_is_expected_but_sells_nothing() -> None:
    moved = [CashMoved(shift_id="s", amount_minor=amount, reason="change", by="ana") for amount in (5_000, -2_000)]
    totals = total(*moved)
    assert (totals.moved_minor, totals.expected_cash_minor, totals.sales) == (3_000, 13_000, 0)


def test_first_and_last_receipt_are_named() -> None:
    totals = total(*[sold(cart(line(1)), policy(), number=f"T1-00000{n}") for n in (7, 8, 9)])
    assert (totals.first_receipt, totals.last_receipt) == ("T1-000007", "T1-000009")


@given(policies, st.lists(st.tuples(carts, st.sampled_from(["keep", "void", "refund"]), st.booleans()), max_size=5))
def test_tenders_balance_with_sales_and_rounding(by: Policy, days_work: list[tuple[Cart, str, bool]]) -> None:
    sums = start(OPENED, by.currency)
    for some, what, by_card in days_work:
        sale = sold(some, by)
        if by_card and sale.total_minor:
            sale = sold(some, by, card(sale.total_minor))
        add(sums, sale)
        if what == "void":
            add(sums, voided(sale))
        if what == "refund" and sale.lines:
            add(sums, refunded(sale, [], by, Wanted(line=0, quantity_milli=sale.lines[0].quantity_milli)))
    totals = finish(sums)
    in_tills = sum(tender.taken_minor - tender.returned_minor for tender in totals.tenders)
    assert in_tills == net_sales_minor(totals) + totals.rounding_minor
    assert totals.tax_minor == sum(tax.tax_minor for tax in totals.taxes)
    assert sum(tax.net_minor + tax.tax_minor for tax in totals.taxes) == net_sales_minor(totals)
