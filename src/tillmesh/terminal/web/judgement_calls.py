"""What the till says about what was done and what will be sold: fraud scores, flagged acts, forecasts, orders."""

from __future__ import annotations

from typing import Any

import msgspec

from tillmesh.adapters.sqlite import flagged
from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.web.problems import NotAvailable
from tillmesh.edge.acts import GIFT_CARD, SALE, Act
from tillmesh.kernel.errors import Invalid, NotFound
from tillmesh.kernel.limits import DEMAND_AHEAD_DAYS_MAX, SALE_LINES_MAX
from tillmesh.kernel.money import PPM
from tillmesh.kernel.quantity import ONE, parse_quantity
from tillmesh.kernel.times import local, zone
from tillmesh.shop.people import Role
from tillmesh.shop.tender import CASH
from tillmesh.terminal.demand import Demand
from tillmesh.terminal.fraud import FraudWatch, NotScored
from tillmesh.terminal.web.api import Call, Context
from tillmesh.terminal.web.sale_calls import LineBody, PaymentBody
from tillmesh.till.commands import ReviewFlag
from tillmesh.till.ordering import LEAD_DAYS, REVIEW_DAYS
from tillmesh.till.scanning import find_scanned

FORECAST_DAYS = 14


class SupposedSale(msgspec.Struct):
    """A sale that nobody made, as ``POST /sales`` takes it; or one that is stored, by ``sale_id``."""

    lines: list[LineBody] = []
    payments: list[PaymentBody] = []
    customer_id: str | None = None
    sale_id: str = ""


class ScoreBody(msgspec.Struct):
    """What is scored: the id of a stored sale, refund, void or drawer opening; or a sale that is only supposed."""

    sale: str | SupposedSale


class ReviewBody(msgspec.Struct):
    """What a manager says about a flagged act: fine, or follow_up."""

    verdict: str
    reason: str = ""


async def fraud_score(context: Context, body: ScoreBody) -> Any:
    """Score a stored act as it looks now; a score that does not come is a fallback in the answer, never an error."""
    watch: FraudWatch | None = context.services.extra.get("fraud")
    if watch is None:
        raise NotAvailable("this till runs no models", hint="Look at the audit log.")
    act = await context.driver.look(lambda books: _act(books, body.sale, context))
    try:
        answer = await watch.judge(watch.features(act))
    except NotScored as none:
        return {"score": None, "level": "unknown", "reasons": [], "recommendation": "none", "fallback": none.reason}
    verdict = answer.verdict
    return {
        "score": round(verdict.score, 4),
        "level": verdict.level,
        "reasons": [{"code": one.code, "weight": one.weight, "value": one.value} for one in verdict.reasons],
        "recommendation": verdict.recommendation,
        "fallback": "",
        "model": answer.model,
    }


def _act(books: Books, sale: str | SupposedSale, context: Context) -> Act:
    if isinstance(sale, SupposedSale):
        if not sale.sale_id:
            return _supposed(books, sale, context)
        sale = sale.sale_id
    event = books.event(sale)
    act = None if event is None else flagged.act_at(books, event)
    if act is None:
        raise NotFound(f"no sale, refund or void {sale[:60]!r}", hint="Look it up in the list of sales.")
    return act


def _supposed(books: Books, sale: SupposedSale, context: Context) -> Act:
    """Read a sale that nobody made, as the person who asks would make it now."""
    if not 1 <= len(sale.lines) <= SALE_LINES_MAX:
        raise Invalid(f"a sale of {len(sale.lines)} lines; allowed are 1 to {SALE_LINES_MAX}", hint="Add a product.")
    now_ms, listed, cheaper, off = context.now_ms(), 0, 0, 0
    deepest_ppm = 0
    for line in sale.lines:
        product, _, _ = find_scanned(books, sku=line.sku, barcode=line.barcode)
        quantity = parse_quantity(line.quantity)
        price = product.price_minor if line.unit_price_minor is None else max(0, line.unit_price_minor)
        whole, less = product.price_minor * quantity // ONE, max(0, product.price_minor - price) * quantity // ONE
        listed, cheaper, off = listed + whole, cheaper + less, off + max(0, line.discount_minor)
        deepest_ppm = max(deepest_ppm, min(PPM, (less + line.discount_minor) * PPM // whole) if whole > 0 else 0)
    paid = {
        method: sum(one.amount_minor for one in sale.payments if one.method == method) for method in (CASH, GIFT_CARD)
    }
    total = max(0, listed - cheaper - off)
    return Act(
        kind=SALE, cashier=context.signed_in().user_id, at_ms=now_ms,
        hour=local(now_ms, zone(books.store().time_zone)).hour, total_minor=total, list_minor=listed,
        given_minor=cheaper + off, cheaper_minor=cheaper, deepest_ppm=deepest_ppm, lines=len(sale.lines),
        cash_minor=min(total, paid[CASH]), gift_minor=min(total, paid[GIFT_CARD]),
        ties=(f"customer:{sale.customer_id}",) if sale.customer_id else (),
    )  # fmt: skip


async def list_flags(context: Context) -> Any:
    """List what the score flagged, for managers, with the reasons."""
    return await context.driver.look(flagged.flags)


async def review_flag(context: Context, body: ReviewBody) -> Any:
    """Say what a flagged act was."""
    outcome = await context.do(ReviewFlag(flag=context.path("flag_id"), verdict=body.verdict, reason=body.reason))
    return {"event_id": str(outcome.reply)}


async def demand(context: Context) -> Any:
    """Forecast a product's sales and say what to order."""
    sku = context.query("sku")
    days = _days(context, "days", FORECAST_DAYS)
    found = await _demand(context).of(sku, days=days, **_cover(context))
    if found is None:
        raise NotFound(f"no product {sku[:40]!r}", hint="Search by name, or add the product.")
    return found


async def orders(context: Context) -> Any:
    """List what to order soon."""
    return await _demand(context).orders(**_cover(context))


def _demand(context: Context) -> Demand:
    extra = context.services.extra
    if "demand" not in extra:
        extra["demand"] = Demand(context.driver, context.services.clock)
    demand: Demand = extra["demand"]
    return demand


def _cover(context: Context) -> dict[str, int]:
    return {
        "lead_days": _days(context, "lead_days", LEAD_DAYS),
        "review_days": _days(context, "review_days", REVIEW_DAYS),
    }


def _days(context: Context, name: str, default: int) -> int:
    text = context.query(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= DEMAND_AHEAD_DAYS_MAX // 2):
        raise Invalid(f"{name} {text[:20]!r} is outside 1 to {DEMAND_AHEAD_DAYS_MAX // 2}", hint="Ask for fewer days.")
    return int(text)


_COVER = ("lead_days", "review_days")
CALLS = [
    Call("POST", "/ai/fraud-score", fraud_score, "Score a sale, refund or void", ScoreBody, role=Role.MANAGER),
    Call("GET", "/ai/fraud/flags", list_flags, "List flagged acts", role=Role.MANAGER),
    Call("POST", "/ai/fraud/flags/{flag_id}/review", review_flag, "Review a flag", ReviewBody, role=Role.MANAGER),
    Call("GET", "/ai/demand", demand, "Forecast a product", role=Role.SUPERVISOR, query=("sku", "days", *_COVER)),
    Call("GET", "/ai/demand/orders", orders, "What to order soon", role=Role.SUPERVISOR, query=_COVER),
]
