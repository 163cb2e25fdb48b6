"""The audit log in words: one line for each event that a manager may ask about."""

from __future__ import annotations

from typing import Any

from tillmesh.kernel.codec import decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import events as e
from tillmesh.shop.order_events import GoodsOrdered, OrderClosed
from tillmesh.shop.rights_events import RightsIssued, RightsReleased
from tillmesh.shop.transfer_events import TransferClosed, TransferReceived, TransferSent, TransferTakenBack
from tillmesh.till.ports import Books
from tillmesh.till.views import person


def describe(books: Books, event: Envelope) -> dict[str, Any]:
    """Give action, subject, detail, by and approved_by of an event."""
    body = decode(event.body, e.KINDS[event.type])
    action, subject, detail = _words(event, body)
    by = str(getattr(body, "by", "") or getattr(body, "cashier", ""))
    approved = str(getattr(body, "approved_by", ""))
    if isinstance(body, e.SaleClosed):
        approved = body.approvals[0].approved_by if body.approvals else ""
    return {
        "action": action,
        "subject": subject,
        "detail": detail,
        "by": person(books, by)["name"] if by else "",
        "approved_by": person(books, approved)["name"] if approved else "",
    }


def _words(event: Envelope, body: object) -> tuple[str, str, str]:  # noqa: PLR0911, PLR0912 - one line per kind
    match body:
        case e.Audited():
            return body.action, body.subject, body.detail
        case e.SaleClosed():
            return "sale_with_approval", body.receipt_number, ", ".join(a.action for a in body.approvals)
        case e.SaleVoided():
            return "sale_voided", body.receipt_number, body.reason
        case e.SaleRefunded():
            return "sale_refunded" if body.sale_id else "returned_without_receipt", body.receipt_number, body.reason
        case e.CashMoved():
            return ("cash_in" if body.amount_minor > 0 else "cash_out"), str(body.amount_minor), body.reason
        case e.ShiftOpened():
            return "shift_opened", event.id, f"float {body.float_minor}"
        case e.ShiftClosed():
            words = f"variance {body.counted_minor - body.totals.expected_cash_minor:+d}"
            return "shift_closed", f"Z {body.z_number}", words
        case e.OversellResolved():
            words = f"{body.action.replace('_', ' ')}, {format_quantity(body.quantity_milli)}"
            return "oversell_resolved", body.sku, f"{words}: {body.reason}" if body.reason else words
        case e.OversellSettled():
            outcome = f"{body.outcome.replace('_', ' ')}, {format_quantity(body.quantity_milli)}"
            return "oversell_settled", body.sku, f"{outcome}: {body.reason}" if body.reason else outcome
        case e.MoneyConflictSettled():
            return "money_conflict_settled", body.conflict_id, body.reason
        case e.CustomerErased():
            return event.type, body.customer_id, body.reason
        case e.PursesAdjusted():
            moves = ", ".join(f"{move.purse} {move.amount:+d}" for move in body.purses)
            return "purses_adjusted", moves, body.reason
        case e.PeriodClosed():
            return "period_closed", f"{body.kind} {body.period}", f"no. {body.number}"
        case e.SigningStopped():
            return "signing_stopped", body.device, body.reason
        case e.SigningResumed():
            return "signing_resumed", body.device, f"{body.unsigned} receipts meanwhile"
        case e.FlagReviewed():
            return "flag_reviewed", body.flag, f"{body.verdict}: {body.reason}" if body.reason else body.verdict
        case e.ProductLearnt():
            return "product_learnt", body.sku, f"{len(body.examples)} photos{', from scratch' if body.replaces else ''}"
        case _ if isinstance(body, e.RegistersChanged):
            return event.type, _keys(body.changes), _fields(body.changes)
        case _:
            return _words_of_goods(event, body)


def _words_of_goods(event: Envelope, body: object) -> tuple[str, str, str]:
    match body:
        case e.StockAdjusted():
            moves = ", ".join(f"{move.sku} {format_quantity(move.quantity_milli)}" for move in body.moves)
            return "stock_adjusted", moves, body.reason
        case GoodsOrdered():
            return "goods_ordered", body.supplier, ", ".join(line.name for line in body.lines[:5])
        case OrderClosed():
            return "order_closed", body.order_id, body.reason
        case e.StockCounted():
            counted, correction = format_quantity(body.counted_milli), format_quantity(body.correction_milli)
            return "stock_counted", body.sku, f"{counted} (correction {correction})"
        case TransferSent():
            return "transfer_sent", body.to_store, ", ".join(line.name for line in body.lines[:5])
        case TransferReceived() | TransferClosed() | TransferTakenBack():
            return event.type, body.transfer_id, str(getattr(body, "reason", ""))
        case RightsIssued() | RightsReleased():
            return event.type, body.sku, _rights(body)
        case _:
            return event.type, event.id, ""


def _rights(body: RightsIssued | RightsReleased) -> str:
    words = format_quantity(body.quantity_milli)
    if isinstance(body, RightsReleased):
        words = f"{words} of {body.holder}, known up to event {body.seen}"
    return f"{words}: {body.reason}" if body.reason else words


def _keys(changes: tuple[e.Change, ...]) -> str:
    shown = ", ".join(change.key for change in changes[:3])
    return shown if len(changes) <= 3 else f"{shown} and {len(changes) - 3} more"


def _fields(changes: tuple[e.Change, ...]) -> str:
    """Show what changed; secrets such as a PIN's tag are named, never shown."""
    if len(changes) != 1:
        return f"{len(changes)} records"
    fields = changes[0].fields
    return ", ".join(name if name == "pin_tag" else f"{name}={value}" for name, value in fields.items())[:300]
