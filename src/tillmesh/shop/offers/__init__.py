"""What a thing costs whom, when, and what comes off: price lists, dated prices and promotions as pure functions.

The order in which they are looked at is written in docs/reference/promotions.md.
"""

from __future__ import annotations

from tillmesh.shop.offers.evaluation import NO_OFFERS, Offers, Taken, take_off
from tillmesh.shop.offers.prices import DatedPrice, Priced, PriceList, Prices, price_for, price_key, price_key_of
from tillmesh.shop.offers.promotion import KINDS, Promotion, from_fields, holds_at
from tillmesh.shop.offers.shelf import Shelf, shelf_of

__all__ = [
    "KINDS",
    "NO_OFFERS",
    "DatedPrice",
    "Offers",
    "PriceList",
    "Priced",
    "Prices",
    "Promotion",
    "Shelf",
    "Taken",
    "from_fields",
    "holds_at",
    "price_for",
    "price_key",
    "price_key_of",
    "shelf_of",
    "take_off",
]
