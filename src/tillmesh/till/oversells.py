"""Oversold products: what is open and what could be done, and what somebody decides about it.

Nothing here runs by itself. A person resolves, or the store's written policy does, and that only for back-orders and
small adjustments: never with money.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tillmesh.kernel.codec import Record, decode
from tillmesh.kernel.envelope import Envelope
from tillmesh.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from tillmesh.kernel.hlc import COUNTER_BITS, physical_ms
from tillmesh.kernel.ids import EventId, terminal_of
from tillmesh.kernel.limits import OVERSELL_SALES_SHOWN_MAX
from tillmesh.kernel.quantity import format_quantity
from tillmesh.shop import oversell
from tillmesh.shop.events import (
    Approval,
    OversellResolved,
    OversellSettled,
    Proposed,
    SaleClosed,
    SaleRefunded,
    SaleVoided,
    StockAdjusted,
    StockCounted,
    StockMove,
    StockReceived,
)
from tillmesh.shop.oversell import History, Involved, Sold
from tillmesh.shop.oversell_ranking import USUAL_WITHIN_MS, Case, Ranker, Suggestion, count_chosen, rank
from tillmesh.shop.people import Action
from tillmesh.shop.refund import came_back
from tillmesh.shop.stock import movements
from tillmesh.shop.tender import CASH
from tillmesh.till.commands import AdjustStock, ResolveOversell, SettleOversells, VoidSale, Who
from tillmesh.till.desk import Desk, checked_text
from tillmesh.till.ports import Books
from tillmesh.till.refunds import load_answers, load_sale, void_sale
from tillmesh.till.stockroom import adjust

RAISING = (SaleVoided, SaleRefunded, StockReceived, StockAdjusted, StockCounted)  # events that can fill a back-order


class Open(Record):
    """One oversell that waits for an answer."""

    conflict_id: str
    sku: str
    stock_milli: int
    missing_milli: int
    ever_booked: bool


class Finding(Record):
    """One open oversell with the sales behind it and the ranked answers."""

    open: Open
    involved: Involved
    suggestions: tuple[Suggestion, ...]


def load_history(books: Books, sku: str) -> History:
    """Give everything that was decided about a product."""
    return oversell.history(sku, books.oversell_notes(sku))


def open_oversell(books: Books, sku: str) -> Open | None:
    """Look at one product: is more of it sold than there is or was promised?"""
    return open_among(books, {sku: books.stock_milli(sku)}).get(sku)


def open_among(books: Books, stocks_milli: Mapping[str, int]) -> dict[str, Open]:
    """Look at some products whose stock is known: which are oversold? Cheap for those that are not."""
    found: dict[str, Open] = {}
    for sku, stock_milli in stocks_milli.items():
        if stock_milli >= 0 or ((product := books.product(sku)) is not None and not product.track_stock):
            continue
        booked = any(added for added, _ in books.stock_columns(sku).values())
        one = _open(books, sku, stock_milli, ever_booked=booked)
        if one is not None:
            found[sku] = one
    return found


def open_oversells(books: Books) -> list[Open]:
    """List all open oversells: goods that were booked in first, the most missing first."""
    found = [_open(books, sku, stock, ever_booked=booked) for sku, stock, booked in books.below_zero()]
    return sorted((one for one in found if one is not None), key=_urgent)


def _open(books: Books, sku: str, stock_milli: int, *, ever_booked: bool) -> Open | None:
    past = load_history(books, sku)
    missing = past.missing_milli(stock_milli)
    if missing == 0:
        return None
    return Open(
        conflict_id=past.open_id, sku=sku, stock_milli=stock_milli, missing_milli=missing, ever_booked=ever_booked
    )


def _urgent(one: Open) -> tuple[bool, int, str]:
    return not one.ever_booked, -one.missing_milli, one.sku


def look_into(books: Books, open_one: Open, now_ms: int, ranker: Ranker = rank) -> Finding:
    """Find the sales behind an oversell and rank what could be done."""
    promised = load_history(books, open_one.sku).promised_sales()
    sales = _newest_sales(books, open_one.sku, open_one.missing_milli, promised)
    behind = oversell.involved(sales, open_one.missing_milli, promised)
    counted_at_ms, deliveries = _stock_past(books, open_one.sku, now_ms)
    case = Case(
        sku=open_one.sku,
        missing_milli=open_one.missing_milli,
        involved=behind,
        now_ms=now_ms,
        counted_at_ms=counted_at_ms,
        deliveries=deliveries,
        ever_booked=open_one.ever_booked,
        chosen=count_chosen(books.newest_resolutions()),
    )
    return Finding(open=open_one, involved=behind, suggestions=ranker(case))


def _newest_sales(books: Books, sku: str, missing_milli: int, promised: frozenset[str]) -> Iterator[Sold]:
    """Iterate sales of a product, newest first by clock and actor, until they explain what is missing and one more."""
    events = sorted(books.newest_sales_of(sku), key=lambda event: (event.hlc, event.id), reverse=True)
    left, more = missing_milli, 1
    found = 0
    for event in events:
        sold = _sold(books, event, sku)
        if sold is None or sold.sale_id in promised:
            continue
        yield sold
        found += 1
        more -= left <= 0
        left -= sold.quantity_milli
        if (left <= 0 and more <= 0) or found > OVERSELL_SALES_SHOWN_MAX:
            return


def _sold(books: Books, event: Envelope, sku: str) -> Sold | None:
    sale = decode(event.body, SaleClosed)
    if all(line.sku != sku for line in sale.lines):
        return None
    answers = load_answers(books, event.id)
    kept = sum(
        line.quantity_milli - came.quantity_milli
        for line, came in zip(sale.lines, came_back(sale, answers), strict=True)
        if line.sku == sku
    )
    if kept <= 0:
        return None
    return Sold(
        sale_id=event.id,
        hlc=event.hlc,
        actor=event.actor,
        quantity_milli=kept,
        sold_at_ms=sale.closed_at_ms or physical_ms(event.hlc),
        customer_known=bool(sale.customer_id),
        other_lines=sum(line.sku != sku for line in sale.lines),
        paid_cash=any(payment.method == CASH for payment in sale.payments),
        touched=bool(answers),
    )


def _stock_past(books: Books, sku: str, now_ms: int) -> tuple[int, tuple[int, ...]]:
    """Give when a product was counted last (0: not within two months), and when deliveries came, newest first."""
    since_ms = max(0, now_ms - USUAL_WITHIN_MS)
    counted, came = 0, []
    for event in books.stock_events_of(sku, since_ms << COUNTER_BITS):
        at_ms = physical_ms(event.hlc)
        match event.type:
            case "stock_counted" if decode(event.body, StockCounted).sku == sku:
                counted = max(counted, at_ms)
            case "stock_received" if any(move.sku == sku for move in decode(event.body, StockReceived).moves):
                came.append(at_ms)
            case _:
                pass
    return counted, tuple(sorted(came, reverse=True))


def resolve(desk: Desk, command: ResolveOversell) -> EventId:
    """Answer an oversell: a manager's right, or the store's written policy; the same answer again changes nothing."""
    past = load_history(desk.books, command.sku)
    done = past.standing(command.conflict_id)
    if done is not None:
        if done.body.action == command.action:
            return EventId(done.noted.event_id)
        raise Conflict(
            f"this oversell was answered already: {done.body.action.replace('_', ' ')}", hint="Look at the list anew."
        )
    approved_by = _may_resolve(desk, command)
    found = open_oversell(desk.books, command.sku)
    if found is None or found.conflict_id != command.conflict_id:
        raise NotFound("this oversell is not open any more", hint="The stock changed: look at the list anew.")
    finding = look_into(desk.books, found, desk.now_ms)
    _within_policy(desk, command, found)
    said = checked_text(command.reason, "reason")
    reason = said or f"oversold by {format_quantity(found.missing_milli)}"  # a void and an adjustment need one
    sale_id, answer, quantity_milli = _void_or_name(desk, command, finding, reason)
    noted = desk.record(
        OversellResolved(
            conflict_id=found.conflict_id,
            sku=found.sku,
            action=command.action,
            quantity_milli=quantity_milli,
            by=desk.who.user_id,
            reason=said,
            approved_by=approved_by,
            sale_id=sale_id,
            answer=answer,
            sales=tuple(sale.sale_id for sale in finding.involved.over),
            proposed=tuple(
                Proposed(action=one.action, confidence_percent=one.percent, sale_id=one.sale_id)
                for one in finding.suggestions
            ),
            stock_milli=found.stock_milli,
            resolved_at_ms=desk.now_ms,
        )
    )
    if command.action == oversell.ADJUST:
        adjusted = adjust(desk, AdjustStock(sku=found.sku, quantity_milli=quantity_milli, reason=reason))
        assert adjusted == answer, "the adjustment is the event after its resolution"
    return noted


def _may_resolve(desk: Desk, command: ResolveOversell) -> str:
    if command.action not in oversell.ACTIONS:
        raise Invalid(
            f"{command.action[:40]!r} is no answer to an oversell", hint=f"Use one of {', '.join(oversell.ACTIONS)}."
        )
    approved_by = desk.require(Action.RESOLVE_OVERSELL)
    if approved_by:  # who may answer may also do what the answer needs: it is the manager's yes to the whole of it
        also = tuple(Approval(action=action, approved_by=approved_by) for action in (Action.VOID, Action.ADJUST_STOCK))
        who = desk.who
        desk.who = Who(user_id=who.user_id, role=who.role, approvals=(*who.approvals, *also))
    return approved_by


def _within_policy(desk: Desk, command: ResolveOversell, found: Open) -> None:
    """Keep what decides in the name of the store's policy to what the policy says now."""
    if not desk.who.user_id.startswith(oversell.POLICY):
        return
    store = desk.store()
    if command.action != oversell.by_policy(
        store.oversell_policy, store.oversell_adjust_max_milli, found.missing_milli
    ):
        raise NotAllowed("the store's policy has no such answer", needs="manager", hint="A manager decides.")


def _void_or_name(desk: Desk, command: ResolveOversell, finding: Finding, reason: str) -> tuple[str, str, int]:
    """Void, if that was decided; give the voided sale, the event that carries the decision out, and the quantity.

    An adjustment comes after its resolution: a till that hears only the first of both must not take the goods for real
    if they turn out to be adjusted twice.
    """
    missing = finding.open.missing_milli
    match command.action:
        case oversell.VOID:
            sale_id, quantity_milli = _to_void(desk, command, finding)
            return sale_id, void_sale(desk, VoidSale(sale_id=sale_id, reason=reason)), quantity_milli
        case oversell.ADJUST:
            return "", desk.coming(2), missing
        case _:
            return "", "", missing


def _to_void(desk: Desk, command: ResolveOversell, finding: Finding) -> tuple[str, int]:
    """Pick the sale to void: the one that was named, or the one that was suggested first."""
    suggested = next((one.sale_id for one in finding.suggestions if one.action == oversell.VOID), "")
    sale_id = command.sale_id or suggested
    if not sale_id:
        raise Conflict("no sale of this product can be voided whole", hint="Refund in Sales, or choose another answer.")
    sale = load_sale(desk.books, sale_id)
    quantity_milli = sum(line.quantity_milli for line in sale.lines if line.sku == finding.open.sku)
    if any(isinstance(answer, SaleVoided) for answer in load_answers(desk.books, sale_id)):
        raise Conflict("this sale was voided already", hint="Choose another answer.")
    if not quantity_milli:
        raise Invalid("this sale has nothing of the product in it", hint="Choose one of the sales that are listed.")
    return sale_id, quantity_milli


def fill_back_orders(desk: Desk) -> None:
    """Note which back-orders the stock covers now that a command brings goods in, in the same transaction."""
    raised: dict[str, int] = {}
    for body in desk.bodies:
        if isinstance(body, RAISING):
            for sku, delta in movements(body):
                raised[sku] = raised.get(sku, 0) + delta
    for sku, delta in raised.items():
        if delta > 0:
            _fill(desk, load_history(desk.books, sku), desk.books.stock_milli(sku) + delta)


def _fill(desk: Desk, past: History, stock_milli: int, terminal: str = "") -> None:
    for one, total_milli in past.to_fill(stock_milli):
        if terminal and terminal_of(one.noted.actor) != terminal:
            continue
        desk.record(
            OversellSettled(
                resolution=one.noted.event_id,
                sku=past.sku,
                outcome=oversell.FILLED,
                quantity_milli=total_milli,
                by=desk.who.user_id,
            )
        )


def settle(desk: Desk, command: SettleOversells) -> None:
    """Look after what this terminal decided, once it hears what others did meanwhile.

    Only the terminal that made a resolution ends it, so that nothing is undone twice: back-orders that a delivery to
    another till covers, and an adjustment that came second to a resolution in another partition.
    """
    for sku in command.skus:
        past = load_history(desk.books, sku)
        for one in past.resolutions:
            if one.to_take_back_milli and terminal_of(one.noted.actor) == desk.identity.terminal:
                _take_back(desk, one, one.to_take_back_milli)
        _fill(desk, past, desk.books.stock_milli(sku), desk.identity.terminal)


def _take_back(desk: Desk, one: oversell.Resolution, back_milli: int) -> None:
    reason = "the same oversell was answered on another till as well"
    move = StockMove(sku=one.body.sku, quantity_milli=-back_milli)
    desk.record(StockAdjusted(moves=(move,), by=desk.who.user_id, reason=reason))
    desk.record(
        OversellSettled(
            resolution=one.noted.event_id,
            sku=one.body.sku,
            outcome=oversell.TAKEN_BACK,
            quantity_milli=one.body.quantity_milli,
            by=desk.who.user_id,
            reason=reason,
        )
    )
