"""All promotions of a store in the order they are looked at, with an index from goods to promotions.

Fifty promotions must cost a scan next to nothing: a line is only compared with those that name it, its department, or
everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tillmesh.kernel.limits import PROMOTIONS_MAX
from tillmesh.shop.offers.promotion import KINDS, Promotion


@dataclass(frozen=True, slots=True)
class Shelf:
    """Promotions in evaluation order; the other fields hold places in it."""

    promotions: tuple[Promotion, ...] = ()
    for_all: tuple[int, ...] = ()
    of_sku: dict[str, tuple[int, ...]] = field(default_factory=dict)
    of_department: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def places_for(self, sku: str, department: str) -> tuple[int, ...]:
        """Give the places of the promotions that a product may take part in; a place may come twice."""
        return self.for_all + self.of_sku.get(sku, ()) + self.of_department.get(department, ())

    def with_code(self, code: str) -> list[Promotion]:
        """List the promotions that a coupon code is for."""
        return [one for one in self.promotions if code in one.codes]


def shelf_of(promotions: Iterable[Promotion]) -> Shelf:
    """Put promotions into the order of evaluation and index them.

    Exclusive ones come first, by priority; then the others, sets before lines before the cart, each by priority.
    Equals go by id, so every till has the same order.
    """
    chosen = sorted((one for one in promotions if one.active), key=lambda one: one.promotion_id)[:PROMOTIONS_MAX]
    ordered = tuple(sorted(chosen, key=_order))
    for_all: list[int] = []
    of_sku: dict[str, tuple[int, ...]] = {}
    of_department: dict[str, tuple[int, ...]] = {}
    for place, one in enumerate(ordered):
        if not one.skus and not one.departments:
            for_all.append(place)
        for sku in one.skus:
            of_sku[sku] = (*of_sku.get(sku, ()), place)
        for department in one.departments:
            of_department[department] = (*of_department.get(department, ()), place)
    return Shelf(ordered, tuple(for_all), of_sku, of_department)


def _order(one: Promotion) -> tuple[int, int, int, str]:
    kind = KINDS.index(one.kind)
    stage = 0 if kind < 2 else 1 if kind < 4 else 2
    if one.exclusive:
        return 0, -one.priority, stage, one.promotion_id
    return 1, stage, -one.priority, one.promotion_id
