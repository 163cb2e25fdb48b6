"""The report of a day as a PDF, in the language of the store."""

from __future__ import annotations

from datetime import date
from typing import Any

from starlette.responses import Response

from tillmesh.adapters.devices.pdf import Table, table
from tillmesh.adapters.locales import words_of
from tillmesh.adapters.sqlite.books import Books
from tillmesh.shop.receipt import Words
from tillmesh.shop.settings import StoreSettings
from tillmesh.terminal.web.api import Context

PDF = "application/pdf"
PRODUCTS_MAX = 500  # what somebody reads on paper; all of them are in the CSV


async def day_paper(context: Context, report: dict[str, Any]) -> Response:
    """Set the report of a day."""
    return await _paper(context, report, (report["date"],), f"day-{report['date']}.pdf")


async def stretch_paper(context: Context, report: dict[str, Any]) -> Response:
    """Set the report of a stretch of days."""
    first, last = report["from"], report["to"]
    return await _paper(context, report, (first, last), f"{first}-to-{last}.pdf")


async def _paper(context: Context, report: dict[str, Any], days: tuple[str, ...], name: str) -> Response:
    def settings(books: Books) -> StoreSettings:
        return books.store()

    store = await context.driver.look(settings)
    words = words_of(store.locale, store.time_zone)
    when = " - ".join(words.formats.day(date.fromisoformat(day)) for day in days)
    body = table(f"{store.name}", when, list(_tables(report, words)))
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=PDF, headers=headers)


def _tables(report: dict[str, Any], words: Words) -> list[Table]:
    currency = report["currency"]

    def money(minor: int | None) -> str:
        return "" if minor is None else words.formats.money(minor, currency)

    total, count = words("total").capitalize(), words("report_count")
    sums = [("net_sales", "total_minor"), ("tax_total", "tax_minor"), ("discounts", "discount_minor")]
    rows = [(words(key).capitalize(), money(report[name])) for key, name in sums]
    if report["margin_minor"] is not None:
        rows.append((words("report_margin"), money(report["margin_minor"])))
    hours = [
        (f"{one['hour']:02}:00", str(one["sales"]), money(one["total_minor"]))
        for one in report["hours"]
        if one["sales"]
    ]
    tills = [(one["name"], str(one["sales"]), money(one["total_minor"])) for one in report["tills"]]
    people = [(one["name"], str(one["sales"]), money(one["total_minor"])) for one in report["cashiers"]]
    tenders = [(words.tender(one["method"]), str(one["count"]), money(one["net_minor"])) for one in report["tenders"]]
    taxes = [
        (words.formats.percent(one["rate_ppm"]), money(one["net_minor"]), money(one["tax_minor"]))
        for one in report["taxes"]
    ]
    departments = [(one["name"], one["quantity"], money(one["total_minor"])) for one in report["departments"]]
    products = [
        (one["name"], one["quantity"], money(one["total_minor"]), money(one["margin_minor"]))
        for one in report["products"][:PRODUCTS_MAX]
    ]
    sales = (count, total)
    return [
        Table(words("total").capitalize(), ("", total), rows),
        Table(words("report_hours"), (words("report_hour"), *sales), hours),
        Table(words("report_tills"), (words("till"), *sales), tills),
        Table(words("report_people"), (words("cashier"), *sales), people),
        Table(words("tenders"), (words("tenders"), *sales), tenders),
        Table(words("tax"), (words("rate"), words("net"), words("tax")), taxes),
        Table(words("report_departments"), (words("report_departments"), words("report_quantity"), total), departments),
        Table(
            words("report_products"),
            (words("report_products"), words("report_quantity"), total, words("report_margin")),
            products,
        ),
    ]
