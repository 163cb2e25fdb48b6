"""The report of a stretch of days: what sold, in which departments, by whom, with margin; as JSON, CSV and PDF."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tillmesh.adapters.sqlite import reporting
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import Invalid
from tillmesh.kernel.times import local, parse_day, zone
from tillmesh.shop.people import Role
from tillmesh.shop.report import TOP_PRODUCTS
from tillmesh.terminal.web.api import CSV, JSON, Call, Context
from tillmesh.terminal.web.report_paper import PDF, stretch_paper
from tillmesh.terminal.web.report_sheets import reader, report_file


async def stretch(context: Context) -> Any:
    """Add up the days from one to another, both included, with the best sellers or, as a file, with every product."""
    first, last = context.query("from"), context.query("to")
    form = context.query("format")

    def query(db: Any, books: Books) -> dict[str, Any]:
        today = local(context.now_ms(), zone(books.store().time_zone)).date()
        end = parse_day(last, "to") if last else today
        start = parse_day(first, "from") if first else end - timedelta(days=13)
        if not (start.year >= 1980 and end.year <= 9990 and 0 <= (end - start).days < reporting.STRETCH_DAYS_MAX):
            most = reporting.STRETCH_DAYS_MAX
            raise Invalid(f"from {start} to {end} is not a stretch of 1 to {most} days", hint="Ask for fewer days.")
        return reporting.stretch(db, books, start, end, None if form in {"csv", "pdf"} else TOP_PRODUCTS)

    report = await context.driver.read(query)
    if form == "pdf":
        return await stretch_paper(context, report)
    if form == "csv":
        return report_file(report, f"{report['from']}-to-{report['to']}.csv", await reader(context))
    return report


CALLS = [
    Call("GET", "/reports/stretch", stretch, "Report of a stretch of days", role=Role.SUPERVISOR,
         query=("from", "to", "format", "language"), gives=(JSON, CSV, PDF)),
]  # fmt: skip
