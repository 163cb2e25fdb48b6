"""Books of stores for an accountant: each from its own log, one store after the other, beside everything else."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, cast

from tillmesh.adapters.locales import words_of
from tillmesh.adapters.web.sheets import harmless
from tillmesh.fleet.books import StoreBooks
from tillmesh.fleet.ports import Position
from tillmesh.fleet.standing import ShopRow, zone_or_utc
from tillmesh.hub.running import Hub
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict
from tillmesh.kernel.ids import is_office, terminal_of
from tillmesh.kernel.times import local
from tillmesh.shop.accounting import days_of
from tillmesh.shop.accounting_files import missing
from tillmesh.shop.accounting_writing import Booked, table, unheard, write
from tillmesh.shop.events import Value
from tillmesh.shop.settings import STORE, StoreSettings

LIST: Final = "stores.csv"
LIST_HEAD: Final = ("store", "name", "from", "to", "currency", "documents", "bookings", "file", "not_heard_since")


class StoresLackAccounts(Conflict):
    """Nobody has said yet which accounts the bookings of some stores belong to."""

    kind = "stores-lack-accounts"
    title = "Accounts are missing"

    def __init__(self, roles: dict[str, list[str]]) -> None:
        said = "; ".join(f"{store}: {', '.join(some)}" for store, some in roles.items())
        super().__init__(
            f"no account is set for {said}"[:2_000],
            hint="Set them at a till of the store under Reports, Accounting, or leave the store out.",
        )
        self.roles = roles

    def members(self) -> dict[str, object]:
        """Name the roles of each store."""
        return {"roles": self.roles}


class OfStore(NamedTuple):
    """A store and its books."""

    shop: ShopRow
    booked: Booked


async def booked(hub: Hub, shop: ShopRow, first: str, last: str, now_ms: int) -> OfStore:
    """Book days that are over in a store, both included."""
    fields = await hub.read(lambda reading: reading.setting(shop.store, STORE))
    settings = StoreSettings.of(cast("Mapping[str, Value]", fields))
    where = zone_or_utc(settings.time_zone)
    begin, end = days_of(first, last, local(now_ms, where).date())
    books = StoreBooks(begin, end, where, settings.currency)
    await _read(hub, shop.store, books.take)
    if await asyncio.to_thread(books.amended):
        await _read(hub, shop.store, books.take_again)
    newest: dict[str, int] = {}
    for actor, at_ms in shop.clocks.items():
        if not is_office(actor):
            newest[terminal_of(actor)] = max(newest.get(terminal_of(actor), 0), at_ms)
    bookings = await asyncio.to_thread(books.bookings)
    return OfStore(shop, Booked(begin, end, bookings, settings, unheard(newest, end, settings.time_zone)))


async def _read(hub: Hub, store: str, take: Callable[[Sequence[Envelope]], None]) -> None:
    """Read a store's log to its end; page by page, so that others come between."""
    place: Position = {}
    whole = False
    while not whole:
        stretch = await hub.stretch(store, place)
        place, whole = stretch.place, stretch.whole
        events = [event for entry in stretch.entries for event in entry.events]
        await asyncio.to_thread(take, events)


def packed(found: Sequence[OfStore], form: str, now_ms: int) -> bytes:
    """Pack a file for each store that has bookings, as the store itself would write it, and a list of all stores."""
    lacking = {
        one.shop.name: roles
        for one in found
        if one.booked.bookings and (roles := missing(one.booked.bookings, one.booked.settings.chart(), form))
    }
    if lacking:
        raise StoresLackAccounts(lacking)
    out, listed = io.BytesIO(), [list(LIST_HEAD)]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for shop, books in found:
            name = ""
            if books.bookings:
                settings = books.settings
                file = write(books, form, words_of(settings.locale, settings.time_zone), now_ms)
                name = f"{shop.store}-{file.name}"
                pack.writestr(name, file.content)
            documents = len({one.document for one in books.bookings})
            listed.append([
                shop.store, harmless(shop.name), f"{books.first}", f"{books.last}", books.settings.currency,
                str(documents), str(len(books.bookings)), name, " ".join(books.unheard),
            ])  # fmt: skip
        pack.writestr(LIST, table(listed))
    return out.getvalue()
