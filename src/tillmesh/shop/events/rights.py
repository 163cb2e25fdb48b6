"""Events about rights to sell hard-limited goods: handed on, given out, taken over from a till that is gone.

Goods that come, go and come back move rights in their own events: those name the products in ``limited``.
"""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Count, Milli


class RightsMoved(Record):
    """The till that wrote this handed rights on; they are ``to``'s once it has heard of it."""

    sku: str
    to: str  # an actor
    quantity_milli: Milli
    by: str = ""  # who asked for them; empty when the till asked by itself


class RightsIssued(Record):
    """Rights for stock that nobody held any for, given to the till that wrote this; below zero, taken out again."""

    sku: str
    quantity_milli: Milli
    stock_milli: Milli  # as it was known
    by: str
    reason: str = ""
    grant: str = ""  # what the store agreed on; empty at a till alone, and before it was agreed on


class RightsReleased(Record):
    """A manager took the rights of a till that is gone over to the one that wrote this."""

    sku: str
    holder: str  # the actor that is gone
    quantity_milli: Milli
    seen: Count  # how many of its events were known
    by: str
    reason: str
    approved_by: str = ""


RIGHTS_KINDS: Final[dict[str, type[Record]]] = {
    "rights_moved": RightsMoved,
    "rights_issued": RightsIssued,
    "rights_released": RightsReleased,
}
