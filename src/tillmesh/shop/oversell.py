"""A product sold more often than it was there: what is open, what was decided, and what a store still owes.

All of it is a pure function of the set of events, so every till derives the same conflicts once it holds the same log.
Stock below zero is a fact, never an error: the sale was made, and a person (or the store's written policy) decides
what follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, TypeAlias

import msgspec

from tillmesh.kernel.ids import spell
from tillmesh.kernel.limits import OVERSELL_SALES_SHOWN_MAX
from tillmesh.shop.events import OversellResolved, OversellSettled

BACK_ORDER: Final = "back_order"
VOID: Final = "void"
ADJUST: Final = "adjust"
ACTIONS: Final = (BACK_ORDER, VOID, ADJUST)
FILLED: Final = "filled"
TAKEN_BACK: Final = "taken_back"
POLICY: Final = "policy:"  # starts the name under which a store's written policy decides
_ID_CHARS: Final = 16

Decision: TypeAlias = OversellResolved | OversellSettled


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """One stored decision about a product, with its place in the log."""

    event_id: str
    hlc: int
    actor: str
    body: Decision


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """One resolution as it stands. ``overtaken_by`` names the one that counts when two partitions decided at once.

    An overtaken back-order is none. An overtaken adjustment is taken back by the terminal that made it. A void that
    was made stands: money moved, and a second one is for people to look at.
    """

    noted: Noted
    body: OversellResolved
    overtaken_by: str = ""
    settled_milli: int = 0

    @property
    def owed_milli(self) -> int:
        """What of this back-order has not come in yet."""
        waits = self.body.action == BACK_ORDER and not self.overtaken_by
        return max(0, self.body.quantity_milli - self.settled_milli) if waits else 0

    @property
    def to_take_back_milli(self) -> int:
        """What this adjustment put into the stock a second time."""
        doubled = self.body.action == ADJUST and bool(self.overtaken_by)
        return max(0, self.body.quantity_milli - self.settled_milli) if doubled else 0


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was decided about one product, oldest first. ``epoch`` counts the oversells answered so far."""

    sku: str
    resolutions: tuple[Resolution, ...] = ()
    epoch: int = 0

    @property
    def owed_milli(self) -> int:
        """What customers were promised and has not come in yet."""
        return sum(one.owed_milli for one in self.resolutions)

    @property
    def doubled_milli(self) -> int:
        """What second adjustments put into the stock, until the terminals that made them take it back."""
        return sum(one.to_take_back_milli for one in self.resolutions)

    def short_milli(self, stock_milli: int) -> int:
        """Give how much was sold that is not there."""
        return max(0, self.doubled_milli - stock_milli)

    def missing_milli(self, stock_milli: int) -> int:
        """Give how much was sold that is neither there nor promised; above zero, an oversell is open."""
        return max(0, self.short_milli(stock_milli) - self.owed_milli)

    def to_fill(self, stock_milli: int) -> list[tuple[Resolution, int]]:
        """Say which back-orders the stock covers now, oldest first: each with the total that is settled of it then."""
        waiting = [one for one in self.resolutions if one.owed_milli]
        covered = self.owed_milli - self.short_milli(stock_milli)
        found: list[tuple[Resolution, int]] = []
        for one in waiting:
            if covered <= 0:
                break
            part = min(one.owed_milli, covered)
            found.append((one, one.settled_milli + part))
            covered -= part
        return found

    @property
    def open_id(self) -> str:
        """Name the oversell that is open, or would be the next."""
        return conflict_id(self.sku, self.epoch)

    def standing(self, conflict: str) -> Resolution | None:
        """Find the resolution of an oversell that counts."""
        found = (one for one in self.resolutions if one.body.conflict_id == conflict and not one.overtaken_by)
        return next(found, None)

    def promised_sales(self) -> frozenset[str]:
        """Name the sales that a waiting back-order answers for: they are not too many a second time."""
        return frozenset(sale for one in self.resolutions if one.owed_milli for sale in one.body.sales)


def by_policy(policy: str, adjust_max_milli: int, missing_milli: int) -> str | None:
    """Give the answer that a store's written policy has for this much missing, or None: then a person decides.

    A policy is a back-order always, or an adjustment up to a size. None gives money back.
    """
    match policy:
        case "back_order":
            return BACK_ORDER
        case "adjust" if missing_milli <= adjust_max_milli:
            return ADJUST
        case _:
            return None


def conflict_id(sku: str, epoch: int) -> str:
    """Name an oversell: the same on every till, another one once it was answered."""
    return spell(sha256(f"{epoch}\0{sku}".encode()).digest(), _ID_CHARS)


def history(sku: str, notes: Iterable[Noted]) -> History:
    """Add up what was decided about a product, in whatever order it is given."""
    ordered = sorted(notes, key=_order)
    settled: dict[str, int] = {}
    chosen: dict[str, Noted] = {}
    for one in ordered:
        match one.body:
            case OversellSettled():
                held = settled.get(one.body.resolution, 0)
                settled[one.body.resolution] = max(held, one.body.quantity_milli)
            case OversellResolved():
                first = chosen.setdefault(one.body.conflict_id, one)
                if _counts_before(one, first):
                    chosen[one.body.conflict_id] = one
    resolutions = tuple(
        Resolution(
            noted=one,
            body=one.body,
            overtaken_by="" if (winner := chosen[one.body.conflict_id]) is one else winner.event_id,
            settled_milli=settled.get(one.event_id, 0),
        )
        for one in ordered
        if isinstance(one.body, OversellResolved)
    )
    return History(sku=sku, resolutions=resolutions, epoch=len(chosen))


def _order(one: Noted) -> tuple[int, str, str]:
    return one.hlc, one.actor, one.event_id


def _counts_before(one: Noted, other: Noted) -> bool:
    """Say whether a later resolution counts all the same: money that was given back can't be called off."""
    assert isinstance(one.body, OversellResolved)
    assert isinstance(other.body, OversellResolved)
    return one.body.action == VOID and other.body.action != VOID


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """What one sale still holds of the product, after refunds, and what matters for deciding."""

    sale_id: str
    hlc: int
    actor: str
    quantity_milli: int
    sold_at_ms: int
    customer_known: bool = False
    other_lines: int = 0
    paid_cash: bool = False
    touched: bool = False  # something of it came back before: it can't be voided any more


class Involved(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sales of the product: those that were too many, and the one before them that had the goods."""

    over: tuple[Sold, ...]
    before: tuple[Sold, ...] = ()


def involved(sales: Iterable[Sold], missing_milli: int, promised: frozenset[str] = frozenset()) -> Involved:
    """Pick the sales that were too many: the newest over all tills, up to the missing quantity."""
    newest = sorted((one for one in sales if one.quantity_milli > 0), key=_newest_first, reverse=True)
    open_sales = [one for one in newest if one.sale_id not in promised]
    over: list[Sold] = []
    left = missing_milli
    while left > 0 and len(over) < min(len(open_sales), OVERSELL_SALES_SHOWN_MAX):
        over.append(open_sales[len(over)])
        left -= over[-1].quantity_milli
    before = open_sales[len(over) : len(over) + 1] if len(over) < OVERSELL_SALES_SHOWN_MAX else []
    return Involved(over=tuple(over), before=tuple(before))


def _newest_first(one: Sold) -> tuple[int, str, str]:
    return one.hlc, one.actor, one.sale_id
