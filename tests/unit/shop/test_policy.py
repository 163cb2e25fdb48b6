"""What a store may be set to, and what a discount may be."""

import pytest

from tests.unit.shop.builders import policy
from tillmesh.kernel.errors import Invalid
from tillmesh.shop.cart import Discount, Policy
from tillmesh.shop.discounts import check_discount
from tillmesh.shop.tax import check_policy


def test_a_usual_store_passes() -> None:
    assert check_policy(policy(currency="SEK", step=100)) == policy(currency="SEK", step=100)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (policy(currency="XYZ"), "not a currency code"),
        (policy(rounding="sideways"), "'sideways' is not known"),
        (policy(cash_rounding="sideways"), "'sideways' is not known"),
        (policy(step=0), "cash step of 0"),
        (policy(rates={"std": 1_000_001}), "'std' has a rate of 1000001"),
        (policy(rates={"std": -1}), "'std' has a rate of -1"),
        (policy(rates={"": 0}), "'' has a rate"),
    ],
)
def test_a_store_that_could_not_price_a_sale_is_refused(wrong: Policy, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check_policy(wrong)


@pytest.mark.parametrize("right", [Discount(), Discount(rate_ppm=1_000_000), Discount(amount_minor=1)])
def test_a_percentage_up_to_all_of_it_or_an_amount_is_a_discount(right: Discount) -> None:
    assert check_discount(right) is right


@pytest.mark.parametrize(
    "wrong",
    [
        Discount(rate_ppm=1, amount_minor=1),
        Discount(rate_ppm=1_000_001),
        Discount(rate_ppm=-1),
        Discount(amount_minor=-1),
        Discount(amount_minor=10**11 + 1),
    ],
)
def test_anything_else_is_not(wrong: Discount) -> None:
    with pytest.raises(Invalid, match="discount"):
        check_discount(wrong)
