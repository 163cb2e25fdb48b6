"""The quick roundings are the kernel's roundings."""

from hypothesis import given
from hypothesis import strategies as st

from tillmesh.kernel.money import Rounding, divide
from tillmesh.shop.rounding import divider


@given(st.integers(0, 10**18), st.integers(1, 10**7), st.sampled_from(Rounding))
def test_every_quick_rounding_equals_the_named_one(numerator: int, denominator: int, rounding: Rounding) -> None:
    assert divider(rounding)(numerator, denominator) == divide(numerator, denominator, rounding)


@given(st.integers(0, 10**6), st.sampled_from(Rounding))
def test_exact_halves_are_rounded_alike(numerator: int, rounding: Rounding) -> None:
    assert divider(rounding)(2 * numerator + 1, 2) == divide(2 * numerator + 1, 2, rounding)
