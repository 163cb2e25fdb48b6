"""What a discount takes off a line, and how a discount on the whole cart is spread over its lines."""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX, RATE_PPM_MAX
from tillmesh.kernel.money import PPM, allocate
from tillmesh.shop.cart import Discount
from tillmesh.shop.rounding import Divide


def reduction(discount: Discount, amount_minor: int, divide: Divide) -> int:
    """Say how much a discount takes off an amount: never more than the amount, never less than nothing."""
    if discount.rate_ppm < 0 or discount.amount_minor < 0:
        raise Invalid("a discount can't be negative", hint="Change the price instead.")
    if discount.rate_ppm:
        return min(divide(amount_minor * discount.rate_ppm, PPM), amount_minor)
    return min(discount.amount_minor, amount_minor)


def spread(discount: Discount, amounts: Sequence[int], divide: Divide) -> tuple[int, ...]:
    """Spread a cart discount over the lines' discounted amounts by largest remainder.

    The parts sum to the reduction exactly and no line goes below zero: a part is rounded up only if its exact share
    has a fraction, so it never exceeds its own line.
    """
    return allocate(reduction(discount, sum(amounts), divide), amounts)


def check_discount(discount: Discount) -> Discount:
    """Give the discount back if it is a percentage up to 100 % or an amount, not both, or raise :class:`Invalid`."""
    if discount.rate_ppm and discount.amount_minor:
        raise Invalid("a discount is a percentage or an amount, not both", hint="Send only one of them.")
    if not 0 <= discount.rate_ppm <= RATE_PPM_MAX:
        raise Invalid("a discount is between 0 and 100 percent", hint="Check the percentage.")
    if not 0 <= discount.amount_minor <= AMOUNT_MINOR_MAX:
        raise Invalid(
            f"a discount of {discount.amount_minor} minor units; allowed are 0 to {AMOUNT_MINOR_MAX}",
            hint="Check the amount.",
        )
    return discount
