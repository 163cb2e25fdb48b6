"""What a discount takes off a line, and how a discount on the whole cart is spread over its lines."""

from __future__ import annotations

from collections.abc import Sequence

from tillmesh.kernel.errors import Invalid
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
