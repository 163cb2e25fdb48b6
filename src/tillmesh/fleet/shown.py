"""What head office shows of a store, from rows of whichever master database: the same on files and on servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tillmesh.fleet.ports import SaleView, StoreView
from tillmesh.fleet.projecting import Kind
from tillmesh.fleet.standing import CatalogueRow, ShopRow, zone_or_utc
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import event_id, is_office, terminal_of
from tillmesh.shop.events import Value
from tillmesh.shop.settings import StoreSettings


class StoreRow(NamedTuple):
    """A store as the table of stores has it."""

    store: str
    term: int
    sender: str
    last_sync_ms: int
    sales: int = 0
    revenue_minor: int = 0


class ActorRow(NamedTuple):
    """An actor of a store: its last event, and its clock then."""

    actor: str
    seq: int
    hlc: int
    aside: int = 0


def store_view(
    row: StoreRow, settings: Mapping[str, Value], actors: Sequence[ActorRow], fenced: Sequence[str]
) -> StoreView:
    """Show a store with its sums; ``settings`` are its own."""
    tills = {terminal_of(one.actor): one.hlc for one in actors if not is_office(one.actor)}
    return StoreView(
        store=row.store,
        name=str(settings.get("name", row.store)),
        currency=str(settings.get("currency", "")),
        events=sum(one.seq for one in actors),
        tills=len(tills),
        sales=row.sales,
        revenue_minor=row.revenue_minor,
        last_event_ms=max((physical_ms(hlc) for hlc in tills.values()), default=0),
        last_sync_ms=row.last_sync_ms,
        term=row.term,
        sender=row.sender,
        fenced=tuple(fenced),
        uncounted=sum(one.aside for one in actors),
    )


def shop_row(
    row: StoreRow, settings: Mapping[str, Value], actors: Sequence[ActorRow], fenced: Sequence[str]
) -> ShopRow:
    """Show a store without its sums; what its settings do not say is the default.

    A zone that does not exist counts as UTC: one store's settings must not keep an offer from all the others.
    """
    return ShopRow(
        store=row.store,
        name=str(settings.get("name") or row.store),
        currency=str(settings.get("currency") or StoreSettings().currency),
        time_zone=zone_or_utc(str(settings.get("time_zone") or StoreSettings().time_zone)).key,
        term=row.term,
        sender=row.sender,
        last_sync_ms=row.last_sync_ms,
        heads={one.actor: one.seq for one in actors},
        clocks={one.actor: physical_ms(one.hlc) for one in actors},
        fenced=tuple(fenced),
        uncounted={one.actor: one.aside for one in actors if one.aside},
    )


def sale_view(row: Sequence[Any]) -> SaleView:
    """Show a receipt: actor, seq, kind, at_ms, number, person, currency, total, tax, answers."""
    actor, seq, kind, at_ms, number, person, currency, total, tax, answers = row
    return SaleView(
        sale_id=event_id(actor, seq), kind=Kind(kind).name.lower(), at_ms=at_ms, receipt_number=number,
        terminal=terminal_of(actor), person=person, currency=currency, total_minor=total, tax_minor=tax,
        answers=answers,
    )  # fmt: skip


def catalogue_row(row: Sequence[Any]) -> CatalogueRow:
    """Show a product as one store has it: sku, store, name, price, department, active."""
    sku, store, name, price, department, active = row
    return CatalogueRow(sku, store, name, price, department, bool(active))
