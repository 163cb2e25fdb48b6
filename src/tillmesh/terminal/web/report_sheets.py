"""Reports and statements as CSV: for programs with the names of fields, for readers in their language.

Without ``language`` a file has the names of the API's fields, minor units and points: what somebody's own program reads
stays as it is. The pages name the language of whoever reads, and a spreadsheet opens words and amounts as that person
writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from tillmesh.adapters.locales import decimal_sign, known_locale, words_of
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.web.sheets import Number, Rows, for_programs, for_readers, number
from tillmesh.kernel.money import exponent, format_decimal
from tillmesh.kernel.times import parse_rfc3339
from tillmesh.shop.purses import ACCOUNT
from tillmesh.shop.receipt import Words
from tillmesh.terminal.web.api import Context
from tillmesh.terminal.web.languages import checked_language
from tillmesh.terminal.web.statement_paper import named


class Reader:
    """Somebody who opens a table: their words, and how they write numbers."""

    def __init__(self, words: Words, sign: str) -> None:
        self.words, self.sign = words, sign

    def amount(self, minor: int | None, currency: str) -> Number | None:
        """Write minor units as a decimal number, without a symbol: a spreadsheet can add it up."""
        return None if minor is None else self.number(format_decimal(minor, exponent(currency)))

    def number(self, text: str) -> Number:
        """Write a decimal number with the sign of this reader."""
        return number(text, self.sign)

    def file(self, head: Sequence[str], rows: Rows, name: str) -> Response:
        """Answer with a table under its headings; where the comma is the decimal sign, semicolons are between cells."""
        return for_readers(head, rows, name, self.sign)


async def reader(context: Context) -> Reader | None:
    """Give who reads the answer, or nothing where a program asks."""
    tag = context.query("language")[:20].replace("_", "-")
    if not tag:
        return None
    language = checked_language(tag.partition("-")[0])

    def zone(books: Books) -> str:
        return books.store().time_zone

    locale = known_locale(tag, language)
    return Reader(words_of(locale, await context.driver.look(zone)), decimal_sign(locale))


def report_file(report: dict[str, Any], name: str, who: Reader | None) -> Response:
    """Give a report of a day or a stretch as one table; a margin is there where the cost is known."""
    if who is None:
        return for_programs(_fields(report), name)
    words = who.words
    head = [words(key) for key in ("report_part", "report_name", "report_quantity")]
    return who.file([*head, words("total").capitalize(), words("report_margin")], _told(report, who), name)


def days_file(days: list[dict[str, Any]], currency: str, name: str, who: Reader | None) -> Response:
    """Give the totals of days, months or quarters."""
    fields = ["date", "total_minor", "sales", "refunds_minor", "tax_minor"]
    if who is None:
        return for_programs([fields, *[[row[field] for field in fields] for row in days]], name)
    words = who.words
    head = [words("date"), words("total").capitalize(), *map(words, ("report_count", "report_refunds", "tax_total"))]
    rows = [
        [row["date"], who.amount(row["total_minor"], currency), row["sales"],
         *(who.amount(row[field], currency) for field in fields[3:])]
        for row in days
    ]  # fmt: skip
    return who.file(head, rows, name)


def statement_file(found: dict[str, Any], who: Reader | None) -> Response:
    """Give every move of a purse with what was there after it."""
    account = found["purse"] == ACCOUNT
    decimals = exponent(found["currency"]) if account else 0

    def decimal(value: int) -> Number:
        return Number(format_decimal(value, decimals))

    if who is None:
        rows = [["at", "kind", "receipt", "amount", "balance"], ["", "before", "", "", decimal(found["before"])]]
        for one in found["entries"]:
            amounts = [decimal(one[name]) for name in ("amount", "balance")]
            rows.append([one["at"], one["kind"], one["receipt_number"], *amounts])
        return for_programs(rows, "statement.csv")
    words = who.words
    head = [words(key) for key in ("date", "report_name", "receipt", "statement_amount", "balance")]
    told: list[list[str]] = [["", words("statement_before"), "", "", who.number(decimal(found["before"]))]]
    for one in found["entries"]:
        when = words.formats.moment(parse_rfc3339(one["at"], "at"))
        amounts = [who.number(decimal(one[name])) for name in ("amount", "balance")]
        told.append([when, named(one, words, account=account), one["receipt_number"], *amounts])
    return who.file(head, told, "statement.csv")


def _fields(report: dict[str, Any]) -> list[list[Any]]:
    rows: list[list[Any]] = [["section", "name", "quantity", "total_minor", "margin_minor"]]
    rows += [["hour", f"{row['hour']:02}:00", row["sales"], row["total_minor"]] for row in report["hours"]]
    for section in ("departments", "products", "cashiers", "tills"):
        rows += [
            [section, r["name"], r.get("quantity", r.get("sales")), r["total_minor"], r.get("margin_minor")]
            for r in report[section]
        ]
    rows += [["tender", row["method"], row["count"], row["net_minor"]] for row in report["tenders"]]
    rows += [["tax", row["code"], row["net_minor"], row["tax_minor"]] for row in report["taxes"]]
    return rows


_PARTS: Final = {
    "departments": "report_departments",
    "products": "report_products",
    "cashiers": "report_people",
    "tills": "report_tills",
}


def _told(report: dict[str, Any], who: Reader) -> list[list[Any]]:
    words, currency = who.words, report["currency"]
    rows: list[list[Any]] = [
        [words("report_hours"), f"{row['hour']:02}:00", row["sales"], who.amount(row["total_minor"], currency), None]
        for row in report["hours"]
    ]
    for part, key in _PARTS.items():
        for row in report[part]:
            quantity = who.number(row.get("quantity", row.get("sales")))
            sums = [who.amount(row.get(name), currency) for name in ("total_minor", "margin_minor")]
            rows.append([words(key), row["name"], quantity, *sums])
    rows += [
        [words("tenders"), words.tender(row["method"]), row["count"], who.amount(row["net_minor"], currency), None]
        for row in report["tenders"]
    ]
    for row in report["taxes"]:
        rate = words.formats.percent(row["rate_ppm"])
        for key, name in (("net", "net_minor"), ("tax", "tax_minor")):
            rows.append([words("tax"), f"{words(key)} {rate}", None, who.amount(row[name], currency), None])
    return rows
