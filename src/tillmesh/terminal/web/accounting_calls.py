"""The books for an accountant: what days come to, which accounts are set, and the files."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tillmesh.adapters.sqlite.books import Books
from tillmesh.shop.accounting import balances
from tillmesh.shop.accounting_files import FORMS, missing
from tillmesh.shop.accounting_writing import Booked
from tillmesh.shop.accounts import CLIENT, CONSULTANT, KEY, REVENUE, ROLES, TAX, YEAR_START
from tillmesh.shop.people import Role
from tillmesh.shop.settings import VOUCHER
from tillmesh.terminal.bookkeeping import read_days, write
from tillmesh.terminal.web.api import CSV, Call, Context


def _read(context: Context, db: Any, books: Books) -> Booked:
    return read_days(db, books, context.query("from"), context.query("to"), context.now_ms())


async def overview(context: Context) -> Any:
    """Say what days come to on each account, which accounts are missing, and which tills were not heard of since."""

    def query(db: Any, books: Books) -> dict[str, Any]:
        booked = _read(context, db, books)
        chart, bookings = booked.settings.chart(), booked.bookings
        codes = sorted(code for code in booked.settings.policy().tax_rates_ppm if code != VOUCHER)
        roles = [*ROLES, *(start + code for start in (REVENUE, TAX, KEY) for code in codes)]
        found = balances(bookings)
        order = {role: place for place, role in enumerate([*found, *roles])}
        tills = {till: books.fields("setting", till) or {} for till in booked.unheard}
        return {
            "from": booked.first.isoformat(),
            "to": booked.last.isoformat(),
            "documents": len({one.document for one in bookings}),
            "bookings": len(bookings),
            "balances": [
                {"role": role, "account": chart.get(role, ""), "amount_minor": amount}
                for role, amount in sorted(found.items(), key=lambda one: order[one[0]])
            ],
            "missing": {form: missing(bookings, chart, form) for form in FORMS},
            "unheard": [{"terminal_id": till, "name": str(one.get("name") or till)} for till, one in tills.items()],
            "accounts": chart,
            "roles": [*roles, CONSULTANT, CLIENT, YEAR_START],
        }  # fmt: skip

    return await context.driver.read(query)


async def download(context: Context) -> Response:
    """Give days as a file: ``plain``, a table of double entries, or ``datev``, an EXTF file with its postings."""

    def query(db: Any, books: Books) -> Any:
        return write(_read(context, db, books), context.query("format", FORMS[0]), context.now_ms())

    file = await context.driver.read(query)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    return Response(file.content, media_type=file.media, headers=headers)


CALLS = [
    Call("GET", "/accounting", overview, "What days come to in the books", role=Role.MANAGER, query=("from", "to")),
    Call("GET", "/accounting/file", download, "Books as a file for accountants", role=Role.MANAGER,
         query=("from", "to", "format"), gives=(CSV,)),
]  # fmt: skip
