"""How the stores stand, as head office sees them: who was heard of, how much is behind, what was taken today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.kernel.money import exponent
from tillmesh.kernel.times import day_bounds, local, zone

WEEK: Final = timedelta(days=7)
TWO_DECIMALS: Final = 2


class ShopRow(NamedTuple):
    """One store as the master database has it, without its sums."""

    store: str
    name: str
    currency: str
    time_zone: str
    term: int
    sender: str
    last_sync_ms: int
    heads: Mapping[str, int]  # actor -> last event
    clocks: Mapping[str, int]  # actor -> when it wrote last
    fenced: tuple[str, ...]
    uncounted: Mapping[str, int] = {}  # actor -> how many of its events count in no sum


class Takings(NamedTuple):
    """Receipts of a span of time: sales, less what was given back."""

    sales: int = 0
    net_minor: int = 0
    tax_minor: int = 0


class CatalogueRow(NamedTuple):
    """One product as one store has it."""

    sku: str
    store: str
    name: str
    price_minor: int
    department: str
    active: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """What a store's leader has said since head office started; ``has`` is what it held then.

    ``tills`` counts how many of head office's events each till of the store held.
    """

    heard_ms: int = 0
    has: Mapping[str, int] = field(default_factory=dict)
    tills: Mapping[str, int] = field(default_factory=dict)


class Today(NamedTuple):
    """A store's day so far, and the same hours a week before, in ms."""

    first_ms: int
    now_ms: int
    before_first_ms: int
    before_now_ms: int


def today(time_zone: str, now_ms: int) -> Today:
    """Bound the day by the store's own clock; a zone that nobody knows counts as UTC."""
    where = zone_or_utc(time_zone)
    day = local(now_ms, where).date()
    first_ms, _ = day_bounds(day, where)
    before_ms, end_ms = day_bounds(day - WEEK, where)
    return Today(first_ms, now_ms, before_ms, min(before_ms + now_ms - first_ms, end_ms))


def zone_or_utc(name: str) -> ZoneInfo:
    """Find a store's time zone; what a store writes into its settings must not break a report."""
    try:
        return zone(name)
    except Invalid:
        return zone("UTC")


def decimals(currency: str) -> int:
    """Give the decimals of a store's currency, or two where it names none that exists."""
    try:
        return exponent(currency)
    except Invalid:
        return TWO_DECIMALS


def behind(shop: ShopRow, contact: Contact) -> int:
    """Count the events that the store's leader held when it spoke last, and head office does not."""
    return sum(max(0, seq - shop.heads.get(actor, 0)) for actor, seq in contact.has.items() if actor not in shop.fenced)


def unsent(shop: ShopRow, contact: Contact) -> int | None:
    """Count head office's own events that the store has not got; None while it has not been heard of."""
    if not contact.has:
        return None
    return sum(max(0, seq - contact.has.get(actor, 0)) for actor, seq in shop.heads.items() if is_office(actor))


def reached(shop: ShopRow, contact: Contact) -> tuple[int, int] | None:
    """Count the tills that hold all that head office wrote for the store, and all tills; None if nobody has said."""
    if not contact.tills:
        return None
    written = sum(seq for actor, seq in shop.heads.items() if is_office(actor))
    return sum(held >= written for held in contact.tills.values()), len(contact.tills)


def tills(shop: ShopRow) -> dict[str, tuple[int, int]]:
    """List the store's tills with their number of events and the time of the last; incarnations count together."""
    found: dict[str, tuple[int, int]] = {}
    for actor, seq in shop.heads.items():
        if not is_office(actor):
            events, last = found.get(terminal_of(actor), (0, 0))
            found[terminal_of(actor)] = events + seq, max(last, shop.clocks.get(actor, 0))
    return found
