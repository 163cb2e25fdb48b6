"""Books of several stores together, for whoever keeps the accounts."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.responses import Response

from tillmesh.fleet.standing import ShopRow
from tillmesh.hub.bookkeeping import booked, packed
from tillmesh.hub.web.api import Call, Context
from tillmesh.kernel.errors import Invalid, NotFound, TooMany
from tillmesh.kernel.limits import BOOK_STORES_MAX
from tillmesh.kernel.times import parse_day
from tillmesh.shop.accounting_files import PLAIN, check_form

ZIP: Final = "application/zip"
RETRY_MS: Final = 10_000


class BooksBusy(TooMany):
    """Somebody else's books are being made."""

    kind = "books-busy"
    title = "Books are being made already"


async def books(context: Context) -> Response:
    """Give the books of stores for days that are over: a file for each store, as the store itself writes it, packed."""
    form, now = context.query("format", PLAIN), context.services.clock()
    check_form(form)
    first, last = (str(parse_day(context.query(name), name)) for name in ("from", "to"))
    shops = await _chosen(context)
    if context.services.booking.locked():
        raise BooksBusy("books are made one after the other", retry_after_ms=RETRY_MS, hint="Try again in a moment.")
    async with context.services.booking:
        found = [await booked(context.hub, shop, first, last, now) for shop in shops]
        content = await asyncio.to_thread(packed, found, form, now)
    headers = {
        "Content-Disposition": f'attachment; filename="books-{first}-{last}.zip"', "Cache-Control": "no-store",
    }  # fmt: skip
    return Response(content, media_type=ZIP, headers=headers)


async def _chosen(context: Context) -> list[ShopRow]:
    """Read ``stores`` (comma); none named means all."""
    shops = await context.hub.read(lambda reading: reading.shops())
    named = {store for store in context.query("stores").split(",") if store}
    for store in named - {shop.store for shop in shops}:
        raise NotFound(f"no store {store[:64]!r} has uploaded anything", hint="Look at the list of stores.")
    chosen = [shop for shop in shops if not named or shop.store in named]
    if len(chosen) > BOOK_STORES_MAX:
        raise Invalid(
            f"{len(chosen)} stores; books are made of at most {BOOK_STORES_MAX} at once", hint="Choose some of them."
        )
    return chosen


CALLS: Final = [
    Call("GET", "/books", books, "Books of stores for accountants", query=("from", "to", "stores", "format"),
         gives=(ZIP,)),
]  # fmt: skip
