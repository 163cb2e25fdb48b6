"""The audit log: for each event that a manager may ask about, codes and values that a page says in its language."""

from __future__ import annotations

from typing import Any, Final

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import events as e
from tillmesh.till.ports import Books
from tillmesh.till.views import person

KEYS_SHOWN: Final = 3
FIELDS_SHOWN: Final = 12
VALUE_CHARS_SHOWN: Final = 100
SECRET: Final = frozenset({"pin_tag"})

Words = list[dict[str, Any]]


def describe(books: Books, event: Envelope) -> dict[str, Any]:
    """Give action, subject, detail, words, reason, by and approved_by of an event.

    ``words`` are codes with values, which the page says in its reader's language; ``detail`` is what the program itself
    noted, in English, and ``reason`` what a person typed.
    """
    body = decode(event.body, e.KINDS[event.type])
    action, subject, words = _words(books, event, body)
    by = str(getattr(body, "by", "") or getattr(body, "cashier", ""))
    approved = str(getattr(body, "approved_by", ""))
    if isinstance(body, e.SaleClosed):
        approved = body.approvals[0].approved_by if body.approvals else ""
    return {
        "action": action,
        "subject": subject,
        "detail": body.detail if isinstance(body, e.Audited) else "",
        "words": words,
        "reason": str(getattr(body, "reason", "")),
        "by": person(books, by)["name"] if by else "",
        "approved_by": person(books, approved)["name"] if approved else "",
    }


def _word(code: str, **values: Any) -> dict[str, Any]:
    return {"word": code, **values}


def _words(books: Books, event: Envelope, body: object) -> tuple[str, str, Words]:  # noqa: PLR0911, PLR0912 - one line per kind
    match body:
        case e.Audited():
            return body.action.replace("-", "_"), body.subject, []  # head office names kinds of trouble with hyphens
        case e.SaleClosed():
            approvals = [_word("approval", action=one.action) for one in body.approvals]
            return "sale_with_approval", body.receipt_number, approvals
        case e.SaleVoided():
            return "sale_voided", body.receipt_number, []
        case e.SaleRefunded():
            return "sale_refunded" if body.sale_id else "returned_without_receipt", body.receipt_number, []
        case e.CashMoved():
            action = "cash_in" if body.amount_minor > 0 else "cash_out"
            return action, "", [_word("amount", amount_minor=body.amount_minor)]
        case e.ShiftOpened():
            return "shift_opened", "", [_word("float", amount_minor=body.float_minor)]
        case e.ShiftClosed():
            variance = body.counted_minor - body.totals.expected_cash_minor
            return "shift_closed", f"Z {body.z_number}", [_word("variance", amount_minor=variance)]
        case e.OversellResolved():
            return "oversell_resolved", body.sku, [_oversold(body.action, body.quantity_milli)]
        case e.OversellSettled():
            return "oversell_settled", body.sku, [_oversold(body.outcome, body.quantity_milli)]
        case e.MoneyConflictSettled():
            return "money_conflict_settled", body.conflict_id, []
        case e.CustomerErased():
            return event.type, body.customer_id, []
        case e.PursesAdjusted():
            moves = [_word("purse", purse=move.purse, amount=move.amount) for move in body.purses]
            return "purses_adjusted", "", moves
        case e.PeriodClosed():
            return "period_closed", body.period, [_word("number", n=body.number)]
        case e.SigningStopped():
            return "signing_stopped", body.device, []
        case e.SigningResumed():
            return "signing_resumed", body.device, [_word("unsigned", n=body.unsigned)]
        case e.FlagReviewed():
            return "flag_reviewed", body.flag, [_word("verdict", verdict=body.verdict)]
        case e.ProductLearnt():
            anew = [_word("from_scratch")] if body.replaces else []
            return "product_learnt", body.sku, [_word("photos", n=len(body.examples)), *anew]
        case _ if isinstance(body, e.RegistersChanged):
            return event.type, _keys(books, event, body.changes), _fields(body.changes)
        case _:
            return _words_of_goods(event, body)


def _oversold(answer: str, quantity_milli: int) -> dict[str, Any]:
    return _word("oversold", answer=answer, quantity=format_quantity(quantity_milli))


def _words_of_goods(event: Envelope, body: object) -> tuple[str, str, Words]:
    match body:
        case e.StockAdjusted():
            moves = ", ".join(f"{move.sku} {format_quantity(move.quantity_milli)}" for move in body.moves)
            return "stock_adjusted", moves, []
        case e.GoodsOrdered():
            return "goods_ordered", body.supplier, [_word("goods", names=[line.name for line in body.lines[:5]])]
        case e.OrderClosed():
            return "order_closed", body.order_id, []
        case e.StockCounted():
            counted, correction = format_quantity(body.counted_milli), format_quantity(body.correction_milli)
            return "stock_counted", body.sku, [_word("counted", quantity=counted, correction=correction)]
        case e.TransferSent():
            return "transfer_sent", body.to_store, [_word("goods", names=[line.name for line in body.lines[:5]])]
        case e.TransferReceived() | e.TransferClosed() | e.TransferTakenBack():
            return event.type, body.transfer_id, []
        case e.RightsIssued() | e.RightsReleased():
            return event.type, body.sku, [_rights(body)]
        case _:
            return event.type, event.id, []


def _rights(body: e.RightsIssued | e.RightsReleased) -> dict[str, Any]:
    quantity = format_quantity(body.quantity_milli)
    if isinstance(body, e.RightsReleased):
        return _word("released", quantity=quantity, holder=body.holder, seen=body.seen)
    return _word("rights", quantity=quantity)


def _keys(books: Books, event: Envelope, changes: tuple[e.Change, ...]) -> str:
    """Name what was changed: people by their names, all else by its key."""
    is_people = event.type == "people_changed"
    names = [person(books, change.key)["name"] if is_people else change.key for change in changes[:KEYS_SHOWN]]
    return ", ".join(names)


def _fields(changes: tuple[e.Change, ...]) -> Words:
    """Show what changed; secrets such as a PIN's tag are named, never shown."""
    if len(changes) != 1:
        return [_word("records", n=len(changes))]
    fields = changes[0].fields
    return [
        _word("field", name=name) if name in SECRET else _word("field", name=name, value=_shown(value))
        for name, value in list(fields.items())[:FIELDS_SHOWN]
    ]


def _shown(value: object) -> object:
    """Cut a value off that fills the page."""
    if isinstance(value, str):
        return value[:VALUE_CHARS_SHOWN]
    return [str(one)[:VALUE_CHARS_SHOWN] for one in value[:FIELDS_SHOWN]] if isinstance(value, list) else value
