"""Oversells as pages and programs are shown them: what is open, what was decided, what is owed."""

from __future__ import annotations

from typing import Final

from tillmesh.kernel.codec import decode
from tillmesh.kernel.ids import terminal_of
from tillmesh.kernel.limits import BACK_ORDERS_SHOWN_MAX, OVERSELLS_SHOWN_MAX
from tillmesh.kernel.quantity import format_quantity
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.events import SaleClosed
from tillmesh.shop.oversell import POLICY, History, Noted, Resolution, Sold
from tillmesh.shop.oversell_ranking import Reason, Suggestion
from tillmesh.till import views
from tillmesh.till.oversells import Finding, load_history, look_into, open_oversells
from tillmesh.till.ports import Books
from tillmesh.till.views import View

# Read by programs; the pages have their own words for each code.
_WORDS: Final = {
    "never_booked": "no delivery of this product was ever booked in",
    "taken_along": "no customer is known: the goods went over the counter, so they were there",
    "one_till": "all of it was sold on one till, which knew the stock",
    "few": "only a little is missing",
    "many": "much is missing: that is more than a slip in the count",
    "count_old": "it was not counted for a month",
    "count_fresh": "it was counted within two days, so the stock is probably right",
    "customer_known": "the customer is known and can be called",
    "nobody_to_call": "no customer is known who could be called",
    "delivery_usual": "deliveries come regularly: {n} in two months",
    "delivery_unusual": "nothing was delivered for two months",
    "just_sold": "sold {n} min ago: the customer may still be here",
    "sold_long_ago": "sold more than a day ago",
    "no_cash": "it was not paid in cash",
    "chosen_often": "your managers chose this {n} times lately",
    "chosen_seldom": "your managers mostly chose something else lately",
    "other_goods": "the sale has other goods too, which would all go back",
}


def conflicts(books: Books, now_ms: int) -> View:
    """Show everything about oversells: open ones with ranked answers, answered ones, back-orders."""
    found = open_oversells(books)
    histories = {sku: load_history(books, sku) for sku in books.noted_skus()}
    owed = [(past, one) for past in histories.values() for one in past.resolutions if one.owed_milli]
    owed.sort(key=lambda pair: (pair[1].noted.hlc, pair[1].noted.event_id))
    return {
        "conflicts": [_finding(books, look_into(books, one, now_ms)) for one in found[:OVERSELLS_SHOWN_MAX]],
        "open": sum(one.ever_booked for one in found),
        "never_booked": sum(not one.ever_booked for one in found),
        "resolved": [_resolved(books, histories, noted) for noted in books.newest_resolutions()],
        "back_orders": [_resolution(books, past, one) for past, one in owed[:BACK_ORDERS_SHOWN_MAX]],
    }


def resolved(books: Books, sku: str, event_id: str) -> View:
    """Show one resolution as it stands."""
    past = load_history(books, sku)
    found = next(one for one in past.resolutions if one.noted.event_id == event_id)
    return _resolution(books, past, found)


def _finding(books: Books, finding: Finding) -> View:
    found = finding.open
    over = finding.involved.over
    return {
        "id": found.conflict_id,
        "kind": "oversold",
        **_product(books, found.sku),
        "stock": format_quantity(found.stock_milli),
        "missing": format_quantity(found.missing_milli),
        "never_booked": not found.ever_booked,
        "since": rfc3339(over[-1].sold_at_ms) if over else None,
        "sales": [_sale(books, sale, over=True) for sale in over]
        + [_sale(books, sale, over=False) for sale in finding.involved.before],
        "suggestions": [_suggestion(one) for one in finding.suggestions],
    }


def _product(books: Books, sku: str) -> View:
    product = books.product(sku)
    return {
        "sku": sku,
        "name": sku if product is None else product.name,
        "unit": "piece" if product is None else product.unit,
        "department": "" if product is None else product.department,
    }


def _sale(books: Books, sold: Sold, *, over: bool) -> View:
    event = books.event(sold.sale_id)
    assert event is not None, "a sale that was found is there"
    sale = decode(event.body, SaleClosed)
    return {
        "sale_id": sold.sale_id,
        "receipt_number": sale.receipt_number,
        "at": rfc3339(sold.sold_at_ms),
        "terminal": terminal(books, sold.actor),
        "cashier": views.person(books, sale.cashier),
        "customer": views.customer(books, sale.customer_id),
        "quantity": format_quantity(sold.quantity_milli),
        "total_minor": sale.total_minor,
        "over": over,
        "voidable": not sold.touched,
    }


def terminal(books: Books, actor: str) -> View:
    """Name the till behind an actor."""
    name = terminal_of(actor)
    fields = books.fields("setting", name) or {}
    return {"terminal_id": name, "name": str(fields.get("name") or name)}


def _suggestion(one: Suggestion) -> View:
    shown: View = {
        "action": one.action,
        "confidence": one.percent / 100,
        "reasons": [_words(reason) for reason in one.reasons],
        "because": [{"code": reason.code, "points": reason.points, "n": reason.n} for reason in one.reasons],
    }
    if one.sale_id:
        shown["sale_id"] = one.sale_id
    return shown


def _words(reason: Reason) -> str:
    return _WORDS[reason.code].format(n=reason.n)


def _resolved(books: Books, histories: dict[str, History], noted: Noted) -> View:
    past = histories[noted.body.sku]
    found = next(one for one in past.resolutions if one.noted.event_id == noted.event_id)
    return _resolution(books, past, found)


def _resolution(books: Books, past: History, one: Resolution) -> View:
    body = one.body
    return {
        "id": body.conflict_id,
        "event_id": one.noted.event_id,
        **_product(books, past.sku),
        "action": body.action,
        "quantity": format_quantity(body.quantity_milli),
        "at": rfc3339(body.resolved_at_ms),
        "by": _who(books, body.by),
        "approved_by": _who(books, body.approved_by) if body.approved_by else None,
        "terminal": terminal(books, one.noted.actor),
        "reason": body.reason,
        "sale": _named_sale(books, body.sale_id),
        "sales": [_named_sale(books, sale_id) for sale_id in body.sales],
        "status": _status(one),
        "owed": format_quantity(one.owed_milli),
        "overtaken_by": one.overtaken_by or None,
        "confidence": _confidence(one),
    }


def _status(one: Resolution) -> str:
    """Say how a resolution stands: it counts, waits for goods, or came second to another till's."""
    if one.overtaken_by:
        if one.body.action == "void":
            return "second_void"
        return "second_open" if one.to_take_back_milli else "second"
    if one.body.action == "back_order":
        return "waiting" if one.owed_milli else "filled"
    return "done"


def _confidence(one: Resolution) -> float | None:
    """Give how likely the chosen answer was called when it was chosen."""
    body = one.body
    for proposed in body.proposed:
        if proposed.action == body.action and proposed.sale_id in {"", body.sale_id}:
            return proposed.confidence_percent / 100
    return None


def _who(books: Books, user_id: str) -> View:
    """Name a person, or the written policy that decided."""
    if user_id.startswith(POLICY):
        return {"user_id": user_id, "name": user_id.removeprefix(POLICY), "policy": True}
    return views.person(books, user_id)


def _named_sale(books: Books, sale_id: str) -> View | None:
    event = books.event(sale_id) if sale_id else None
    if event is None or event.type != "sale_closed":
        return None
    sale = decode(event.body, SaleClosed)
    return {
        "sale_id": sale_id,
        "receipt_number": sale.receipt_number,
        "terminal": terminal(books, event.actor),
        "customer": views.customer(books, sale.customer_id),
    }
