"""What head office needs from outside, as Protocols; adapters fulfil them, one contract suite holds them to it.

The event log may hold an event twice (a batch that was sent again after a crash); it never lacks one that was
acknowledged, and never has an actor's events out of order. Whoever reads it deduplicates by (store, actor, seq).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, TypeAlias

from tillmesh.fleet.reporting import QUARTER_MS, QuarterRow
from tillmesh.fleet.standing import CatalogueRow, ShopRow, Takings
from tillmesh.kernel.envelope import Envelope, Head
from tillmesh.kernel.errors import Conflict, TillmeshError, TooMany
from tillmesh.sync.signatures import SignedHead

Position: TypeAlias = Mapping[str, int]  # per part of the log (one, or the partitions of a topic) the last entry


class Away(TooMany):
    """The event log or the master database can't be reached: nothing was acknowledged, come back."""

    status = 503
    kind = "away"
    title = "Head office can't store anything right now"

    def __init__(self, detail: str, *, part: str, retry_after_ms: int) -> None:
        super().__init__(detail, retry_after_ms=retry_after_ms, hint="It is tried again by itself.")
        self.part = part  # of head office: which one is away

    def members(self) -> dict[str, object]:
        """Say when to come back, and which part is missing."""
        return {**super().members(), "part": self.part}


class Occupied(Conflict):
    """Others have the master database open."""

    kind = "occupied"
    title = "Head office is running"


class LogBroken(TillmeshError):
    """The event log lacks an event that was acknowledged."""

    status = 503
    kind = "log-broken"
    title = "The event log has a gap"


class Entry(NamedTuple):
    """One accepted batch: events of one store that are new, in log order of each actor."""

    store: str
    term: int
    sender: str
    at_ms: int  # when head office took it in
    events: tuple[Envelope, ...]
    signed: tuple[SignedHead, ...] = ()  # under which they came: of each actor the last one's head
    generation: int = 0  # of the store's credentials: a term counts among those of the same one only


class Stretch(NamedTuple):
    """Some of one store's entries: how far was looked, what was found, and whether nothing came behind it so far."""

    place: Position
    entries: tuple[Entry, ...]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What head office holds of a store."""

    heads: Mapping[str, Head] = field(default_factory=dict)
    term: int = 0
    clock: int = 0  # the latest timestamp of any event
    fenced: Mapping[str, str] = field(default_factory=dict)  # actor -> why nothing of it is taken any more
    generation: int = 0  # of the credentials that ``term`` was claimed under


class EventLog(Protocol):
    """The immutable, replayable record of everything accepted. The entries of a store are in one part of it."""

    def append(self, entry: Entry) -> Position:
        """Store an entry durably and give its place in its part, counted from 1.

        Raises StorageFailed or :class:`Away` with nothing acknowledged; the entry may be in the log all the same.
        """
        ...

    def replay(self, after: Position) -> Iterator[tuple[Position, Entry]]:
        """Iterate the entries behind a position, in each part oldest first; an empty one means from the beginning.

        Raises :class:`LogBroken` where it can tell that the log ends before the position: this is another log.
        """
        ...

    def of_store(self, store: str, after: Position) -> Stretch:
        """Read on behind a place for one store, in its order; bounded by LOG_PAGE_BODIES_BYTES and others of its kind.

        A stretch without entries that is not the whole is no end: other stores' entries were in between.
        """
        ...

    def close(self) -> None:
        """Let go of it."""


class Master(Protocol):
    """What the entries add up to: sales, products, stock per store. Rebuilt from the log at will."""

    def position(self) -> Position:
        """Say up to where the log was applied."""
        ...

    def held(self, store: str) -> Held:
        """Say what is held of a store; of an unknown one, nothing."""
        ...

    def hash_of(self, store: str, actor: str, seq: int) -> bytes | None:
        """Give the hash of an event that was applied, or None if it is not known (any more)."""
        ...

    def apply(self, position: Position, entry: Entry) -> None:
        """Apply an entry and note its place, in one transaction. Events that are held already change nothing.

        Others may do the same at the same time; a place never goes back.
        """

    def fence(self, store: str, actor: str, detail: str, at_ms: int) -> None:
        """Note that two histories of an actor exist: nothing of it is taken any more."""

    def outbox(self, store: str, has: Mapping[str, int], events_max: int, bytes_max: int) -> list[Envelope]:
        """List head office's own events for a store behind what the store has of each of its actors."""
        ...

    def said(self, store: str, kind: str, limit: int) -> list[bytes]:
        """Give the bodies of head office's own events of one type for a store, the newest first."""
        ...

    def digest(self) -> str:
        """Give the hash of everything that was projected: equal sets of events give equal hashes."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """Keep every other service away meanwhile, on whatever machine; raises :class:`Occupied` if one is there."""
        ...

    def begin_anew(self) -> None:
        """Forget everything that was projected, to apply the log once more. What was fenced stays fenced."""

    def close(self) -> None:
        """Let go of it."""


class SaleView(NamedTuple):
    """One receipt as head office lists it."""

    sale_id: str
    kind: str  # sale | refund | void
    at_ms: int
    receipt_number: str
    terminal: str
    person: str
    currency: str
    total_minor: int
    tax_minor: int
    answers: str  # the sale that a refund or void takes back


class StoreView(NamedTuple):
    """One store as head office sees it."""

    store: str
    name: str
    currency: str
    events: int
    tills: int
    sales: int
    revenue_minor: int
    last_event_ms: int
    last_sync_ms: int
    term: int
    sender: str
    fenced: tuple[str, ...]
    uncounted: int = 0  # events whose numbers make no sense: in the log, in no sum


class Reading(Protocol):
    """Questions to the master database; each names its store, so that no answer mixes tenants."""

    def stores(self) -> list[StoreView]:
        """List every store, by id."""
        ...

    def sales(self, store: str, since_ms: int, limit: int) -> list[SaleView]:
        """List receipts since a time, oldest first."""
        ...

    def latest(self, store: str, limit: int) -> list[SaleView]:
        """List the newest receipts, newest first."""
        ...

    def products(self, store: str, query: str, limit: int) -> list[Mapping[str, object]]:
        """List products whose sku or name holds the words."""
        ...

    def product(self, store: str, sku: str) -> Mapping[str, object] | None:
        """Give the merged fields of a product, or None."""
        ...

    def setting(self, store: str, key: str) -> Mapping[str, object]:
        """Give the merged fields of a setting: of the store under ``store``; empty if there are none."""
        ...

    def stock_milli(self, store: str, sku: str) -> int:
        """Give the stock of a product over all tills."""
        ...

    def shops(self) -> list[ShopRow]:
        """List every store, by id, without its sums."""
        ...

    def catalogue(self, query: str, limit: int) -> list[CatalogueRow]:
        """List the products of all stores whose sku or name holds the words, by sku: of so many skus, every store's."""
        ...

    def charged(self, sku: str) -> list[CatalogueRow]:
        """Give a product as every store has it."""
        ...

    def takings(self, store: str, first_ms: int, last_ms: int) -> Takings:
        """Add up the receipts of a store in [first, last)."""
        ...

    def takings_by_till(self, store: str, first_ms: int, last_ms: int) -> Mapping[str, Takings]:
        """Add up the receipts of each till of a store in [first, last)."""
        ...

    def close(self) -> None:
        """Let go of it."""


class DayRow(NamedTuple):
    """Net sales of one store on one day."""

    store: str
    day: str
    sales: int
    net_minor: int
    tax_minor: int


class ProductRow(NamedTuple):
    """What one product brought in, over stores."""

    sku: str
    name: str
    quantity_milli: int
    net_minor: int


class Analytics(Protocol):
    """Cross-store reports, fed from the log beside the master database."""

    def position(self) -> Position:
        """Say up to where the log was taken in."""
        ...

    def take(self, entries: Sequence[tuple[Position, Entry]]) -> None:
        """Take in entries and note the last place, in one transaction; entries held already change nothing."""

    def days(self, stores: Sequence[str], first_ms: int, last_ms: int) -> list[DayRow]:
        """Add up sales per store and day (UTC) in [first, last); no stores means all."""
        ...

    def quarters(
        self, stores: Sequence[str], first_ms: int, last_ms: int, step_ms: int = QUARTER_MS
    ) -> list[QuarterRow]:
        """Add up sales per store and quarter of an hour, or another step, in [first, last); no stores means all."""
        ...

    def products(self, stores: Sequence[str], first_ms: int, last_ms: int, limit: int) -> list[ProductRow]:
        """List the products with the highest net sales."""
        ...

    def digest(self) -> str:
        """Give the hash of what was taken in."""
        ...

    def begin_anew(self) -> None:
        """Forget everything, to take the log in once more."""

    def close(self) -> None:
        """Let go of it."""


HashOf: TypeAlias = Callable[[str, int], bytes | None]
