"""What the customer is asked to pay, and how it is made up."""

import pytest
from hypothesis import given

from tests.unit.shop.builders import amount, cart, carts, line, percent, policies, policy
from tillmesh.kernel.errors import Invalid, TooLarge
from tillmesh.kernel.limits import SALE_LINES_MAX
from tillmesh.shop.cart import Cart, Policy
from tillmesh.shop.pricing import price, to_sale_lines


def totals(priced_cart: Cart, by: Policy) -> tuple[int, int, int]:
    priced = price(priced_cart, by)
    return priced.discount_minor, priced.tax_minor, priced.total_minor


def test_an_empty_cart_costs_nothing() -> None:
    assert totals(cart(), policy()) == (0, 0, 0)
    assert price(cart(), policy()).taxes == ()


def test_three_of_99p_owe_51p_of_tax_by_line_and_50p_by_total() -> None:
    three = cart(line(99), line(99), line(99))
    assert totals(three, policy(by="line")) == (0, 51, 297)
    assert totals(three, policy(by="total")) == (0, 50, 297)


def test_tax_rounded_by_total_is_handed_back_to_the_lines_first_line_first() -> None:
    priced = price(cart(line(99), line(99), line(99)), policy(by="total"))
    assert [row.tax_minor for row in priced.lines] == [17, 17, 16]


def test_the_same_99p_with_taxes_added_owe_60p_by_line_and_59p_by_total() -> None:
    three = cart(line(99), line(99), line(99))
    assert totals(three, policy(included=False, by="line")) == (0, 60, 357)
    assert totals(three, policy(included=False, by="total")) == (0, 59, 356)


def test_added_tax_comes_on_top_and_included_tax_stays_inside() -> None:
    ten = cart(line(1000))
    assert totals(ten, policy()) == (0, 167, 1000)
    assert totals(ten, policy(included=False)) == (0, 200, 1200)


def test_a_quarter_kilo_of_cheese_is_rounded_once() -> None:
    assert totals(cart(line(1299, milli=250)), policy(rates={"std": 0}))[2] == 325
    assert totals(cart(line(1298, milli=250)), policy(rates={"std": 0}))[2] == 325
    assert totals(cart(line(1298, milli=250)), policy(rates={"std": 0}, rounding="half_even"))[2] == 324


def test_a_price_from_the_scale_label_is_charged_whatever_the_quantity() -> None:
    assert totals(cart(line(1299, milli=153, fixed=199)), policy())[2] == 199


def test_an_overridden_price_is_charged_and_the_list_price_kept() -> None:
    (sold,) = to_sale_lines(price(cart(line(500, 2, override=450)), policy()))
    assert (sold.list_price_minor, sold.unit_price_minor, sold.total_minor) == (500, 450, 900)


def test_an_override_to_nothing_gives_it_away() -> None:
    assert totals(cart(line(500, override=0)), policy())[2] == 0


def test_a_line_discount_comes_off_before_the_cart_discount() -> None:
    priced = price(cart(line(1000, off=percent(10)), line(1000), off=percent(10)), policy())
    assert [(row.discount_minor, row.cart_discount_minor) for row in priced.lines] == [(100, 90), (0, 100)]
    assert (priced.gross_minor, priced.discount_minor, priced.total_minor) == (2000, 290, 1710)


def test_one_euro_off_three_equal_lines_is_34_33_33() -> None:
    priced = price(cart(line(1000), line(1000), line(1000), off=amount(100)), policy())
    assert [row.cart_discount_minor for row in priced.lines] == [34, 33, 33]


def test_a_discount_larger_than_the_goods_makes_them_free_not_cheaper() -> None:
    assert totals(cart(line(300, off=amount(500)), line(200), off=amount(900)), policy()) == (500, 0, 0)


def test_tax_is_taken_on_what_is_left_after_discounts() -> None:
    assert totals(cart(line(1200), off=percent(50)), policy()) == (600, 100, 600)


def test_taxes_are_summed_per_code_in_the_order_of_the_cart() -> None:
    priced = price(cart(line(105, tax="red"), line(120), line(210, tax="red")), policy())
    assert [(tax.code, tax.net_minor, tax.tax_minor) for tax in priced.taxes] == [("red", 300, 15), ("std", 100, 20)]


def test_a_tax_code_without_a_rate_is_named_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="'luxury' has no rate") as caught:
        price(cart(line(100, tax="luxury")), policy(rates={"std": 1, "red": 2}))
    assert caught.value.hint == "Known codes: red, std."


def test_an_absurd_line_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="Oat milk"):
        price(cart(line(10**11, 2)), policy())


def test_a_negative_price_never_becomes_a_total() -> None:
    with pytest.raises(Invalid, match="comes to -500"):
        price(cart(line(-500)), policy())


def test_a_negative_discount_is_refused() -> None:
    with pytest.raises(Invalid, match="can't be negative"):
        price(cart(line(500, off=amount(-5))), policy())


def test_a_cart_over_the_limit_is_refused() -> None:
    with pytest.raises(TooLarge, match=f"limit is {SALE_LINES_MAX}"):
        price(cart(*[line(1)] * (SALE_LINES_MAX + 1)), policy())


def test_an_unknown_rounding_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid) as caught:
        price(cart(line(1)), policy(rounding="generous"))
    assert "half_even" in caught.value.hint


@given(carts, policies)
def test_lines_taxes_and_totals_always_sum(some_cart: Cart, by: Policy) -> None:
    priced = price(some_cart, by)
    rows = priced.lines
    assert priced.total_minor == sum(row.total_minor for row in rows)
    assert priced.tax_minor == sum(row.tax_minor for row in rows) == sum(tax.tax_minor for tax in priced.taxes)
    assert priced.discount_minor == sum(row.discount_minor + row.cart_discount_minor for row in rows)
    assert sum(tax.net_minor + tax.tax_minor for tax in priced.taxes) == priced.total_minor
    added = 0 if by.prices_include_tax else priced.tax_minor
    assert priced.total_minor == priced.gross_minor - priced.discount_minor + added


@given(carts, policies)
def test_no_amount_is_ever_negative_and_no_discount_exceeds_its_line(some_cart: Cart, by: Policy) -> None:
    for row in price(some_cart, by).lines:
        assert row.gross_minor >= row.discount_minor + row.cart_discount_minor
        assert min(row.gross_minor, row.discount_minor, row.cart_discount_minor, row.tax_minor) >= 0
        assert row.total_minor >= row.tax_minor


@given(carts, policies)
def test_the_tax_of_each_rate_is_within_the_rounding_of_its_lines(some_cart: Cart, by: Policy) -> None:
    priced = price(some_cart, by)
    for tax in priced.taxes:
        lines = sum(row.line.tax_code == tax.code for row in priced.lines)
        base = tax.net_minor + tax.tax_minor if by.prices_include_tax else tax.net_minor
        exact = base * tax.rate_ppm / (1_000_000 + tax.rate_ppm * by.prices_include_tax)
        assert abs(tax.tax_minor - exact) < (lines if by.tax_rounding == "line" else 1) + 1e-6


@given(carts, policies)
def test_sold_lines_say_what_was_priced(some_cart: Cart, by: Policy) -> None:
    priced = price(some_cart, by)
    for row, sold in zip(priced.lines, to_sale_lines(priced), strict=True):
        base = sold.gross_minor - sold.discount_minor - sold.cart_discount_minor
        assert sold.total_minor == row.total_minor == base + (0 if by.prices_include_tax else sold.tax_minor)
