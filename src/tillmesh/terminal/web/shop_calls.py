"""Stock, shifts, the drawer and reports."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec

from tillmesh.adapters.sqlite import listings, reporting
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import PAGE_ROWS_MAX, QUANTITY_MILLI_MAX, SEARCH_CHARS_MAX
from tillmesh.kernel.quantity import format_quantity, parse_quantity
from tillmesh.kernel.times import local, parse_day, rfc3339, zone
from tillmesh.shop.events import CashMoved, ShiftOpened
from tillmesh.shop.people import LEAST, Action, Role, covers
from tillmesh.shop.report import TOP_PRODUCTS, by_period
from tillmesh.terminal.web.api import CSV, JSON, Call, Context
from tillmesh.terminal.web.report_paper import PDF, day_paper
from tillmesh.terminal.web.report_sheets import days_file, reader, report_file
from tillmesh.terminal.web.rights_calls import rights_of
from tillmesh.till import views
from tillmesh.till.commands import AdjustStock, CloseShift, CountStock, MoveCash, OpenDrawer, OpenShift, ReceiveStock
from tillmesh.till.shifts import perpetual_minor, shift_totals


class StockBody(msgspec.Struct):
    """A change of one product's stock."""

    sku: str
    quantity: str | int
    reason: str = ""
    approval: str = ""


async def _stock(context: Context, sku: str) -> dict[str, Any]:
    identity, company = context.driver.identity, context.driver.company()

    def query(books: Books) -> dict[str, Any]:
        product = books.product(sku) or books.product_by_barcode(sku)
        if product is None:
            raise NotFound(f"no product {sku[:40]!r}", hint="Search by name, or add the product.")
        columns = books.stock_columns(product.sku)
        return {
            "sku": product.sku,
            "name": product.name,
            "value": format_quantity(books.stock_milli(product.sku)),
            "actors": {actor: {"p": format_quantity(p), "n": format_quantity(n)} for actor, (p, n) in columns.items()},
            "rights": rights_of(books, identity, company, product.sku),
        }

    return await context.driver.look(query)


async def receive(context: Context, body: StockBody) -> tuple[int, Any]:
    """Take goods in."""
    await context.do(
        ReceiveStock(sku=body.sku, quantity_milli=parse_quantity(body.quantity), reason=body.reason), body.approval
    )
    return 201, await _stock(context, body.sku)


async def count(context: Context, body: StockBody) -> tuple[int, Any]:
    """Say what is really on the shelf."""
    quantity = parse_quantity(body.quantity, least=0)
    await context.do(CountStock(sku=body.sku, quantity_milli=quantity, reason=body.reason), body.approval)
    return 201, await _stock(context, body.sku)


async def adjust(context: Context, body: StockBody) -> tuple[int, Any]:
    """Correct stock by a signed quantity."""
    quantity = parse_quantity(body.quantity, least=-QUANTITY_MILLI_MAX)
    await context.do(AdjustStock(sku=body.sku, quantity_milli=quantity, reason=body.reason), body.approval)
    return 201, await _stock(context, body.sku)


async def get_stock(context: Context) -> Any:
    """Show a product's stock with what each actor added and took."""
    return await _stock(context, context.path("sku"))


async def list_stock(context: Context) -> Any:
    """List products with their stock; ``low`` keeps those that run out."""
    text, low = context.query("q")[:SEARCH_CHARS_MAX], context.query("low") in {"1", "true"}
    limit = context.limit(200, PAGE_ROWS_MAX)
    return {"items": await context.driver.read(lambda db, _: listings.stock(db, text=text, low=low, limit=limit))}


async def stock_levels(context: Context) -> Any:
    """Give every known stock level at once."""
    return {"levels": await context.driver.read(lambda db, _: listings.stock_levels(db))}


class OpenBody(msgspec.Struct):
    """The counted float."""

    float_minor: int


class CloseBody(msgspec.Struct):
    """The counted drawer."""

    counted_minor: int
    approval: str = ""


class CashBody(msgspec.Struct):
    """Cash in (positive) or out (negative)."""

    amount_minor: int
    reason: str
    approval: str = ""


class DrawerBody(msgspec.Struct):
    """Why the drawer is opened."""

    reason: str
    approval: str = ""


async def open_shift(context: Context, body: OpenBody) -> tuple[int, Any]:
    """Count the drawer in."""
    await context.do(OpenShift(float_minor=body.float_minor))
    return 201, await current_shift(context)


async def close_shift(context: Context, body: CloseBody) -> tuple[int, Any]:
    """Count the drawer out and give the Z report."""
    outcome = await context.do(CloseShift(counted_minor=body.counted_minor), body.approval)
    event_id = str(outcome.reply)

    def query(books: Books) -> dict[str, Any]:
        event = books.event(event_id)
        assert event is not None, "a committed event is readable"
        return views.z_report(books, event)

    return 201, await context.driver.look(query)


async def move_cash(context: Context, body: CashBody) -> tuple[int, Any]:
    """Put cash in or take it out."""
    await context.do(MoveCash(amount_minor=body.amount_minor, reason=body.reason), body.approval)
    return 201, await current_shift(context)


async def current_shift(context: Context) -> Any:
    """Show the open shift; what should be in the drawer is not shown to who counts it (blind count)."""
    sees_all = covers(context.signed_in().role, LEAST[Action.SEE_EXPECTED_CASH])

    def query(books: Books) -> dict[str, Any]:
        shift = books.current_shift()
        if shift is None:
            raise NotFound("no shift is open on this till", hint="Open one with the counted float.")
        opening = books.event(shift.shift_id)
        assert opening is not None, "a shift has its opening event"
        opened = decode(opening.body, ShiftOpened)
        totals = shift_totals(books, shift)
        moves = [e for e in books.shift_events(shift.shift_id) if e.type == "cash_moved"]
        view: dict[str, Any] = {
            "shift_id": shift.shift_id,
            "opened_at": rfc3339(shift.opened_ms),
            "opened_by": views.person(books, opened.by),
            "float_minor": opened.float_minor,
            "sales": totals.sales,
            "cash_moves": [
                {"amount_minor": (move := decode(e.body, CashMoved)).amount_minor, "reason": move.reason,
                 "by": views.person(books, move.by)}
                for e in moves
            ],
        }  # fmt: skip
        if sees_all:
            view["expected_cash_minor"] = totals.expected_cash_minor
            view["totals"] = views.totals(totals)
        return view

    return await context.driver.look(query)


async def x_report(context: Context) -> Any:
    """Add the open shift up as it stands."""

    def query(books: Books) -> dict[str, Any]:
        shift = books.current_shift()
        if shift is None:
            raise NotFound("no shift is open on this till", hint="Open one, or look at a Z report.")
        totals = shift_totals(books, shift)
        return {
            "kind": "x",
            "shift_id": shift.shift_id,
            "opened_at": rfc3339(shift.opened_ms),
            "perpetual_minor": perpetual_minor(books, totals),
            **views.totals(totals),
        }

    return await context.driver.look(query)


async def list_z(context: Context) -> Any:
    """List the Z reports of this till, newest first."""

    def query(books: Books) -> dict[str, Any]:
        return {"reports": [views.z_report(books, event) for event in books.closings()]}

    return await context.driver.look(query)


async def get_z(context: Context) -> Any:
    """Show one Z report."""
    number = context.path("number")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid(f"{number[:20]!r} is not the number of a Z report")

    def query(books: Books) -> dict[str, Any]:
        for event in books.closings(number=int(number)):
            return views.z_report(books, event)
        raise NotFound(f"no Z report {number}", hint="See the list of Z reports.")

    return await context.driver.look(query)


async def day_report(context: Context) -> Any:
    """Add up one local day of the store, as JSON with the best sellers or as CSV with every product."""
    text, whole = context.query("date"), context.query("format") in {"csv", "pdf"}

    def query(db: Any, books: Books) -> dict[str, Any]:
        when = parse_day(text, "date") if text else local(context.now_ms(), zone(books.store().time_zone)).date()
        if not 1980 <= when.year <= 9990:
            raise Invalid(f"{text[:20]} is outside 1980 to 9990", hint="Pick another day.")
        return reporting.day(db, books, when, None if whole else TOP_PRODUCTS)

    report = await context.driver.read(query)
    if not whole:
        return report
    if context.query("format") == "pdf":
        return await day_paper(context, report)
    return report_file(report, f"day-{report['date']}.csv", await reader(context))


async def days_report(context: Context) -> Any:
    """Give the totals of each day, month or quarter of a stretch, as JSON or CSV."""
    first, last, group = context.query("from"), context.query("to"), context.query("group", "day")

    def query(db: Any, books: Books) -> tuple[list[dict[str, Any]], str]:
        today = local(context.now_ms(), zone(books.store().time_zone)).date()
        end = parse_day(last, "to") if last else today
        start = parse_day(first, "from") if first else max(date(1980, 1, 1), end - timedelta(days=13))
        if not (start.year >= 1980 and end.year <= 9990 and 0 <= (end - start).days < reporting.DAYS_MAX):
            most = reporting.DAYS_MAX
            raise Invalid(f"from {start} to {end} is not a stretch of 1 to {most} days", hint="Ask for fewer days.")
        return by_period(reporting.days(db, books, start, end), group), books.store().currency

    found, currency = await context.driver.read(query)
    if context.query("format") != "csv":
        return {"days": found, "group": group}
    return days_file(found, currency, f"{group}s.csv", await reader(context))


async def open_drawer(context: Context, body: DrawerBody) -> tuple[int, Any]:
    """Open the drawer without a sale."""
    await context.do(OpenDrawer(reason=body.reason), body.approval)
    return 202, {"queued": True}


CALLS = [
    Call("POST", "/stock/receipts", receive, "Receive stock", StockBody, status=201),
    Call("POST", "/stock/counts", count, "Count stock", StockBody, status=201),
    Call("POST", "/stock/adjustments", adjust, "Adjust stock", StockBody, status=201),
    Call("GET", "/stock/levels", stock_levels, "All stock levels"),
    Call("GET", "/stock", list_stock, "List stock", query=("q", "low", "limit")),
    Call("GET", "/stock/{sku}", get_stock, "Show a product's stock"),
    Call("POST", "/shifts/open", open_shift, "Open a shift", OpenBody, status=201),
    Call("POST", "/shifts/close", close_shift, "Close the shift (Z)", CloseBody, status=201),
    Call("POST", "/shifts/cash", move_cash, "Put cash in or take it out", CashBody, status=201),
    Call("GET", "/shifts/current", current_shift, "Show the open shift"),
    Call("POST", "/drawer/open", open_drawer, "Open the drawer", DrawerBody, status=202),
    Call("GET", "/reports/x", x_report, "X report", role=Role.SUPERVISOR),
    Call("GET", "/reports/z", list_z, "List Z reports", role=Role.SUPERVISOR),
    Call("GET", "/reports/z/{number}", get_z, "Show a Z report", role=Role.SUPERVISOR),
    Call(
        "GET",
        "/reports/day",
        day_report,
        "Report of a day",
        role=Role.SUPERVISOR,
        query=("date", "format", "language"),
        gives=(JSON, CSV, PDF),
    ),
    Call(
        "GET",
        "/reports/days",
        days_report,
        "Totals by day, month or quarter",
        role=Role.SUPERVISOR,
        query=("from", "to", "group", "format", "language"),
        gives=(JSON, CSV),
    ),
]
