"""Flagged acts as managers see them, newest first, and the acts of the last weeks, from which usual is learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tillmesh.adapters.sqlite.books import Books
from tillmesh.adapters.sqlite.listings import body_of
from tillmesh.adapters.sqlite.log_reader import EVENT
from tillmesh.edge.acts import Act, act_of
from tillmesh.edge.features import DAY_MS
from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.hlc import COUNTER_BITS, physical_ms
from tillmesh.kernel.limits import FRAUD_FLAGS_SHOWN_MAX
from tillmesh.kernel.times import local, rfc3339, zone
from tillmesh.shop.events import ActFlagged, Audited, FlagReviewed, SaleClosed, SaleRefunded, SaleVoided
from tillmesh.till import views
from tillmesh.till.oversell_views import terminal

_FLAGS: Final = (
    f"SELECT {EVENT} FROM event e WHERE e.type IN ('act_flagged', 'flag_reviewed') "  # noqa: S608
    "ORDER BY e.hlc DESC LIMIT ?"
)
_RECEIPTS: Final = (
    f"SELECT {EVENT} FROM (SELECT actor, seq FROM receipt WHERE at_ms >= ? ORDER BY at_ms DESC LIMIT ?) r "  # noqa: S608
    "JOIN event e ON e.actor = r.actor AND e.seq = r.seq"
)
_DRAWERS: Final = (
    f"SELECT {EVENT} FROM audit a JOIN event e ON e.actor = a.actor AND e.seq = a.seq "  # noqa: S608
    "WHERE a.hlc >= ? AND e.type = 'audited'"
)


def flags(books: Books) -> dict[str, Any]:
    """List what was flagged: first what nobody looked at yet, then the rest, newest first."""
    reviews: dict[str, FlagReviewed] = {}
    found: list[tuple[Envelope, ActFlagged]] = []
    # Newest first, so the first review of a flag is the one that counts.
    for event in books.events(_FLAGS, (2 * FRAUD_FLAGS_SHOWN_MAX,)):
        if event.type == "flag_reviewed":
            body = decode(event.body, FlagReviewed)
            reviews.setdefault(body.flag, body)
        else:
            found.append((event, decode(event.body, ActFlagged)))
    shown = [_flag(books, event, body, reviews.get(event.id)) for event, body in found[:FRAUD_FLAGS_SHOWN_MAX]]
    return {
        "flags": sorted(shown, key=lambda one: one["review"] is not None),
        "open": sum(one["review"] is None for one in shown),
    }


def _flag(books: Books, event: Envelope, body: ActFlagged, review: FlagReviewed | None) -> dict[str, Any]:
    return {
        "flag_id": event.id,
        "event_id": body.event,
        "kind": body.kind,
        "person": views.person(books, body.person),
        "terminal": terminal(books, event.actor),
        "score": body.score_ppm / 1e6,
        "level": body.level,
        "reasons": [
            {"code": one.code, "weight": one.weight_milli / 1000, "value": one.value_milli / 1000}
            for one in body.reasons
        ],
        "model": body.model,
        "at": rfc3339(body.flagged_at_ms),
        **_about(books, body.event),
        "review": None
        if review is None
        else {
            "verdict": review.verdict,
            "by": views.person(books, review.by),
            "reason": review.reason,
            "at": rfc3339(review.reviewed_at_ms),
        },
    }


def _about(books: Books, event_id: str) -> dict[str, Any]:
    event = books.event(event_id)
    body: Record | None = None if event is None else body_of(event)
    sale_id = event_id if isinstance(body, SaleClosed) else str(getattr(body, "sale_id", ""))
    return {
        "receipt_number": str(getattr(body, "receipt_number", "")),
        "total_minor": int(getattr(body, "total_minor", 0)),
        "sale_id": sale_id,
        "detail": str(getattr(body, "detail", "") or getattr(body, "reason", "")),
        "approved_by": str(getattr(body, "approved_by", "")),
    }


def act_at(books: Books, event: Envelope, body: Record | None = None) -> Act | None:
    """Read an event as an act, with the sale that it answers and the hour on the shop's wall."""
    kind = body_of(event) if body is None else body
    at_ms = _at_ms(event, kind)
    hour = local(at_ms, zone(books.store().time_zone)).hour
    return act_of(kind, at_ms, hour, _answered(books, kind))


def _answered(books: Books, body: object) -> SaleClosed | None:
    sale_id = body.sale_id if isinstance(body, SaleRefunded | SaleVoided) else ""
    event = books.event(sale_id) if sale_id else None
    return None if event is None or event.type != "sale_closed" else decode(event.body, SaleClosed)


def _at_ms(event: Envelope, body: Record) -> int:
    """Give when it happened by the till's clock, unless that is far from the log's: then somebody made it up."""
    match body:
        case SaleClosed():
            said = body.closed_at_ms
        case SaleRefunded():
            said = body.refunded_at_ms
        case SaleVoided():
            said = body.voided_at_ms
        case _:
            said = 0
    logged = physical_ms(event.hlc)
    return said if abs(said - logged) <= DAY_MS else logged


def past_acts(books: Books, since_ms: int, most: int) -> list[Act]:
    """List the newest acts since a time, oldest first: what is usual is learned from them after a start."""
    found = list(_acts(books, books.events(_RECEIPTS, (since_ms, most))))
    found += _acts(books, books.events(_DRAWERS, (max(0, since_ms) << COUNTER_BITS,)))
    return sorted(found, key=lambda act: act.at_ms)[-most:]


def _acts(books: Books, events: Iterator[Envelope]) -> Iterator[Act]:
    for event in list(events):
        body = body_of(event)
        if isinstance(body, SaleClosed | SaleRefunded | SaleVoided | Audited) and (act := act_at(books, event, body)):
            yield act
