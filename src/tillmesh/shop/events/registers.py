"""Registers in the log: fields of products, customers, people, settings, promotions and prices that were written.

Last writer wins per field, by authority, clock and actor. Stored for ever like all events.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tillmesh.kernel.codec import Record
from tillmesh.kernel.limits import AUTHORITY_MAX
from tillmesh.shop.ranges import Authority, Field, TimeMs

Value = str | Field | bool | None | list[str]  # what a register field can hold


class Change(Record):
    """New values for some fields of one record; the other fields stay as they are."""

    key: str
    fields: dict[str, Value]


def counted(authority: int) -> int:
    """Give what an authority counts as: any till can write any number into an event of its own."""
    return min(max(authority, 0), AUTHORITY_MAX)


class ProductsChanged(Record):
    """Products were added or changed, field by field (last writer wins by authority, HLC, actor)."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0
    source: str = ""


class CustomersChanged(Record):
    """Customers were added or changed, field by field."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0


class CustomersSealed(Record):
    """Customers were added or changed; what is personal is sealed under a key of each of them (shop.personal)."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0


class CustomerErased(Record):
    """A customer's personal data is erased: whoever holds a key of it destroys it. Nothing undoes this.

    Invariant: its register says that it is erased and nothing else, whatever was or will be written into it.
    """

    customer_id: str
    by: str
    reason: str = ""
    erased_at_ms: TimeMs = 0


class PeopleChanged(Record):
    """People were added or changed: name, role, PIN tag, active."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0


class SettingsChanged(Record):
    """Settings of the store (key ``store``) or of one terminal (key: its terminal id) were changed."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0


class PromotionsChanged(Record):
    """Promotions were added or changed, field by field. The key is the promotion's id."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0
    source: str = ""


class PriceListsChanged(Record):
    """Price lists were added or changed: for whom they are, and how they are called. The key is the list's id."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0
    source: str = ""


class PricesChanged(Record):
    """Prices that hold from a time on, in a list or for everybody, were added or taken back.

    The key is ``list|from_ms|sku`` (no list: the price for everybody), the fields are ``price_minor`` (None: taken
    back) and ``until_ms`` (0: until another one begins).
    """

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0
    source: str = ""


class GiftCardsChanged(Record):
    """Gift cards were issued, blocked or freed. The key is the card's account, a hash of its code."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0


class SuppliersChanged(Record):
    """Suppliers were added or changed: name, contact, lead time, what they call our goods. The key is an id."""

    changes: tuple[Change, ...]
    by: str
    authority: Authority = 0


# What writes registers, and the entity that it writes.
ENTITIES: Final[dict[type[Record], str]] = {
    ProductsChanged: "product",
    CustomersChanged: "customer",
    CustomersSealed: "customer",
    PeopleChanged: "person",
    SettingsChanged: "setting",
    PromotionsChanged: "promotion",
    PriceListsChanged: "price_list",
    PricesChanged: "price",
    GiftCardsChanged: "gift_card",
    SuppliersChanged: "supplier",
}
RegistersChanged: TypeAlias = (
    ProductsChanged
    | CustomersChanged
    | CustomersSealed
    | PeopleChanged
    | SettingsChanged
    | PromotionsChanged
    | PriceListsChanged
    | PricesChanged
    | GiftCardsChanged
    | SuppliersChanged
)
