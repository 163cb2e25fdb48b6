"""Files in and out: receipts as text and HTML, products as CSV."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tillmesh.adapters.devices.symbols import draw
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.mails import read_setup
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import IMPORT_BODY_BYTES_MAX
from tillmesh.kernel.money import exponent
from tillmesh.shop.people import Role
from tillmesh.shop.product_columns import Reading, parse_mapping
from tillmesh.shop.product_file import Report, batches, export, plan_import
from tillmesh.shop.product_rows import text_lines
from tillmesh.shop.receipt import Mark, Receipt
from tillmesh.shop.receipt.html import render_html
from tillmesh.shop.receipt.text import render_text
from tillmesh.terminal.importing import reading_of, report_view, shelf_of
from tillmesh.terminal.receipts import receipt_of
from tillmesh.terminal.web.api import CSV, JSON, Call, Context
from tillmesh.terminal.web.receipt_files import FORMATS, file_of
from tillmesh.till.commands import ChangeRecords


async def receipt(context: Context) -> Any:
    """Show a receipt as JSON (text and HTML), plain text or an HTML fragment."""
    event_id = context.path("event_id")
    mark = Mark.COPY if context.query("copy") in {"1", "true"} else Mark.ORIGINAL

    def query(books: Books) -> tuple[Receipt | None, int]:
        return receipt_of(books, event_id, mark=mark), books.terminal().printer_columns

    found, columns = await context.driver.look(query)
    if found is None:
        raise NotFound(f"no receipt {event_id[:60]!r}", hint="Look it up in the list of sales.")
    match context.query("format", "json"):
        case kind if kind in FORMATS:
            sender = (await context.driver.read(lambda db, _: read_setup(db))).sender
            return await context.driver.look(lambda books: file_of(books, found, kind, sender=sender))
        case "text":
            return Response(render_text(found, columns), media_type="text/plain; charset=utf-8")
        case "html":
            return Response(render_html(found, draw), media_type="text/html; charset=utf-8")
        case _:
            return {"text": render_text(found, columns), "html": render_html(found, draw)}


async def export_products(context: Context) -> Response:
    """Give all products as CSV, in the columns that the import understands."""

    def query(books: Books) -> str:
        decimals = exponent(books.store().currency)
        return "".join(export(books.records("product"), decimals=decimals))

    text = await context.driver.look(query)
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


class BadFile(Invalid):
    """A product file with rows that can't be taken; the problem document lists them by line."""

    kind = "bad-file"
    title = "Nothing was imported"

    def __init__(self, report: Report) -> None:
        super().__init__(
            f"{report.error_count} rows can't be used, the first in line {report.errors[0].line}",
            hint="Mend them, or import the others with skip_bad=1.",
        )
        self._report = report

    def members(self) -> dict[str, object]:
        """Say what is wrong where."""
        return report_view(self._report)


async def import_products(context: Context, body: bytes) -> Any:
    """Import a CSV file: all of it or, with errors, nothing; ``dry_run=1`` only says what would happen.

    ``map=price=Retail`` names a column of the file, and may stand there several times.
    """
    mapping = parse_mapping(context.request.query_params.getlist("map"))
    dry_run = context.query("dry_run") in {"1", "true"}
    skip_bad = context.query("skip_bad") in {"1", "true"}

    def query(books: Books) -> Any:
        reading: Reading = reading_of(books.store(), mapping)
        return plan_import(text_lines([body]), reading, shelf_of(books), skip_bad=skip_bad, dry_run=dry_run)

    plan = await context.driver.look(query)
    if plan.report.errors and not (dry_run or skip_bad):
        raise BadFile(plan.report)
    for changes in batches(plan.changes):
        await context.do(ChangeRecords(entity="product", changes=changes, source="import"))
    return report_view(plan.report)


RECEIPT = (JSON, "text/plain", "text/html", "application/pdf", "message/rfc822", "image/svg+xml")
CALLS = [
    Call("GET", "/sales/{event_id}/receipt", receipt, "Show a receipt", query=("format", "copy"), gives=RECEIPT),
    Call("GET", "/refunds/{event_id}/receipt", receipt, "Show a refund slip", query=("format", "copy"), gives=RECEIPT),
    Call("GET", "/products/export", export_products, "Export products as CSV", role=Role.SUPERVISOR, gives=(CSV,)),
    Call(
        "POST", "/products/import", import_products, "Import products from CSV", bytes, role=Role.MANAGER,
        query=("dry_run", "skip_bad", "map"), media=CSV, bytes_max=IMPORT_BODY_BYTES_MAX, takes_room=True,
    ),
]  # fmt: skip
