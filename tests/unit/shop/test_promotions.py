"""What promotions take off: by kind, in the written order, never more than there is."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.unit.shop.builders import RATES, amount, line, percent, policies, policy
from tillmesh.shop.cart import Cart, CartLine, Policy, PricedCart
from tillmesh.shop.events import Value
from tillmesh.shop.offers import Offers, Promotion, from_fields, holds_at, shelf_of
from tillmesh.shop.offers.promotion import KINDS
from tillmesh.shop.pricing import by_promotions, price, to_sale_lines

FULL = 1_000_000
THIRD = Promotion(promotion_id="third", name="3 for 2", kind="buy_get", buy_count=2, get_count=1, rate_ppm=FULL)
TENTH = Promotion(promotion_id="tenth", name="10 %", kind="percent", rate_ppm=100_000)


def paid(
    lines: Sequence[CartLine], *promotions: Promotion, by: Policy | None = None, coupons: tuple[str, ...] = ()
) -> PricedCart:
    cart = Cart(cart_id="c", lines=tuple(lines), coupons=coupons)
    return price(cart, by or policy(), Offers(shelf=shelf_of(promotions)))


def offs(priced: PricedCart) -> list[int]:
    return [row.discount_minor + row.cart_discount_minor for row in priced.lines]


def test_ten_percent_off_everything_is_ten_percent_off_each_line() -> None:
    assert offs(paid([line(1000), line(55, 3)], TENTH)) == [100, 17]


def test_an_amount_comes_off_each_piece_but_never_more_than_the_piece() -> None:
    each = Promotion(promotion_id="p", name="p", kind="amount", amount_minor=30)
    assert offs(paid([line(100, 3), line(20, 2), line(200, milli=500)], each)) == [90, 40, 15]


def test_three_for_two_gives_the_cheapest_and_hands_it_to_all_three() -> None:
    assert offs(paid([line(600), line(1000), line(800)], THIRD)) == [150, 250, 200]


def test_six_pieces_make_two_sets_and_a_seventh_stays_at_its_price() -> None:
    # 10 10 | 9 9 9 | 1 1: sets (10 10 9) (9 9 1), so 9 and 1 are free and the last 1 is in no set.
    assert paid([line(100, 2), line(1000, 2), line(900, 3)], THIRD).discount_minor == 900 + 100


def test_half_off_the_second_is_rounded_once() -> None:
    half = structs.replace(THIRD, buy_count=1, rate_ppm=500_000)
    assert paid([line(99, 2)], half).discount_minor == 50
    assert paid([line(99, 4)], half).discount_minor == 99


def test_sets_are_limited_per_sale_and_take_the_dearest() -> None:
    once = structs.replace(THIRD, times_max=1)
    assert paid([line(100, 3), line(900, 3)], once).discount_minor == 900


def test_a_mix_set_is_made_only_if_it_is_cheaper() -> None:
    mix = Promotion(promotion_id="m", name="3 for 5.00", kind="mix", buy_count=3, amount_minor=500)
    assert paid([line(250, 2), line(200), line(180), line(160), line(150)], mix).discount_minor == 200
    assert paid([line(100, 3)], mix).promotions == ()


def test_a_million_pieces_are_worked_out_at_once() -> None:
    mix = Promotion(promotion_id="m", name="m", kind="mix", buy_count=3, amount_minor=500)
    priced = paid([line(200, 500_000), line(150, 500_000)], mix)
    # 166,666 sets of 2.00, one of 2.00 2.00 1.50, the rest is cheaper by piece.
    assert priced.discount_minor == 166_666 * 100 + 50


def test_a_piece_belongs_to_one_set_only() -> None:
    other = structs.replace(THIRD, promotion_id="other", priority=-1)
    assert paid([line(100, 5)], THIRD, other).discount_minor == 100
    assert paid([line(100, 6)], structs.replace(THIRD, times_max=1), other).discount_minor == 200


def test_weighed_goods_are_in_no_set() -> None:
    assert paid([line(100, milli=3000)], THIRD).discount_minor == 0


def test_what_a_person_has_priced_is_left_alone() -> None:
    assert offs(paid([line(1000, off=amount(1)), line(1000, override=900), line(1000)], TENTH)) == [1, 0, 100]


def test_an_exclusive_promotion_closes_its_lines_to_the_others() -> None:
    only = Promotion(promotion_id="x", name="x", kind="percent", rate_ppm=300_000, exclusive=True, skus=("sku-1000",))
    assert offs(paid([line(1000), line(500)], TENTH, only)) == [300, 50]


def test_of_two_exclusive_promotions_the_higher_priority_wins() -> None:
    small = structs.replace(TENTH, exclusive=True, priority=1)
    large = structs.replace(TENTH, promotion_id="a", rate_ppm=500_000, exclusive=True)
    assert paid([line(1000)], small, large).discount_minor == 100


def test_the_cart_comes_after_the_lines_and_is_handed_out_by_largest_remainder() -> None:
    off = Promotion(promotion_id="c", name="c", kind="cart_amount", amount_minor=100)
    priced = paid([line(1000), line(1000), line(1000)], off, structs.replace(TENTH, skus=("none",)))
    assert [row.cart_discount_minor for row in priced.lines] == [34, 33, 33]
    assert priced.promotions[0].on_cart


def test_a_promotion_needs_its_minimum_of_its_own_lines_before_any_promotion() -> None:
    tea = structs.replace(TENTH, skus=("sku-1000",), minimum_minor=2000)
    assert paid([line(1000), line(5000)], tea).discount_minor == 0
    assert paid([line(1000, 2), line(5000)], tea).discount_minor == 200


def test_a_promotion_takes_at_most_its_most_off_a_sale() -> None:
    assert offs(paid([line(1000), line(3000)], structs.replace(TENTH, most_minor=100))) == [25, 75]


def test_a_coupon_is_needed_and_named() -> None:
    spring = structs.replace(TENTH, codes=("SPRING", "MAY"))
    assert paid([line(1000)], spring).discount_minor == 0
    priced = paid([line(1000)], spring, coupons=("OTHER", "MAY"))
    assert [(one.code, one.amount_minor) for one in priced.promotions] == [("MAY", 100)]


def test_what_is_used_up_takes_nothing_off() -> None:
    once = structs.replace(TENTH, codes=("A", "B"), code_uses_max=1)
    cart = Cart(cart_id="c", lines=(line(1000),), coupons=("A", "B"))
    for gone, code in (((), "A"), ((("tenth", "A"),), "B"), (("tenth",), "")):
        priced = price(cart, policy(), Offers(shelf=shelf_of([once]), used_up=frozenset(gone)))
        assert [one.code for one in priced.promotions] == ([code] if code else [])


def test_a_promotion_for_a_group_is_for_its_customers() -> None:
    staff = structs.replace(TENTH, groups=("staff",))
    cart = Cart(cart_id="c", lines=(line(1000),), customer_id="ana")
    for group, off in (("staff", 100), ("", 0), ("students", 0)):
        assert price(cart, policy(), Offers(shelf=shelf_of([staff]), group=group)).discount_minor == off


def test_pieces_beyond_the_limit_pay_their_price_dearest_first() -> None:
    two = structs.replace(TENTH, times_max=2)
    assert offs(paid([line(100, 3), line(1000)], two)) == [10, 100]


# When.

MONDAY_16H = 1_795_449_600_000  # 23 November 2026, 16:00 UTC
HOUR = 3_600_000
HAPPY = structs.replace(TENTH, weekdays=("1", "2"), from_minute=17 * 60, until_minute=19 * 60)


@pytest.mark.parametrize(("hours", "zone", "holds"), [
    (0, "UTC", False), (1, "UTC", True), (2.99, "UTC", True), (3, "UTC", False), (0, "Europe/Berlin", True),
    (24 + 1, "UTC", True), (48 + 1, "UTC", False),
])  # fmt: skip
def test_happy_hour_follows_the_clock_on_the_shop_s_wall(hours: float, zone: str, holds: bool) -> None:
    assert holds_at(HAPPY, MONDAY_16H + int(hours * HOUR), zone) is holds


def test_hours_over_midnight_belong_to_the_day_they_began() -> None:
    night = structs.replace(HAPPY, weekdays=("1",), from_minute=22 * 60, until_minute=2 * 60)
    seen = [hours for hours in range(-24, 48) if holds_at(night, MONDAY_16H + hours * HOUR, "UTC")]
    assert seen == [6, 7, 8, 9]


def test_dates_begin_on_the_millisecond_and_end_before_it() -> None:
    week = structs.replace(TENTH, start_ms=MONDAY_16H, until_ms=MONDAY_16H + HOUR)
    assert [holds_at(week, MONDAY_16H + after, "UTC") for after in (-1, 0, HOUR - 1, HOUR)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_line_counts_by_when_it_came_into_the_cart() -> None:
    early, late = (structs.replace(line(1000), added_ms=MONDAY_16H + hours * HOUR) for hours in (1, 4))
    assert offs(paid([early, late], HAPPY)) == [100, 0]


# Registers from anywhere.


def test_a_promotion_that_makes_no_sense_is_none() -> None:
    good: dict[str, Value] = {"name": "p", "kind": "percent", "rate_ppm": 100_000}
    assert from_fields("p", good) is not None
    bads: tuple[dict[str, Value], ...] = (
        {"kind": "telepathy"}, {"rate_ppm": 0}, {"rate_ppm": FULL + 1}, {"kind": "mix"}, {"kind": "buy_get"},
        {"from_minute": 1_440}, {"times_max": -1}, {"kind": "mix", "buy_count": 10**9},
    )  # fmt: skip
    for bad in bads:
        assert from_fields("p", {**good, **bad}) is None, bad


def test_a_field_of_another_type_is_as_if_never_written() -> None:
    made = from_fields("p", {"kind": "percent", "rate_ppm": 5, "priority": True, "skus": "abc", "newer": 1, "name": 7})
    assert made == Promotion(promotion_id="p", name="p", kind="percent", rate_ppm=5)


def test_a_promotion_that_is_off_takes_nothing_off() -> None:
    assert paid([line(1000)], structs.replace(TENTH, active=False)).promotions == ()


# Laws.

promotions = st.builds(
    Promotion,
    promotion_id=st.sampled_from("abcdefgh"),
    name=st.just("p"),
    kind=st.sampled_from(KINDS),
    rate_ppm=st.integers(1, FULL),
    amount_minor=st.integers(1, 5_000),
    buy_count=st.integers(1, 4),
    get_count=st.integers(1, 3),
    skus=st.sampled_from([(), ("a",), ("b", "c")]),
    minimum_minor=st.sampled_from([0, 0, 5_000]),
    most_minor=st.sampled_from([0, 0, 777]),
    times_max=st.sampled_from([0, 0, 1, 3]),
    exclusive=st.booleans(),
    priority=st.integers(-2, 2),
)
goods = st.lists(
    st.builds(
        CartLine,
        line_id=st.just("l"),
        sku=st.sampled_from(["a", "b", "c"]),
        name=st.just("Bread"),
        unit=st.sampled_from(["piece", "piece", "kg"]),
        quantity_milli=st.integers(1, 9).map(lambda n: n * 1000),
        list_price_minor=st.integers(0, 5_000),
        tax_code=st.sampled_from(sorted(RATES)),
        discount=st.sampled_from([None, None, None, percent(5)]),
    ),
    max_size=8,
)


@given(goods, st.lists(promotions, max_size=6, unique_by=lambda one: one.promotion_id), policies)
def test_nothing_goes_below_zero_and_the_parts_sum_to_what_is_shown(
    lines: list[CartLine], some: list[Promotion], by: Policy
) -> None:
    priced = paid(lines, *some, by=by)
    for row in priced.lines:
        assert row.total_minor >= 0
        assert 0 <= by_promotions(row.promotions) <= row.discount_minor <= row.gross_minor
        assert by_promotions(row.promotions, on_cart=True) == row.cart_discount_minor
        assert row.gross_minor - row.discount_minor - row.cart_discount_minor >= 0
    shown = sum(one.amount_minor for one in priced.promotions)
    by_hand = sum(row.discount_minor - by_promotions(row.promotions) for row in priced.lines)
    assert priced.discount_minor == shown + by_hand
    for one in priced.promotions:
        parts = [p.amount_minor for row in priced.lines for p in row.promotions if p.promotion_id == one.promotion_id]
        assert sum(parts) == one.amount_minor > 0
        promotion = next(p for p in some if p.promotion_id == one.promotion_id)
        assert not promotion.most_minor or one.amount_minor <= promotion.most_minor
    assert sum(sold.total_minor for sold in to_sale_lines(priced)) == priced.total_minor


@given(
    st.lists(st.integers(0, 5_000), max_size=6),
    st.lists(promotions, max_size=5, unique_by=lambda one: one.promotion_id),
    st.integers(0, 10**6),
)
def test_neither_the_order_of_promotions_nor_of_scanning_changes_what_is_paid_for_anything(
    prices: list[int], some: list[Promotion], seed: int
) -> None:
    # One line per product, as the till keeps them.
    lines = [structs.replace(line(minor, 1 + minor % 4), sku="abcdef"[at]) for at, minor in enumerate(prices)]
    shuffled, other = list(lines), list(some)
    Random(seed).shuffle(shuffled)
    Random(seed + 1).shuffle(other)
    first, again = paid(lines, *some), paid(shuffled, *other)
    assert first.promotions == again.promotions
    left = [{row.line.sku: row.total_minor for row in priced.lines} for priced in (first, again)]
    assert left[0] == left[1]
