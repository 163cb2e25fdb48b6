"""What moves purses: points, gift cards, what customers owe."""

from __future__ import annotations

from tillmesh.kernel.codec import Record
from tillmesh.shop.ranges import Minor, TimeMs


class PurseMove(Record):
    """What an event puts into a purse (positive) or takes out of it: points, a gift card, what a customer owes."""

    purse: str  # points | gift_card | account
    account: str  # customer id, or the hash of a card's code
    amount: Minor  # minor units; points for points


class PursesAdjusted(Record):
    """A manager corrected purses by hand: points as a courtesy, a card that was overdrawn, a debt written off."""

    purses: tuple[PurseMove, ...]
    by: str
    reason: str
    adjusted_at_ms: TimeMs = 0
