"""A customer's statement as a PDF, in the language of the store."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import Response

from tillmesh.adapters.devices.pdf import Table, table
from tillmesh.adapters.locales import words_of
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.times import parse_rfc3339
from tillmesh.shop.purses import ACCOUNT
from tillmesh.shop.receipt import Words
from tillmesh.shop.settings import StoreSettings
from tillmesh.terminal.web.api import Context

PDF = "application/pdf"


async def statement_paper(context: Context, found: dict[str, Any], first: str, last: str) -> Response:
    """Set a statement: what was there before, each move with its receipt, what is there now."""

    def settings(books: Books) -> StoreSettings:
        return books.store()

    store = await context.driver.look(settings)
    words = words_of(store.locale, store.time_zone)
    name = (found["customer"] or {}).get("name", "")
    subtitle = ", ".join(part for part in (name, _stretch(words, first, last)) if part)
    body = table(store.name, subtitle, [_table(found, words)])
    headers = {"Content-Disposition": 'inline; filename="statement.pdf"', "Cache-Control": "no-store"}
    return Response(body, media_type=PDF, headers=headers)


def _stretch(words: Words, first: str, last: str) -> str:
    days = [words.formats.day(date.fromisoformat(day)) if day else "" for day in (first, last)]
    return " - ".join(days) if all(days) else "".join(days)


def _table(found: dict[str, Any], words: Words) -> Table:
    account = found["purse"] == ACCOUNT

    def amount(value: int) -> str:
        return words.formats.money(value, found["currency"]) if account else str(value)

    head = (words("date"), words("statement_amount"), words("balance"))
    rows = [(words("statement_before"), "", amount(found["before"]))]
    for one in found["entries"]:
        when = words.formats.moment(parse_rfc3339(one["at"], "at"))
        what = f"{when}   {named(one, words, account=account)}"
        rows.append((what, amount(one["amount"]), amount(one["balance"])))
    rows.append((words("statement_after"), "", amount(found["balance"])))
    return Table(words("statement" if account else "points"), head, rows)


def named(entry: dict[str, Any], words: Words, *, account: bool) -> str:
    """Name a move: a sale on the account that lowers what is owed is a payment."""
    paid_off = account and entry["kind"] == "sale_closed" and entry["amount"] < 0
    key = "statement_paid" if paid_off else _KINDS.get(entry["kind"], "statement_adjusted")
    return f"{words(key)} {entry['receipt_number']}".strip()


_KINDS = {
    "sale_closed": "statement_sale",
    "sale_refunded": "statement_refund",
    "sale_voided": "statement_void",
}
