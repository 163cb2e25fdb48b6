"""What a product costs whom and when: its own price, dated prices for everybody, and price lists for some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tillmesh.kernel.codec import Record
from tillmesh.kernel.limits import AMOUNT_MINOR_MAX
from tillmesh.shop.events import Value

FOR_ALL = ""  # the list of prices for everybody


class DatedPrice(Record):
    """A price in a list (or for everybody) from a time on, until another time or until another one begins."""

    price_list: str
    from_ms: int
    until_ms: int  # 0: open
    price_minor: int


class Prices(Record):
    """Everything that is known about the price of one product beside its own; ``set_ms`` is when that was written."""

    set_ms: int = 0
    dated: tuple[DatedPrice, ...] = ()


class PriceList(Record):
    """For whom a price list is: everybody, customers of some groups, single customers."""

    list_id: str
    name: str
    active: bool = True
    everyone: bool = False
    groups: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    priority: int = 0  # higher first

    def is_for(self, customer_id: str, group: str) -> bool:
        """Say whether a customer, or somebody unknown, gets the prices of this list."""
        if self.everyone:
            return True
        return bool(customer_id) and (customer_id in self.customers or (bool(group) and group in self.groups))


class Priced(Record):
    """What a product costs, without any list (regular), and the list that the price comes from."""

    price_minor: int
    regular_minor: int
    price_list: str = ""  # its name


def list_from_fields(list_id: str, fields: Mapping[str, Value]) -> PriceList:
    """Build a price list from its register; what has another type is as if it was never written."""
    known: dict[str, Any] = {}
    for name, wanted in _TYPES.items():
        value = fields.get(name)
        if wanted is tuple and isinstance(value, list):
            known[name] = tuple(value)
        elif wanted is not tuple and type(value) is wanted:
            known[name] = value
    return PriceList(**{"name": list_id, **known, "list_id": list_id})


_TYPES = {
    "name": str, "active": bool, "everyone": bool, "groups": tuple, "customers": tuple, "priority": int,
}  # fmt: skip


def price_key(price_list: str, from_ms: int, sku: str) -> str:
    """Write the key of the register of a dated price."""
    return f"{price_list}|{from_ms}|{sku}"


def price_key_of(key: str) -> tuple[str, int, str] | None:
    """Read list, time and sku from the key of a dated price; None for what is no such key."""
    price_list, _, rest = key.partition("|")
    from_ms, _, sku = rest.partition("|")
    if not (sku and from_ms.isascii() and from_ms.isdigit() and len(from_ms) <= 15):
        return None
    return price_list, int(from_ms), sku


def dated_from_fields(key: str, fields: Mapping[str, Value]) -> tuple[str, DatedPrice] | None:
    """Give sku and price of a register; None when it was taken back, or makes no sense."""
    place = price_key_of(key)
    price, until = fields.get("price_minor"), fields.get("until_ms")
    if place is None or type(price) is not int or not 0 <= price <= AMOUNT_MINOR_MAX:
        return None
    until_ms = until if type(until) is int and until > 0 else 0
    return place[2], DatedPrice(price_list=place[0], from_ms=place[1], until_ms=until_ms, price_minor=price)


def price_for(
    own_minor: int, prices: Prices, lists: Sequence[PriceList], *, customer_id: str, group: str, at_ms: int
) -> Priced:
    """Work out what a product costs a customer at a moment.

    1. Regular: the product's own price or a dated one for everybody, whichever began last and still holds.
    2. Of the lists that are for this customer and have a price in force: the highest priority, then the lowest price,
       then the list's id.
    """
    if not prices.dated:
        return Priced(price_minor=own_minor, regular_minor=own_minor)
    regular = own_minor
    dated = _in_force(prices.dated, FOR_ALL, at_ms)
    if dated is not None and dated.from_ms >= prices.set_ms:
        regular = dated.price_minor
    found = [
        (-one.priority, held.price_minor, one.list_id, one.name)
        for one in lists
        if one.active and one.is_for(customer_id, group)
        if (held := _in_force(prices.dated, one.list_id, at_ms)) is not None
    ]
    if not found:
        return Priced(price_minor=regular, regular_minor=regular)
    _, price, _, name = min(found)
    return Priced(price_minor=price, regular_minor=regular, price_list=name)


def _in_force(dated: Iterable[DatedPrice], price_list: str, at_ms: int) -> DatedPrice | None:
    """Give the price of a list that began last and has not ended."""
    held = [
        one for one in dated if one.price_list == price_list and one.from_ms <= at_ms and not 0 < one.until_ms <= at_ms
    ]
    return max(held, key=lambda one: one.from_ms, default=None)
