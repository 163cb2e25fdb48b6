"""Money taken or given back twice: what is open, and what a manager says about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tillmesh.kernel.codec import decode
from tillmesh.kernel.errors import NotFound
from tillmesh.kernel.hlc import physical_ms
from tillmesh.kernel.ids import EventId
from tillmesh.kernel.times import rfc3339
from tillmesh.shop.events import MoneyConflictSettled, SaleClosed
from tillmesh.shop.money_conflict import GIVEN_BACK_TWICE, MoneyConflict, given_back_twice, is_open, paid_twice
from tillmesh.shop.people import Action
from tillmesh.shop.stock import movements
from tillmesh.till import views
from tillmesh.till.commands import SettleMoneyConflict
from tillmesh.till.desk import Desk, checked_text
from tillmesh.till.oversell_views import terminal
from tillmesh.till.ports import Books
from tillmesh.till.refunds import load_answers


def open_conflicts(books: Books) -> list[MoneyConflict]:
    """List what no manager has settled yet, the most money first."""
    settled = [decode(event.body, MoneyConflictSettled) for event in books.money_settled()]
    found = [one for one in _all(books) if is_open(one, settled)]
    return sorted(found, key=lambda one: (-one.too_much_minor, one.conflict_id))


def _all(books: Books) -> Iterable[MoneyConflict]:
    for sales in books.carts_paid_again():
        bodies = [(event.id, decode(event.body, SaleClosed)) for event in sales]
        if (found := paid_twice(bodies[0][1].cart_id, bodies)) is not None:
            yield found
    for sale_id in books.sales_answered_again():
        event = books.event(sale_id)
        if event is None or event.type != "sale_closed":
            continue  # it has not arrived yet; what answered it has
        ids = [answer.id for answer in books.answers(sale_id)]
        answers = list(zip(ids, load_answers(books, sale_id), strict=True))
        if (back := given_back_twice(sale_id, decode(event.body, SaleClosed), answers)) is not None:
            yield back


def came_twice(books: Books, sku: str) -> int:
    """Give how much of a product came back beyond what was sold of it, in conflicts that nobody has settled yet."""
    found = (one for one in open_conflicts(books) if one.kind == GIVEN_BACK_TWICE)
    return sum(_beyond(books, one.sale_id, sku) for one in found)


def _beyond(books: Books, sale_id: str, sku: str) -> int:
    event = books.event(sale_id)
    assert event is not None, "what was found is there"
    moved = [*movements(decode(event.body, SaleClosed))]
    for answer in load_answers(books, sale_id):
        moved += movements(answer)
    return max(0, sum(delta for name, delta in moved if name == sku))


def settle(desk: Desk, command: SettleMoneyConflict) -> EventId:
    """Note how it ended: the right of whoever answers oversells. Nothing is voided or refunded by this."""
    approved_by = desk.require(Action.RESOLVE_OVERSELL)
    found = next((one for one in open_conflicts(desk.books) if one.conflict_id == command.conflict_id), None)
    if found is None:
        raise NotFound(f"{command.conflict_id[:60]!r} is not open", hint="Look at the list anew.")
    return desk.record(
        MoneyConflictSettled(
            conflict_id=found.conflict_id,
            events=found.events,
            by=desk.who.user_id,
            reason=checked_text(command.reason, "reason", least=1),
            approved_by=approved_by,
            settled_at_ms=desk.now_ms,
        )
    )


def shown(books: Books, found: MoneyConflict) -> views.View:
    """Show one finding with what happened on which till."""
    rows = [_row(books, event_id) for event_id in found.events]
    view: dict[str, Any] = {
        "id": found.conflict_id,
        "kind": found.kind,
        "too_much_minor": found.too_much_minor,
        "currency": books.store().currency,
        "events": rows,
        "sale": _row(books, found.sale_id) if found.sale_id else None,
    }
    return view


def _row(books: Books, event_id: str) -> views.View:
    event = books.event(event_id)
    assert event is not None, "what was found is there"
    if event.type == "sale_closed":
        sale = decode(event.body, SaleClosed)
        kind, number, total, by = "sale", sale.receipt_number, sale.total_minor, views.person(books, sale.cashier)
    else:
        answer = views.answer(books, event)
        kind, number = answer["kind"], answer["receipt_number"]
        total, by = answer["total_minor"], answer["by"]
    return {
        "event_id": event_id,
        "kind": kind,
        "receipt_number": number,
        "total_minor": total,
        "by": by,
        "terminal": terminal(books, event.actor),
        "at": rfc3339(physical_ms(event.hlc)),
    }
