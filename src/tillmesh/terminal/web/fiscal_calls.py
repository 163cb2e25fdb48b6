"""Closes of periods, the signature device, and the journal for an auditor."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import msgspec
from starlette.responses import Response

from tillmesh.adapters.signature import SimulatedDevice
from tillmesh.adapters.sqlite import fiscal as stored
from tillmesh.adapters.sqlite.books import Books
from tillmesh.kernel.errors import Conflict, Invalid
from tillmesh.kernel.times import day_bounds, parse_day, rfc3339, zone
from tillmesh.shop.events import PeriodClosed
from tillmesh.shop.fiscal import KINDS
from tillmesh.shop.people import Role
from tillmesh.terminal.fiscal_desk import FiscalDesk
from tillmesh.terminal.web.api import Call, Context
from tillmesh.till.commands import ClosePeriods
from tillmesh.till.journal import tables

ZIP = "application/zip"
JOURNAL_DAYS_MAX = 400


class OutageBody(msgspec.Struct):
    """Whether the simulated device is to be out of order."""

    out_of_order: bool


def view(closed: PeriodClosed) -> dict[str, Any]:
    """Show a close."""
    sums = msgspec.structs.asdict(closed.totals)
    rates = [msgspec.structs.asdict(one) for one in closed.totals.rates]
    tenders = [msgspec.structs.asdict(one) for one in closed.totals.tenders]
    return {
        "kind": closed.kind,
        "period": closed.period,
        "number": closed.number,
        "currency": closed.currency,
        "perpetual_minor": closed.perpetual_minor,
        "gross_minor": closed.gross_minor,
        "closed_at": rfc3339(closed.closed_at_ms),
        "totals": sums | {"rates": rates, "tenders": tenders},
    }


async def list_periods(context: Context) -> Any:
    """List the closes of this till, newest first: days, months or years."""
    kind = context.query("kind", "day")
    if kind not in KINDS:
        raise Invalid(f"{kind[:20]!r} is no kind of close", hint=f"Use one of {', '.join(KINDS)}.")
    limit = context.limit(100, 1_000)

    def query(books: Books) -> dict[str, Any]:
        return {
            "on": books.store().fiscal_closes,
            "periods": [view(one) for one in reversed(books.periods_after(kind, 0)[-limit:])],
        }

    return await context.driver.look(query)


async def close(context: Context) -> Any:
    """Close what has passed; days are closed by themselves, this only hurries it."""
    outcome = await context.do(ClosePeriods())
    return {"closed": len(outcome.events)}


async def device(context: Context) -> Any:
    """Say how the signature device of this till is."""
    desk: FiscalDesk = context.services.extra["fiscal"]

    def query(books: Books) -> dict[str, Any]:
        outage = books.signing_outage()
        return {
            "kind": books.terminal().signature_device,
            "serial": "" if desk.device is None else desk.device.serial,
            "out_of_order_since": None if outage is None else rfc3339(outage.stopped_at_ms),
            "unsigned": desk.waiting,
        }

    return await context.driver.look(query)


async def set_outage(context: Context, body: OutageBody) -> Any:
    """Put the simulated device out of order, or back: for training."""
    desk: FiscalDesk = context.services.extra["fiscal"]
    if not isinstance(desk.device, SimulatedDevice):
        raise Conflict("this till has no simulated signature device", hint="Choose it in the settings of the till.")
    desk.device.out_of_order = body.out_of_order
    desk.retry()
    return await device(context)


async def journal(context: Context) -> Response:
    """Give the journal of this till as a ZIP of CSV files, for a stretch of days on the shop's wall."""
    first, last = parse_day(context.query("from"), "from"), parse_day(context.query("to"), "to")
    if not 0 <= (last - first).days < JOURNAL_DAYS_MAX or not 1980 <= first.year <= last.year <= 9990:
        raise Invalid(f"from {first} to {last} is not a stretch of 1 to {JOURNAL_DAYS_MAX} days")

    def query(db: Any, books: Books) -> bytes:
        where = zone(books.store().time_zone)
        begin, end = day_bounds(first, where)[0], day_bounds(last, where)[1]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, rows in tables(stored.journal(db, books, begin, end)).items():
                text = io.StringIO()
                csv.writer(text, delimiter=";").writerows(rows)
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.getvalue().encode())
        return out.getvalue()

    name = f"journal-{context.driver.identity.terminal}-{first}-{last}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(await context.driver.read(query), media_type=ZIP, headers=headers)


CALLS = [
    Call("GET", "/fiscal/periods", list_periods, "List closes", role=Role.SUPERVISOR, query=("kind", "limit")),
    Call("POST", "/fiscal/close", close, "Close what has passed", role=Role.SUPERVISOR),
    Call("GET", "/fiscal/device", device, "How the signature device is"),
    Call("POST", "/fiscal/device", set_outage, "Act at a simulated signature device", OutageBody, role=Role.MANAGER),
    Call("GET", "/fiscal/journal", journal, "Journal for an auditor", role=Role.MANAGER, query=("from", "to"),
         gives=(ZIP,)),
]  # fmt: skip
