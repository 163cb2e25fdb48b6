"""Goods that only people of an age may buy: the cashier looks, says so, and both answers are noted."""

from __future__ import annotations

from datetime import date
from typing import Final

from tillmesh.kernel.errors import TillmeshError
from tillmesh.kernel.times import local, zone
from tillmesh.shop.cart import Cart
from tillmesh.shop.catalogue import Product
from tillmesh.till.desk import Desk

CHECKED: Final = "age_checked"  # the actions in the audit log
REFUSED: Final = "age_refused"


class AgeUnproven(TillmeshError):
    """Nobody has looked yet whether this customer is old enough."""

    status = 403
    kind = "age-check"
    title = "Check the age"

    def __init__(self, product: Product, born_by: date) -> None:
        super().__init__(
            f"{product.name[:60]!r} is sold from {product.min_age} years on",
            hint="Look at a document with a birth date.",
        )
        self._members = {"min_age": product.min_age, "born_by": born_by.isoformat(), "name": product.name}

    def members(self) -> dict[str, object]:
        """Say how old, and the latest day of birth that is."""
        return self._members


def age_proven(desk: Desk, cart: Cart, product: Product, checked: int) -> int:
    """Give the age that is proven for a cart with this product in it, or raise :class:`AgeUnproven`."""
    if product.min_age <= cart.age_checked:
        return cart.age_checked
    if checked < product.min_age:
        today = local(desk.now_ms, zone(desk.store().time_zone)).date()
        raise AgeUnproven(product, born_by(today, product.min_age))
    desk.audit(CHECKED, product.name, str(product.min_age))
    return product.min_age


def refuse(desk: Desk, product: Product) -> None:
    """Note that somebody was not old enough, or could not prove it."""
    desk.audit(REFUSED, product.name, str(product.min_age))


def born_by(today: date, years: int) -> date:
    """Give the latest day of birth of who is so old today; on 29 February of other years it is the 28th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)
